/* Which device model answers where, and what its environment is. */
#include "devices.h"

#include <selvage/clock.h>
#include <selvage/log.h>

/* Characters that wait for the guest go into the FIFO as it empties. */
static void uart_feed(struct vm *vm)
{
	bool taken = false;
	uint8_t byte;

	if (vm->hooks.takes_input != NULL && vm->hooks.takes_input(vm))
		return;
	while (pl011_receive_room(&vm->uart) > 0 &&
	       console_get(&vm->console, &byte)) {
		(void)pl011_receive(&vm->uart, byte);
		taken = true;
	}
	if (taken)
		console_taken(&vm->console);
}

void uart_service(struct vm *vm)
{
	if (!(vm->info->vm.devices & SYSDESC_DEV_PL011))
		return;
	pl011_transmit_ready(&vm->uart);
	uart_feed(vm);
}

static bool uart_transmit(void *opaque, uint8_t byte)
{
	struct vm *vm = opaque;

	return console_put(&vm->console, byte);
}

static void uart_set_irq(void *opaque, bool level)
{
	struct vm *vm = opaque;

	vgic_set_level(&vm->gic, 0, vm->board->uart_irq, level);
}

/* The console is what guests use most: the model in line, though other boards
 * have it too. */
__attribute__((flatten)) static enum mmio_outcome uart_access(void *device, unsigned vcpu,
							      struct mmio *m)
{
	struct pl011 *uart = device;
	enum mmio_outcome outcome = pl011_access(uart, m);

	(void)vcpu;
	/* A character that was read has left room for the next. */
	if (m->offset == PL011_DR && !m->write)
		uart_feed(uart->env.opaque);
	return outcome;
}

static uint64_t rtc_now(void *opaque)
{
	const struct vmm_info *info = ((struct vm *)opaque)->info;

	return info->boot_epoch_s +
	       (clock_now() - info->boot_counter) / clock_hz();
}

static void rtc_set_irq(void *opaque, bool level)
{
	struct vm *vm = opaque;

	vgic_set_level(&vm->gic, 0, vm->board->rtc_irq, level);
}

static enum mmio_outcome rtc_access(void *device, unsigned vcpu,
				    struct mmio *m)
{
	(void)vcpu;
	return pl031_access(&((struct vm *)device)->rtc, m);
}

static bool add_uart(struct vm *vm)
{
	const struct pl011_env env = {
		.opaque = vm,
		.transmit = uart_transmit,
		.set_irq = uart_set_irq,
	};

	pl011_init(&vm->uart, &env);
	return vm_add(vm, "pl011", vm->board->uart, uart_access, &vm->uart);
}

static bool add_rtc(struct vm *vm)
{
	const struct pl031_env env = {
		.opaque = vm,
		.now_seconds = rtc_now,
		.set_alarm = vm->hooks.rtc_alarm,
		.set_irq = rtc_set_irq,
	};

	pl031_init(&vm->rtc, &env);
	return vm_add(vm, "pl031", vm->board->rtc, rtc_access, vm);
}

static bool add_stubs(struct vm *vm)
{
	static const struct bus_region elsewhere = {
		.name = "nothing",
		.size = UINT64_MAX,
		.handler = bus_nothing,
	};

	if (vm->board->lenient)
		vm->bus.elsewhere = &elsewhere;
	for (unsigned i = 0; i < vm->board->n_stubs; i++) {
		const struct board_stub *stub = &vm->board->stubs[i];

		if (!vm_add(vm, stub->name, stub->range, bus_stub, (void *)(uintptr_t)&stub->id))
			return false;
	}
	return true;
}

bool devices_init(struct vm *vm)
{
	uint32_t devices = vm->info->vm.devices;

	if ((devices & SYSDESC_DEV_PL011) && !add_uart(vm))
		return false;
	if ((devices & SYSDESC_DEV_RTC) && !add_rtc(vm))
		return false;
	return add_stubs(vm);
}
