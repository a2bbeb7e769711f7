/* What a system will give to whom: init's grants, foretold from the description. */
#include <abi/syscall.h>
#include <stdio.h>
#include <string.h>

#include "topology.h"

#define CALL (ABI_RIGHT_WRITE | ABI_RIGHT_GRANT_REPLY)
#define READ_WRITE (ABI_RIGHT_READ | ABI_RIGHT_WRITE)
#define RING_BYTES 0x4000u /* log rings and channels */
#define DEVICE_TIMER 7u    /* vCPUs that leave the devices no timer */
/* QEMU virt. */
#define UART_ADDRESS 0x09000000u
#define UART_IRQ 33u
/* The same of a PC: I/O ports, and pins of the IOAPIC as QEMU's tables have them. */
#define PC_UART_PORT 0x3f8u
#define PC_UART_IRQ 4u
#define PC_TIMER_PORT 0x40u
#define PC_TIMER_IRQ 2u
#define PC_HPET_ADDRESS 0xfed00000u
#define PC_CRTC_PORT 0x3d4u
#define PC_SCREEN_ADDRESS 0xb8000u
#define PC_KEYBOARD_PORT 0x60u
#define PC_KEYBOARD_COMMAND_PORT 0x64u
#define PC_KEYBOARD_IRQ 1u
#define TIMER_IRQ 30u
#define GICV_ADDRESS 0x08040000u

/* A component that is a process, with what each has. */
struct party {
	unsigned id;
	unsigned signals;  /* its notification */
	unsigned endpoint; /* of a server */
};

struct maker {
	struct topology *t;
	const struct sysdesc *desc;
	unsigned init_endpoint, init_signals;
	struct party serial, time, log, block, net;
	struct party vm[SYSDESC_MAX_VMS]; /* monitors */
	unsigned guest[SYSDESC_MAX_VMS];
	unsigned ram[SYSDESC_MAX_VMS][SYSDESC_MAX_REGIONS]; /* objects */
};

static unsigned object(struct maker *m, unsigned owner, const char *what)
{
	char name[2 * TOPO_NAME];

	snprintf(name, sizeof(name), "%s of %s", what, m->t->component[owner].name);
	return topology_object(m->t, name, owner);
}

static void grant(struct maker *m, unsigned holder, unsigned because, unsigned obj,
		  const char *type, const char *what, unsigned rights)
{
	(void)topology_grant(m->t, holder, because, obj, type, what, rights);
}

/* One that nobody else has. */
static void own(struct maker *m, unsigned id, const char *type, const char *what)
{
	grant(m, id, id, object(m, id, what), type, what, ABI_RIGHTS_ALL);
}

static void memory(struct maker *m, unsigned holder, unsigned because, unsigned obj,
		   const char *what, unsigned rights, uint64_t bytes)
{
	topology_grant(m->t, holder, because, obj, "Memory", what, rights)->bytes = bytes;
}

/* By what one has, it serves the other. */
static unsigned ring(struct maker *m, unsigned server, unsigned client, unsigned because,
		     const char *client_what, const char *server_what)
{
	unsigned obj = object(m, client, client_what);

	m->t->object[obj].owner = server;
	m->t->object[obj].serves = true;
	memory(m, client, because, obj, client_what, READ_WRITE, RING_BYTES);
	memory(m, server, because, obj, server_what, READ_WRITE, RING_BYTES);
	return obj;
}

static void device(struct maker *m, unsigned id, const char *type, const char *what, uint64_t at)
{
	char name[2 * TOPO_NAME];

	snprintf(name, sizeof(name), "%s 0x%llx", what, (unsigned long long)at);
	topology_grant(m->t, id, id, topology_object(m->t, name, id), type, what,
		       strcmp(type, "Device") == 0 ? READ_WRITE : ABI_RIGHTS_ALL)
		->at = at;
}

/* What every process has; log and time come with attach(). */
static struct party process(struct maker *m, const char *name, enum topo_kind kind)
{
	struct party p = { .id = topology_add(m->t, name, kind) };

	p.signals = object(m, p.id, "own signals");
	own(m, p.id, "TCB", "main thread");
	grant(m, p.id, p.id, m->init_endpoint, "Endpoint", "requests to init", CALL);
	grant(m, p.id, p.id, p.signals, "Notification", "own signals", ABI_RIGHTS_ALL);
	own(m, p.id, "Reply", "reply object of the main thread");
	return p;
}

static struct party service(struct maker *m, const char *name)
{
	struct party p = process(m, name, TOPO_SERVICE);

	p.endpoint = object(m, p.id, "requests");
	grant(m, p.id, p.id, p.endpoint, "Endpoint", "requests to this server", ABI_RIGHT_READ);
	return p;
}

static void attach_log(struct maker *m, const struct party *p)
{
	unsigned obj;

	if (p->id != m->log.id) {
		ring(m, m->log.id, p->id, p->id, "own log ring", "log ring of a client");
	} else {
		obj = object(m, p->id, "own log ring");
		memory(m, p->id, p->id, obj, "own log ring", READ_WRITE, RING_BYTES);
		memory(m, p->id, p->id, obj, "log ring of a client", READ_WRITE, RING_BYTES);
	}
	grant(m, p->id, p->id, m->log.signals, "Notification", "log: records wait",
	      ABI_RIGHT_WRITE);
}

static void attach_time(struct maker *m, const struct party *p)
{
	grant(m, p->id, p->id, m->time.endpoint, "Endpoint", "time server", CALL);
}

static unsigned attach_channel(struct maker *m, const struct party *p)
{
	unsigned obj = ring(m, m->serial.id, p->id, p->id, "own channel", "channel of a client");

	grant(m, p->id, p->id, m->serial.signals, "Notification", "serial: bytes wait",
	      ABI_RIGHT_WRITE);
	grant(m, m->serial.id, p->id, p->signals, "Notification",
	      "client: input, or room for output", ABI_RIGHT_WRITE);
	return obj;
}

static bool is_pc(const struct maker *m)
{
	return m->desc->machine & (uint32_t)SYSDESC_MACHINE_PC;
}

static void make_screen(struct maker *m, const struct party *debug)
{
	device(m, m->log.id, "Device", "screen", PC_SCREEN_ADDRESS);
	device(m, m->log.id, "IOPort", "screen's cursor", PC_CRTC_PORT);
	device(m, debug->id, "IOPort", "keyboard", PC_KEYBOARD_PORT);
	device(m, debug->id, "IOPort", "keyboard's commands", PC_KEYBOARD_COMMAND_PORT);
	device(m, debug->id, "IRQHandler", "interrupt of the device", PC_KEYBOARD_IRQ);
	ring(m, m->log.id, debug->id, debug->id, "own view of the screen",
	     "the shell's view of the screen");
}

static void make_debug_shell(struct maker *m)
{
	const struct party debug = service(m, "debug");

	(void)attach_channel(m, &debug);
	attach_log(m, &debug);
	ring(m, debug.id, TOPO_THE_INIT, debug.id, "requests of the debug shell",
	     "requests to init");
	grant(m, debug.id, debug.id, m->init_signals, "Notification", "init: requests",
	      ABI_RIGHT_WRITE);
	if (is_pc(m))
		make_screen(m, &debug);
}

static void make_basic_devices(struct maker *m)
{
	bool pc = is_pc(m);

	device(m, m->time.id, "IRQHandler", "interrupt of the device",
	       pc ? PC_TIMER_IRQ : TIMER_IRQ);
	device(m, m->serial.id, "IRQHandler", "interrupt of the device",
	       pc ? PC_UART_IRQ : UART_IRQ);
	if (!pc) {
		device(m, m->serial.id, "Device", "UART", UART_ADDRESS);
		return;
	}
	device(m, m->serial.id, "IOPort", "UART", PC_UART_PORT);
	device(m, m->time.id, "IOPort", "timer", PC_TIMER_PORT);
	device(m, m->time.id, "Device", "timer", PC_HPET_ADDRESS);
}

static void make_services(struct maker *m)
{
	const unsigned init = TOPO_THE_INIT;
	unsigned log_channel;

	m->time = service(m, "time");
	m->serial = service(m, "serial");
	m->log = service(m, "log");
	make_basic_devices(m);
	grant(m, m->time.id, m->serial.id, m->serial.signals, "Notification", "serial's timer",
	      ABI_RIGHT_WRITE);
	attach_time(m, &m->serial);
	log_channel = attach_channel(m, &m->log);
	memory(m, init, m->log.id, log_channel, "init's view of a channel", READ_WRITE, RING_BYTES);
	ring(m, m->log.id, init, m->log.id, "init's log ring", "log ring of a client");
	ring(m, m->serial.id, init, m->serial.id, "control channel", "channel of a client");
	grant(m, m->serial.id, m->serial.id, m->init_signals, "Notification",
	      "init: control channel", ABI_RIGHT_WRITE);
	grant(m, m->time.id, m->time.id, m->init_signals, "Notification", "init: its timer",
	      ABI_RIGHT_WRITE);
	attach_log(m, &m->serial);
	attach_log(m, &m->time);
	attach_log(m, &m->log);
	make_debug_shell(m);
}

static void make_vcpu(struct maker *m, const struct party *p, unsigned guest)
{
	static const char *const things[][2] = {
		{ "TCB", "guest thread" },
		{ "VCPU", "guest processor" },
		{ "SchedContext", "guest's time" },
	};
	unsigned wake = object(m, p->id, "ends a WFI");

	for (unsigned i = 0; i < 3; i++)
		grant(m, p->id, p->id, object(m, guest, things[i][1]), things[i][0], things[i][1],
		      ABI_RIGHTS_ALL);
	own(m, p->id, "Endpoint", "guest's exits");
	own(m, p->id, "Reply", "answers to exits");
	own(m, p->id, "TCB", "handler thread");
	grant(m, p->id, p->id, wake, "Notification", "ends a WFI", ABI_RIGHTS_ALL);
	grant(m, m->time.id, p->id, wake, "Notification", "timer of a vCPU", ABI_RIGHT_WRITE);
}

/* Whether only a server has it beside the VM: what is there, the guest looks at as it
 * would at a device's. */
static bool is_pool(const struct maker *m, unsigned vm, unsigned region)
{
	const struct sysdesc_connection *c = sysdesc_connections(m->desc);

	for (unsigned i = 0; i < m->desc->n_connections; i++)
		if (c[i].driver == vm && c[i].sharing == SYSDESC_SHARE_POOL && c[i].pool == region)
			return true;
	return false;
}

static void make_ram(struct maker *m, const struct sysdesc_vm *vm, const struct party *p,
		     unsigned guest)
{
	const unsigned number = (unsigned)(vm - m->desc->vm);

	for (unsigned i = 0; i < vm->n_regions; i++) {
		const struct sysdesc_region *r = &vm->region[i];
		unsigned obj;

		if (!sysdesc_owns(r))
			continue;
		obj = object(m, guest, is_pool(m, number, i) ? "pool" : "RAM");
		m->ram[number][i] = obj;
		m->t->object[obj].guest_ram = !is_pool(m, number, i);
		memory(m, guest, p->id, obj, "guest RAM", READ_WRITE, r->size);
		memory(m, p->id, p->id, obj, "guest RAM", READ_WRITE, r->size);
	}
}

static void make_debug(struct maker *m, const struct party *p)
{
	unsigned ntfn = object(m, p->id, "what the debug stub waits for");

	own(m, p->id, "TCB", "debug stub");
	grant(m, p->id, p->id, ntfn, "Notification", "what the debug stub waits for",
	      ABI_RIGHTS_ALL);
	ring(m, m->serial.id, p->id, p->id, "debug channel", "channel of a client");
	grant(m, m->serial.id, p->id, ntfn, "Notification", "client: input, or room for output",
	      ABI_RIGHT_WRITE);
}

static void make_kick(struct maker *m, const struct party *p)
{
	own(m, p->id, "Notification", "doorbell");
	grant(m, p->id, p->id, p->signals, "Notification", "the guest's kicks", ABI_RIGHT_WRITE);
	own(m, p->id, "Notification", "the kick device's interrupt");
}

/* A device whose DMA nothing bounds reaches what the kernel reaches. */
static void make_passthrough(struct maker *m, const struct sysdesc_vm *vm, const struct party *p,
			     unsigned guest)
{
	for (unsigned i = 0; i < vm->n_passthrough; i++) {
		const struct sysdesc_passthrough *d = &vm->passthrough[i];
		struct topo_grant *g;

		g = topology_grant(m->t, guest, p->id, object(m, guest, "device of the machine"),
				   "Device", "device of the machine", READ_WRITE);
		g->at = d->paddr;
		device(m, p->id, "IRQHandler", "interrupt of the device", d->irq);
		if (d->trusted_dma)
			m->t->component[guest].dma = true;
	}
}

static void make_vm(struct maker *m, const struct sysdesc_vm *vm)
{
	char name[TOPO_NAME];
	unsigned guest = topology_add(m->t, vm->name, TOPO_GUEST);
	unsigned counters;
	struct party p;

	snprintf(name, sizeof(name), "vmm:%s", vm->name);
	p = process(m, name, TOPO_MONITOR);
	m->t->component[guest].monitor = p.id;
	m->vm[vm - m->desc->vm] = p;
	m->guest[vm - m->desc->vm] = guest;
	make_ram(m, vm, &p, guest);
	if (m->desc->gic_version == 2 && vm->board == SYSDESC_BOARD_VIRT)
		topology_grant(m->t, guest, p.id, object(m, guest, "interrupt interface"), "Device",
			       "interrupts' virtual interface", READ_WRITE)
			->at = GICV_ADDRESS;
	counters = object(m, p.id, "counters");
	memory(m, TOPO_THE_INIT, p.id, counters, "a monitor's counters", ABI_RIGHT_READ, 4096);
	memory(m, p.id, p.id, counters, "own counters", READ_WRITE, 4096);
	make_passthrough(m, vm, &p, guest);
	own(m, p.id, "Notification", "the VM's lock");
	own(m, p.id, "VSpace", "own, for cache maintenance");
	for (unsigned i = 0; i < vm->vcpus; i++)
		make_vcpu(m, &p, guest);
	if (vm->vcpus <= DEVICE_TIMER)
		grant(m, m->time.id, p.id, p.signals, "Notification", "timer of the devices",
		      ABI_RIGHT_WRITE);
	if (vm->devices & (unsigned)SYSDESC_DEV_KICK)
		make_kick(m, &p);
	attach_log(m, &p);
	attach_time(m, &p);
	(void)attach_channel(m, &p);
	if (vm->debug != SYSDESC_DEBUG_NONE)
		make_debug(m, &p);
}

/* --- connections -------------------------------------------------------------- */

/* The machine's; its rings are in memory of the server's. Of a PC the firmware and init say
 * where it is. */
static void make_driven(struct maker *m, const struct party *p, const char *what, uint64_t at)
{
	const bool pc = m->desc->machine & (uint32_t)SYSDESC_MACHINE_PC;
	unsigned rings = object(m, p->id, "rings");

	device(m, p->id, "Device", what, pc ? 0 : at / SYSDESC_PAGE * SYSDESC_PAGE);
	device(m, p->id, "IRQHandler", "interrupt of the device",
	       pc ? 0 : sysdesc_machine_irq(at));
	memory(m, p->id, p->id, rings, what, READ_WRITE, 2 << 20);
	m->t->component[p->id].dma = true;
}

static void make_timer(struct maker *m, const struct party *p, const char *what)
{
	attach_time(m, p);
	grant(m, m->time.id, p->id, p->signals, "Notification", what, ABI_RIGHT_WRITE);
}

/* A native driver of a device whose DMA nothing bounds reaches what the kernel reaches. */
static void make_device_servers(struct maker *m)
{
	if (sysdesc_has_server(m->desc, SYSDESC_SERVER_BLOCK)) {
		m->block = service(m, "block");
		attach_log(m, &m->block);
		if (m->desc->machine & (unsigned)SYSDESC_MACHINE_DISK) {
			make_timer(m, &m->block, "block's timer");
			make_driven(m, &m->block, "disk", sysdesc_disk());
		}
	}
	if (!sysdesc_has_server(m->desc, SYSDESC_SERVER_NET))
		return;
	m->net = service(m, "net");
	attach_log(m, &m->net);
	make_timer(m, &m->net, "net's timer");
	if (m->desc->machine & (unsigned)SYSDESC_MACHINE_NIC)
		make_driven(m, &m->net, "network interface", sysdesc_nic());
}

static void share_regions(struct maker *m, const struct sysdesc_connection *c, unsigned holder,
			  unsigned also)
{
	const struct sysdesc_vm *vm = &m->desc->vm[c->driver];

	for (unsigned i = 0; i < vm->n_regions; i++) {
		const unsigned obj = m->ram[c->driver][i];
		struct topo_grant *g;

		if (!sysdesc_owns(&vm->region[i]) ||
		    (c->sharing == SYSDESC_SHARE_POOL && c->pool != i))
			continue;
		g = topology_grant(m->t, holder, m->vm[c->driver].id, obj, "Memory",
				   "client: memory that a connection shares", READ_WRITE);
		g->bytes = vm->region[i].size;
		g->also = also;
	}
}

/* What both kinds of server have in common; `holder` has memory, `p` capabilities. */
static void make_connection(struct maker *m, const struct sysdesc_connection *c)
{
	const bool native = c->server >= SYSDESC_SERVER_BLOCK;
	const struct party *p = native ? (c->server == SYSDESC_SERVER_BLOCK ? &m->block : &m->net)
				       : &m->vm[c->server];
	const struct party *d = &m->vm[c->driver];
	const unsigned holder = native ? p->id : m->guest[c->server];
	const unsigned because = native ? d->id : p->id;
	const unsigned page = object(m, holder, "control page");
	const unsigned irq = object(m, d->id, "a connection's interrupt");
	const unsigned kick = native ? p->signals : object(m, p->id, "a client's kicks");
	struct topo_grant *g;

	m->t->object[page].serves = true;
	memory(m, d->id, d->id, page, "a connection's control page", READ_WRITE, 4096);
	memory(m, holder, because, page, "client: its connection's control page", READ_WRITE, 4096);
	grant(m, d->id, d->id, kick, "Notification", "a connection's kicks", ABI_RIGHT_WRITE);
	grant(m, d->id, d->id, irq, "Notification", "a connection's interrupt", ABI_RIGHTS_ALL);
	grant(m, p->id, because, irq, "Notification", "client: its guest's interrupt",
	      ABI_RIGHT_WRITE);
	if (!native)
		grant(m, p->id, p->id, kick, "Notification", "a client's kicks", ABI_RIGHTS_ALL);
	g = topology_grant(m->t, p->id, d->id, d->signals, "Notification",
			   "client: look at the connection", ABI_RIGHT_WRITE);
	g->also = native ? d->id : p->id;
	share_regions(m, c, holder, g->also);
}

void topology_of(struct topology *t, const struct sysdesc *desc)
{
	struct maker m = { .t = t, .desc = desc };

	*t = (struct topology){ 0 };
	memcpy(t->name, desc->name, sizeof(t->name));
	(void)topology_add(t, "kernel", TOPO_KERNEL);
	(void)topology_add(t, "init", TOPO_INIT);
	m.init_endpoint = object(&m, TOPO_THE_INIT, "requests");
	m.init_signals = object(&m, TOPO_THE_INIT, "signals");
	make_services(&m);
	make_device_servers(&m);
	for (unsigned i = 0; i < desc->n_vms; i++)
		make_vm(&m, &desc->vm[i]);
	for (unsigned i = 0; i < desc->n_connections; i++)
		make_connection(&m, &sysdesc_connections(desc)[i]);
	topology_connect(t);
}
