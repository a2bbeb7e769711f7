/* The server's end of a connection, whose control page and memory are in the
 * hands of a hostile monitor and driver. */
#include <dev/virtio/blk.h>
#include <dev/virtio/link_server.h>
#include <dev/virtio/ramdisk.h>
#include <stdlib.h>
#include <string.h>

#include <selvage/base.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES 0x4000u
#define DISK 9216u

static struct link_page page;
static uint8_t memory[BYTES];
static struct link_server server;
static struct virtio_blk blk;
static struct ramdisk ramdisk;

static void signalled(void *opaque)
{
	(void)opaque;
}

static void start(void)
{
	static uint8_t image[DISK], room[4 * RAMDISK_BLOCK];
	const struct link_server_env env = { .page = &page,
					     .memory = memory,
					     .bytes = BYTES,
					     .up = 1,
					     .resumes = true,
					     .interrupt = signalled,
					     .event = signalled };
	struct virtio_blk_disk disk;
	struct virtio_env e;

	memset(room, 0, sizeof(room));
	memset(memory, 0, sizeof(memory));
	memset(&page, 0, sizeof(page));
	link_server_init(&server, &env);
	ramdisk_init(&ramdisk, image, DISK, room);
	disk = ramdisk_disk(&ramdisk);
	e = link_server_virtio(&server);
	virtio_blk_init(&blk, &e, &disk);
	if (!link_server_start(&server, &blk.v))
		abort();
}

/* What a monitor says that means to work. */
static void sound_state(void)
{
	page.driver.kind = LINK_STATE;
	page.driver.epoch++;
	page.driver.status = 15;
	page.driver.features = VIRTIO_F_VERSION_1;
	page.driver.n_windows = 1;
	page.driver.window[0] = (struct link_window){ 0x10000, BYTES, 0 };
	page.driver.queue[0] = (struct link_queue){ 0x10000, 0x10400, 0x10800, 16, 1 };
	page.driver.request++;
}

static void ask(uint8_t bits)
{
	uint16_t idx = load_le16(memory + 0x402);

	for (unsigned i = 0; i < 3; i++) {
		store_le64(memory + 16 * i, 0x12000 + 0x100 * i);
		store_le32(memory + 16 * i + 8, i == 0 ? 16 : i == 1 ? 512u * (bits & 15)
								     : 1);
		store_le16(memory + 16 * i + 12, (uint16_t)(i < 2 ? 1 | (bits >> i & 2) : 2));
		store_le16(memory + 16 * i + 14, (uint16_t)(i + 1));
	}
	memory[0x2000] = bits >> 4;
	store_le16(memory + 0x402, (uint16_t)(idx + 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	start();
	while (size >= 4) {
		uint16_t at = load_le16(data + 1);

		switch (data[0] & 7) {
		case 0: sound_state(); break;
		case 1: ask(data[3]); break;
		case 2: memory[at % BYTES] = data[3]; break;
		case 3: ((uint8_t *)&page)[at % sizeof(page)] = data[3]; break;
		case 4: page.driver.request++; break;
		default: link_server_attend(&server); break;
		}
		data += 4;
		size -= 4;
	}
	for (unsigned i = 0; i < server.n_windows; i++)
		if (!range_within_u64(server.window[i].offset, server.window[i].bytes, 0, BYTES))
			abort();
	return 0;
}
