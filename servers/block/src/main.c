/*
 * The block server: a virtio disk for each connection. What init sets up:
 * <selvage/serve.h>. How a connection works: <selvage/link.h>.
 */
#include <dev/virtio/blk.h>
#include <dev/virtio/link_server.h>
#include <dev/virtio/ramdisk.h>
#include <selvage/client.h>
#include <selvage/clock.h>
#include <selvage/fmt.h>
#include <selvage/serve.h>
#include <selvage/server_loop.h>

static struct disk {
	bool connected;
	struct link_server link;
	struct virtio_blk blk;
	struct ramdisk ram;
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

static void connect(struct disk *d)
{
	const unsigned n = number_of(d);
	const struct serve_info *info = serve_info_get();
	const struct link_server_env env = {
		.opaque = d,
		.page = (void *)(uintptr_t)SERVE_PAGE(n),
		.memory = (void *)(uintptr_t)SERVE_MEMORY(n),
		.bytes = info->connection[n].memory_bytes,
		.up = (uint32_t)clock_now() | 1u,
		.resumes = true,
		.interrupt = interrupt,
		.event = event,
	};
	void *room = info->connection[n].writable ? (void *)(uintptr_t)SERVE_ROOM(n) : NULL;
	struct virtio_blk_disk disk;
	struct virtio_env virtio;

	link_server_init(&d->link, &env);
	ramdisk_init(&d->ram, (const void *)(uintptr_t)SERVE_DISK(n),
		     info->connection[n].disk_bytes, room);
	disk = ramdisk_disk(&d->ram);
	fmt_print(disk.id, sizeof(disk.id), "selvage-block%u", n);
	virtio = link_server_virtio(&d->link);
	virtio_blk_init(&d->blk, &virtio, &disk);
	d->blk.in_turns = true;
	d->connected = link_server_start(&d->link, &d->blk.v);
}

static void on_signal(uint64_t bits)
{
	for (unsigned n = 0; n < serve_info_get()->n_connections; n++)
		if (disks[n].connected && (bits & SERVE_BIT(n)))
			link_server_attend(&disks[n].link);
}

/* A turn for each disk: one whose driver asks without end has its share, no more. */
static bool work(void)
{
	bool more = false;

	for (unsigned n = 0; n < serve_info_get()->n_connections; n++) {
		if (!disks[n].connected || !disks[n].blk.more)
			continue;
		virtio_blk_turn(&disks[n].blk);
		more = more || disks[n].blk.more;
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
	if (client >= SYSDESC_MAX_CONNECTIONS || !disks[client].connected)
		return SERVER_BAD_ARGUMENT;
	disks[client].connected = false;
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

	server_run(&ops);
}
