/* Parts of registers, answers, exceptions, the state after RESET. */
#include <selvage/vcpu.h>

static uint64_t part_mask(unsigned size)
{
	return size >= 8 ? ~0ull : (1ull << 8 * size) - 1;
}

uint64_t vcpu_get_part(struct vcpu *v, unsigned reg, unsigned size, bool high)
{
	return vcpu_get(v, reg) >> (high ? 8 : 0) & part_mask(size);
}

void vcpu_set_part(struct vcpu *v, unsigned reg, unsigned size, bool high, uint64_t value)
{
	unsigned shift = high ? 8 : 0;
	uint64_t mask = part_mask(size) << shift;

	if (size < 4)
		value = (vcpu_get(v, reg) & ~mask) | (value << shift & mask);
	vcpu_set(v, reg, size == 4 ? (uint32_t)value : value);
}

void vcpu_finish_in(struct vcpu *v, const struct vcpu_exit *e, uint32_t value)
{
	vcpu_set_part(v, VCPU_RAX, e->size, false, value);
	vcpu_advance(v);
}

void vcpu_finish_msr(struct vcpu *v, uint64_t value)
{
	vcpu_set(v, VCPU_RAX, (uint32_t)value);
	vcpu_set(v, VCPU_RDX, value >> 32);
	vcpu_advance(v);
}

void vcpu_finish_cpuid(struct vcpu *v, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	vcpu_set(v, VCPU_RAX, a);
	vcpu_set(v, VCPU_RBX, b);
	vcpu_set(v, VCPU_RCX, c);
	vcpu_set(v, VCPU_RDX, d);
	vcpu_advance(v);
}

void vcpu_reset(struct vcpu *v)
{
	for (unsigned i = 0; i < VCPU_REGS; i++)
		vcpu_set(v, i, 0);
	for (unsigned i = VCPU_ES; i <= VCPU_GS; i++)
		vcpu_set(v, i, VCPU_SEG(0, VCPU_ATTR_DATA, 0xffff));
	vcpu_set(v, VCPU_CS, VCPU_SEG(0xf000, VCPU_ATTR_CODE, 0xffff));
	vcpu_set(v, VCPU_CS_BASE, 0xffff0000);
	vcpu_set(v, VCPU_LDTR, VCPU_SEG(0, VCPU_ATTR_LDT, 0xffff));
	vcpu_set(v, VCPU_TR, VCPU_SEG(0, VCPU_ATTR_TSS_BUSY, 0xffff));
	vcpu_set(v, VCPU_GDTR, VCPU_SEG(0, 0, 0xffff));
	vcpu_set(v, VCPU_IDTR, VCPU_SEG(0, 0, 0xffff));
	vcpu_set(v, VCPU_RIP, 0xfff0);
	vcpu_set(v, VCPU_RFLAGS, 2);
	vcpu_set(v, VCPU_CR0, 0x60000010);
	vcpu_set(v, VCPU_DR6, 0xffff0ff0);
	vcpu_set(v, VCPU_DR7, 0x400);
	vcpu_set(v, VCPU_PAT, 0x0007040600070406);
}

#define CR0_PE 1u
#define DR6_EVENTS 15u
#define DR6_STEP (1u << 14)

static void inject(struct vcpu *v, enum abi_vcpu_event_kind kind, uint64_t event)
{
	v->advance = false;
	vcpu_set(v, VCPU_EVENT,
		 event | (uint64_t)kind << ABI_VCPU_EVENT_KIND_SHIFT | ABI_VCPU_EVENT_VALID);
}

void vcpu_inject_exception(struct vcpu *v, uint8_t vector, bool has_code, uint32_t code)
{
	has_code = has_code && (vcpu_get(v, VCPU_CR0) & CR0_PE); /* real mode has none */
	inject(v, ABI_VCPU_EVENT_EXCEPTION,
	       vector | (has_code ? ABI_VCPU_EVENT_HAS_CODE | (uint64_t)code << 32 : 0));
}

void vcpu_inject_undefined(struct vcpu *v) { vcpu_inject_exception(v, 6, false, 0); }
void vcpu_inject_protection(struct vcpu *v) { vcpu_inject_exception(v, 13, true, 0); }

void vcpu_inject_step(struct vcpu *v)
{
	const uint64_t dr7 = vcpu_get(v, VCPU_DR7);

	vcpu_set(v, VCPU_DR6, (vcpu_get(v, VCPU_DR6) & ~(uint64_t)DR6_EVENTS) | DR6_STEP);
	if (dr7 & VCPU_DR7_GUARD)
		vcpu_set(v, VCPU_DR7, dr7 & ~(uint64_t)VCPU_DR7_GUARD);
	vcpu_inject_exception(v, 1, false, 0);
}

void vcpu_inject_nmi(struct vcpu *v) { inject(v, ABI_VCPU_EVENT_NMI, 2); }

void vcpu_set_irq(struct vcpu *v, uint8_t vector)
{
	vcpu_set(v, VCPU_IRQ, ABI_VCPU_IRQ_PENDING | vector);
}

void vcpu_clear_irq(struct vcpu *v) { vcpu_set(v, VCPU_IRQ, 0); }
void vcpu_want_window(struct vcpu *v) { vcpu_set(v, VCPU_IRQ, ABI_VCPU_IRQ_WINDOW); }
