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

#define PATIENCE_US 2000000u
#define RESTART_US 1000000u

static struct disk {
	bool connected; /* init has added it */
	bool works;     /* and it has something to serve */
	bool is_slow;
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
	sel4_signal(SERVE_CAP_INTERRUPT(number_of(opaque)));
}

static void event(void *opaque)
{
	sel4_signal(SERVE_CAP_EVENT(number_of(opaque)));
}

/* --- The machine's disk ------------------------------------------------------------------ */

static struct mdisk machine;
static bool has_machine, machine_works;
static uint64_t machine_died, reported;

static bool start_machine(void)
{
	const struct serve_info *info = serve_info_get();
	const struct vmmio_regs regs = vmmio_frame(
		(volatile void *)(uintptr_t)(PROC_DEVICE_BASE + info->device_offset));
	const char *wrong =
		mdisk_start(&machine, &regs, (void *)(uintptr_t)SERVE_DMA, info->dma_at);

	machine_works = wrong == NULL;
	machine_died = clock_now();
	if (wrong != NULL)
		log_error("the machine's disk: %s", wrong);
	else
		log_info("the machine's disk: %llu sectors%s",
			 (unsigned long long)machine.sectors,
			 machine.read_only ? ", read-only" : "");
	return machine_works;
}

/* Before anybody is served: there is nothing else to do meanwhile. */
static bool read_now(void *opaque, uint64_t sector, uint32_t n, void *to)
{
	const uint64_t since = clock_now();
	unsigned op;
	bool ok = false;

	(void)opaque;
	if (!mdisk_submit(&machine, 0, MDISK_READ, sector, n * MDISK_SECTOR))
		return false;
	(void)mdisk_flush(&machine);
	while (!mdisk_take(&machine, &op, &ok)) {
		if (machine.error != NULL ||
		    clock_now() - since > clock_us_to_ticks(PATIENCE_US)) {
			log_error("the machine's disk does not answer");
			machine_works = start_machine(); /* it may still have the buffer */
			return false;
		}
	}
	if (ok)
		memcpy(to, mdisk_buffer(&machine, 0), (size_t)n * MDISK_SECTOR);
	return ok;
}

/* What a connection has of the disk. */
static void place(struct disk *d)
{
	const struct partition_disk on = { NULL, machine.sectors, read_now };
	const unsigned number = serve_info_get()->connection[number_of(d)].partition;
	const bool writable = serve_info_get()->connection[number_of(d)].writable != 0;
	struct partition part = { 0, machine.sectors };
	const char *wrong = NULL;

	d->is_slow = true;
	if (machine_works && number != 0)
		wrong = partition_find(&on, number, &part);
	if (wrong != NULL)
		log_error("connection %u: partition %u of the machine's disk: %s", number_of(d),
			  number, wrong);
	d->slow = (struct slow){ .first = part.first,
				 .sectors = wrong == NULL && machine_works ? part.sectors : 0,
				 .read_only = machine.read_only || !writable };
	for (unsigned m = 0; m < number_of(d); m++)
		if (disks[m].is_slow && !(disks[m].slow.read_only && d->slow.read_only) &&
		    range_overlaps_u64(disks[m].slow.first, disks[m].slow.sectors, d->slow.first,
				       d->slow.sectors)) {
			log_error("connection %u: its sectors are those of connection %u",
				  number_of(d), m);
			d->slow.sectors = 0;
		}
	if (machine.read_only && writable)
		log_warning("connection %u: the machine's disk is read-only", number_of(d));
}

static void open_machine(void)
{
	const struct serve_info *info = serve_info_get();
	unsigned sharers = 0;

	has_machine = info->dma_at != 0;
	if (!has_machine)
		return;
	(void)start_machine();
	for (unsigned n = 0; n < info->n_connections; n++) {
		if (info->connection[n].device != SYSDESC_CONNECT_BLOCK ||
		    !info->connection[n].on_disk)
			continue;
		sharers++;
		place(&disks[n]);
	}
	slow_init(&machine, MDISK_OPS / max_u32(sharers, 1));
	sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
}

/* One that broke is tried again, not at once. */
static void look_after_machine(void)
{
	if (machine_works && machine.error != NULL) {
		log_error("the machine's disk: %s", machine.error);
		machine_works = false;
		machine_died = clock_now();
		slow_fail_all();
	}
	if (!machine_works && clock_now() - machine_died > clock_us_to_ticks(RESTART_US))
		(void)start_machine();
	/* Each time that there are twice as many. */
	if (slow_failures() > 2 * reported) {
		reported = slow_failures();
		log_warning("the machine's disk: %llu requests failed so far",
			    (unsigned long long)reported);
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
	if (d->is_slow && d->slow.sectors == 0) {
		struct link_page *page = env.page;

		/* The log has said why. Nobody goes on with what the driver is at. */
		link_store32(&page->server.flags, 0);
		event(d);
		return;
	}
	link_server_init(&d->link, &env);
	disk = make_disk(d);
	fmt_print(disk.id, sizeof(disk.id), "selvage-block%u", n);
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
	if ((bits & SERVE_BIT_IRQ) && has_machine) {
		mdisk_interrupt(&machine);
		sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
	}
}

/* A turn for each disk: one whose driver asks without end has its share, no more. */
static bool take_turns(bool room)
{
	bool more = false;

	static unsigned start; /* another one each time: where there is no room for all, too */
	const unsigned n_disks = serve_info_get()->n_connections;

	start = n_disks != 0 ? (start + 1) % n_disks : 0;
	for (unsigned n = 0; n < n_disks; n++) {
		struct disk *d = &disks[(start + n) % n_disks];

		if (!d->works)
			continue;
		if (d->slow.settle)
			virtio_settle(&d->blk.v, 0);
		d->slow.settle = false;
		if (d->blk.more || (room && d->slow.starved)) {
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
	bool room = has_machine && slow_turn();
	bool more = take_turns(room);

	if (has_machine) {
		more = mdisk_flush(&machine) || more;
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
	d->connected = d->works = false;
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
