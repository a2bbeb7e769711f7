/*
 * The devices of board vexpress-a9. Their timers share one of the time
 * server's: it is armed for the first that is due.
 */
#include "a9_sites.h"
#include "board/vexpress_a9.h"
#include "vm.h"

#include <dev/a9mp.h>
#include <dev/pl011.h>
#include <dev/pl310.h>
#include <dev/sp804.h>
#include <dev/sp805.h>
#include <dev/vexpress.h>
#include <selvage/base.h>
#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/log.h>

static struct a9_devices {
	struct a9mp mp;
	struct vexpress sysregs;
	struct pl310 l2;
	struct sp805 watchdog;
	/* Devices with a line of their own say here which that is. */
	struct a9_sp804 {
		struct vm *vm;
		uint32_t irq;
		struct sp804 dev;
	} sp804[BOARD_SP804S];
	/* Nothing is at their other end. */
	struct a9_uart {
		struct vm *vm;
		uint32_t irq;
		struct pl011 dev;
	} uart[BOARD_MORE_UARTS];
	uint64_t alarm_ns; /* when the RTC's is due, or COUNTDOWN_NEVER */
	uint64_t armed_ns; /* what the time server knows, COUNTDOWN_NEVER: nothing */
} devices;

static uint64_t now_ns(const struct vm *vm)
{
	return clock_ticks_to_ns(vm_now(vm));
}

/* Asks for an event when the next timer is due. A request that is not needed
 * any more does no harm. */
static void arm(struct vm *vm)
{
	struct a9_devices *d = &devices;
	uint64_t first = min_u64(a9mp_deadline(&d->mp), sp805_deadline(&d->watchdog));

	first = min_u64(first, d->alarm_ns);

	for (unsigned i = 0; i < BOARD_SP804S; i++)
		first = min_u64(first, sp804_deadline(&d->sp804[i].dev));
	if (first == COUNTDOWN_NEVER || first == d->armed_ns || vm->clock.stands)
		return;
	if (time_arm(VMM_DEVICE_TIMER, clock_ns_to_ticks(first) + 1 + clock_now() - vm_now(vm),
		     0) == TIME_OK)
		d->armed_ns = first;
	else if (vm_count(vm, NULL, "timers"))
		log_error("the time server refuses timers: those of the board stand still");
}

static void clock_goes_on(struct vm *vm)
{
	devices.armed_ns = COUNTDOWN_NEVER;
	arm(vm);
}

/* The RTC counts seconds since the machine's start; it asks again if it is too early. */
#define MOST_SECONDS (1ull << 24)
static void rtc_alarm(void *opaque, uint64_t seconds)
{
	struct vm *vm = opaque;
	uint64_t hz = clock_hz(), since = clock_now() - vm->info->boot_counter;
	uint64_t ticks = min_u64(seconds, MOST_SECONDS) * hz - since % hz;

	devices.alarm_ns = seconds == 0 ? COUNTDOWN_NEVER
					: now_ns(vm) + clock_ticks_to_ns(ticks) + 1;
	arm(vm);
}

static uint64_t event(struct vm *vm, uint64_t badges)
{
	struct a9_devices *d = &devices;

	if (!(badges & VMM_NTFN_TIMER))
		return 0;
	vm_lock(vm, NULL);
	a9mp_expired(&d->mp);
	sp805_expired(&d->watchdog);
	for (unsigned i = 0; i < BOARD_SP804S; i++)
		sp804_expired(&d->sp804[i].dev);
	if (now_ns(vm) >= d->alarm_ns) {
		d->alarm_ns = COUNTDOWN_NEVER;
		pl031_alarm(&vm->rtc);
	}
	clock_goes_on(vm);
	vm_deliver_irqs(vm, NULL);
	mutex_unlock(&vm->lock);
	return 0;
}

/* --- What the models ask for ------------------------------------------------------ */

static uint64_t env_now(void *opaque)
{
	return now_ns(opaque);
}

static void reset(void *opaque)
{
	struct vm *vm = opaque;

	log_info("a watchdog or the guest resets the board");
	console_flush(&vm->console);
	init_vm_reset();
}

static void off(void *opaque)
{
	struct vm *vm = opaque;

	log_info("the guest switches the board off");
	console_flush(&vm->console);
	init_vm_off(VM_STOP_OFF);
}

/* Those that wait in the boot monitor, which looks at SYS_FLAGS when an SGI comes. */
static void start_others(void *opaque, uint32_t entry)
{
	struct vm *vm = opaque;

	for (unsigned i = 1; i < vm->info->n_vcpus; i++) {
		struct vm_vcpu *vc = &vm->vcpu[i];

		if (vc->started || vm->time_stands)
			continue;
		vm_vcpu_reset(vc, entry, 0);
		if (!vm_vcpu_start(vc))
			log_error("vCPU %u: the kernel refused to start it", i);
	}
}

static void mp_irq(void *opaque, unsigned line, bool level)
{
	struct vm *vm = opaque;
	const struct board_a9 *a9 = &board_a9;
	const uint32_t irq[A9MP_LINES] = { a9->global_irq, a9->private_irq, a9->watchdog_irq };

	vgic_set_level(&vm->gic, line / A9MP_LINES, irq[line % A9MP_LINES], level);
}

static void watchdog_irq(void *opaque, unsigned line, bool level)
{
	struct vm *vm = opaque;

	(void)line;
	vgic_set_level(&vm->gic, 0, board_a9.sp805.irq, level);
}

static uint64_t sp804_now(void *opaque)
{
	return env_now(((struct a9_sp804 *)opaque)->vm);
}

static void sp804_irq(void *opaque, unsigned line, bool level)
{
	struct a9_sp804 *s = opaque;

	(void)line;
	vgic_set_level(&s->vm->gic, 0, s->irq, level);
}

static bool uart_transmit(void *opaque, uint8_t byte)
{
	(void)opaque, (void)byte;
	return true;
}

static void uart_irq(void *opaque, bool level)
{
	struct a9_uart *u = opaque;

	vgic_set_level(&u->vm->gic, 0, u->irq, level);
}

/* --- Accesses ---------------------------------------------------------------------- */

static enum mmio_outcome mp_access(void *device, unsigned vcpu, struct mmio *m)
{
	struct vm *vm = device;
	enum mmio_outcome outcome = a9mp_access(&devices.mp, vcpu, m);

	arm(vm);
	return outcome;
}

/* The bus counts from the frame's start, the model from PERIPHBASE. */
static enum mmio_outcome global_access(void *device, unsigned vcpu, struct mmio *m)
{
	m->offset += A9MP_GLOBAL_TIMER;
	return mp_access(device, vcpu, m);
}

static enum mmio_outcome private_access(void *device, unsigned vcpu, struct mmio *m)
{
	m->offset += A9MP_PRIVATE_TIMER;
	return mp_access(device, vcpu, m);
}

static enum mmio_outcome sysregs_access(void *device, unsigned vcpu, struct mmio *m)
{
	(void)device, (void)vcpu;
	return vexpress_access(&devices.sysregs, m);
}

static enum mmio_outcome l2_access(void *device, unsigned vcpu, struct mmio *m)
{
	(void)device, (void)vcpu;
	return pl310_access(&devices.l2, m);
}

static enum mmio_outcome watchdog_access(void *device, unsigned vcpu, struct mmio *m)
{
	struct vm *vm = device;
	enum mmio_outcome outcome = sp805_access(&devices.watchdog, m);

	(void)vcpu;
	arm(vm);
	return outcome;
}

static enum mmio_outcome timer_access(void *device, unsigned vcpu, struct mmio *m)
{
	struct a9_sp804 *s = device;
	enum mmio_outcome outcome = sp804_access(&s->dev, m);

	(void)vcpu;
	arm(s->vm);
	return outcome;
}

static enum mmio_outcome more_uart_access(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	return pl011_access(&((struct a9_uart *)device)->dev, m);
}

/* --- Construction -------------------------------------------------------------------- */

static bool add_sp804(struct vm *vm, unsigned i)
{
	const struct board_timer *t = &board_a9.sp804[i];
	struct a9_sp804 *s = &devices.sp804[i];
	const struct timer_env env = { s, sp804_now, sp804_irq, NULL };

	s->vm = vm;
	s->irq = t->irq;
	sp804_init(&s->dev, &env, board_a9.sp804_hz);
	return vm_add(vm, "sp804", t->range, timer_access, s);
}

static bool add_uart(struct vm *vm, unsigned i)
{
	const struct board_timer *t = &board_a9.uart[i];
	struct a9_uart *u = &devices.uart[i];
	const struct pl011_env env = { u, uart_transmit, uart_irq };

	u->vm = vm;
	u->irq = t->irq;
	pl011_init(&u->dev, &env);
	return vm_add(vm, "pl011", t->range, more_uart_access, u);
}

static bool add_private_region(struct vm *vm)
{
	const uint64_t base = vm->board->cbar;
	const struct board_range scu = { base, A9MP_SCU_BYTES };
	const struct board_range global = { base + A9MP_GLOBAL_TIMER, A9MP_GLOBAL_TIMER_BYTES };
	const struct board_range private = { base + A9MP_PRIVATE_TIMER, A9MP_PRIVATE_TIMER_BYTES };

	return vm_add(vm, "a9 scu", scu, mp_access, vm) &&
	       vm_add(vm, "a9 global timer", global, global_access, vm) &&
	       vm_add(vm, "a9 private timer", private, private_access, vm);
}

static void install(struct vm *vm)
{
	vm->hooks.clock_goes_on = clock_goes_on;
	vm->hooks.rtc_alarm = rtc_alarm;
	vm->hooks.loaded = a9_sites_set;
	vm->hooks.breakpoint = a9_site_event;
}

static const char *init(struct vm *vm)
{
	const struct board_a9 *a9 = &board_a9;
	const struct timer_env mp_env = { vm, env_now, mp_irq, reset };
	const struct timer_env watchdog_env = { vm, env_now, watchdog_irq, reset };
	const struct vexpress_env sysregs_env = { vm, env_now, off, reset, start_others };
	struct a9_devices *d = &devices;
	bool ok;

	d->armed_ns = d->alarm_ns = COUNTDOWN_NEVER;
	a9mp_init(&d->mp, &mp_env, vm->info->n_vcpus, a9->periph_hz);
	sp805_init(&d->watchdog, &watchdog_env, a9->sp805_hz);
	vexpress_init(&d->sysregs, &sysregs_env);
	pl310_reset(&d->l2);
	ok = vm_add(vm, "sysregs", a9->sysregs, sysregs_access, vm) &&
	     vm_add(vm, "pl310", a9->pl310, l2_access, vm) &&
	     vm_add(vm, "sp805", a9->sp805.range, watchdog_access, vm) && add_private_region(vm);
	for (unsigned i = 0; ok && i < BOARD_SP804S; i++)
		ok = add_sp804(vm, i);
	for (unsigned i = 0; ok && i < BOARD_MORE_UARTS; i++)
		ok = add_uart(vm, i);
	return ok ? NULL : "no room for the board's devices";
}

const struct vm_part part_a9 = {
	.bit = VMM_PART_A9,
	.board = &board_vexpress_a9,
	.install = install,
	.init = init,
	.event = event,
};
