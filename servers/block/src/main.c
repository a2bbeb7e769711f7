/*
 * The block server: a virtio disk for each connection, in memory or on the machine's
 * disk. What init sets up: <selvage/serve.h>. How a connection works: <selvage/link.h>.
 */
#include "mdisk.h"
#include "partition.h"
#include "slow.h"

#include <dev/virtio/blk.h>
#include <dev/virtio/link_server.h>
#include <dev/virtio/ramdisk.h>
#include <selvage/base.h>
#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/fmt.h>
#include <selvage/link.h>
#include <selvage/log.h>
#include <selvage/serve.h>
#include <selvage/server_loop.h>
#include <string.h>

/* For all partition tables together: before anybody is served, and while others are. */
#define PATIENCE_US 2000000u
#define PATIENCE_AT_WORK_US 500000u
/* So often before what waits for the disk fails. */
#define STARTS_IN_VAIN 3
#define TABLE_TRIES 3u
#define RESTART_US 1000000u
#define RESTART_MAX_US 64000000u
#define TICK_US 1000000u

static struct disk {
	bool connected; /* init has added it */
	bool works;     /* and it has something to serve */
	bool waits;     /* for what is to be served */
	bool is_slow;   /* it is of the machine's disk */
	unsigned tries; /* to read its partition's table since one was read */
	struct link_server link;
	struct virtio_blk blk;
	struct ramdisk ram;
	struct slow slow;
} disks[SYSDESC_MAX_CONNECTIONS];

static unsigned number_of(const struct disk *d)
{
	return (unsigned)(d - disks);
}

static void interrupt(void *opaque)
{
	server_signal(SERVE_CAP_INTERRUPT(number_of(opaque)));
}

static void event(void *opaque)
{
	sel4_signal(SERVE_CAP_EVENT(number_of(opaque)));
}

/* --- The machine's disk ------------------------------------------------------------------ */

static struct {
	struct mdisk driver;
	bool there, works;
	bool unread;          /* a sector, a moment ago, though the disk works */
	bool look_again;      /* for a partition of which nothing is known for that */
	uint64_t again_at;    /* when it is started again, if it does not work */
	uint64_t delay_us;    /* until then; doubles while it does not */
	unsigned in_vain;     /* started since it worked */
	uint64_t reads_until; /* of partition tables */
	uint64_t tick_at;
	bool armed; /* the timer */
	uint64_t reported;
} machine = { .delay_us = RESTART_US };

static bool start_machine(void)
{
	const struct serve_info *info = serve_info_get();
	static struct vpci pci;
	const struct vmmio_regs regs = serve_virtio(&pci);
	const char *wrong =
		mdisk_start(&machine.driver, &regs, (void *)(uintptr_t)SERVE_DMA, info->dma_at);

	if (wrong == NULL)
		log_info("the machine's disk: %llu sectors%s",
			 (unsigned long long)machine.driver.sectors,
			 machine.driver.read_only ? ", read-only" : "");
	return wrong == NULL;
}

/* While partitions are looked up nobody is served: all of it has an end. */
static bool read_now(void *opaque, uint64_t sector, uint32_t n, void *to)
{
	struct mdisk *d = &machine.driver;
	unsigned op;
	bool ok = false;

	(void)opaque;
	if (!mdisk_submit(d, SLOW_OPS, MDISK_READ, sector, n * MDISK_SECTOR))
		return false;
	(void)mdisk_flush(d);
	while (!mdisk_take(d, &op, &ok)) {
		if (d->error == NULL && clock_now() > machine.reads_until)
			mdisk_give_up(d, "its partitions take too long to read");
		if (d->error != NULL)
			return false;
	}
	machine.unread = machine.unread || !ok;
	if (ok)
		memcpy(to, mdisk_buffer(d, SLOW_OPS), (size_t)n * MDISK_SECTOR);
	return ok;
}

static bool is_anothers(const struct disk *d, const struct slow *s)
{
	for (const struct disk *m = disks; m < d; m++)
		if (m->is_slow && !(m->slow.read_only && s->read_only) &&
		    range_overlaps_u64(m->slow.first, m->slow.sectors, s->first, s->sectors)) {
			log_error("connection %u: its sectors are those of connection %u",
				  number_of(d), number_of(m));
			return true;
		}
	return false;
}

/* A partition whose table cannot be read now is where it was, if that is known. */
static void stay(const struct disk *d, struct slow *s)
{
	if (!range_within_u64(s->first, s->sectors, 0, machine.driver.sectors))
		s->sectors = 0;
	if (is_anothers(d, s))
		s->sectors = 0;
	machine.look_again = machine.look_again || (s->sectors == 0 && d->tries < TABLE_TRIES);
	log_error("connection %u: the table of its partition cannot be read%s", number_of(d),
		  s->sectors != 0          ? " again"
		  : d->tries < TABLE_TRIES ? "; tried again"
					   : "; not tried any more");
}

/* What a connection has of the disk. False: the driver gave up. */
static bool find_part(struct disk *d, struct slow *s)
{
	const struct partition_disk on = { NULL, machine.driver.sectors, read_now };
	const unsigned number = serve_info_get()->connection[number_of(d)].partition;
	const bool writable = serve_info_get()->connection[number_of(d)].writable != 0;
	struct partition part = { 0, machine.driver.sectors };
	const char *wrong;

	/* Others wait while the table is read. */
	if (number != 0 && d->tries >= TABLE_TRIES) {
		stay(d, s);
		return true;
	}
	d->tries++;
	machine.unread = false;
	wrong = number != 0 ? partition_find(&on, number, &part) : NULL;
	if (machine.driver.error != NULL)
		return false;
	if (wrong != NULL && machine.unread) {
		stay(d, s);
		return true;
	}
	d->tries = 0;
	if (wrong != NULL)
		log_error("connection %u: partition %u of the machine's disk: %s", number_of(d),
			  number, wrong);
	s->first = part.first;
	s->sectors = wrong == NULL ? part.sectors : 0;
	s->read_only = machine.driver.read_only || !writable;
	if (is_anothers(d, s))
		s->sectors = 0;
	if (machine.driver.read_only && writable)
		log_warning("connection %u: the machine's disk is read-only", number_of(d));
	return true;
}

static void connect(struct disk *d);

/* Its driver finds nobody any more. */
static void drop(struct disk *d)
{
	struct link_page *page = (void *)(uintptr_t)SERVE_PAGE(number_of(d));

	link_store32(&page->server.flags, 0);
	link_release(&page->server.up, 0);
	d->works = false;
	event(d);
}

/* After each start of the disk, which can be another one now. */
static bool place(struct disk *d)
{
	struct slow now = d->slow;

	if (!find_part(d, &now))
		return false;
	if (d->works && (now.first != d->slow.first || now.sectors != d->slow.sectors ||
			 now.read_only != d->slow.read_only)) {
		log_error("connection %u: the machine's disk is another one: not served before "
			  "its VM starts again",
			  number_of(d));
		slow_fail(&d->slow);
		drop(d);
		slow_forget(&d->slow);
	}
	d->slow.first = now.first;
	d->slow.sectors = now.sectors;
	d->slow.read_only = now.read_only;
	return true;
}

static bool place_all(uint64_t limit_us)
{
	machine.reads_until = clock_now() + clock_us_to_ticks(limit_us);
	machine.look_again = false;
	for (unsigned n = 0; n < serve_info_get()->n_connections; n++)
		if (disks[n].is_slow && !place(&disks[n]))
			return false;
	return true;
}

/* All of it, from the device's reset on. False: later, and later each time. */
static bool open_again(uint64_t limit_us)
{
	machine.works = start_machine() && place_all(limit_us);
	if (!machine.works)
		log_error("the machine's disk: %s; tried again in %llu s", machine.driver.error,
			  (unsigned long long)(machine.delay_us / 1000000));
	machine.again_at = clock_now() + clock_us_to_ticks(machine.delay_us);
	machine.delay_us = machine.works && !machine.look_again
				   ? RESTART_US
				   : min_u64(2 * machine.delay_us, RESTART_MAX_US);
	return machine.works;
}

static void open_machine(void)
{
	const struct serve_info *info = serve_info_get();
	unsigned sharers = 0;

	machine.there = info->dma_at != 0;
	for (unsigned n = 0; n < info->n_connections; n++) {
		disks[n].is_slow = info->connection[n].device == SYSDESC_CONNECT_BLOCK &&
				   info->connection[n].on_disk;
		sharers += disks[n].is_slow;
	}
	if (!machine.there)
		return;
	slow_init(&machine.driver, SLOW_OPS / max_u32(sharers, 1));
	(void)open_again(PATIENCE_US);
	sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
}

/* Those who were told that there is nothing. */
static void connect_late(void)
{
	for (unsigned n = 0; n < serve_info_get()->n_connections; n++)
		if (disks[n].connected && disks[n].is_slow && disks[n].waits &&
		    disks[n].slow.sectors != 0)
			connect(&disks[n]);
}

/* What the device had is tried again, or fails if the device does not come back. */
static void restart_machine(void)
{
	if (!open_again(PATIENCE_AT_WORK_US)) {
		if (++machine.in_vain >= STARTS_IN_VAIN)
			slow_fail_all();
		return;
	}
	machine.in_vain = 0;
	slow_again();
	connect_late();
}

/* Once a second while there is something to wait for, and else whenever. */
static void watch_machine(uint64_t now)
{
	machine.armed = machine.armed && now < machine.tick_at;
	if (!machine.armed && (slow_waits() || !machine.works || machine.look_again)) {
		machine.tick_at = now + clock_us_to_ticks(TICK_US);
		machine.armed = time_arm(0, machine.tick_at, 0) == TIME_OK;
	}
}

/* One that broke is started again at once; if it was only just started, not at once. */
static void look_after_machine(void)
{
	const uint64_t now = clock_now();

	if (machine.works && now >= machine.tick_at && slow_tick())
		mdisk_give_up(&machine.driver, "it does not answer");
	if (machine.works && machine.look_again && now > machine.again_at)
		mdisk_give_up(&machine.driver, "a partition's table is read again");
	if (machine.works && machine.driver.error != NULL) {
		log_error("the machine's disk: %s; it is reset", machine.driver.error);
		machine.works = false;
	}
	if (!machine.works && now > machine.again_at)
		restart_machine();
	watch_machine(now);
	/* Each time that there are twice as many. */
	if (slow_failures() > 2 * machine.reported) {
		machine.reported = slow_failures();
		log_warning("the machine's disk: %llu requests failed so far",
			    (unsigned long long)machine.reported);
	}
}

/* --- Connections -------------------------------------------------------------------------- */

static struct virtio_blk_disk make_disk(struct disk *d)
{
	const unsigned n = number_of(d);
	const struct serve_info *info = serve_info_get();

	if (d->is_slow) {
		d->slow.blk = &d->blk;
		d->slow.starved = d->slow.settle = false;
		return slow_disk(&d->slow);
	}
	ramdisk_init(&d->ram, (const void *)(uintptr_t)SERVE_DISK(n),
		     info->connection[n].disk_bytes,
		     info->connection[n].writable ? (void *)(uintptr_t)SERVE_ROOM(n) : NULL);
	return ramdisk_disk(&d->ram);
}

static void connect(struct disk *d)
{
	const unsigned n = number_of(d);
	const struct link_server_env env = {
		.opaque = d,
		.page = (void *)(uintptr_t)SERVE_PAGE(n),
		.memory = (void *)(uintptr_t)SERVE_MEMORY(n),
		.piece = serve_info_get()->piece + serve_info_get()->connection[n].first_piece,
		.n_pieces = serve_info_get()->connection[n].n_pieces,
		.up = (uint32_t)clock_now() | 1u,
		.resumes = true,
		.interrupt = interrupt,
		.event = event,
	};
	struct virtio_blk_disk disk;
	struct virtio_env virtio;

	d->connected = true;
	d->waits = d->is_slow && d->slow.sectors == 0;
	if (d->waits) {
		drop(d); /* the log has said why */
		return;
	}
	link_server_init(&d->link, &env);
	disk = make_disk(d);
	fmt_print(disk.id, sizeof(disk.id), "selvage-block%u", n);
	disk.room = link_server_room(&d->link);
	virtio = link_server_virtio(&d->link);
	virtio_blk_init(&d->blk, &virtio, &disk);
	d->blk.in_turns = true;
	d->works = link_server_start(&d->link, &d->blk.v);
}

static void on_signal(uint64_t bits)
{
	for (unsigned n = 0; n < serve_info_get()->n_connections; n++)
		if (disks[n].works && (bits & SERVE_BIT(n)))
			link_server_attend(&disks[n].link);
	if ((bits & SERVE_BIT_IRQ) && machine.there) {
		mdisk_interrupt(&machine.driver);
		sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
	}
}

/* A turn for each disk: one whose driver asks without end has its share, no more. */
static bool take_turns(bool room)
{
	bool more = false;

	static unsigned start; /* another one each time: where there is no room for all, too */
	const unsigned n_disks = serve_info_get()->n_connections;

	start = start + 1 < n_disks ? start + 1 : 0;
	for (unsigned n = 0; n < n_disks; n++) {
		struct disk *d = &disks[start + n < n_disks ? start + n : start + n - n_disks];
		const bool turn = d->blk.more || (room && d->slow.starved);

		if (!d->works || !(turn || d->slow.settle))
			continue;
		if (d->slow.settle)
			virtio_settle(&d->blk.v, 0);
		d->slow.settle = false;
		if (turn) {
			d->slow.starved = false;
			virtio_blk_turn(&d->blk);
		}
		link_server_flush(&d->link);
		more = more || d->blk.more;
	}
	return more;
}

static bool work(void)
{
	bool room = machine.there && slow_turn();
	bool more = take_turns(room);

	if (machine.there) {
		more = mdisk_flush(&machine.driver) || more;
		look_after_machine();
		more = slow_pending() || more; /* those that failed by that, too */
	}
	return more;
}

static uint64_t add_client(const uint64_t mr[SEL4_MSG_REGS])
{
	const struct serve_info *info = serve_info_get();
	struct server_client c;

	server_parse_client(&c, mr);
	if (c.number >= info->n_connections ||
	    info->connection[c.number].device != SYSDESC_CONNECT_BLOCK ||
	    disks[c.number].connected)
		return SERVER_BAD_ARGUMENT;
	connect(&disks[c.number]);
	return SERVER_OK;
}

static uint64_t remove_client(uint64_t client)
{
	struct disk *d;

	if (client >= SYSDESC_MAX_CONNECTIONS || !disks[client].connected)
		return SERVER_BAD_ARGUMENT;
	d = &disks[client];
	d->connected = d->works = d->waits = false;
	if (d->is_slow)
		slow_forget(&d->slow);
	return SERVER_OK;
}

static uint64_t on_request(uint64_t badge, msginfo_t info, const uint64_t mr[SEL4_MSG_REGS])
{
	static const struct server_client_ops ops = { add_client, remove_client };

	return server_client_request(&ops, badge, info, mr);
}

int main(void)
{
	static const struct server_ops ops = { on_signal, on_request, work };

	open_machine();
	server_run(&ops);
}
