/* What an exit message says, as the neutral exit. */
#include "decode.h"

static void decode_port(uint64_t label, uint64_t rax, struct vcpu_exit *e)
{
	uint32_t detail = exit_detail(label);

	e->reason = VCPU_EXIT_PORT;
	e->syndrome = detail;
	e->code = (uint16_t)detail;
	e->size = detail >> ABI_EXIT_PORT_BYTES_SHIFT & 7;
	e->write = !(detail & ABI_EXIT_PORT_IN);
	e->reg = VCPU_RAX;
	if (e->size > 4 || !e->size)
		e->size = 4;
	e->value = rax & ~0ull >> (64 - 8 * e->size);
}

static void decode_control(uint64_t label, bool debug, struct vcpu_exit *e)
{
	uint32_t detail = exit_detail(label);

	e->reason = VCPU_EXIT_CONTROL;
	e->code = (uint16_t)((detail & 15) + (debug ? 16 : 0));
	e->write = detail & ABI_EXIT_CR_WRITE;
	if (detail & ABI_EXIT_CR_KNOWN)
		e->reg = detail >> ABI_EXIT_CR_REG_SHIFT & 15;
}

static void decode_page(uint64_t label, const uint64_t mr[4], struct vcpu_exit *e)
{
	e->syndrome = exit_detail(label);
	e->reason = e->syndrome & ABI_EXIT_PAGE_FETCH ? VCPU_EXIT_FETCH : VCPU_EXIT_MMIO_OPAQUE;
	e->write = e->syndrome & ABI_EXIT_PAGE_WRITE;
	e->gpa = mr[0];
	e->gva = mr[2];
}

/* Those that are told by their reason alone. */
static enum vcpu_exit_reason plain_reason(unsigned reason)
{
	switch (reason) {
	case ABI_EXIT_CPUID: return VCPU_EXIT_FEATURES;
	case ABI_EXIT_HLT: return VCPU_EXIT_WAIT_IRQ;
	case ABI_EXIT_HYPERCALL: return VCPU_EXIT_HYPERCALL;
	case ABI_EXIT_WINDOW: return VCPU_EXIT_IRQ_WINDOW;
	case ABI_EXIT_SHUTDOWN: return VCPU_EXIT_SHUTDOWN;
	case ABI_EXIT_INVALID: return VCPU_EXIT_BAD_STATE;
	case ABI_EXIT_XSETBV:
	case ABI_EXIT_RDPMC:
	case ABI_EXIT_INVD:
	case ABI_EXIT_MONITOR:
	case ABI_EXIT_MWAIT: return VCPU_EXIT_INSTRUCTION;
	case ABI_EXIT_NESTED: return VCPU_EXIT_UNDEFINED;
	default: return VCPU_EXIT_UNKNOWN;
	}
}

void vcpu_decode_exit(uint64_t label, const uint64_t mr[4], struct vcpu_exit *e)
{
	unsigned reason = exit_reason(label);

	*e = (struct vcpu_exit){ .reg = VCPU_NO_REG, .reg2 = VCPU_NO_REG };
	/* Beside what is filled in below: length and flags, for the questions
	 * of vcpu_arch.h. */
	e->flags = (uint8_t)(label >> ABI_EXIT_BYTES_SHIFT & 63);
	switch (reason) {
	case ABI_EXIT_PORT: decode_port(label, mr[0], e); return;
	case ABI_EXIT_STRING_PORT:
		decode_port(label, 0, e);
		e->reg = VCPU_NO_REG;
		return;
	case ABI_EXIT_MSR_READ:
	case ABI_EXIT_MSR_WRITE:
		e->reason = VCPU_EXIT_MSR;
		e->syndrome = (uint32_t)mr[1];
		e->write = reason == ABI_EXIT_MSR_WRITE;
		e->value = (uint32_t)mr[0] | mr[2] << 32;
		return;
	case ABI_EXIT_PAGE: decode_page(label, mr, e); return;
	case ABI_EXIT_CR: decode_control(label, false, e); return;
	case ABI_EXIT_DR: decode_control(label, true, e); return;
	case ABI_EXIT_EXCEPTION:
		e->reason = VCPU_EXIT_DEBUG;
		e->code = (uint16_t)(exit_detail(label) & 31);
		e->value = mr[0];
		e->gva = mr[1];
		return;
	case ABI_EXIT_TASK:
		e->reason = VCPU_EXIT_TASK_SWITCH;
		e->code = (uint16_t)exit_detail(label);
		e->syndrome = mr[0];
		e->value = mr[1];
		return;
	default:
		e->reason = plain_reason(reason);
		e->code = (uint16_t)reason;
		e->syndrome = exit_detail(label);
		return;
	}
}

unsigned vcpu_exit_bytes(const struct vcpu_exit *e) { return e->flags & ABI_EXIT_BYTES_MASK; }

bool vcpu_exit_is_string(const struct vcpu_exit *e)
{
	return e->reason == VCPU_EXIT_PORT && e->reg == VCPU_NO_REG;
}

bool vcpu_irq_is_pending(const struct vcpu_exit *e)
{
	return e->flags & (ABI_EXIT_IRQ_PENDING >> ABI_EXIT_BYTES_SHIFT);
}

bool vcpu_takes_irqs(const struct vcpu_exit *e)
{
	return e->flags & (ABI_EXIT_OPEN >> ABI_EXIT_BYTES_SHIFT);
}
