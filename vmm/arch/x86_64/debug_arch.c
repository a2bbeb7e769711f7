/*
 * Breakpoints, single step and debug exceptions of x86 guests (Intel SDM volume 3,
 * chapter 18), by the guest's own debug registers, RFLAGS.TF and exceptions that
 * are exits. A software breakpoint is INT1 (F1): one byte, #DB, and #UD where a
 * processor does not know it, as QEMU's; its INT3 does not leave a guest.
 *
 * While a debugger has points the debug registers are its own; the guest gets
 * back what it had in them.
 */
#include "gdb/debug.h"

#include "arch.h"
#include "walk.h"

#include <selvage/base.h>
#include <selvage/fmt.h>
#include <selvage/log.h>

#define VECTOR_DB 1u
#define VECTOR_UD 6u
#define DR6_RESET 0xffff0ff0u
#define DR6_STEP (1u << 14)
#define DR7_RESET 0x400u
#define DR7_GLOBAL(n) (2u << 2 * (n))
#define DR7_KIND(n, kind) ((uint64_t)(kind) << (16 + 4 * (n)))
#define KIND_WRITE 1u
#define KIND_BOTH 3u
#define EFER_LMA (1u << 10)
#define POINTS 4u
#define TCG_SIGNATURE 0x54474354u /* "TCGT" */
#define PREFIXES 14u

/* By debug register. */
static struct point {
	bool used, watch;
	uint8_t index; /* in stub.breakpoint or stub.watchpoint */
	uint8_t kind;  /* R/W and LEN, as in DR7 */
	uint64_t at;
} points[POINTS];

bool debug_possible(const struct vm *vm)
{
	(void)vm;
	return true;
}

/* --- registers, whoever has them in hand ------------------------------------------- */

static bool in_hand(const struct vm_vcpu *vc)
{
	return vc->vm->handler == vc || stub.vcpu[vc->index].held;
}

static uint64_t get_now(struct vm_vcpu *vc, unsigned reg)
{
	uint64_t value[VCPU_REGS] = { 0 };

	(void)vmx_read_set(&vc->cpu.vmx, vcpu_bit(reg), value);
	return value[reg];
}

static void set_now(struct vm_vcpu *vc, unsigned reg, uint64_t to)
{
	uint64_t value[VCPU_REGS];

	value[reg] = to;
	if (vmx_write_set(&vc->cpu.vmx, vcpu_bit(reg), value) != ABI_OK)
		log_error("vCPU %u: the kernel refuses a debug register", vc->index);
}

static uint64_t get(struct vm_vcpu *vc, unsigned reg)
{
	return in_hand(vc) ? vcpu_get(&vc->cpu.cpu, reg) : get_now(vc, reg);
}

static void set(struct vm_vcpu *vc, unsigned reg, uint64_t to)
{
	if (in_hand(vc))
		vcpu_set(&vc->cpu.cpu, reg, to);
	else
		set_now(vc, reg, to);
}

static bool is_wide(uint64_t efer) { return efer & EFER_LMA; }

bool debug_translate(const struct vm *vm, struct vcpu_sel4 *view, uint64_t gva, uint64_t *gpa)
{
	struct vcpu *v = &view->cpu;
	const struct walk_x86 walk = { .cr0 = vcpu_get(v, VCPU_CR0),
				       .cr3 = vcpu_get(v, VCPU_CR3),
				       .cr4 = vcpu_get(v, VCPU_CR4),
				       .efer = vcpu_get(v, VCPU_EFER) };
	uint32_t code;

	if (!is_wide(walk.efer))
		gva = (uint32_t)gva;
	else if ((uint64_t)((int64_t)(gva << 16) >> 16) != gva)
		return false;
	return walk_x86(&vm->mem, &walk, gva, false, gpa, &code);
}

void debug_identity(struct vm *vm, char *text, size_t size)
{
	uint32_t a = 0, b, c, d;

	(void)vm;
	__asm__("cpuid"
		: "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	const char *what = b == 0x68747541 ? "svm" : "vmx"; /* "Auth" */
	a = 1;
	__asm__("cpuid"
		: "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	fmt_print(text, size, "\"accelerator\":\"selvage-%s\",\"cpu_id\":\"0x%x\"", what, a);
}

/* Memory and instructions are coherent. */
void debug_publish(void *host, size_t n) { (void)host, (void)n; }

/* --- points ------------------------------------------------------------------------ */

unsigned debug_soft_insn(const struct vm *vm, uint64_t kind, uint8_t insn[4])
{
	(void)vm;
	insn[0] = 0xf1;
	return kind == 1;
}

static void load_points(struct vm_vcpu *vc)
{
	static const uint8_t own[] = { VCPU_DR0, VCPU_DR1, VCPU_DR2, VCPU_DR3, VCPU_DR7 };
	struct vm_debug *d = &vc->debug;
	uint64_t dr[POINTS + 1] = { [POINTS] = DR7_RESET };
	bool any = false;

	for (unsigned n = 0; n < POINTS; n++) {
		const struct point *p = &points[n];

		any |= p->used;
		dr[n] = p->at;
		dr[POINTS] |= p->used ? DR7_GLOBAL(n) | DR7_KIND(n, p->kind) : 0;
	}
	for (unsigned i = 0; (any || d->owned) && i < POINTS + 1; i++) {
		if (!d->owned)
			d->dr[i] = get_now(vc, own[i]);
		set_now(vc, own[i], any ? dr[i] : d->dr[i]);
	}
	d->owned = any;
}

/* QEMU's processor takes a guest's DR7 at an entry without looking at it. */
static bool has_points(void)
{
	uint32_t a = 0x40000000, b, c, d;

	__asm__("cpuid"
		: "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return b != TCG_SIGNATURE;
}

static bool change(struct vm *vm, bool watch, unsigned index, const struct debug_hard *h,
		   unsigned kind)
{
	unsigned n = 0;

	if (h->used && !has_points())
		return false;
	while (n < POINTS && !(points[n].used && points[n].watch == watch &&
			       points[n].index == index))
		n++;
	for (unsigned i = 0; n == POINTS && h->used && i < POINTS; i++)
		if (!points[i].used)
			n = i;
	if (n == POINTS)
		return !h->used;
	points[n] = (struct point){ h->used, watch, (uint8_t)index, (uint8_t)kind, h->at };
	for (unsigned i = 0; i < vm->info->n_vcpus; i++)
		load_points(&vm->vcpu[i]);
	return true;
}

bool debug_hard_set(struct vm *vm, unsigned i, const struct debug_hard *breakpoint)
{
	return change(vm, false, i, breakpoint, 0);
}

/* Reads alone cannot be watched. */
bool debug_watch_set(struct vm *vm, unsigned i, const struct debug_hard *w)
{
	static const uint8_t length[9] = { [1] = 0, [2] = 1, [4] = 3, [8] = 2 };
	const bool size_ok = w->size == 1 || w->size == 2 || w->size == 4 || w->size == 8;

	if (!w->used)
		return change(vm, true, i, w, 0);
	if (w->type == GDB_WATCH_READ || !size_ok || (w->at & (w->size - 1)) != 0)
		return false;
	return change(vm, true, i, w,
		      (w->type == GDB_WATCH_WRITE ? KIND_WRITE : KIND_BOTH) |
			      (unsigned)length[w->size] << 2);
}

/* --- a step ------------------------------------------------------------------------ */

/* PUSHF shows the flag that we set: it is taken out of what was pushed. */
static void clear_pushed(struct vm_vcpu *vc)
{
	uint64_t at = vcpu_get(&vc->cpu.cpu, VCPU_RSP), gpa;
	uint8_t high;

	if (!is_wide(vcpu_get(&vc->cpu.cpu, VCPU_EFER)))
		at = (uint32_t)(at + vcpu_get(&vc->cpu.cpu, VCPU_SS_BASE));
	if (!debug_translate(vc->vm, &vc->cpu, at + 1, &gpa) ||
	    !gmem_read(&vc->vm->mem, gpa, &high, 1))
		return;
	high &= (uint8_t) ~(VCPU_RFLAGS_TF >> 8);
	(void)gmem_write(&vc->vm->mem, gpa, &high, 1);
}

/* The flag is ours no more. If it is not set, an exception has put it away on the guest's
 * stack: it comes back. */
static void end_step(struct vm_vcpu *vc)
{
	struct vm_debug *d = &vc->debug;
	uint64_t flags;

	vc->vm->steps = false;
	if (!d->planted)
		return;
	flags = get(vc, VCPU_RFLAGS);
	d->planted = false;
	d->leaked |= !(flags & VCPU_RFLAGS_TF);
	if (flags & VCPU_RFLAGS_TF)
		set(vc, VCPU_RFLAGS, flags & ~(uint64_t)VCPU_RFLAGS_TF);
}

static void begin_step(struct vm_vcpu *vc)
{
	uint8_t code[PREFIXES + 1] = { 0 };
	unsigned n = emulate_fetch(vc, code, PREFIXES), i = 0;

	while (i < n && (code[i] == 0x66 || code[i] == 0xf2 || code[i] == 0xf3 ||
			 (is_wide(get(vc, VCPU_EFER)) && code[i] >> 4 == 4)))
		i++;
	vc->debug.pushes = code[i] == 0x9c;
	set(vc, VCPU_RFLAGS, get(vc, VCPU_RFLAGS) | VCPU_RFLAGS_TF);
	vc->debug.planted = true;
	vc->vm->steps = stub.vcpu[vc->index].step;
	interrupt_hold(vc); /* one would take the flag along */
}

void debug_set_mode(struct vm_vcpu *vc, enum debug_mode mode)
{
	end_step(vc);
	if (mode == DEBUG_STEP)
		begin_step(vc);
	load_points(vc);
	if (!vcpu_sel4_write(&vc->cpu, ABI_VCPU_EXCEPTIONS,
			     mode != DEBUG_OFF || vc->debug.leaked
				     ? 1u << VECTOR_DB | 1u << VECTOR_UD
				     : 0))
		log_error("vCPU %u: the kernel refuses to debug it", vc->index);
}

void debug_settle(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct vcpu *v = &vc->cpu.cpu;

	if (v->advance && !(v->dirty & vcpu_bit(VCPU_RIP)))
		debug_skip(v, vcpu_exit_bytes(e));
	v->advance = false;
}

void debug_skip(struct vcpu *v, unsigned bytes)
{
	vcpu_set(v, VCPU_RIP, vcpu_get(v, VCPU_RIP) + bytes);
	vcpu_set(v, VCPU_SHADOW, 0);
}

/* A step does, too. */
void debug_irqs_mask(struct vm_vcpu *vc) { interrupt_hold(vc); }
void debug_irqs_unmask(struct vm_vcpu *vc) { interrupt_release(vc); }
void debug_woken(struct vm_vcpu *vc, uint64_t badges) { (void)vc, (void)badges; }

void debug_delay(struct vm *vm, uint64_t ticks)
{
	vm->pc.tsc_offset -= ticks;
	for (unsigned i = 0; i < vm->info->n_vcpus; i++)
		set_now(&vm->vcpu[i], VCPU_TSC_OFFSET,
			vm->pc.tsc_offset - vm_paused_ticks(vm));
}

/* --- what came --------------------------------------------------------------------- */

/* The step's own exception; true: of a flag that we had set. */
static bool take_step(struct vm_vcpu *vc)
{
	struct vm_debug *d = &vc->debug;
	const bool ours = d->planted || d->leaked;

	if (!ours)
		return false;
	if (d->planted && d->pushes)
		clear_pushed(vc);
	set(vc, VCPU_RFLAGS, get(vc, VCPU_RFLAGS) & ~(uint64_t)VCPU_RFLAGS_TF);
	d->planted = d->leaked = vc->vm->steps = false;
	return true;
}

/* What is not ours is told as a breakpoint that is not ours either: the guest gets it. */
enum debug_what debug_what(struct vm_vcpu *vc, const struct vcpu_exit *e, uint64_t *address)
{
	enum debug_what what = DEBUG_WHAT_SOFT;
	uint64_t dr6;

	if (e->code != VECTOR_DB)
		return DEBUG_WHAT_SOFT;
	dr6 = get_now(vc, VCPU_DR6);
	if ((dr6 & DR6_STEP) && take_step(vc))
		what = DEBUG_WHAT_STEP;
	for (unsigned n = 0; n < POINTS && vc->debug.owned; n++) {
		if (!(dr6 >> n & 1) || !points[n].used)
			continue;
		*address = points[n].at;
		what = points[n].watch ? DEBUG_WHAT_WATCH : DEBUG_WHAT_HARD;
	}
	if (what != DEBUG_WHAT_SOFT)
		set_now(vc, VCPU_DR6, DR6_RESET);
	return what;
}

void debug_reflect(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	vcpu_inject_exception(&vc->cpu.cpu, (uint8_t)e->code, false, 0);
}
