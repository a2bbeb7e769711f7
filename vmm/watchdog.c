/*
 * A watchdog of board `virt` (SP805): a guest that has set it up and lets it run out
 * twice has failed, and the VM's restart policy says what follows. It counts the guest's
 * time: a pause, or a debugger's stop, is none.
 */
#include "boot/fdt_watchdog.h"
#include "vm.h"

#include <dev/sp805.h>
#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/log.h>

static struct {
	struct sp805 dev;
	uint64_t armed_ns; /* deadline that the time server has */
	/* Who else adds to the devicetree. */
	bool (*describe)(const struct vm *vm, void *fdt, size_t size);
} watchdog;

static uint64_t now_ns(void *opaque) { return clock_ticks_to_ns(vm_now(opaque)); }

static void arm(struct vm *vm)
{
	const uint64_t at = sp805_deadline(&watchdog.dev);

	if (at == COUNTDOWN_NEVER || at == watchdog.armed_ns)
		return;
	if (time_arm(VMM_DEVICE_TIMER, clock_ns_to_ticks(at) + 1 + clock_now() - vm_now(vm), 0) ==
	    TIME_OK)
		watchdog.armed_ns = at;
	else if (vm_count(vm, NULL, "timers"))
		log_error("the time server refuses timers: the watchdog stands still");
}

static void set_irq(void *opaque, unsigned line, bool level)
{
	struct vm *vm = opaque;

	(void)line;
	vgic_set_level(&vm->gic, 0, vm->board->watchdog_irq, level);
}

static void expired(void *opaque)
{
	struct vm *vm = opaque;

	log_error("the guest's watchdog has run out");
	console_flush(&vm->console);
	init_vm_off(VM_STOP_WATCHDOG);
}

static enum mmio_outcome access(void *device, unsigned vcpu, struct mmio *m)
{
	enum mmio_outcome outcome = sp805_access(&watchdog.dev, m);

	(void)vcpu;
	arm(device);
	return outcome;
}

/* Early, if the guest's time has stood: it is armed once more. */
static uint64_t event(struct vm *vm, uint64_t badges)
{
	if (!(badges & VMM_NTFN_TIMER))
		return 0;
	vm_lock(vm, NULL);
	sp805_expired(&watchdog.dev);
	watchdog.armed_ns = COUNTDOWN_NEVER;
	arm(vm);
	vm_deliver_irqs(vm, NULL);
	mutex_unlock(&vm->lock);
	return 0;
}

static bool describe(const struct vm *vm, void *fdt, size_t size)
{
	return (watchdog.describe == NULL || watchdog.describe(vm, fdt, size)) &&
	       fdt_add_watchdog(fdt, size, vm->board);
}

static void install(struct vm *vm)
{
	watchdog.describe = vm->hooks.describe;
	vm->hooks.describe = describe;
}

static const char *init(struct vm *vm)
{
	const struct timer_env env = {
		.opaque = vm, .now_ns = now_ns, .set_irq = set_irq, .reset = expired
	};

	if (vm->board->watchdog.size == 0)
		return "the board has no place for a watchdog";
	watchdog.armed_ns = COUNTDOWN_NEVER;
	sp805_init(&watchdog.dev, &env, BOARD_WATCHDOG_HZ);
	return vm_add(vm, "sp805", vm->board->watchdog, access, vm)
		       ? NULL
		       : "no room for the watchdog";
}

const struct vm_part part_watchdog = {
	.bit = VMM_PART_WATCHDOG,
	.install = install,
	.init = init,
	.event = event,
};
