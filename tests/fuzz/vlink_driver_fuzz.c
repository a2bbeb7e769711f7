/* The driver's end of a connection, whose control page is in the hands of a
 * hostile server, and whose transport is in those of a hostile guest. */
#include <dev/virtio/link_driver.h>
#include <dev/virtio/mmio.h>
#include <selvage/base.h>
#include <stdlib.h>

#include "hostile_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hostile h;
static struct link_page page;
static struct link_driver driver;
static struct link_shadow shadow;
static struct virtio_mmio t;
static bool irq;

static void set_irq(void *opaque, bool level)
{
	(void)opaque;
	irq = level;
}

static void broken(void *opaque, const char *why)
{
	(void)opaque;
	if (why == NULL || strlen(why) > 100)
		abort();
}

static void poke(void)
{
	uint32_t at = (uint32_t)hm_next(&h) << 3;

	((uint8_t *)&page.server)[at % sizeof(page.server)] = hm_next(&h);
}

static void kick(void *opaque)
{
	(void)opaque;
	if (hm_next(&h) & 1)
		page.server.ack = page.driver.request;
	else
		poke();
}

static bool wait(void *opaque, unsigned turn)
{
	(void)opaque;
	poke();
	return turn < 3;
}

static void reg(uint64_t offset, unsigned bytes, bool write, uint64_t value)
{
	struct mmio m = {
		.offset = offset, .size = (uint8_t)bytes, .write = write, .value = value
	};

	if (virtio_mmio_access(&t, &m) == MMIO_FAULT)
		abort();
}

static void drive(void)
{
	/* Register, value: as Linux does it. */
	static const uint16_t writes[][2] = {
		{ 0x70, 0 },
		{ 0x70, 3 },
		{ 0x24, 0 },
		{ 0x20, 0 },
		{ 0x24, 1 },
		{ 0x20, 1 },
		{ 0x70, 11 },
		{ 0x30, 0 },
		{ 0x38, 16 },
		{ 0x80, 0x1000 },
		{ 0x90, 0x1400 },
		{ 0xa0, 0x1800 },
		{ 0x44, 1 },
		{ 0x70, 15 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
		reg(writes[i][0], 4, true, writes[i][1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The upper half; what the fuzzer has of the driver's rings is below. */
	static const struct link_window window = { HM_BYTES / 2, HM_BYTES / 2, 0 };
	static uint8_t pool[HM_BYTES * 8];
	struct link_driver_env env = { .page = &page,
				       .device = 2,
				       .features = 1ull << 33,
				       .n_windows = 1,
				       .window = &window,
				       .kick = kick,
				       .wait = wait };
	const struct virtio_mmio_env mmio = { NULL, set_irq };
	const struct virtio_env e = { NULL, hm_mem(&h), broken };

	h = (struct hostile){ .data = data, .left = size };
	memset(&page, 0, sizeof(page));
	page.server.version = LINK_VERSION;
	page.server.up = 1;
	page.server.n_queues = 1;
	page.server.queue_size = 16;
	env.flags = hm_next(&h) & LINK_F_DIRECT;
	env.shadow = hm_next(&h) & 1 ? &shadow : NULL;
	link_shadow_init(&shadow, pool, 0x100000, sizeof(pool));
	link_driver_init(&driver, &e, &env);
	virtio_mmio_init(&t, &driver.v, &mmio);
	while (h.left > 0) {
		uint8_t op = hm_next(&h);

		switch (op & 7) {
		case 0: poke(); break;
		case 1: link_driver_event(&driver); break;
		case 2: drive(); break;
		case 3: reg(0x50, 4, true, op >> 7); break;
		case 4:
			if (op & 8)
				page.server.up = hm_next(&h);
			else /* rings that the server writes, those above all */
				pool[hm_next32(&h) % (op & 16 ? 0x2000 : sizeof(pool))] =
					hm_next(&h);
			break;
		default: {
			unsigned bytes = 1u << (op >> 3 & 3);
			uint64_t at = ((uint64_t)hm_next(&h) << 1 & 0x1ff) / bytes * bytes;

			reg(at, bytes, op >> 5 & 1, hm_next(&h));
			break;
		}
		}
		if (driver.class.n_queues > VIRTIO_MAX_QUEUES ||
		    driver.class.config_bytes > LINK_CONFIG_BYTES)
			abort();
	}
	return 0;
}
