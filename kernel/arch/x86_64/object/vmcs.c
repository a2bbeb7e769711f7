/* The ABI's VMCS fields, and ports of guests of VT-x. */
#include <arch/cpu.h>
#include <arch/vcpu.h>
#include <arch/vmx.h>
#include <kernel/arch.h>
#include <kernel/invoke.h>

#define BASIC_TRUE (1ull << 55)
/* NE has to be set; caches are not for guests to switch off. */
#define CR0_FIXED (1ull << 5)
#define CR0_HOST (CR0_FIXED | CR0_CD | CR0_NW)

/*
 * What fields may have and what they have to. Of controls `allowed` is at first what makes
 * sense without further fields that user level cannot set (virtual APIC, PML, #VE, VM functions,
 * shadow VMCS stay off); `forced` is forced if `needed`, or else where there is such.
 */
static struct limit {
	uint32_t field, needed;
	word_t allowed, forced;
} limits[] = {
	/* Interrupts, NMIs, virtual NMIs. */
	{ VMCS_PIN, 0x29, 0x7f, 0x29 },
	/* TSC offset, CR8 (the processor's own); bitmaps of ports and registers, secondary. */
	{ VMCS_PRIMARY, 0x92180008, ~(1u << 17 | 1u << 21), 0x92180000 },
	/* Debug controls, 64-bit host, PAT, EFER; performance control, interrupts taken. */
	{ VMCS_EXIT, 0x3c0204, 0x7fffff, 0x3c9204 },
	{ VMCS_ENTRY, ENTRY_LONG, 0xe204, 0 },
	/* EPT, VPID; unrestricted guest. */
	{ VMCS_SECONDARY, 0xa2, 0x111cee, 0x22 },
	{ VMCS_CR0, 0, 0xffffffff & ~(CR0_CD | CR0_NW), CR0_FIXED },
	{ VMCS_CR0_MASK, 0, ~0ull, CR0_HOST },
	{ VMCS_CR4, 0, 0, CR4_VMXE },
	{ VMCS_CR4_MASK, 0, ~0ull, 0 },
	{ VMCS_EFER, 0, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE, 0 },
	{ VMCS_DEBUGCTL, 0, 3, 0 }, /* no branch records to memory */
	{ VMCS_ACTIVITY, 0, 1, 0 }, /* the others shut interrupts out */
};
enum { CONTROLS = 5,
       LIMIT_CR4 = 7 /* and its mask */ };

bool vmx_find_limits(void)
{
	uint32_t first = msr_read(MSR_VMX_BASIC) & BASIC_TRUE ? MSR_VMX_TRUE_PIN : MSR_VMX_PIN;

	for (unsigned i = 0; i < CONTROLS; i++) {
		struct limit *l = &limits[i];
		word_t w = msr_read(i < CONTROLS - 1 ? first + i : MSR_VMX_SECONDARY);
		if (l->needed & ~(w >> 32))
			return false;
		l->forced = (l->forced & w >> 32) | (uint32_t)w;
		l->allowed = (l->allowed & w >> 32) | l->forced;
	}
	limits[LIMIT_CR4].allowed = guest_cr4();
	limits[LIMIT_CR4 + 1].forced = ~guest_cr4();
	return true;
}

/* Of each width and type (SDM 3, 25.11.2) the indices that can be read, and those that can be
 * written: 800 to 80E; 2400; 2802 to 2810; 4000 to 4004, 400C, 4012, 4016, 401E (4018); 4400,
 * 4404 to 440E; 4800 to 482A, 482E; 6000 to 6006; 6402 to 640A; 6800 to 6826. */
/* clang-format off */
static const uint32_t fields[32][2] = {
	[0x02] = { 0xff, 0xff }, [0x09] = { 1, 0 }, [0x0a] = { 0x1fe, 0x1fe },
	[0x10] = { 0x8a47, 0x9a47 }, [0x11] = { 0xfd, 0 }, [0x12] = { 0xbfffff, 0xbfffff },
	[0x18] = { 0xf, 0xf }, [0x19] = { 0x3e, 0 }, [0x1a] = { 0xfffff, 0xfffff },
};
/* clang-format on */

static bool is_field(word_t field, bool write)
{
	return !(field >> 15) && !(field & 0x3c1) &&
	       fields[field >> 10][write] >> (field >> 1 & 31) & 1;
}

static word_t read(const struct vcpu *v, unsigned field)
{
	word_t value = 0; /* of one that this processor lacks */

	if (field == VMCS_PIN || field == VMCS_EXCEPTIONS)
		return field == VMCS_PIN ? v->vmx.pin : v->exceptions;
	/* clang-format off */
	__asm__ volatile("vmread %1, %0" : "+r"(value) : "r"((word_t)field) : "cc");
	/* clang-format on */
	return value;
}

word_t vmx_write(struct vcpu *v, unsigned field, word_t value)
{
	word_t more = 0;

	if (!(field >> 13 & 3)) /* widths: SDM 3, 25.11.2 */
		value &= 0xffff;
	for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].field == field)
			value = (value & limits[i].allowed) | limits[i].forced;
	if (field == VMCS_PIN) {
		v->vmx.pin = (uint32_t)value;
		more = limits[0].allowed & PIN_TIMER;
	} else if (field == VMCS_EXCEPTIONS) {
		v->exceptions = (uint32_t)value;
		more = GUEST_EXCEPTIONS;
	} else if (field == VMCS_EFER) { /* who has no SYSCALL need not wait for its registers */
		vmwrite(VMCS_ENTRY_LOADS, value & EFER_SCE ? LOADS : 0);
		vmwrite(VMCS_EXIT_LOADS, value & EFER_SCE ? LOADS : 0);
	}
	vmwrite(field, value | more);
	return value;
}

void vmx_write_initial(struct vcpu *v)
{
	for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		(void)vmx_write(v, limits[i].field, 0);
	(void)vmx_write(v, VMCS_ENTRY, ENTRY_LONG);
	(void)vmx_write(v, VMCS_EXCEPTIONS, 0);
}

void vmx_reg_written(struct vcpu *v, unsigned reg)
{
	const word_t *star = &v->vmx.soft[ABI_VCPU_STAR - ABI_VCPU_CR2];

	if (reg < ABI_VCPU_STAR)
		return;
	vmx_use(v);
	if (reg == ABI_VCPU_IRQ)
		vmwrite(VMCS_EVENT, ABI_VCPU_EVENT_VALID |
					    (uint8_t)v->vmx.soft[ABI_VCPU_IRQ - ABI_VCPU_CR2]);
	vmwrite(VMCS_TSC_OFFSET, v->vmx.soft[ABI_VCPU_TSC_OFFSET - ABI_VCPU_CR2]);
	v->vmx.load[0].value = star[0];
	v->vmx.load[1].value = star[1];
	v->vmx.load[2].value = star[3];
}

/* ABI_VCPU_FIELDS. */
static int list_invoke(struct invocation *inv, struct vcpu *v, bool write)
{
	unsigned step = write ? 2 : 1;

	for (unsigned i = 0; 1 + (i + 1) * step <= inv->length; i++) {
		word_t field = inv_arg(inv, 1 + i * step);
		if (!is_field(field, write))
			return ABI_ILLEGAL_OPERATION;
		if (write)
			(void)vmx_write(v, (unsigned)field, inv_arg(inv, 2 + i * step));
		else
			inv_result(inv, i, read(v, (unsigned)field));
	}
	return ABI_OK;
}

int vmx_field_invoke(struct invocation *inv, struct vcpu *v, bool write)
{
	unsigned field = (unsigned)inv_arg(inv, 0);

	vmx_use(v);
	if (inv_arg(inv, 0) == ABI_VCPU_FIELDS)
		return list_invoke(inv, v, write);
	if (inv->length < 1u + write || !is_field(inv_arg(inv, 0), write))
		return ABI_ILLEGAL_OPERATION;
	inv_result(inv, 0, write ? vmx_write(v, field, inv_arg(inv, 1)) : read(v, field));
	return ABI_OK;
}

/* A capability that goes, whichever, closes all that was opened: whose right it
 * was is not kept. The VMM opens them again when it sees an exit. */
word_t ports_epoch = 1;

void vmx_close_ports(struct vcpu *v)
{
	__builtin_memset(v->ports, 0xff, sizeof(v->ports));
	v->vmx.ports_epoch = 0;
}

/* EnableIOPort: first, last; ports. DisableIOPort the same, without a check. */
int vmx_ports_invoke(struct invocation *inv, struct vcpu *v)
{
	bool open = inv->label == ABI_INV_X86_VCPU_ENABLE_IO_PORT;
	uint16_t first = (uint16_t)inv_arg(inv, 0), last = (uint16_t)inv_arg(inv, 1);
	struct cap c = inv_extra(inv, 0);

	if ((!open && inv->label != ABI_INV_X86_VCPU_DISABLE_IO_PORT) ||
	    (open && cap_type(c) != CAP_IO_PORT))
		return ABI_ILLEGAL_OPERATION;
	if (open && (first > last || first < (uint16_t)c.w1 || last > c.w1 >> 16))
		return inv_invalid_argument(inv, 0);
	if (v->vmx.ports_epoch != ports_epoch)
		vmx_close_ports(v);
	v->vmx.ports_epoch = ports_epoch;
	for (unsigned port = first, n; port <= last; port += n) {
		n = port % 8 || last - port < 7 ? 1 : 8;
		unsigned bits = ((1u << n) - 1) << port % 8, was = v->ports[port / 8];
		v->ports[port / 8] = (uint8_t)(open ? was & ~bits : was | bits);
	}
	return ABI_OK;
}
