#include "pc.h"

#include "../devices.h"

#include <dev/pc/ticks.h>
#include <selvage/base.h>
#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/log.h>

#include "../boot/pc/acpi.h"

#define HPET_GPA 0xfed00000u
#define IOAPIC_GPA 0xfec00000u
#define ECAM_GPA 0xe0000000u
#define VIRTIO_GPA 0xe0100000u
#define PCI_GPA 0xe1000000u
#define PCI_BYTES 0x0f000000u
#define PCI_PORT 0xc000u
#define PCI_PORT_BYTES 0x4000u
#define HOLE_GPA 0xe0000000u /* from here to 4 GiB there is no memory */
#define HOLE_END 0x100000000u
#define PM_PORT 0x600u
#define SCI 9u
#define RESET_PORT 0xcf9u
#define RESET_VALUE 6u
/* A guest may ask for periods of nothing. */
#define SOONEST_NS 50000u
/* One that comes too early is asked for again; this is far from what ticks can say. */
#define LATEST_NS 3600000000000ull

/* Who holds a line (pc_irq.h). */
enum source { SOURCE_PIT,
	      SOURCE_RTC,
	      SOURCE_COM1,
	      SOURCE_KEYBOARD,
	      SOURCE_AUXILIARY,
	      SOURCE_SCI,
	      SOURCE_HPET, /* and two more timers of it */
	      SOURCE_WIRES = SOURCE_HPET + HPET_TIMERS };

/* Numbers of wires beside those of ISA's devices, for vm_set_irq: PCI's pins, then the
 * slots of virtio. They share the lines that ISA leaves, so that every PC has them. */
enum { WIRE_PCI = 0,
       WIRE_VIRTIO = 4,
       WIRES = PC_IRQ_SOURCES - SOURCE_WIRES };
static const uint8_t shared_lines[] = { 5, 10, 11, 14 };

const struct board board_pc = {
	.number = SYSDESC_BOARD_PC,
	.name = "pc",
	.virtio = { VIRTIO_GPA, (WIRES - WIRE_VIRTIO) * BOARD_VIRTIO_BYTES },
	.virtio_irq = WIRE_VIRTIO,
	.pci_ecam = { ECAM_GPA, PCI_ECAM_BYTES },
	.pci_memory = { PCI_GPA, PCI_BYTES },
	.pci_io = { PCI_PORT, PCI_PORT_BYTES },
	.pci_irq = WIRE_PCI,
};

static bool has(const struct vm *vm, enum sysdesc_timer timer)
{
	return vm->pc.timers & (uint32_t)timer;
}

static uint64_t now_ns(void *opaque)
{
	return clock_ticks_to_ns(vm_now(opaque));
}

uint64_t pc_tsc(const struct vm *vm)
{
	return clock_now() - vm_paused_ticks(vm) + vm->pc.tsc_offset;
}

static void set_isa(struct vm *vm, unsigned line, enum source source, bool level)
{
	pc_irq_set(&vm->pc.irq, pc_irq_of_isa(line), source, level);
}

unsigned pc_wire_gsi(uint32_t wire) { return shared_lines[wire % ARRAY_SIZE(shared_lines)]; }

void vm_set_irq(struct vm *vm, uint32_t irq, bool level)
{
	pc_irq_set(&vm->pc.irq, pc_wire_gsi(irq), SOURCE_WIRES + irq, level);
}

/* --- Interrupt controllers -------------------------------------------------------- */

/* The 8259s' output: to the core, or through its local APIC. */
static void pic_intr(void *opaque, bool level)
{
	struct vm *vm = opaque;

	if (has(vm, SYSDESC_TIMER_LAPIC))
		lapic_set_lint(&vm->pc.lapic, 0, level);
}

static uint8_t pic_acknowledge(void *opaque)
{
	return i8259_acknowledge(&((struct vm *)opaque)->pc.pic);
}

static void ioapic_send(void *opaque, const struct apic_message *msg)
{
	(void)apic_bus_send(&((struct vm *)opaque)->pc.bus, NULL, msg);
}

static void lapic_send(void *opaque, const struct apic_message *msg)
{
	struct pc *pc = &((struct vm *)opaque)->pc;

	(void)apic_bus_send(&pc->bus, &pc->lapic, msg);
}

static void lapic_eoi(void *opaque, uint8_t vector)
{
	ioapic_eoi(&((struct vm *)opaque)->pc.ioapic, vector);
}

/* Looked at behind each exit and event: pc_irq_due. */
static void lapic_line(void *opaque, bool level) { (void)opaque, (void)level; }

static uint64_t lapic_tsc(void *opaque) { return pc_tsc(opaque); }

bool pc_irq_due(const struct vm *vm)
{
	return has(vm, SYSDESC_TIMER_LAPIC) ? lapic_intr(&vm->pc.lapic) : i8259_intr(&vm->pc.pic);
}

uint8_t pc_irq_vector(const struct vm *vm)
{
	return has(vm, SYSDESC_TIMER_LAPIC) ? lapic_vector(&vm->pc.lapic) : 0;
}

uint8_t pc_irq_take(struct vm *vm)
{
	vm->stats->interrupts++;
	return has(vm, SYSDESC_TIMER_LAPIC) ? lapic_acknowledge(&vm->pc.lapic)
					    : i8259_acknowledge(&vm->pc.pic);
}

static enum mmio_outcome lapic_mmio(void *device, unsigned vcpu, struct mmio *m)
{
	struct pc *pc = device;

	(void)vcpu;
	pc->touched = true;
	return lapic_frame(&pc->lapic) == LAPIC_FRAME ? lapic_access(&pc->lapic, m)
						      : fake_access(&pc->nothing, m);
}

static enum mmio_outcome ioapic_mmio(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	return ioapic_access(&((struct pc *)device)->ioapic, m);
}

static void lapic_signal(void *opaque, enum lapic_signal signal, uint8_t vector);

static void init_apics(struct vm *vm)
{
	struct pc *pc = &vm->pc;
	const struct ioapic_env ioapic = { vm, ioapic_send };
	const struct lapic_env lapic = { .opaque = vm,
					 .now_ns = now_ns,
					 .tsc = lapic_tsc,
					 .set_intr = lapic_line,
					 .signal = lapic_signal,
					 .send = lapic_send,
					 .eoi = lapic_eoi,
					 .acknowledge = pic_acknowledge };

	ioapic_init(&pc->ioapic, &ioapic, 0);
	lapic_init(&pc->lapic, &lapic, 0, true, clock_hz());
	lapic_virtual_wire(&pc->lapic);
	pc->bus.core[0] = &pc->lapic;
}

/* --- Timers ----------------------------------------------------------------------- */

static void pit_line(void *opaque, unsigned line, bool level)
{
	(void)line;
	set_isa(opaque, 0, SOURCE_PIT, level);
}

static void rtc_line(void *opaque, unsigned line, bool level)
{
	(void)line;
	set_isa(opaque, 8, SOURCE_RTC, level);
}

static void sci_line(void *opaque, unsigned line, bool level)
{
	(void)line;
	set_isa(opaque, SCI, SOURCE_SCI, level);
}

static void hpet_line(void *opaque, unsigned timer, unsigned gsi, bool level)
{
	pc_irq_set(&((struct vm *)opaque)->pc.irq, gsi, SOURCE_HPET + timer, level);
}

static void hpet_legacy(void *opaque, bool on)
{
	struct pc_irq *irq = &((struct vm *)opaque)->pc.irq;

	pc_irq_cut(irq, SOURCE_PIT, on);
	pc_irq_cut(irq, SOURCE_RTC, on);
}

static enum mmio_outcome hpet_mmio(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	((struct pc *)device)->touched = true;
	return hpet_access(&((struct pc *)device)->hpet, m);
}

static uint64_t first_deadline(const struct vm *vm)
{
	const struct pc *pc = &vm->pc;
	uint64_t first = min_u64(rtc_deadline(&pc->rtc), acpi_pm_deadline(&pc->pm));

	if (has(vm, SYSDESC_TIMER_PIT))
		first = min_u64(first, pit_deadline(&pc->pit));
	if (has(vm, SYSDESC_TIMER_HPET))
		first = min_u64(first, hpet_deadline(&pc->hpet));
	if (has(vm, SYSDESC_TIMER_LAPIC))
		first = min_u64(first, lapic_deadline(&pc->lapic));
	return first;
}

void pc_arm(struct vm *vm)
{
	uint64_t first = first_deadline(vm), now;

	vm->pc.touched = false;
	if (first >= vm->pc.armed_ns)
		return;
	now = now_ns(vm);
	first = min_u64(max_u64(first, now + SOONEST_NS), now + LATEST_NS);
	if (time_arm(VMM_DEVICE_TIMER, clock_now() + clock_ns_to_ticks(first - now) + 1, 0) ==
	    TIME_OK)
		vm->pc.armed_ns = first;
	else if (vm_count(vm, NULL, "timers"))
		log_error("the time server refuses timers: those of the board stand still");
}

void pc_expired(struct vm *vm)
{
	struct pc *pc = &vm->pc;

	pc->armed_ns = TICKS_NEVER;
	rtc_expired(&pc->rtc);
	acpi_pm_expired(&pc->pm);
	if (has(vm, SYSDESC_TIMER_PIT))
		pit_expired(&pc->pit);
	if (has(vm, SYSDESC_TIMER_HPET))
		hpet_expired(&pc->hpet);
	if (has(vm, SYSDESC_TIMER_LAPIC))
		lapic_expired(&pc->lapic);
	pc_arm(vm);
}

/* --- Console, keyboard, power ------------------------------------------------------ */

static bool com1_transmit(void *opaque, uint8_t byte)
{
	return console_put(&((struct vm *)opaque)->console, byte);
}

static void com1_line(void *opaque, bool level) { set_isa(opaque, 4, SOURCE_COM1, level); }

/* Characters that wait for the guest go into the FIFO as it empties. */
static void feed(struct vm *vm)
{
	bool taken = false;
	uint8_t byte;

	if (vm->hooks.takes_input != NULL && vm->hooks.takes_input(vm))
		return;
	while (uart16550_receive_room(&vm->pc.com1) > 0 && console_get(&vm->console, &byte)) {
		(void)uart16550_receive(&vm->pc.com1, byte);
		taken = true;
	}
	if (taken)
		console_taken(&vm->console);
}

void uart_service(struct vm *vm)
{
	uart16550_transmit_ready(&vm->pc.com1);
	feed(vm);
}

static void keyboard_line(void *opaque, unsigned line, bool level)
{
	set_isa(opaque, line == 0 ? 1 : 12, line == 0 ? SOURCE_KEYBOARD : SOURCE_AUXILIARY, level);
}

static void reset(void *opaque)
{
	struct vm *vm = opaque;

	log_info("the guest resets the board");
	console_flush(&vm->console);
	init_vm_reset();
}

/* The only core is the one that boots: INIT takes it to its reset vector, where a
 * firmware would start the board again, and STARTUP finds it running. */
static void lapic_signal(void *opaque, enum lapic_signal signal, uint8_t vector)
{
	struct vm *vm = opaque;

	(void)vector;
	if (signal == LAPIC_NMI)
		vm->pc.nmi = true;
	else if (signal == LAPIC_INIT)
		reset(vm);
}

static void power_off(void *opaque)
{
	struct vm *vm = opaque;

	log_info("the guest switches the board off");
	console_flush(&vm->console);
	init_vm_off(VM_STOP_OFF);
}

/* --- Ports -------------------------------------------------------------------------- */

static enum mmio_outcome pic0_port(struct vm *vm, struct mmio *m)
{
	return i8259_access(&vm->pc.pic, 0, m);
}
static enum mmio_outcome pic1_port(struct vm *vm, struct mmio *m)
{
	return i8259_access(&vm->pc.pic, 1, m);
}
static enum mmio_outcome elcr_port(struct vm *vm, struct mmio *m)
{
	return i8259_elcr_access(&vm->pc.pic, m);
}
static enum mmio_outcome pit_port(struct vm *vm, struct mmio *m)
{
	vm->pc.touched = true;
	return pit_access(&vm->pc.pit, m);
}
static enum mmio_outcome port61_port(struct vm *vm, struct mmio *m)
{
	vm->pc.touched = true;
	return pit_port61_access(&vm->pc.pit, m);
}
static enum mmio_outcome keyboard_data_port(struct vm *vm, struct mmio *m)
{
	return i8042_access(&vm->pc.keyboard, m);
}
static enum mmio_outcome keyboard_status_port(struct vm *vm, struct mmio *m)
{
	m->offset = 4;
	return i8042_access(&vm->pc.keyboard, m);
}
static enum mmio_outcome port92_port(struct vm *vm, struct mmio *m)
{
	return i8042_port92_access(&vm->pc.keyboard, m);
}
/* What stands in its memory is init's to keep. */
static enum mmio_outcome rtc_port(struct vm *vm, struct mmio *m)
{
	const enum mmio_outcome outcome = rtc_access(&vm->pc.rtc, m);

	_Static_assert(RTC_MEMORY <= sizeof(vm->stats->kept), "room");
	vm->pc.touched = true;
	if (m->write && m->offset == 1)
		rtc_save(&vm->pc.rtc, vm->stats->kept);
	return outcome;
}
static enum mmio_outcome pci_port(struct vm *vm, struct mmio *m)
{
	const enum mmio_outcome outcome = pci_ports_access(&vm->pc.pci, m);

	if (m->write && vm->hooks.pci_configured != NULL)
		vm->hooks.pci_configured(vm);
	return outcome;
}
static enum mmio_outcome pci_window(struct vm *vm, struct mmio *m)
{
	enum mmio_outcome outcome = pci_io_access(&vm->pc.host, m);

	if (m->write && vm->hooks.virtio_written != NULL)
		vm->hooks.virtio_written(vm);
	return outcome;
}
static enum mmio_outcome pm_port(struct vm *vm, struct mmio *m)
{
	vm->pc.touched = true;
	return acpi_pm_access(&vm->pc.pm, m);
}
static enum mmio_outcome com1_port(struct vm *vm, struct mmio *m)
{
	enum mmio_outcome outcome = uart16550_access(&vm->pc.com1, m);

	/* A character that was read has left room for the next. */
	if (m->offset == 0 && !m->write)
		feed(vm);
	return outcome;
}

static const struct port {
	uint16_t first, count;
	enum mmio_outcome (*access)(struct vm *vm, struct mmio *m);
	uint32_t timer; /* 0: every VM has it */
} ports[] = {
	{ 0x3f8, UART16550_PORTS, com1_port, 0 },
	{ 0x20, 2, pic0_port, 0 },
	{ 0xa0, 2, pic1_port, 0 },
	{ 0x40, 4, pit_port, SYSDESC_TIMER_PIT },
	{ 0x61, 1, port61_port, SYSDESC_TIMER_PIT },
	{ 0x60, 1, keyboard_data_port, 0 },
	{ 0x64, 1, keyboard_status_port, 0 },
	{ 0x70, RTC_PORTS, rtc_port, 0 },
	{ 0x92, 1, port92_port, 0 },
	{ 0x4d0, 2, elcr_port, 0 },
	{ PM_PORT, ACPI_PM_PORTS, pm_port, 0 },
	{ 0xcf8, PCI_PORTS, pci_port, 0 },
	{ PCI_PORT, PCI_PORT_BYTES, pci_window, 0 },
};

static const struct port *find_port(const struct vm *vm, uint16_t number)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		if ((uint16_t)(number - ports[i].first) < ports[i].count &&
		    (ports[i].timer & ~vm->pc.timers) == 0)
			return &ports[i];
	return NULL;
}

static void access_one(struct vm *vm, const struct port *p, uint16_t number, struct mmio *m)
{
	m->offset = number;
	if (p == NULL) {
		(void)fake_access(&vm->pc.nothing, m);
		return;
	}
	m->offset = (uint16_t)(number - p->first);
	(void)p->access(vm, m);
}

/* One that is not aligned, or that several devices have, is one of each byte. */
void pc_port(struct vm *vm, uint16_t number, struct mmio *m)
{
	const struct port *p = find_port(vm, number);
	uint64_t value = 0;

	m->offset = number;
	if (m->size == 1 ||
	    (mmio_valid(m) && p == find_port(vm, (uint16_t)(number + m->size - 1)))) {
		access_one(vm, p, number, m);
		return;
	}
	for (unsigned i = 0; i < m->size; i++) {
		const uint16_t at = (uint16_t)(number + i);
		struct mmio part = { .size = 1, .write = m->write, .value = m->value >> 8 * i };

		access_one(vm, find_port(vm, at), at, &part);
		value |= (part.value & 0xff) << 8 * i;
		m->reason = part.reason != NULL ? part.reason : m->reason;
	}
	if (!m->write)
		m->value = value;
}

/* --- The board ---------------------------------------------------------------------- */

static enum mmio_outcome empty(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	return fake_access(&((struct pc *)device)->nothing, m);
}

const struct bus_region *pc_device(struct vm *vm, uint64_t gpa)
{
	const struct bus_region *r = bus_find(&vm->bus, gpa);

	return r == NULL && gpa - HOLE_GPA < HOLE_END - HOLE_GPA ? &vm->pc.hole : r;
}

static bool add_regions(struct vm *vm)
{
	struct pc *pc = &vm->pc;
	const struct {
		const char *name;
		struct board_range at;
		bus_handler handler;
		uint32_t timer;
	} list[] = {
		{ "ioapic", { IOAPIC_GPA, IOAPIC_FRAME_BYTES }, ioapic_mmio, SYSDESC_TIMER_LAPIC },
		{ "hpet", { HPET_GPA, HPET_FRAME_BYTES }, hpet_mmio, SYSDESC_TIMER_HPET },
		{ "lapic", { LAPIC_FRAME, LAPIC_FRAME_BYTES }, lapic_mmio, SYSDESC_TIMER_LAPIC },
	};

	pc->hole = (struct bus_region){ .name = "empty",
					.base = HOLE_GPA,
					.size = HOLE_END - HOLE_GPA,
					.handler = empty,
					.device = pc };
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++)
		if (!(list[i].timer & ~pc->timers) &&
		    !vm_add(vm, list[i].name, list[i].at, list[i].handler, pc))
			return false;
	return true;
}

/* As firmware sets them. */
static void make_lines_level(struct vm *vm)
{
	uint32_t levels = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(shared_lines); i++)
		levels |= 1u << shared_lines[i];
	for (uint8_t i = 0; i < I8259_CHIPS; i++) {
		struct mmio m = {
			.offset = i, .size = 1, .write = true, .value = levels >> 8 * i & 0xff
		};

		(void)i8259_elcr_access(&vm->pc.pic, &m);
	}
}

static uint64_t wall_clock(const struct vm *vm)
{
	return vm->info->boot_epoch_s + (clock_now() - vm->info->boot_counter) / clock_hz();
}

const char *pc_init(struct vm *vm)
{
	struct pc *pc = &vm->pc;
	const struct i8259_env pic = { vm, pic_intr };
	const struct timer_env pit = { .opaque = vm, .now_ns = now_ns, .set_irq = pit_line };
	const struct timer_env rtc = { .opaque = vm, .now_ns = now_ns, .set_irq = rtc_line };
	const struct acpi_pm_env pm = { { .opaque = vm, .now_ns = now_ns, .set_irq = sci_line },
					power_off };
	const struct hpet_env hpet = { vm, now_ns, hpet_line, hpet_legacy };
	const struct uart16550_env com1 = { vm, com1_transmit, com1_line };
	const struct i8042_env keyboard = { vm, keyboard_line, reset };

	pc->timers = vm->info->vm.timers;
	pc->armed_ns = TICKS_NEVER;
	pc->nothing.fill = 0xff;
	i8259_init(&pc->pic, &pic);
	if (has(vm, SYSDESC_TIMER_LAPIC))
		init_apics(vm);
	pc_irq_init(&pc->irq, &pc->pic, has(vm, SYSDESC_TIMER_LAPIC) ? &pc->ioapic : NULL);
	if (has(vm, SYSDESC_TIMER_PIT))
		pit_init(&pc->pit, &pit);
	if (has(vm, SYSDESC_TIMER_HPET))
		hpet_init(&pc->hpet, &hpet, 0xf00004);
	rtc_init(&pc->rtc, &rtc, wall_clock(vm));
	rtc_load(&pc->rtc, vm->info->kept);
	rtc_save(&pc->rtc, vm->stats->kept);
	uart16550_init(&pc->com1, &com1);
	i8042_init(&pc->keyboard, &keyboard);
	make_lines_level(vm);
	pci_host_init(&pc->host, PCI_GPA, PCI_PORT);
	pci_ports_init(&pc->pci, &pc->host, reset, vm);
	acpi_pm_init(&pc->pm, &pm);
	return add_regions(vm) ? NULL : "devices that do not fit on the bus";
}

static void describe_pci(struct acpi_config *config)
{
	config->pci = true;
	config->ecam_gpa = ECAM_GPA;
	config->pci_mmio_gpa = PCI_GPA;
	config->pci_mmio_size = PCI_BYTES;
	for (unsigned pin = 0; pin < ARRAY_SIZE(config->pci_gsi); pin++)
		config->pci_gsi[pin] = pc_wire_gsi(WIRE_PCI + pin);
}

void pc_describe(const struct vm *vm, struct acpi_config *config)
{
	*config = (struct acpi_config){
		.n_cpus = 1,
		.lapic_gpa = LAPIC_FRAME,
		.ioapic_gpa = has(vm, SYSDESC_TIMER_LAPIC) ? IOAPIC_GPA : 0,
		.pit_on_pin_2 = true,
		.pm_port = PM_PORT,
		.sci_irq = SCI,
		.s5_type = ACPI_PM_S5,
		.reset_port = RESET_PORT,
		.reset_value = RESET_VALUE,
		.pit = has(vm, SYSDESC_TIMER_PIT),
		.rtc = true,
		.i8042 = true,
		.uart = { { 0x3f8, 4 } },
		.hpet_gpa = has(vm, SYSDESC_TIMER_HPET) ? HPET_GPA : 0,
		.hpet_id = HPET_ID,
	};
	if (vm->info->vm.flags & (uint32_t)SYSDESC_VM_PCI)
		describe_pci(config);
	for (uint32_t slots = vm->virtio_slots; slots != 0; slots &= slots - 1) {
		const uint32_t slot = (uint32_t)__builtin_ctz(slots);

		config->virtio[config->n_virtio++] = (struct acpi_virtio){
			.gpa = VIRTIO_GPA + slot * BOARD_VIRTIO_BYTES,
			.size = BOARD_VIRTIO_BYTES,
			.gsi = pc_wire_gsi(WIRE_VIRTIO + slot),
		};
	}
}
