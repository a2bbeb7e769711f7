/* Both ends of a connection, with a disk behind it. */
#include <dev/virtio/blk.h>
#include <dev/virtio/link_driver.h>
#include <dev/virtio/link_server.h>
#include <dev/virtio/ramdisk.h>
#include <selvage/base.h>
#include <string.h>

#include "unit.h"
#include "virtio_driver.h"

#define POOL 0x10000u /* the upper half of the driver's memory */
#define POOL_BYTES 0x10000u
#define SIZE 8u
#define ACCESS_PLATFORM (1ull << 33)
#define TAKEN (VIRTIO_F_VERSION_1 | ACCESS_PLATFORM)

static struct vd d;
static struct link_page page;
static struct link_server server;
static struct link_driver driver;
static struct virtio_blk blk;
static struct ramdisk ramdisk;
static uint8_t image[4 * 4096], room[5 * 4096];
static struct link_window window = { POOL, POOL_BYTES, 0 };
static struct link_shadow shadow;
static uint64_t base; /* of the driver's rings and buffers */
static unsigned offered;

static struct {
	bool deaf; /* the server does not run */
	bool direct, confined, bypassed, resumes, smaller;
	unsigned interrupts, events, breaks, given[3], config;
	char why[LINK_REASON];
	void (*meanwhile)(void);
} world;

static void to_guest(void *opaque)
{
	(void)opaque;
	world.interrupts++;
}

static void to_monitor(void *opaque)
{
	(void)opaque;
	world.events++;
	if (driver.class.name != NULL)
		link_driver_event(&driver);
}

static void kick(void *opaque)
{
	(void)opaque;
	if (!world.deaf)
		link_server_attend(&server);
}

static bool wait(void *opaque, unsigned turn)
{
	(void)opaque;
	if (world.meanwhile != NULL)
		world.meanwhile();
	return turn < 10;
}

static void bypass(void *opaque, bool may)
{
	(void)opaque;
	world.bypassed = may;
}

static void broken(void *opaque, const char *why)
{
	(void)opaque;
	world.breaks++;
	strncpy(world.why, why, sizeof(world.why) - 1);
}

static void given_back(void *opaque, int queue)
{
	(void)opaque;
	if (queue == VIRTIO_CONFIG_CHANGED)
		world.config++;
	else
		world.given[queue]++;
}

static void serve(uint32_t up)
{
	const struct link_server_env env = { .page = &page,
					     .memory = d.ram + POOL,
					     .bytes = POOL_BYTES,
					     .up = up,
					     .resumes = world.resumes,
					     .interrupt = to_guest,
					     .event = to_monitor };
	struct virtio_blk_disk disk;
	struct virtio_env e;

	link_server_init(&server, &env);
	ramdisk_init(&ramdisk, image, sizeof(image) - (world.smaller ? 512 : 0), room);
	disk = ramdisk_disk(&ramdisk);
	disk.room = link_server_room(&server);
	e = link_server_virtio(&server);
	virtio_blk_init(&blk, &e, &disk);
	assert_true(link_server_start(&server, &blk.v));
}

static void monitor(void)
{
	const struct link_driver_env env = { .page = &page,
					     .device = 2,
					     .features = ACCESS_PLATFORM,
					     .flags = world.direct ? LINK_F_DIRECT : 0,
					     .n_windows = 1,
					     .window = &window,
					     .shadow = world.confined ? &shadow : NULL,
					     .bypass = bypass,
					     .kick = kick,
					     .wait = wait };
	const struct virtio_env e = { NULL, d.mem, broken };

	link_driver_init(&driver, &e, &env);
	driver.v.transport = (struct virtio_transport){ NULL, given_back, NULL };
}

static void start(bool direct)
{
	memset(&world, 0, sizeof(world));
	memset(&driver, 0, sizeof(driver));
	memset(&page, 0, sizeof(page));
	memset(room, 0, sizeof(room));
	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i / 512);
	window = (struct link_window){ POOL, POOL_BYTES, 0 };
	world.direct = direct;
	base = POOL;
	vd_init(&d);
	serve(7);
	monitor();
}

static void place(void)
{
	driver.v.queue[0].at = (struct virtq_layout){ base + VD_DESC, base + VD_DRIVER,
						      base + VD_DEVICE, SIZE };
	assert_null(virtio_queue_start(&driver.v, &driver.v.queue[0]));
}

static void bring_up(uint64_t features)
{
	offered = 0;
	memset(d.ram + base, 0, POOL_BYTES);
	assert_null(virtio_set_status(&driver.v, 0));
	assert_null(virtio_set_status(&driver.v, 3));
	assert_null(virtio_take_features(&driver.v, features));
	assert_null(virtio_set_status(&driver.v, 11));
	place();
	assert_null(virtio_set_status(&driver.v, 15));
}

/* A request of one sector, 3 descriptors from 0 on. */
static void ask(uint32_t type, uint64_t sector, uint32_t bytes)
{
	uint8_t *header = d.ram + base + VD_DATA;
	unsigned n = offered++;

	memset(header, 0, 16);
	store_le32(header, type);
	store_le64(header + 8, sector);
	vd_split(&d, base + VD_DESC, 0, base + VD_DATA, 16, VD_NEXT, 1);
	vd_split(&d, base + VD_DESC, 1, base + VD_DATA + 0x100, bytes,
		 VD_NEXT | (type == 0 ? VD_WRITE : 0u), 2);
	vd_split(&d, base + VD_DESC, 2, base + VD_DATA + 0x80, 1, VD_WRITE, 0);
	d.ram[base + VD_DATA + 0x80] = 0xee;
	vd_put16(&d, base + VD_DRIVER + 4 + 2 * (n % SIZE), 0);
	vd_put16(&d, base + VD_DRIVER + 2, (uint16_t)(n + 1));
	(void)virtio_kick(&driver.v, 0);
}

static uint8_t answer(void)
{
	return d.ram[base + VD_DATA + 0x80];
}

static void acquaintance(void **state)
{
	(void)state;
	start(false);
	assert_int_equal(driver.class.id, 2);
	assert_int_equal(driver.class.n_queues, 1);
	assert_int_equal(driver.class.queue_size, 128);
	assert_true(virtio_offered(&driver.v) & ACCESS_PLATFORM);
	assert_int_equal(load_le64(driver.config), sizeof(image) / 512);
	/* Another server's offer counts from the next reset on. */
	page.server.up = 0;
	driver.v.status = 0;
	link_driver_event(&driver);
	assert_int_equal(driver.up, 0);
}

static void requests(void **state)
{
	(void)state;
	start(false);
	bring_up(TAKEN);
	assert_int_equal(driver.v.status, 15);
	assert_int_equal(blk.v.status, 15);
	/* Of the transport's features the server sees nothing. */
	assert_int_equal(blk.v.features, VIRTIO_F_VERSION_1);
	ask(0, 3, 512);
	assert_int_equal(answer(), 0);
	assert_int_equal(d.ram[POOL + VD_DATA + 0x100], 3);
	assert_int_equal(world.given[0], 1);
	memset(d.ram + POOL + VD_DATA + 0x100, 0x5a, 512);
	ask(1, 3, 512);
	assert_int_equal(answer(), 0);
	memset(d.ram + POOL + VD_DATA + 0x100, 0, 512);
	ask(0, 3, 512);
	assert_int_equal(d.ram[POOL + VD_DATA + 0x100], 0x5a);
	assert_int_equal(world.breaks, 0);
	assert_int_equal(world.interrupts, 0);
}

static void direct(void **state)
{
	(void)state;
	start(true);
	bring_up(TAKEN);
	world.events = 0;
	ask(0, 0, 512);
	assert_int_equal(world.interrupts, 1);
	assert_int_equal(world.events, 0);
	assert_int_equal(world.given[0], 0);
	assert_true(virtio_poll(&driver.v));
	assert_false(virtio_poll(&driver.v));
}

/* Rings and buffers that are not shared. */
static void outside_the_pool(void **state)
{
	(void)state;
	start(false);
	assert_null(virtio_set_status(&driver.v, 3));
	assert_null(virtio_take_features(&driver.v, TAKEN));
	assert_null(virtio_set_status(&driver.v, 11));
	base = 0;
	place();
	base = POOL;
	assert_null(virtio_set_status(&driver.v, 15));
	assert_int_equal(driver.v.status, 15 | VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(world.why, "a ring that is not in memory");
	bring_up(TAKEN);
	assert_int_equal(driver.v.status, 15);
	ask(0, 0, 512);
	vd_split(&d, POOL + VD_DESC, 1, 0x8000, 512, VD_NEXT | VD_WRITE, 2);
	offered++;
	vd_put16(&d, POOL + VD_DRIVER + 2, (uint16_t)offered);
	d.ram[0x8000] = 0x77;
	(void)virtio_kick(&driver.v, 0);
	assert_int_equal(d.ram[0x8000], 0x77);
	assert_string_equal(world.why, "a buffer is not in memory");
	assert_true(driver.v.status & VIRTIO_STATUS_NEEDS_RESET);
	/* It works again after a reset. */
	bring_up(TAKEN);
	ask(0, 1, 512);
	assert_int_equal(answer(), 0);
}

static void windows(void **state)
{
	static const struct link_window wrong[] = { { POOL, POOL_BYTES + 1, 0 },
						    { POOL, POOL_BYTES, 16 },
						    { POOL, 16, -16ull },
						    { POOL + 1, 32, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		start(false);
		window = wrong[i];
		bring_up(TAKEN);
		assert_true(driver.v.status & VIRTIO_STATUS_NEEDS_RESET);
		assert_string_equal(world.why, "a window that is not within the shared memory");
	}
	/* Memory with a hole: its second and its fourth page are there. */
	for (uint64_t at = 0; at < POOL_BYTES; at += 0x800) {
		static const struct link_piece piece[] = { { 1, 1 }, { 3, 1 } };
		const bool there = at / 0x1000 == 1 || at / 0x1000 == 3;

		start(false);
		server.env.piece = piece;
		server.env.n_pieces = ARRAY_SIZE(piece);
		window = (struct link_window){ POOL, 0x800, at };
		bring_up(TAKEN);
		assert_string_equal(world.why,
				    there ? "a ring that is not in memory"
					  : "a window that is not within the shared "
					    "memory");
	}
	start(false);
	bring_up(TAKEN);
	page.driver.n_windows = LINK_WINDOWS + 1;
	page.driver.epoch++;
	page.driver.request++;
	link_server_attend(&server);
	assert_string_equal(page.server.reason, "more windows than there can be");
}

/* The server has ended; another one takes its place. */
static void another_server(void **state)
{
	(void)state;
	start(false);
	bring_up(TAKEN);
	memset(d.ram + POOL + VD_DATA + 0x100, 0x11, 512);
	ask(1, 9, 512);
	world.deaf = true;
	page.server.up = 0;
	link_driver_event(&driver);
	assert_true(driver.v.status & VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(world.breaks, 1);
	assert_int_equal(world.config, 1);
	/* Nobody there: the reset is done at once, and the device does not start. */
	assert_null(virtio_set_status(&driver.v, 0));
	assert_int_equal(driver.v.status, 0);
	assert_false(driver.published);
	world.deaf = false;
	serve(8);
	bring_up(TAKEN);
	ask(0, 9, 512);
	assert_int_equal(d.ram[POOL + VD_DATA + 0x100], 0x11);
	/* One that was exchanged unseen. */
	serve(9);
	assert_true(driver.v.status & VIRTIO_STATUS_NEEDS_RESET);
	bring_up(TAKEN);
	ask(0, 9, 512);
	assert_int_equal(answer(), 0);
}

static void is_written(uint64_t sector, uint8_t what)
{
	ask(0, sector, 512);
	assert_int_equal(answer(), 0);
	assert_int_equal(d.ram[base + VD_DATA + 0x100], what);
}

/* The server ends, is not there while the driver asks for more, and another one goes on. */
static void server_ends(uint32_t up)
{
	unsigned given = world.given[0] + world.interrupts;

	world.deaf = true;
	page.server.up = 0;
	link_driver_event(&driver);
	memset(d.ram + base + VD_DATA + 0x100, (int)up, 512);
	ask(1, 9, 512);
	assert_int_equal(answer(), 0xee);
	world.deaf = false;
	serve(up);
	assert_int_equal(driver.v.status, 15);
	assert_int_equal(answer(), 0);
	assert_int_equal(vd_get16(&d, base + VD_DEVICE + 2), offered);
	assert_true(world.given[0] + world.interrupts > given);
	is_written(9, (uint8_t)up);
	assert_int_equal(world.breaks, 0);
}

static void goes_on(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		start(how == 1);
		world.resumes = true;
		serve(7);
		if (how == 2) { /* copies */
			world.confined = true;
			link_shadow_init(&shadow, d.ram + POOL, POOL, POOL_BYTES);
			monitor();
			base = 0;
		}
		bring_up(how == 2 ? VIRTIO_F_VERSION_1 : TAKEN);
		is_written(3, 3);
		server_ends(8);
		server_ends(11);
		/* One that had taken it, and not given it back; unseen. */
		serve(12);
		is_written(9, 11);
		/* Between the driver's steps. */
		assert_null(virtio_set_status(&driver.v, 0));
		assert_null(virtio_set_status(&driver.v, 3));
		serve(13);
		assert_int_equal(driver.v.status, 3);
		bring_up(how == 2 ? VIRTIO_F_VERSION_1 : TAKEN);
		is_written(9, 11);
		assert_int_equal(world.breaks, 0);
	}
}

/* A disk that has become another one by then: the driver hears of its size. */
static void goes_on_with_less(void **state)
{
	(void)state;
	start(false);
	world.resumes = true;
	serve(7);
	bring_up(TAKEN);
	serve(8);
	assert_int_equal(world.config, 0);
	world.smaller = true;
	serve(9);
	assert_int_equal(world.config, 1);
	assert_int_equal(driver.v.status, 15);
	assert_int_equal(load_le64(driver.config), sizeof(image) / 512 - 1);
}

/* What the new one is asked for is another device, another queue or no queue any more. */
static void begins_anew(void **state)
{
	(void)state;
	start(false);
	world.resumes = true;
	serve(7);
	bring_up(TAKEN);
	is_written(3, 3);
	/* A queue that was stopped begins at its beginning. */
	virtio_queue_stop(&driver.v, &driver.v.queue[0]);
	serve(8);
	memset(d.ram + base, 0, VD_DATA);
	offered = 0;
	place();
	is_written(3, 3);
	/* A reset that the server never saw. */
	world.deaf = true;
	page.server.up = 0;
	assert_null(virtio_set_status(&driver.v, 0));
	world.deaf = false;
	serve(9);
	bring_up(TAKEN);
	is_written(3, 3);
	assert_int_equal(world.breaks, 0);
	/* One that comes to nothing, and one that offers less. */
	world.deaf = true;
	page.server.flags = 0;
	page.server.up = 0;
	link_driver_event(&driver);
	assert_string_equal(world.why, "its server has ended");
	world.deaf = false;
	serve(10);
	bring_up(TAKEN);
	page.server.n_queues = 0;
	page.server.up = 11;
	link_driver_event(&driver);
	assert_int_equal(world.breaks, 2);
	assert_true(driver.v.status & VIRTIO_STATUS_NEEDS_RESET);
}

/* A server that says nothing holds nobody up for ever. */
static void silence(void **state)
{
	(void)state;
	start(false);
	bring_up(TAKEN);
	world.deaf = true;
	assert_null(virtio_set_status(&driver.v, 0));
	assert_true(driver.v.status & VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(world.why, "its server does not answer");
	/* Not before it has let go of the memory. */
	assert_null(virtio_set_status(&driver.v, 0));
	assert_true(driver.v.status & VIRTIO_STATUS_NEEDS_RESET);
	world.deaf = false;
	bring_up(TAKEN);
	assert_int_equal(driver.v.status, 15);
	assert_int_equal(blk.v.status, 15);
}

static void reset_stops_work(void **state)
{
	(void)state;
	start(false);
	bring_up(TAKEN);
	assert_null(virtio_set_status(&driver.v, 0));
	assert_int_equal(blk.v.status, 0);
	assert_int_equal(page.server.ack, page.driver.request);
	/* What the driver leaves in the pool is looked at no more. */
	d.accesses = 0;
	link_server_attend(&server);
	assert_int_equal(d.accesses, 0);
	bring_up(TAKEN);
	virtio_queue_stop(&driver.v, &driver.v.queue[0]);
	assert_false(blk.v.queue[0].ready);
	assert_int_equal(blk.v.status, 15);
}

static void hostile_server(void **state)
{
	(void)state;
	start(false);
	page.server.features = UINT64_MAX;
	page.server.n_queues = 1000;
	page.server.queue_size = 1u << 20;
	page.server.config_bytes = 1u << 30;
	page.server.up = 99;
	link_driver_event(&driver);
	assert_int_equal(virtio_offered(&driver.v) >> 35, 0);
	assert_int_equal(virtio_offered(&driver.v) >> 24 & 0xf, 0);
	assert_int_equal(driver.class.n_queues, VIRTIO_MAX_QUEUES);
	assert_int_equal(driver.class.queue_size, VIRTQ_MAX_SIZE);
	assert_int_equal(driver.class.config_bytes, LINK_CONFIG_BYTES);
	memset(page.server.reason, 1, LINK_REASON);
	driver.v.status = 15;
	driver.published = true;
	page.server.needs_reset = 5;
	link_driver_event(&driver);
	assert_int_equal(strlen(world.why), LINK_REASON - 1);
	assert_int_equal(world.why[0], '?');
}

/* A driver that knows of no pool, in memory that is full of what concerns nobody. */
static void start_outside(void)
{
	start(true);
	world.confined = true;
	link_shadow_init(&shadow, d.ram + POOL, POOL, POOL_BYTES);
	monitor();
	base = 0;
	memset(d.ram + POOL, 0, POOL_BYTES);
	bring_up(VIRTIO_F_VERSION_1);
	memset(d.ram + VD_DATA + 0x100, 's', 0x4000);
}

static void reset_and_use(void)
{
	world.meanwhile = NULL;
	world.deaf = false;
	bring_up(VIRTIO_F_VERSION_1);
	ask(0, 3, 512); /* the answer comes while the other one still waits */
}

/* Two vCPUs reset the device, and one of them goes on with it: the server has let go. */
static void two_resets(void **state)
{
	(void)state;
	start_outside();
	world.deaf = true;
	world.meanwhile = reset_and_use;
	assert_null(virtio_set_status(&driver.v, 0));
	assert_int_equal(driver.resets, 0);
	assert_int_equal(driver.v.status, 15);
	assert_int_equal(world.breaks, 0);
	assert_true(driver.published);
	assert_true(driver.shadowed);
	assert_int_equal(answer(), 0);
	ask(0, 1, 512);
	assert_int_equal(answer(), 0);
}

static void use_before_the_end(void)
{
	world.meanwhile = NULL;
	assert_int_equal(driver.v.status, VIRTIO_STATUS_NEEDS_RESET);
	(void)virtio_set_status(&driver.v, 3);
	world.deaf = false;
	link_server_attend(&server);
}

/* Until the server has let go the status is not 0; who does not wait has to begin again. */
static void reset_takes_its_time(void **state)
{
	(void)state;
	start_outside();
	world.deaf = true;
	world.meanwhile = use_before_the_end;
	assert_null(virtio_set_status(&driver.v, 0));
	assert_int_equal(driver.v.status, VIRTIO_STATUS_NEEDS_RESET | 3);
	assert_string_equal(world.why, "it is used before its reset is over");
	bring_up(VIRTIO_F_VERSION_1);
	ask(0, 3, 512);
	assert_int_equal(answer(), 0);
}

/* Drivers write 0 once, and then wait until it is there. */
static void late_reset(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		start(false);
		bring_up(TAKEN);
		world.deaf = true;
		assert_null(virtio_set_status(&driver.v, 0));
		link_driver_event(&driver);
		assert_int_equal(driver.v.status, VIRTIO_STATUS_NEEDS_RESET);
		if (i != 0) /* Linux over MMIO does not wait */
			assert_null(virtio_set_status(&driver.v, i));
		world.deaf = false;
		if (i == 0) {
			link_server_attend(&server); /* which tells */
		} else {
			page.server.up = 0;
			link_driver_event(&driver);
			serve(7);
		}
		assert_int_equal(driver.v.status, i);
		assert_false(driver.published);
		assert_int_equal(world.breaks, 1);
		bring_up(TAKEN);
		assert_int_equal(driver.v.status, 15);
		assert_int_equal(blk.v.status, 15);
	}
}

/* The guest's system has said that it sees a device, and no driver has looked at it. */
static void server_after_acknowledge(void **state)
{
	(void)state;
	start(false);
	page.server.up = 0;
	link_driver_event(&driver);
	assert_null(virtio_set_status(&driver.v, 1));
	serve(5);
	assert_int_equal(driver.v.status, 1);
	bring_up(TAKEN);
	assert_int_equal(driver.v.status, 15);
}

static void write_config(void)
{
	world.meanwhile = NULL;
	assert_false(driver.v.class->config_write(&driver.v, 32, 0, 1));
}

/* One vCPU resets the device and another one writes to its configuration: the server hears
 * of the reset, which a later request must not take the place of. */
static void reset_and_config(void **state)
{
	(void)state;
	start(true);
	bring_up(TAKEN);
	world.deaf = true;
	world.meanwhile = write_config;
	assert_null(virtio_set_status(&driver.v, 0));
	assert_int_equal(page.driver.kind, LINK_STATE);
	/* Nor before it was heard, if nobody waits any more. */
	assert_false(driver.v.class->config_write(&driver.v, 32, 0, 1));
	assert_int_equal(page.driver.kind, LINK_STATE);
	world.deaf = false;
	bring_up(TAKEN);
	assert_true(driver.v.class->config_write(&driver.v, 32, 0, 1));
	assert_int_equal(page.driver.kind, LINK_CONFIG);
}

static unsigned secrets_in_pool(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < POOL_BYTES; i++)
		n += d.ram[POOL + i] == 's';
	return n;
}

static void copies(void **state)
{
	(void)state;
	start_outside();
	assert_int_equal(driver.v.status, 15);
	assert_true(driver.shadowed);
	assert_false(world.bypassed);
	assert_false(page.driver.flags & LINK_F_DIRECT);
	ask(0, 3, 512);
	assert_int_equal(answer(), 0);
	assert_int_equal(d.ram[VD_DATA + 0x100], 3);
	assert_int_equal(d.ram[VD_DATA + 0x100 + 511], 3);
	assert_int_equal(d.ram[VD_DATA + 0x100 + 512], 's');
	assert_int_equal(world.given[0], 1);
	assert_int_equal(world.interrupts, 0);
	/* The buffer that it was read into was not shown to the server. */
	assert_int_equal(secrets_in_pool(), 0);
	memset(d.ram + VD_DATA + 0x100, 's', 512);
	ask(1, 5, 512);
	assert_int_equal(answer(), 0);
	assert_int_equal(secrets_in_pool(), 512);
	memset(d.ram + VD_DATA + 0x100, 0, 512);
	ask(0, 5, 512);
	assert_int_equal(d.ram[VD_DATA + 0x100], 's');
	assert_int_equal(shadow.under_way[0], 0);
	/* The next driver may know of the pool. */
	assert_null(virtio_set_status(&driver.v, 0));
	assert_true(world.bypassed);
	base = POOL;
	bring_up(TAKEN);
	assert_false(driver.shadowed);
	ask(0, 3, 512);
	assert_int_equal(answer(), 0);
	assert_int_equal(world.breaks, 0);
}

/* More than fits at a time: nothing is lost, and what does not fit ever is said. */
static void pool_of_a_few_pages(void **state)
{
	(void)state;
	start_outside();
	world.deaf = true;
	for (unsigned i = 0; i < SIZE; i++)
		ask(0, 1, 0x2000);
	assert_int_equal(shadow.under_way[0], 2); /* of 6 pages */
	world.deaf = false;
	kick(NULL);
	assert_int_equal(shadow.under_way[0], 0);
	assert_int_equal(vd_get16(&d, VD_DEVICE + 2), SIZE);
	ask(0, 1, POOL_BYTES); /* one cannot be, and says so */
	assert_int_equal(answer(), 1);
	assert_int_equal(vd_get16(&d, VD_DEVICE + 2), SIZE + 1);
	ask(0, 3, 512);
	assert_int_equal(answer(), 0);
	assert_int_equal(world.breaks, 0);
	driver.class.id = VIRTIO_ID_NET; /* there is no status */
	ask(0, 1, POOL_BYTES);
	assert_string_equal(world.why, "a buffer that is larger than the pool");
}

/* Nothing of it counts as written, and the status is there. */
static void status_behind_nothing(void **state)
{
	uint32_t token = 0;

	(void)state;
	start_outside();
	world.deaf = true;
	ask(0, 1, 512);
	d.ram[POOL + (uint64_t)shadow.buffer[0].page * SHADOW_PAGE + 16 + 512] = 1;
	token = vd_get32(&d, shadow.queue[0].avail_at + 4);
	vd_put16(&d, shadow.queue[0].used_at + 4, (uint16_t)token);
	vd_put16(&d, shadow.queue[0].used_at + 2, 1);
	link_driver_event(&driver);
	(void)link_shadow_return(&shadow, &driver.v, 0);
	assert_int_equal(answer(), 1);
	assert_int_equal(world.breaks, 0);
}

/* Of 6 pages each of two queues has 3. Both look at the same ring. */
static void queues_share_the_pool(void **state)
{
	struct virtq_layout at;

	(void)state;
	start_outside();
	world.deaf = true;
	driver.class.n_queues = 2;
	driver.v.queue[1] = driver.v.queue[0];
	assert_true(link_shadow_start(&shadow, 1, SIZE, &at));
	for (unsigned i = 0; i < SIZE; i++)
		ask(0, 1, 0x1000); /* 2 pages */
	assert_int_equal(shadow.under_way[0], 1);
	(void)link_shadow_offer(&shadow, &driver.v, 1);
	assert_int_equal(shadow.under_way[1], 1);
	assert_true(shadow.buffer[1].page >= shadow.rings + 3);
	link_shadow_stop(&shadow, 0);
	link_shadow_stop(&shadow, 1);
	start_outside();
	world.deaf = true;
	driver.class.n_queues = 2;
	ask(0, 1, 0x4000); /* 5 pages: more than a share */
	assert_int_equal(shadow.under_way[0], 1);
	assert_int_equal(world.breaks, 0);
}

/* What a driver may ask for at a time fits into the pool, rings and header included. */
static void requests_fit_the_pool(void **state)
{
	struct virtio_blk_disk disk = { .sectors = 1 };
	const struct virtio_env e = { 0 };
	uint32_t most;

	(void)state;
	for (uint64_t bytes = 0x40000; bytes <= 0x2000000; bytes += 0x1000) {
		disk.room = bytes;
		virtio_blk_init(&blk, &e, &disk);
		most = load_le32(blk.config + 8) * load_le32(blk.config + 12);
		assert_in_range(most, bytes < 0x840000 ? bytes / 4 : 126 * 0x10000,
				bytes - (VIRTIO_MAX_QUEUES + 1) * SHADOW_PAGE);
	}
	disk.room = 0x800000;
	virtio_blk_init(&blk, &e, &disk);
	assert_int_equal(load_le32(blk.config + 12), 126);
	disk.room = 0;
	virtio_blk_init(&blk, &e, &disk);
	assert_int_equal(load_le32(blk.config + 12), 126);
}

static void lies_about_what_came_back(void **state)
{
	(void)state;
	start_outside();
	world.deaf = true;
	ask(0, 1, 512);
	/* A buffer that was never given, in the shadow's used ring. */
	vd_put16(&d, shadow.queue[0].used_at + 4, 77);
	vd_put16(&d, shadow.queue[0].used_at + 2, 1);
	link_driver_event(&driver);
	assert_int_equal(world.breaks, 1);
	assert_int_equal(vd_get16(&d, VD_DEVICE + 2), 0);
	world.deaf = false;
	bring_up(VIRTIO_F_VERSION_1);
	ask(0, 3, 512);
	assert_int_equal(answer(), 0);
	/* More than there is room for. */
	world.deaf = true;
	ask(0, 1, 512);
	vd_put16(&d, shadow.queue[0].used_at + 4 + 8,
		 vd_get16(&d, shadow.queue[0].avail_at + 4 + 2));
	vd_put16(&d, shadow.queue[0].used_at + 8 + 8, 514);
	vd_put16(&d, shadow.queue[0].used_at + 2, 2);
	link_driver_event(&driver);
	assert_int_equal(world.breaks, 2);
	assert_int_equal(vd_get16(&d, VD_DEVICE + 2), 1);
}

static void begin_legacy(unsigned outside)
{
	if (outside)
		start_outside();
	else
		start(false);
	offered = 0;
	memset(d.ram + base, 0, POOL_BYTES);
	assert_null(virtio_set_status(&driver.v, 0));
	assert_null(virtio_make_legacy(&driver.v));
	assert_null(virtio_set_status(&driver.v, 3));
}

static void bring_up_legacy(unsigned outside)
{
	begin_legacy(outside);
	assert_null(virtio_take_features(&driver.v, UINT64_MAX));
	place();
	assert_null(virtio_set_status(&driver.v, 7));
}

/* A driver of before virtio 1.0: the server's device is one too, in the pool and by copies. */
static void legacy(void **state)
{
	(void)state;
	for (unsigned outside = 0; outside < 2; outside++) {
		bring_up_legacy(outside);
		assert_int_equal(driver.v.status, 7);
		assert_int_equal(blk.v.status, 7);
		assert_true(blk.v.legacy);
		assert_false(blk.v.features & (VIRTIO_F_VERSION_1 | ACCESS_PLATFORM));
		ask(0, 3, 512);
		assert_int_equal(answer(), 0);
		assert_int_equal(d.ram[base + VD_DATA + 0x100], 3);
		assert_int_equal(world.given[0], 1);
		bring_up(outside ? VIRTIO_F_VERSION_1 : TAKEN);
		assert_false(blk.v.legacy);
		ask(0, 5, 512);
		assert_int_equal(answer(), 0);
		assert_int_equal(world.breaks, 0);
	}
}

/* It is at work before DRIVER_OK, and before it takes features. */
static void legacy_early(void **state)
{
	(void)state;
	for (unsigned outside = 0; outside < 2; outside++) {
		begin_legacy(outside);
		place();
		ask(0, 3, 512);
		assert_int_equal(answer(), 0);
		assert_int_equal(world.given[0], 1);
		assert_int_equal(blk.v.features, outside ? VIRTIO_F_EVENT_IDX : 0);
		assert_null(virtio_take_features(&driver.v, VIRTIO_F_INDIRECT_DESC | 1u << 9));
		assert_int_equal(blk.v.features,
				 1u << 9 | (outside ? VIRTIO_F_EVENT_IDX : VIRTIO_F_INDIRECT_DESC));
		assert_int_equal(blk.v.queue[0].indirect, !outside);
		ask(0, 5, 512);
		assert_int_equal(answer(), 0);
		assert_null(virtio_set_status(&driver.v, 7));
		ask(0, 6, 512);
		assert_int_equal(answer(), 0);
		assert_int_equal(d.ram[base + VD_DATA + 0x100], 6);
		assert_null(virtio_set_status(&driver.v, 0));
		assert_int_equal(blk.v.status, 0);
		assert_int_equal(world.breaks, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acquaintance),
		cmocka_unit_test(requests),
		cmocka_unit_test(direct),
		cmocka_unit_test(outside_the_pool),
		cmocka_unit_test(windows),
		cmocka_unit_test(another_server),
		cmocka_unit_test(goes_on),
		cmocka_unit_test(goes_on_with_less),
		cmocka_unit_test(begins_anew),
		cmocka_unit_test(two_resets),
		cmocka_unit_test(reset_takes_its_time),
		cmocka_unit_test(late_reset),
		cmocka_unit_test(server_after_acknowledge),
		cmocka_unit_test(silence),
		cmocka_unit_test(reset_and_config),
		cmocka_unit_test(reset_stops_work),
		cmocka_unit_test(hostile_server),
		cmocka_unit_test(copies),
		cmocka_unit_test(pool_of_a_few_pages),
		cmocka_unit_test(status_behind_nothing),
		cmocka_unit_test(queues_share_the_pool),
		cmocka_unit_test(requests_fit_the_pool),
		cmocka_unit_test(lies_about_what_came_back),
		cmocka_unit_test(legacy),
		cmocka_unit_test(legacy_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
