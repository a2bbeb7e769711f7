/*
 * Time of a vCPU. The virtual timer runs in hardware while the vCPU does. Its
 * interrupt is direct (direct.c); where the kernel has no such thing, or while
 * the guest has it disabled, the kernel reports the expiry once and masks it
 * until the guest has ended the interrupt (vgic_glue.c: eoi) or enables it.
 * While the vCPU waits in WFI its timer is not loaded, so the time server is
 * asked to wake the handler when it is due; the expiry itself then shows as soon
 * as the vCPU is back.
 *
 * The physical timer is registers only: it shows its condition in ISTATUS but
 * raises no interrupt. Guests that run under a hypervisor use the virtual one.
 */
#include "arch.h"

#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/log.h>

#define CNT_ENABLE 1u
#define CNT_IMASK 2u
#define CNT_ISTATUS 4u
/* Deadlines farther than this are "never" (about 292 years at 1 GHz). */
#define FAR_FUTURE (1ull << 63)
#define WFI_SPINS_MAX 16u

void vtimer_exit(struct vm_vcpu *vc, unsigned ppi)
{
	/* A board without this timer may have another at its interrupt. */
	if (ppi == vc->vm->board->timer_irq[BOARD_TIMER_VIRTUAL])
		vgic_set_level(&vc->vm->gic, vc->index, ppi, true);
}

enum wait_kind { WAIT_NONE,
		 WAIT_TIMED,
		 WAIT_FOREVER };

/* When the guest's timer will be due, in CNTPCT ticks. */
static enum wait_kind timer_deadline(struct vm_vcpu *vc, uint64_t *deadline)
{
	uint64_t ctl, cval;
	uint64_t offset = vm_offset(vc->vm), now = clock_now() - offset;

	if (!vcpu_sel4_read(&vc->cpu, ABI_VCPU_CNTV_CTL, &ctl) ||
	    (ctl & (CNT_ENABLE | CNT_IMASK)) != CNT_ENABLE)
		return WAIT_FOREVER;
	if (!vcpu_sel4_read(&vc->cpu, ABI_VCPU_CNTV_CVAL, &cval))
		return WAIT_FOREVER;
	if (cval <= now)
		return WAIT_NONE;
	if (cval >= FAR_FUTURE)
		return WAIT_FOREVER;
	*deadline = cval + offset;
	return WAIT_TIMED;
}

/* An armed timer that nobody waits for any more does no harm: it wakes a
 * later wait early, which WFI allows. So nothing is ever cancelled. */
static bool arm(struct vm_vcpu *vc, uint64_t deadline)
{
	if (vc->vtimer.armed == deadline)
		return true;
	if (time_arm(vc->index, deadline, 0) == TIME_OK) {
		vc->vtimer.armed = deadline;
		vc->vtimer.refused = false;
		return true;
	}
	if (!vc->vtimer.refused)
		log_error("vCPU %u: the time server refuses timers, WFI does not wait",
			  vc->index);
	vc->vtimer.armed = 0;
	vc->vtimer.refused = true;
	return false;
}

/*
 * WFI with an interrupt pending that the guest masks (Linux parks a stopped
 * CPU so) ends at once, for ever. Such a vCPU spends its time in here with the
 * lock held, so that its time slice ends there too and the other handlers of
 * the VM never find the lock free: it has to let them run. Not at the first
 * time, which is an interrupt that came just now and is about to be taken.
 */
static void spin(struct vm_vcpu *vc)
{
	if (++vc->wfi_spins < WFI_SPINS_MAX)
		return;
	vc->wfi_spins = 0;
	vm_vcpu_yield(vc);
}

void wfi_block(struct vm_vcpu *vc)
{
	struct vm *vm = vc->vm;
	uint64_t deadline = 0;
	enum wait_kind kind;

	console_flush(&vm->console);
	if (vgic_has_pending(&vm->gic, vc->index, VGIC_VMCR_ANY)) {
		spin(vc);
		return;
	}
	vc->wfi_spins = 0;
	kind = timer_deadline(vc, &deadline);
	if (kind == WAIT_NONE)
		return;
	if (kind == WAIT_TIMED && !arm(vc, deadline))
		return;
	/* A signal of the time server ends the timer, due or not: a server that
	 * was started again signals so that timers are armed anew. */
	if ((vm_vcpu_wait(vc) & VMM_WAKE_TIMER) != 0 || vc->vtimer.armed <= clock_now())
		vc->vtimer.armed = 0;
}

static bool ptimer_due(const struct vm_vcpu *vc)
{
	return (vc->ptimer.ctl & CNT_ENABLE) && vm_now(vc->vm) >= vc->ptimer.cval;
}

uint64_t ptimer_read(const struct vm_vcpu *vc, enum sysreg_action reg)
{
	switch (reg) {
	case SYSREG_CNTP_CTL:
		return vc->ptimer.ctl | (ptimer_due(vc) ? CNT_ISTATUS : 0);
	case SYSREG_CNTP_CVAL:
		return vc->ptimer.cval;
	case SYSREG_CNTP_TVAL:
		return (uint32_t)(vc->ptimer.cval - vm_now(vc->vm));
	default:
		return vm_now(vc->vm);
	}
}

void ptimer_write(struct vm_vcpu *vc, enum sysreg_action reg, uint64_t value)
{
	switch (reg) {
	case SYSREG_CNTP_CTL:
		vc->ptimer.ctl = (uint32_t)value & (CNT_ENABLE | CNT_IMASK);
		break;
	case SYSREG_CNTP_CVAL:
		vc->ptimer.cval = value;
		break;
	case SYSREG_CNTP_TVAL:
		vc->ptimer.cval = vm_now(vc->vm) + (uint64_t)(int64_t)(int32_t)value;
		break;
	default:
		break;
	}
}
