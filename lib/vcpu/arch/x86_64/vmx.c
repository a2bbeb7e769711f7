/*
 * VT-x (Intel SDM 3, chapters 25 to 28, appendices B and C): registers by number from
 * VMCS fields, exits from reasons and qualifications.
 */
#include <selvage/vcpu_vmx.h>

#include "decode.h"

#include <selvage/sel4.h>
#include <string.h>

/* --- Fields. Of SELECTOR, LIMIT, RIGHTS and BASE the first is ES's --------------------- */
enum {
	SELECTOR = 0x800,
	PAT = 0x2804,
	EFER = 0x2806,
	PIN = 0x4000,
	PRIMARY = 0x4002,
	EXCEPTIONS = 0x4004,
	ENTRY = 0x4012,
	EVENT = 0x4016,
	EVENT_CODE = 0x4018,
	SECONDARY = 0x401e,
	EXIT_EVENT = 0x4404,
	EXIT_EVENT_CODE = 0x4406,
	VECTORING = 0x4408,
	VECTORING_CODE = 0x440a,
	INSTRUCTION = 0x440e,
	LIMIT = 0x4800,
	RIGHTS = 0x4814,
	SHADOW = 0x4824,
	SYSENTER_CS = 0x482a,
	CR0_MASK = 0x6000,
	CR4_MASK = 0x6002,
	CR0_SHADOW = 0x6004,
	CR4_SHADOW = 0x6006,
	GVA = 0x640a,
	CR0 = 0x6800,
	CR3 = 0x6802,
	CR4 = 0x6804,
	BASE = 0x6806,
	DR7 = 0x681a,
	RSP = 0x681c,
	RIP = 0x681e,
	RFLAGS = 0x6820,
	SYSENTER_ESP = 0x6824,
	SYSENTER_EIP = 0x6826,
};
#define MAX_FIELDS 100u

#define PRIMARY_WINDOW (1u << 2)
#define PRIMARY_CR3_WRITE (1u << 15)
#define PRIMARY_CR3_READ (1u << 16)
#define PRIMARY_DR (1u << 23)
/* TSC offset, HLT, MWAIT, RDPMC, CR8 (both ways), MONITOR. */
#define PRIMARY_GUEST 0x20180c88u
/* RDTSCP, WBINVD, unrestricted guest, INVPCID, XSAVES. */
#define SECONDARY_GUEST 0x1010c8u
/* Debug controls, PAT, EFER. */
#define ENTRY_GUEST 0xc004u
#define ENTRY_LONG (1u << 9)
#define BLOCKED 3u /* in SHADOW: by STI, by MOV SS */
#define BLOCKED_MOV_SS 2u
#define BLOCKED_NMI 8u
#define PORT_STRING 16u /* of the qualification */
#define RIGHTS_UNUSABLE (1u << 16)
#define ATTR_ACCESSED 1u
#define ATTR_BUSY 2u
#define ATTR_NOT_SYSTEM 0x10u
#define ATTR_PRESENT 0x80u
#define SEGMENTS 8u /* that have a selector */
#define CR0_PE 1u
#define CR0_PG (1u << 31)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_HOST (CR0_CD | CR0_NW | 1u << 5) /* NE: what the kernel keeps */
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define RFLAGS_IF (1u << 9)
#define RFLAGS_GUEST 0x3f7fd5ull /* not reserved */
#define WITH_CODE 0x27d00u       /* exceptions, by vector */
#define VECTOR_DEBUG 1u
#define VECTOR_PROTECTION 13u
#define DR6_CHANGES 0x600fu
#define KIND_INT1 5u /* of an exit's event: RIP is at the instruction */
/* Registers that the kernel has in memory: abi/vcpu.h. */
#define IN_MEMORY 0x43e1fc000000ffefull
#define BIT(name) (1ull << ABI_VCPU_##name)

/* VMEnter's words in the IPC buffer (and, less than 4, in registers). */
enum { AT_RIP,
       AT_PRIMARY,
       AT_EVENT,
       AT_REASON,
       AT_QUALIFICATION,
       AT_BYTES,
       AT_GPA,
       AT_RFLAGS,
       AT_SHADOW,
       AT_CR3,
       AT_GPR,
       AT_PAGE = AT_GPR + 15, /* of EPT violations, ABI_VCPU_PAGE_FIELDS: */
       AT_RSP = AT_PAGE,
       AT_CR0,
       AT_CR4 = AT_CR0 + 3, /* each with mask and shadow */
       AT_EFER = AT_CR4 + 3,
       AT_CS, /* limit, rights, selector */
       AT_VECTORING = AT_CS + 3,
       AT_VECTORING_CODE,
       AT_GVA,
       WORDS };
_Static_assert(WORDS == AT_PAGE + ABI_VCPU_N_PAGE, "abi/vcpu.h");

/* --- Lists of fields -------------------------------------------------------------------- */

struct list {
	unsigned n;
	struct {
		uint64_t field, value;
	} at[MAX_FIELDS];
};

static void add(struct list *l, unsigned field, uint64_t value)
{
	l->at[l->n].field = field;
	l->at[l->n++].value = value;
}

/* Word i of a message, which is in registers or the buffer. */
static void put_word(uint64_t *mr, unsigned i, uint64_t value)
{
	if (i < SEL4_MSG_REGS)
		mr[i] = value;
	else
		sel4_ipcbuf->msg[i] = value;
}

static int read_list(const struct vmx_vcpu *x, struct list *l)
{
	uint64_t mr[SEL4_MSG_REGS] = { ABI_VCPU_FIELDS };
	int error;

	for (unsigned i = 0; i < l->n; i++)
		put_word(mr, 1 + i, l->at[i].field);
	error = l->n ? sel4_invoke(x->cap, ABI_INV_X86_VCPU_READ_VMCS, 0, 1 + l->n, mr) : ABI_OK;
	for (unsigned i = 0; i < l->n && error == ABI_OK; i++)
		l->at[i].value = i < SEL4_MSG_REGS ? mr[i] : sel4_ipcbuf->msg[i];
	return error;
}

/* As many as one message has. */
static int write_some(const struct vmx_vcpu *x, const struct list *l, unsigned first, unsigned n)
{
	uint64_t mr[SEL4_MSG_REGS] = { ABI_VCPU_FIELDS };

	for (unsigned i = 0; i < n; i++) {
		put_word(mr, 1 + 2 * i, l->at[first + i].field);
		put_word(mr, 2 + 2 * i, l->at[first + i].value);
	}
	return n ? sel4_invoke(x->cap, ABI_INV_X86_VCPU_WRITE_VMCS, 0, 1 + 2 * n, mr) : ABI_OK;
}

static int write_list(const struct vmx_vcpu *x, const struct list *l)
{
	const unsigned half = l->n > MAX_FIELDS / 2 ? MAX_FIELDS / 2 : l->n;
	const int error = write_some(x, l, 0, half);

	return error == ABI_OK ? write_some(x, l, half, l->n - half) : error;
}

/* By the list's call for one field. */
static uint64_t read_one(const struct vmx_vcpu *x, unsigned field)
{
	uint64_t value;

	return sel4_vcpu_read_field(x->cap, field, &value) == ABI_OK ? value : 0;
}

static int write_one(const struct vmx_vcpu *x, unsigned field, uint64_t value)
{
	return sel4_vcpu_write_field(x->cap, field, value);
}

/* --- Registers --------------------------------------------------------------------------- */

static const uint16_t field_of[ABI_VCPU_REG_COUNT] = {
	[ABI_VCPU_RSP] = RSP,
	[ABI_VCPU_RIP] = RIP,
	[ABI_VCPU_RFLAGS] = RFLAGS,
	[ABI_VCPU_CR3] = CR3,
	[ABI_VCPU_EFER] = EFER,
	[ABI_VCPU_DR7] = DR7,
	[ABI_VCPU_SYSENTER_CS] = SYSENTER_CS,
	[ABI_VCPU_SYSENTER_ESP] = SYSENTER_ESP,
	[ABI_VCPU_SYSENTER_EIP] = SYSENTER_EIP,
	[ABI_VCPU_PAT] = PAT,
	[ABI_VCPU_SHADOW] = SHADOW,
	[ABI_VCPU_EVENT] = EVENT,
	[ABI_VCPU_IRQ] = EVENT,
};

static bool is_segment(unsigned reg) { return reg >= ABI_VCPU_CS && reg <= ABI_VCPU_IDTR; }
static bool is_base(unsigned reg) { return reg >= ABI_VCPU_CS_BASE && reg <= ABI_VCPU_IDTR_BASE; }
static bool is_canonical(uint64_t v) { return v + (1ull << 47) < 1ull << 48; }

/* The VMCS has ES first, then CS; else the same order. */
static unsigned segment(unsigned i) { return i > 1 ? i : 1 - i; }

/* The fields of which the register is made. */
static void add_fields(struct list *l, unsigned reg)
{
	if (is_segment(reg)) {
		const unsigned i = segment(reg - ABI_VCPU_CS);

		add(l, LIMIT + 2 * i, 0);
		if (i < SEGMENTS) {
			add(l, RIGHTS + 2 * i, 0);
			add(l, SELECTOR + 2 * i, 0);
		}
	} else if (is_base(reg)) {
		add(l, BASE + 2 * segment(reg - ABI_VCPU_CS_BASE), 0);
	} else if (reg == ABI_VCPU_CR0 || reg == ABI_VCPU_CR4) {
		const unsigned second = reg == ABI_VCPU_CR4 ? 2 : 0;

		add(l, CR0 + 2 * second, 0);
		add(l, CR0_MASK + second, 0);
		add(l, CR0_SHADOW + second, 0);
	} else {
		add(l, field_of[reg], 0);
	}
}

static uint64_t segment_word(uint64_t limit, uint64_t rights, uint64_t selector)
{
	uint64_t w = limit << 32 | (rights & 0xff) << 16 | (rights & 0xf000) << 12 | selector;

	return rights & RIGHTS_UNUSABLE ? w & ~((uint64_t)ATTR_PRESENT << 16) : w;
}

/* The register from its fields' values, from l->at[*i] on. */
static uint64_t take_register(const struct vmx_vcpu *x, const struct list *l, unsigned *i,
			      unsigned reg)
{
	const uint64_t a = l->at[(*i)++].value;

	if (is_segment(reg)) {
		if (segment(reg - ABI_VCPU_CS) >= SEGMENTS)
			return a << 32;
		*i += 2;
		return segment_word(a, l->at[*i - 2].value, l->at[*i - 1].value);
	}
	switch (reg) {
	case ABI_VCPU_CR0:
	case ABI_VCPU_CR4:
		*i += 2;
		return (a & ~l->at[*i - 2].value) | (l->at[*i - 1].value & l->at[*i - 2].value);
	case ABI_VCPU_SHADOW: return (a & BLOCKED) != 0;
	case ABI_VCPU_IRQ:
		if (x->irq || (a & 0x80000700) != ABI_VCPU_EVENT_VALID)
			return x->irq;
		return (a & 0xff) | ABI_VCPU_IRQ_PENDING; /* it is on its way */
	default: return a;
	}
}

int vmx_read_set(struct vmx_vcpu *x, uint64_t set, uint64_t *value)
{
	const uint64_t own = set & ~IN_MEMORY;
	struct list l;
	unsigned i = 0;
	int error = ABI_OK;

	l.n = 0;
	if (!x->on)
		return sel4_vcpu_read_set(x->cap, set, value);
	if (set & IN_MEMORY)
		error = sel4_vcpu_read_set(x->cap, set & IN_MEMORY, value);
	for (uint64_t m = own; m; m &= m - 1)
		add_fields(&l, (unsigned)__builtin_ctzll(m));
	if (error == ABI_OK)
		error = read_list(x, &l);
	for (uint64_t m = own; m && error == ABI_OK; m &= m - 1)
		value[__builtin_ctzll(m)] = take_register(x, &l, &i, (unsigned)__builtin_ctzll(m));
	return error;
}

/* VT-x wants to see what loading a segment leaves behind. */
static void put_segment(struct list *l, unsigned i, uint64_t w, bool task)
{
	uint64_t attr = w >> 16 & 0xfff;

	add(l, LIMIT + 2 * i, w >> 32);
	if (i >= SEGMENTS)
		return;
	if (!(attr & ATTR_PRESENT))
		attr |= RIGHTS_UNUSABLE;
	else if (attr & ATTR_NOT_SYSTEM)
		attr |= ATTR_ACCESSED;
	else if (task)
		attr |= ATTR_BUSY;
	add(l, RIGHTS + 2 * i, (attr & (RIGHTS_UNUSABLE | 0xff)) | (attr & 0xf00) << 4);
	add(l, SELECTOR + 2 * i, w & 0xffff);
}

static void put_window(struct vmx_vcpu *x, struct list *l, bool on)
{
	const uint32_t p = on ? x->primary | PRIMARY_WINDOW : x->primary & ~PRIMARY_WINDOW;

	if (p != x->primary)
		add(l, PRIMARY, p);
	x->primary = p;
}

/* Nothing holds it back, and it has an error code where the architecture has one. */
static void put_event(struct vmx_vcpu *x, struct list *l, uint64_t e)
{
	const unsigned kind = e >> ABI_VCPU_EVENT_KIND_SHIFT & 7;

	x->open = false;
	if (e & ABI_VCPU_EVENT_VALID && x->sent) { /* that comes afterwards */
		x->irq = x->sent;
		x->sent = 0;
		put_window(x, l, true);
	}
	if (e & ABI_VCPU_EVENT_VALID && kind == ABI_VCPU_EVENT_EXCEPTION) {
		e &= ~ABI_VCPU_EVENT_HAS_CODE;
		if (WITH_CODE >> (e & 31) & 1 && read_one(x, CR0) & CR0_PE)
			e |= ABI_VCPU_EVENT_HAS_CODE;
	}
	x->shadow &= ~(kind == ABI_VCPU_EVENT_NMI ? BLOCKED | BLOCKED_NMI : BLOCKED);
	if (e & ABI_VCPU_EVENT_VALID)
		add(l, SHADOW, x->shadow);
	add(l, EVENT, e & 0x80000fff);
	add(l, EVENT_CODE, e >> 32);
}

/* At once if that is known to be possible; else the processor says when. */
static void put_irq(struct vmx_vcpu *x, struct list *l, uint64_t irq)
{
	if (x->open && irq & ABI_VCPU_IRQ_PENDING) {
		x->open = false;
		x->sent = ABI_VCPU_IRQ_PENDING | (irq & 0xff);
		add(l, EVENT, ABI_VCPU_EVENT_VALID | (irq & 0xff));
		irq = 0;
	}
	x->irq = irq & (ABI_VCPU_IRQ_WINDOW | ABI_VCPU_IRQ_PENDING) ? irq : 0;
	put_window(x, l, x->irq != 0);
}

static void put_register(struct vmx_vcpu *x, struct list *l, unsigned reg, uint64_t v)
{
	if (is_segment(reg)) {
		put_segment(l, segment(reg - ABI_VCPU_CS), v, reg == ABI_VCPU_TR);
		return;
	}
	if (is_base(reg)) {
		add(l, BASE + 2 * segment(reg - ABI_VCPU_CS_BASE), is_canonical(v) ? v : 0);
		return;
	}
	switch (reg) {
	case ABI_VCPU_CR0:
	case ABI_VCPU_CR4:
		add(l, reg == ABI_VCPU_CR0 ? CR0_SHADOW : CR4_SHADOW, v);
		add(l, reg == ABI_VCPU_CR0 ? CR0 : CR4, v);
		return;
	case ABI_VCPU_EVENT: put_event(x, l, v); return;
	case ABI_VCPU_IRQ: put_irq(x, l, v); return;
	case ABI_VCPU_SHADOW:
		x->shadow = (x->shadow & ~BLOCKED) | (v & 1 ? BLOCKED_MOV_SS : 0);
		x->open = false;
		v = x->shadow;
		break;
	case ABI_VCPU_RFLAGS:
		v = (v & RFLAGS_GUEST) | 2;
		x->open = false;
		break;
	case ABI_VCPU_SYSENTER_ESP:
	case ABI_VCPU_SYSENTER_EIP: v = is_canonical(v) ? v : 0; break;
	}
	add(l, field_of[reg], v);
}

/* Long mode is what CR0 and EFER make of it; the processor wants to be told. */
static int put_mode(struct vmx_vcpu *x)
{
	struct list l;

	l.n = 0;
	add(&l, CR0, 0);
	add(&l, EFER, 0);
	add(&l, ENTRY, 0);
	const int error = read_list(x, &l);
	const bool is_long = l.at[0].value & CR0_PG && l.at[1].value & EFER_LME;

	if (error != ABI_OK)
		return error;
	l.at[0] = l.at[1];
	l.at[0].value = (l.at[1].value & ~(uint64_t)EFER_LMA) | (is_long ? EFER_LMA : 0);
	l.at[1] = l.at[2];
	l.at[1].value = (l.at[2].value & ~(uint64_t)ENTRY_LONG) | (is_long ? ENTRY_LONG : 0);
	l.n = 2;
	return write_list(x, &l);
}

/* Whether the vCPU is in an exit only the kernel knows. */
static int put_irq_now(struct vmx_vcpu *x, const uint64_t *value)
{
	const int error = x->irq ? ABI_ILLEGAL_OPERATION
				 : sel4_vcpu_write_set(x->cap, BIT(IRQ), value);

	if (error == ABI_OK) {
		x->open = false;
		x->sent = ABI_VCPU_IRQ_PENDING | (value[ABI_VCPU_IRQ] & 0xff);
	}
	return error;
}

int vmx_write_set(struct vmx_vcpu *x, uint64_t set, const uint64_t *value)
{
	struct list l;
	int error = ABI_OK;

	l.n = 0;
	if (!x->on)
		return sel4_vcpu_write_set(x->cap, set, value);
	if (set & BIT(IRQ) && value[ABI_VCPU_IRQ] & ABI_VCPU_IRQ_NOW)
		return set == BIT(IRQ) ? put_irq_now(x, value)
				       : ABI_ILLEGAL_OPERATION;
	if (set & IN_MEMORY)
		error = sel4_vcpu_write_set(x->cap, set & IN_MEMORY, value);
	for (uint64_t m = set & ~IN_MEMORY; m; m &= m - 1)
		put_register(x, &l, (unsigned)__builtin_ctzll(m), value[__builtin_ctzll(m)]);
	if (error == ABI_OK)
		error = write_list(x, &l);
	return error == ABI_OK && set & (BIT(CR0) | BIT(EFER)) ? put_mode(x) : error;
}

/* --- Controls ---------------------------------------------------------------------------- */

bool vmx_vcpu_init(struct vmx_vcpu *x, uint64_t cap)
{
	struct list l;
	uint64_t pin;

	l.n = 0;
	*x = (struct vmx_vcpu){ .cap = cap, .primary = PRIMARY_GUEST };
	x->on = sel4_vcpu_read_field(cap, PIN, &pin) == ABI_OK;
	if (!x->on)
		return true;
	add(&l, PRIMARY, x->primary);
	add(&l, SECONDARY, SECONDARY_GUEST);
	add(&l, ENTRY, ENTRY_GUEST);
	add(&l, CR0_MASK, 0);
	add(&l, CR4_MASK, 0);
	add(&l, EXCEPTIONS, 0);
	return write_list(x, &l) == ABI_OK;
}

int vmx_write_control(struct vmx_vcpu *x, unsigned field, uint32_t value)
{
	struct list l;

	l.n = 0;
	if (!x->on)
		return sel4_vcpu_write_field(x->cap, field, value);
	switch (field) {
	case ABI_VCPU_EXCEPTIONS: return write_one(x, EXCEPTIONS, value);
	case ABI_VCPU_CR_ACCESSES:
		x->cr8 = value >> 8 & 1 || value >> 24 & 1;
		x->primary &= ~(PRIMARY_CR3_READ | PRIMARY_CR3_WRITE);
		x->primary |= (value >> 3 & 1 ? PRIMARY_CR3_READ : 0) |
			      (value >> 19 & 1 ? PRIMARY_CR3_WRITE : 0);
		add(&l, CR0_MASK, value >> 16 & 1 ? ~0ull : 0);
		add(&l, CR4_MASK, value >> 20 & 1 ? ~0ull : 0);
		break;
	case ABI_VCPU_DR_ACCESSES:
		x->primary = value ? x->primary | PRIMARY_DR : x->primary & ~PRIMARY_DR;
		break;
	default: return ABI_ILLEGAL_OPERATION;
	}
	add(&l, PRIMARY, x->primary);
	return write_list(x, &l);
}

/* --- Exits -------------------------------------------------------------------------------- */

enum { REASON_EXCEPTION,
       REASON_WINDOW = 7,
       REASON_CR = 28,
       REASON_FAILED = -1 };

/* By reason. */
static const uint8_t reasons[] = {
	[REASON_EXCEPTION] = ABI_EXIT_EXCEPTION,
	[2] = ABI_EXIT_SHUTDOWN,
	[REASON_WINDOW] = ABI_EXIT_WINDOW,
	[9] = ABI_EXIT_TASK,
	[10] = ABI_EXIT_CPUID,
	[11] = ABI_EXIT_NESTED, /* GETSEC */
	[12] = ABI_EXIT_HLT,
	[13] = ABI_EXIT_INVD,
	[15] = ABI_EXIT_RDPMC,
	[18] = ABI_EXIT_HYPERCALL,
	[19 ... 27] = ABI_EXIT_NESTED,
	[REASON_CR] = ABI_EXIT_CR,
	[29] = ABI_EXIT_DR,
	[30] = ABI_EXIT_PORT,
	[31] = ABI_EXIT_MSR_READ,
	[32] = ABI_EXIT_MSR_WRITE,
	[33] = ABI_EXIT_INVALID,
	[34] = ABI_EXIT_INVALID,
	[36] = ABI_EXIT_MWAIT,
	[39] = ABI_EXIT_MONITOR,
	[48] = ABI_EXIT_PAGE,
	[50] = ABI_EXIT_NESTED, /* INVEPT */
	[53] = ABI_EXIT_NESTED, /* INVVPID */
	[54] = ABI_EXIT_INVD,
	[55] = ABI_EXIT_XSETBV,
};
/* Words of VMEnter's that are general registers: RAX RBX RCX RDX RSI RDI RBP, R8 and on. */
static const uint8_t gpr_order[15] = { ABI_VCPU_RAX, ABI_VCPU_RBX, ABI_VCPU_RCX, ABI_VCPU_RDX,
				       ABI_VCPU_RSI, ABI_VCPU_RDI, ABI_VCPU_RBP, ABI_VCPU_R8,
				       ABI_VCPU_R9, ABI_VCPU_R10, ABI_VCPU_R11, ABI_VCPU_R12,
				       ABI_VCPU_R13, ABI_VCPU_R14, ABI_VCPU_R15 };

/* Past the instruction. */
static void skip(struct vmx_vcpu *x, const uint64_t *w)
{
	struct list l;

	l.n = 0;
	x->shadow &= ~BLOCKED;
	add(&l, RIP, w[AT_RIP] + w[AT_BYTES]);
	add(&l, SHADOW, x->shadow);
	(void)write_list(x, &l);
}

static void set_one(struct vmx_vcpu *x, unsigned reg, uint64_t v)
{
	uint64_t value[ABI_VCPU_REG_COUNT];

	value[reg] = v;
	(void)vmx_write_set(x, 1ull << reg, value);
}

static uint64_t get_one(struct vmx_vcpu *x, unsigned reg)
{
	uint64_t value[ABI_VCPU_REG_COUNT];

	value[reg] = 0;
	(void)vmx_read_set(x, 1ull << reg, value);
	return value[reg];
}

static void inject(struct vmx_vcpu *x, unsigned vector)
{
	set_one(x, ABI_VCPU_EVENT,
		vector | ABI_VCPU_EVENT_EXCEPTION << ABI_VCPU_EVENT_KIND_SHIFT |
			ABI_VCPU_EVENT_VALID);
}

/*
 * Accesses that the monitor did not ask for. A new value of CR0 is seen by the guest in
 * the bits that are the kernel's; then the move, done again, changes none of them and is no exit:
 * the processor does, or refuses, the rest. Nobody has CR4's that the kernel keeps.
 */
static bool control_is_done(struct vmx_vcpu *x, const uint64_t *w)
{
	const uint64_t q = w[AT_QUALIFICATION];
	const unsigned number = q & 15, reg = q >> 8 & 15;
	const bool from = (q >> 4 & 3) == 1;

	if (number == 3 || (number == 8 && x->cr8) ||
	    (number == 0 && read_one(x, CR0_MASK) == ~0ull) ||
	    (number == 4 && read_one(x, CR4_MASK) == ~0ull))
		return false;
	if (number == 8 && from) {
		set_one(x, reg, get_one(x, ABI_VCPU_CR8));
		skip(x, w);
		return true;
	}
	const uint64_t value = get_one(x, reg);
	if (number == 8 && !(value >> 4)) {
		set_one(x, ABI_VCPU_CR8, value);
		skip(x, w);
	} else if (number != 0 || (value & (CR0_CD | CR0_NW)) == CR0_NW) {
		inject(x, VECTOR_PROTECTION);
	} else {
		(void)write_one(x, CR0_SHADOW,
				(read_one(x, CR0_SHADOW) & ~(uint64_t)CR0_HOST) |
					(value & CR0_HOST));
	}
	return true;
}

/* What the processor does with #DB before its handler; INT1 is behind it then. */
static void take_debug(struct vmx_vcpu *x, const uint64_t *w, uint64_t event)
{
	const uint64_t dr7 = get_one(x, ABI_VCPU_DR7);

	set_one(x, ABI_VCPU_DR6,
		(get_one(x, ABI_VCPU_DR6) & ~15ull) | (w[AT_QUALIFICATION] & DR6_CHANGES));
	if (dr7 & VCPU_DR7_GUARD)
		set_one(x, ABI_VCPU_DR7, dr7 & ~(uint64_t)VCPU_DR7_GUARD);
	if ((event >> ABI_VCPU_EVENT_KIND_SHIFT & 7) == KIND_INT1)
		skip(x, w);
}

/* #DB and #AC that the monitor did not ask for; INT3 by one that did. `code`: with it. */
static bool exception_is_done(struct vmx_vcpu *x, const uint64_t *w, uint64_t event)
{
	const unsigned vector = event & 31;

	if (read_one(x, EXCEPTIONS) >> vector & 1)
		return false;
	if (vector == VECTOR_DEBUG)
		take_debug(x, w, event);
	inject(x, vector);
	return true;
}

/* A delivery that was broken off is done again; INT n, INT3 and INTO are themselves
 * executed again. */
static void deliver_again(struct vmx_vcpu *x, uint64_t event, uint64_t code)
{
	struct list l;

	l.n = 0;
	if ((event >> ABI_VCPU_EVENT_KIND_SHIFT & 7) >= ABI_VCPU_EVENT_SOFT)
		return;
	put_event(x, &l, (event & 0x80000fff) | code << 32);
	(void)write_list(x, &l);
}

static uint64_t port_detail(uint64_t q)
{
	return (q >> 16 & 0xffff) | ((q & 7) + 1) << ABI_EXIT_PORT_BYTES_SHIFT |
	       (q & 8 ? ABI_EXIT_PORT_IN : 0);
}

static uint64_t string_detail(const struct vmx_vcpu *x, uint64_t q)
{
	const uint64_t i = read_one(x, INSTRUCTION);

	return port_detail(q) | (q & 32 ? ABI_EXIT_PORT_REP : 0) |
	       (2ull << (i >> 7 & 3) & 15) << ABI_EXIT_PORT_ADDRESS_SHIFT |
	       (q & 8 ? 0 : i >> 15 & 7) << ABI_EXIT_PORT_SEGMENT_SHIFT;
}

static uint64_t detail_of(struct vmx_vcpu *x, const uint64_t *w, unsigned *reason)
{
	const uint64_t q = w[AT_QUALIFICATION], how = q >> 4 & 3;
	const uint64_t reg = (q >> 8 & 15) << ABI_EXIT_CR_REG_SHIFT | ABI_EXIT_CR_KNOWN;

	switch (*reason) {
	case ABI_EXIT_PORT: /* those that are none come not here */
		*reason = ABI_EXIT_STRING_PORT;
		return string_detail(x, q);
	case ABI_EXIT_PAGE:
		return (q & 0x38 ? ABI_EXIT_PAGE_PRESENT : 0) | (q & 2 ? ABI_EXIT_PAGE_WRITE : 0) |
		       4 | (q & 4 ? ABI_EXIT_PAGE_FETCH : 0) |
		       ((q & 0x180) == 0x80 ? ABI_EXIT_PAGE_TABLES : 0);
	case ABI_EXIT_CR:
		return (q & 15) | (how == 1 ? 0 : ABI_EXIT_CR_WRITE) | (how < 2 ? reg : 0);
	case ABI_EXIT_DR: return (q & 7) | (q & 16 ? 0 : ABI_EXIT_CR_WRITE) | reg;
	case ABI_EXIT_TASK: return q & 0xffff;
	case ABI_EXIT_OTHER: return w[AT_REASON];
	default: return 0;
	}
}

/* What the exit was about, and what was being delivered. */
struct events {
	uint64_t event, code, vectoring, vectoring_code;
};

static struct events events_of(const struct vmx_vcpu *x, unsigned reason, const uint64_t *w)
{
	struct list l;

	if (reason == ABI_EXIT_PAGE)
		return (struct events){ 0, 0, w[AT_VECTORING], w[AT_VECTORING_CODE] };
	l.n = 0;
	add(&l, EXIT_EVENT, 0);
	add(&l, EXIT_EVENT_CODE, 0);
	add(&l, VECTORING, 0);
	add(&l, VECTORING_CODE, 0);
	(void)read_list(x, &l);
	return (struct events){ l.at[0].value, l.at[1].value, l.at[2].value, l.at[3].value };
}

/* A control register as the guest sees it: value, mask, shadow. */
static uint64_t seen(const uint64_t *w) { return (w[0] & ~w[1]) | (w[2] & w[1]); }

/* Into the IPC buffer, from `w`, which is elsewhere. */
static void put_state(struct vmx_vcpu *x, unsigned reason, const uint64_t *w)
{
	const uint64_t more = BIT(RSP) | BIT(CR0) | BIT(CR4) | BIT(EFER) | BIT(CS);
	uint64_t *const state = sel4_ipcbuf->msg + ABI_EXIT_STATE_WORD;
	uint64_t value[ABI_VCPU_REG_COUNT];

	if (reason == ABI_EXIT_PAGE) {
		state[ABI_VCPU_RSP] = w[AT_RSP];
		state[ABI_VCPU_CR0] = seen(w + AT_CR0);
		state[ABI_VCPU_CR4] = seen(w + AT_CR4);
		state[ABI_VCPU_EFER] = w[AT_EFER];
		state[ABI_VCPU_CS] = segment_word(w[AT_CS], w[AT_CS + 1], w[AT_CS + 2]);
	} else {
		(void)vmx_read_set(x, more, value);
		for (uint64_t m = more; m; m &= m - 1)
			state[__builtin_ctzll(m)] = value[__builtin_ctzll(m)];
	}
#pragma GCC unroll 15
	for (unsigned i = 0; i < 15; i++)
		state[gpr_order[i]] = w[AT_GPR + i];
	state[ABI_VCPU_RIP] = w[AT_RIP];
	state[ABI_VCPU_RFLAGS] = w[AT_RFLAGS];
	state[ABI_VCPU_CR3] = w[AT_CR3];
}

/* Those with an address and registers to decode. False: it is done. */
static bool access_exit(struct vmx_vcpu *x, unsigned reason, const uint64_t *w, uint64_t mr[4],
			uint64_t *detail)
{
	const uint64_t q = w[AT_QUALIFICATION];
	const struct events e = events_of(x, reason, w);
	const bool delivering = e.vectoring & ABI_VCPU_EVENT_VALID;

	/* An IRET was what failed: NMIs are still blocked. */
	if (!delivering && (reason == ABI_EXIT_PAGE ? q : e.event) >> 12 & 1 &&
	    (reason == ABI_EXIT_PAGE || reason == ABI_EXIT_EXCEPTION)) {
		x->shadow |= BLOCKED_NMI;
		(void)write_one(x, SHADOW, x->shadow);
	}
	if (reason == ABI_EXIT_EXCEPTION && exception_is_done(x, w, e.event))
		return false;
	if (delivering)
		deliver_again(x, e.vectoring, e.vectoring_code);
	mr[0] = reason == ABI_EXIT_PAGE ? w[AT_GPA] : q;
	mr[1] = q;
	mr[2] = reason == ABI_EXIT_PAGE && q & 0x80 ? w[AT_GVA] : 0;
	mr[3] = w[AT_RIP];
	if (reason == ABI_EXIT_EXCEPTION) {
		*detail = e.event & 31;
		mr[0] = e.event & ABI_VCPU_EVENT_HAS_CODE ? e.code : 0;
	}
	put_state(x, reason, w);
	return true;
}

/* False: the interrupt was waiting for it. Another thread may ask at any time whether one is
 * pending, and ask for the window itself if not: it is in `irq` until it is in the field. */
static bool window_exit(struct vmx_vcpu *x)
{
	const bool asked = x->irq & ABI_VCPU_IRQ_WINDOW;
	struct vmx_vcpu behind = *x;
	struct list l;

	l.n = 0;
	put_irq(&behind, &l, asked ? 0 : x->irq);
	(void)write_list(x, &l);
	*x = behind;
	return asked;
}

/* Lengths are known of instructions only. */
static uint64_t bytes_of(unsigned reason, const uint64_t *w)
{
	switch (reason) {
	case ABI_EXIT_OTHER:
	case ABI_EXIT_WINDOW:
	case ABI_EXIT_SHUTDOWN:
	case ABI_EXIT_INVALID: return 0;
	default:
		if (reason >= ABI_EXIT_FIRST_ACCESS && reason != ABI_EXIT_STRING_PORT)
			return 0;
		return w[AT_BYTES] & ABI_EXIT_BYTES_MASK;
	}
}

static uint64_t label_of(const struct vmx_vcpu *x, unsigned reason, uint64_t bytes, bool open,
			 uint64_t detail)
{
	return ABI_EXT_FAULT_EXIT | (uint64_t)reason << ABI_EXIT_REASON_SHIFT |
	       bytes << ABI_EXIT_BYTES_SHIFT | (x->irq ? ABI_EXIT_IRQ_PENDING : 0) |
	       (open ? ABI_EXIT_OPEN : 0) | (x->flags & VCPU_RFLAGS_TF ? ABI_EXIT_STEPPED : 0) |
	       (detail & ABI_EXIT_DETAIL_MASK) << ABI_EXIT_DETAIL_SHIFT;
}

static void put_first(const uint64_t *w, uint64_t mr[4])
{
	mr[0] = w[AT_GPR];
	mr[1] = w[AT_GPR + 2];
	mr[2] = w[AT_GPR + 3];
	mr[3] = w[AT_GPR + 1];
}

/* What is found out needs calls to the kernel, which take the IPC buffer. */
static __attribute__((noinline)) bool other_exit(struct vmx_vcpu *x, unsigned reason,
						 uint64_t *label, uint64_t mr[4])
{
	const bool open = x->open;
	uint64_t w[WORDS], detail;

	memcpy(w, sel4_ipcbuf->msg, sizeof(w));
	memcpy(w, mr, 4 * sizeof(w[0]));
	if ((mr[3] == REASON_CR && control_is_done(x, w)) ||
	    (mr[3] == REASON_WINDOW && !window_exit(x)))
		return false;
	detail = detail_of(x, w, &reason);
	if (reason < ABI_EXIT_FIRST_ACCESS)
		put_first(w, mr);
	else if (!access_exit(x, reason, w, mr, &detail))
		return false;
	*label = label_of(x, reason, bytes_of(reason, w), open, detail);
	return true;
}

bool vmx_exit(struct vmx_vcpu *x, uint64_t *label, uint64_t mr[4])
{
	const uint64_t *const w = sel4_ipcbuf->msg, q = w[AT_QUALIFICATION];
	const uint32_t at = (uint32_t)mr[3];
	unsigned reason = at < sizeof(reasons) ? reasons[at] : ABI_EXIT_OTHER;
	uint64_t detail = 0;

	x->shadow = (uint32_t)w[AT_SHADOW];
	if (!(mr[AT_EVENT] & ABI_VCPU_EVENT_VALID))
		x->sent = 0;
	x->flags = w[AT_RFLAGS];
	x->open = x->flags & RFLAGS_IF && !(x->shadow & BLOCKED) && !x->sent;
	if (at == (uint32_t)REASON_FAILED)
		reason = ABI_EXIT_INVALID;
	if (reason == ABI_EXIT_PORT && !(q & PORT_STRING))
		detail = port_detail(q);
	else if (reason < ABI_EXIT_CPUID || reason > ABI_EXIT_HYPERCALL)
		return other_exit(x, reason, label, mr);
	put_first(w, mr);
	*label = label_of(x, reason, w[AT_BYTES] & ABI_EXIT_BYTES_MASK, x->open, detail);
	return true;
}
