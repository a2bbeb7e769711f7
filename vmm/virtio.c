/*
 * The VM's virtio devices: which slot of the board or of its PCI bus each has,
 * and what is behind them. All run under the VM's lock, on the time of the vCPU
 * that kicks, or of the event thread for what comes from the console's server.
 */
#include "virtio.h"

#include "balloon_ram.h"

#include <dev/virtio/balloon.h>
#include <dev/virtio/blk.h>
#include <dev/virtio/console.h>
#include <dev/virtio/ramdisk.h>
#include <dev/virtio/rng.h>
#include <selvage/base.h>
#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/drbg.h>
#include <selvage/fmt.h>
#include <selvage/log.h>
#include <string.h>

/* A device always has the same slot, whatever others there are. */
enum { SLOT_RNG,
       SLOT_CONSOLE,
       SLOT_DISKS,
       SLOT_BALLOON = SLOT_DISKS + SYSDESC_MAX_DISKS,
       SLOTS };

struct slot {
	struct vm *vm;
	struct virtio *device;
	struct virtio_ways ways;
	uint32_t irq;
};

static struct {
	struct slot slot[SLOTS];
	struct virtio_rng rng;
	struct drbg random;
	struct virtio_console console;
	struct virtio_blk blk[SYSDESC_MAX_DISKS];
	struct ramdisk disk[SYSDESC_MAX_DISKS];
	struct virtio_balloon balloon;
	uint64_t requests, bytes; /* that were told of */
} devices;

/* --- What devices reach ---------------------------------------------------------- */

static void broken(void *opaque, const char *why)
{
	const struct slot *s = opaque;

	const unsigned long long n = vm_count(s->vm, s, why);

	s->vm->stats->virtio_breaks++;
	if (n != 0)
		log_warning("%s in slot %u needs a reset: %s (%llu so far)", s->device->class->name,
			    (unsigned)(s - devices.slot), why, n);
}

static void set_irq(void *opaque, bool level)
{
	const struct slot *s = opaque;

	vm_set_irq(s->vm, s->irq, level);
}

/* For those who watch (selvage/vmm_stats.h). */
static void tell_counts(struct vm *vm)
{
	uint64_t requests = 0, bytes = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(devices.slot); i++) {
		const struct virtio *v = devices.slot[i].device;

		for (unsigned j = 0; v != NULL && j < v->class->n_queues; j++) {
			requests += v->queue[j].requests;
			bytes += v->queue[j].bytes;
		}
	}
	vm->stats->virtio_requests += requests - devices.requests;
	vm->stats->virtio_bytes += bytes - devices.bytes;
	devices.requests = requests;
	devices.bytes = bytes;
}

static enum mmio_outcome access(void *device, unsigned vcpu, struct mmio *m)
{
	struct slot *s = device;
	enum mmio_outcome outcome = virtio_ways_access(&s->ways, m);

	(void)vcpu;
	if (m->write)
		tell_counts(s->vm);
	return outcome;
}

static void seen(const struct virtio *v, enum virtio_seen what, unsigned queue)
{
	struct slot *s = v->env.opaque;

	if (what == VIRTIO_SEEN_RESET)
		virtio_ways_reset(&s->ways);
	vm_trace(s->vm, VMM_TRACED_KICK + what, (uint32_t)(s - devices.slot) << 8 | queue);
}

static struct virtio_env env_of(struct vm *vm, struct slot *s)
{
	s->vm = vm;
	return (struct virtio_env){
		.opaque = s,
		.mem = vm_virtio_mem(s->vm),
		.broken = broken,
	};
}

static bool plug(struct vm *vm, struct slot *s, struct virtio *device)
{
	const uint32_t number = (uint32_t)(s - devices.slot);
	const struct virtio_mmio_env env = { s, set_irq };

	s->device = device;
	device->seen = seen;
	vm->hooks.virtio_written = tell_counts;
	s->irq = vm->board->virtio_irq + number;
	return virtio_ways_add(&s->ways, vm, number, device, &env) &&
	       (!virtio_in_slots(vm) ||
		vm_add(vm, device->class->name, virtio_slot(vm, number), access, s));
}

/* --- Entropy ------------------------------------------------------------------------ */

static void random_bytes(void *opaque, void *to, size_t bytes)
{
	drbg_fill(opaque, to, bytes);
}

/* Without a source there is no device: a guest must not believe in one. */
static bool add_rng(struct vm *vm)
{
	struct slot *s = &devices.slot[SLOT_RNG];
	const struct virtio_env env = env_of(vm, s);
	const struct virtio_rng_env rng = { &devices.random, random_bytes };

	if (!vm->info->has_seed) {
		log_warning("the machine gives no random seed: there is no virtio-rng");
		return true;
	}
	memcpy(devices.random.key, vm->info->rng_key, sizeof(devices.random.key));
	virtio_rng_init(&devices.rng, &env, &rng);
	return plug(vm, s, &devices.rng.v);
}

/* --- Console ------------------------------------------------------------------------- */

static size_t transmit(void *opaque, const uint8_t *from, size_t bytes)
{
	struct vm *vm = opaque;
	size_t n = 0;

	while (n < bytes && console_put(&vm->console, from[n]))
		n++;
	return n;
}

static size_t input(void *opaque, uint8_t *to, size_t room)
{
	struct vm *vm = opaque;
	size_t n = 0;

	while (n < room && console_get(&vm->console, &to[n]))
		n++;
	if (n > 0)
		console_taken(&vm->console);
	return n;
}

/* Each line of the guest's, of the port `selvage.log` or from its agent, becomes one of
 * the log's, and what comes faster than people read is counted only. */
#define LOG_LINE 120u
#define LOG_PER_SECOND 10u

struct note {
	const char *who;
	char line[LOG_LINE + 1];
	size_t n;
	uint64_t second;
	unsigned lines; /* in it */
	uint64_t dropped;
};

static void end_line(struct note *note)
{
	uint64_t second = clock_now() / clock_hz();

	note->line[note->n] = '\0';
	note->n = 0;
	if (second != note->second) {
		if (note->dropped != 0)
			log_warning("%llu lines of %s's dropped",
				    (unsigned long long)note->dropped, note->who);
		note->second = second;
		note->lines = 0;
		note->dropped = 0;
	}
	if (note->lines == LOG_PER_SECOND) {
		note->dropped++;
		return;
	}
	note->lines++;
	log_info("%s says: %s", note->who, note->line);
}

static char printable(uint8_t c)
{
	return c >= ' ' && c < 0x7f ? (char)c : '.';
}

static size_t take_log(void *opaque, const uint8_t *from, size_t bytes)
{
	struct note *note = opaque;

	for (size_t i = 0; i < bytes; i++) {
		if (from[i] != '\n')
			note->line[note->n++] = printable(from[i]);
		if (from[i] == '\n' || note->n == LOG_LINE)
			end_line(note);
	}
	return bytes;
}

static size_t no_input(void *opaque, uint8_t *to, size_t room)
{
	(void)opaque, (void)to, (void)room;
	return 0;
}

/* QEMU's guest agent protocol (its interop/qemu-ga): one request, which has no answer but
 * an error. The port has the name that agents look for. */
static const char power_off[] = "{\"execute\":\"guest-shutdown\","
				"\"arguments\":{\"mode\":\"powerdown\"}}\n";

static struct {
	unsigned port; /* 0: none */
	bool asked;
	size_t left; /* of power_off */
} agent;

static size_t agent_input(void *opaque, uint8_t *to, size_t room)
{
	const size_t n = (size_t)min_u64(room, agent.left);

	(void)opaque;
	memcpy(to, power_off + sizeof(power_off) - 1 - agent.left, n);
	agent.left -= n;
	return n;
}

/* The request waits in the port for one who opens it. */
static void ask_agent(const struct vm *vm)
{
	if (agent.asked || !*(const volatile uint32_t *)&vm->info->stop)
		return;
	agent.asked = true;
	agent.left = sizeof(power_off) - 1;
	if (!virtio_console_is_open(&devices.console, agent.port))
		log_warning("no agent runs in the guest that could be asked to power off");
	else
		log_info("the guest's agent is asked to power off");
	virtio_console_service(&devices.console);
}

static void add_agent(struct vm *vm)
{
	static struct note note = { .who = "the guest's agent" };
	const struct virtio_console_env port = { &note, take_log, agent_input };

	if (vm->info->vm.stop == SYSDESC_STOP_AGENT &&
	    virtio_console_add_port(&devices.console, "org.qemu.guest_agent.0", &port))
		agent.port = devices.console.n_ports - 1;
}

static bool takes_input(const struct vm *vm)
{
	(void)vm;
	return virtio_console_live(&devices.console);
}

static bool add_console(struct vm *vm)
{
	struct slot *s = &devices.slot[SLOT_CONSOLE];
	const struct virtio_env env = env_of(vm, s);
	const struct virtio_console_env io = { vm, transmit, input };
	static struct note note = { .who = "the guest" };
	const struct virtio_console_env log_port = { &note, take_log, no_input };

	virtio_console_init(&devices.console, &env, &io);
	(void)virtio_console_add_port(&devices.console, "selvage.log", &log_port);
	add_agent(vm);
	vm->hooks.takes_input = takes_input;
	return plug(vm, s, &devices.console.v);
}

/* --- Balloon -------------------------------------------------------------------------- */

static uint32_t balloon_pages(const struct vm *vm)
{
	return (uint32_t)(*(const volatile uint64_t *)&vm->info->vm.balloon /
			  VIRTIO_BALLOON_PAGE);
}

/* Nothing of what was there stays. A driver that does not tell before it uses pages again
 * keeps the memory. */
static bool give_page(void *opaque, uint64_t at, bool tells)
{
	static const uint8_t nothing[VIRTIO_BALLOON_PAGE];

	if (!gmem_write(&((struct vm *)opaque)->mem, at, nothing, sizeof(nothing)))
		return false;
	if (tells)
		balloon_ram_give(at);
	return true;
}

static bool fetch_page(void *opaque, uint64_t at)
{
	static bool told;
	const bool there = balloon_ram_fetch(at);

	(void)opaque;
	if (!there && !told)
		log_warning("no memory is left for what the balloon is to give back: the guest "
			    "waits");
	told = !there;
	return there;
}

static void page_back(void *opaque, uint64_t at)
{
	(void)opaque;
	balloon_ram_back(at);
}

/* It would use memory that is not there. */
static void balloon_reset(void *opaque)
{
	(void)opaque;
	if (balloon_ram_all())
		return;
	log_error("no memory is left for what the balloon had");
	init_vm_off(VM_STOP_ERROR);
}

static void say_balloon(void *opaque, uint32_t pages)
{
	static uint32_t said;

	(void)opaque;
	/* Once for each size. */
	if (pages == said || pages != virtio_balloon_asked(&devices.balloon))
		return;
	said = pages;
	log_info("the guest has given %llu KiB into the balloon",
		 (unsigned long long)pages * (VIRTIO_BALLOON_PAGE / 1024));
}

static bool add_balloon(struct vm *vm)
{
	struct slot *s = &devices.slot[SLOT_BALLOON];
	const struct virtio_env env = env_of(vm, s);
	const struct virtio_balloon_env io = { vm, give_page, fetch_page, page_back,
					       balloon_reset, say_balloon };

	virtio_balloon_init(&devices.balloon, &env, &io);
	virtio_balloon_ask(&devices.balloon, balloon_pages(vm));
	balloon_ram_init(vm);
	return plug(vm, s, &devices.balloon.v);
}

/* Another size, or memory that it waits for, or that init takes again. */
static void look_at_balloon(const struct vm *vm)
{
	balloon_ram_offer();
	virtio_balloon_ask(&devices.balloon, balloon_pages(vm));
	virtio_balloon_service(&devices.balloon);
}

/* The console's server has input, or room for output; init has another size for
 * the balloon. */
static uint64_t event(struct vm *vm, uint64_t badges)
{
	const bool console = (badges & VMM_NTFN_SERIAL) && devices.slot[SLOT_CONSOLE].device;
	const bool balloon = (badges & VMM_NTFN_INIT) && devices.slot[SLOT_BALLOON].device;
	const bool asked = (badges & VMM_NTFN_INIT) && agent.port != 0;

	if (!console && !balloon && !asked)
		return 0;
	mutex_lock(&vm->lock);
	vm->handler = NULL;
	if (console)
		virtio_console_service(&devices.console);
	if (balloon)
		look_at_balloon(vm);
	if (asked)
		ask_agent(vm);
	vm_deliver_irqs(vm, NULL);
	mutex_unlock(&vm->lock);
	return 0;
}

/* --- Disks ----------------------------------------------------------------------------- */

static bool add_disk(struct vm *vm, uint32_t i)
{
	struct slot *s = &devices.slot[SLOT_DISKS + i];
	const struct virtio_env env = env_of(vm, s);
	struct ramdisk *r = &devices.disk[i];
	struct virtio_blk_disk disk;

	ramdisk_init(r, (const void *)(uintptr_t)vm->info->disk[i].vaddr, vm->info->disk[i].bytes,
		     (void *)(uintptr_t)vm->info->disk[i].room);
	disk = ramdisk_disk(r);
	fmt_print(disk.id, sizeof(disk.id), "selvage-disk%u", i);
	virtio_blk_init(&devices.blk[i], &env, &disk);
	return plug(vm, s, &devices.blk[i].v);
}

static const char *init(struct vm *vm)
{
	const uint32_t wanted = vm->info->vm.devices;
	bool ok = true;

	if (vm->board->virtio.size == 0)
		return "the board has no place for virtio devices";
	if (wanted & SYSDESC_DEV_VIRTIO_RNG)
		ok = add_rng(vm);
	if (wanted & SYSDESC_DEV_VIRTIO_CONSOLE)
		ok = add_console(vm) && ok;
	if (wanted & SYSDESC_DEV_VIRTIO_BALLOON)
		ok = add_balloon(vm) && ok;
	for (uint32_t i = 0; i < vm->info->vm.n_disks; i++)
		ok = add_disk(vm, i) && ok;
	return ok ? NULL : "no room for the virtio devices";
}

const struct vm_part part_virtio = {
	.bit = VMM_PART_VIRTIO,
	.init = init,
	.event = event,
};
