/* The ITS: what commands make of messages, and what it makes of wrong ones. */
#include <dev/its.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RAM 0x40000000ull
#define QUEUE RAM             /* one page */
#define TABLE (RAM + 0x10000) /* configuration of LPIs */
#define DEVICE(slot) ((uint64_t)(slot) << 3)
#define PENDING VGIC_LR_STATE_PENDING
#define VALID (1ull << 63)

enum { MOVI = 1,
       INT = 3,
       CLEAR = 4,
       SYNC = 5,
       MAPD = 8,
       MAPC = 9,
       MAPTI = 10,
       MAPI = 11,
       INV = 12,
       INVALL = 13,
       MOVALL = 14,
       DISCARD = 15 };

static struct world {
	struct vgic gic;
	struct its its;
	uint64_t lr[VGIC_MAX_VCPUS][VGIC_MAX_LRS];
	uint8_t ram[0x20000];
	uint32_t at; /* in the queue */
} w;

static uint64_t read_lr(void *opaque, unsigned v, unsigned i)
{
	(void)opaque;
	return w.lr[v][i];
}

static void write_lr(void *opaque, unsigned v, unsigned i, uint64_t value)
{
	(void)opaque;
	w.lr[v][i] = value;
}

static void lpis_on(void *opaque)
{
	(void)opaque;
	its_reload(&w.its);
}

static bool read_ram(void *opaque, uint64_t gpa, void *to, size_t size)
{
	(void)opaque;
	if (gpa < RAM || gpa - RAM > sizeof(w.ram) - size)
		return false;
	memcpy(to, &w.ram[gpa - RAM], size);
	return true;
}

static enum mmio_outcome its_write(uint32_t offset, uint8_t size, uint64_t value)
{
	struct mmio m = { .offset = offset, .size = size, .write = true, .value = value };

	return its_access(&w.its, &m);
}

static uint64_t its_read(uint32_t offset, uint8_t size)
{
	struct mmio m = { .offset = offset, .size = size };

	assert_int_equal(its_access(&w.its, &m), MMIO_HANDLED);
	return m.value;
}

static uint64_t redist(unsigned v, uint32_t offset, uint8_t size, bool write, uint64_t value)
{
	struct mmio m = { .offset = v * VGIC_V3_REDIST_BYTES + offset,
			  .size = size,
			  .write = write,
			  .value = value };

	assert_int_equal(vgic_redist_access(&w.gic, &m), MMIO_HANDLED);
	return m.value;
}

static void gicd_enable(void)
{
	struct mmio m = { .offset = 0, .size = 4, .write = true, .value = 3 };

	assert_int_equal(vgic_dist_access(&w.gic, 0, &m), MMIO_HANDLED);
}

/* Puts a command behind the others and has it carried out. */
static enum mmio_outcome command(uint64_t c0, uint64_t c1, uint64_t c2, uint64_t c3)
{
	const uint64_t c[4] = { c0, c1, c2, c3 };
	enum mmio_outcome outcome;

	memcpy(&w.ram[w.at], c, sizeof(c));
	w.at = (w.at + 32) % 4096;
	outcome = its_write(0x88, 8, w.at);
	assert_int_equal(its_read(0x90, 8), w.at);
	return outcome;
}

static uint64_t first(unsigned code, unsigned slot) { return code | DEVICE(slot) << 32; }

static void config(unsigned lpi, uint8_t byte)
{
	w.ram[TABLE - RAM + lpi - VGIC_FIRST_LPI] = byte;
}

static void new_world(void)
{
	const struct vgic_config c = {
		.version = 3,
		.n_vcpus = 2,
		.n_irqs = 96,
		.n_lrs = 4,
		.lr_readback = true,
		.n_lpis = 128,
	};
	const struct vgic_env env = { .read_lr = read_lr,
				      .write_lr = write_lr,
				      .lpis_on = lpis_on };

	memset(&w, 0, sizeof(w));
	assert_true(vgic_init(&w.gic, &c, &env));
	its_init(&w.its, &w.gic, &(struct its_env){ NULL, read_ram });
}

/* LPIs on at both vCPUs, the queue running, collection i at vCPU i, the device
 * in slot 2 with four events. */
static int ready(void **state)
{
	(void)state;
	new_world();
	gicd_enable();
	for (unsigned v = 0; v < 2; v++) {
		redist(v, 0x70, 8, true, TABLE | 13);
		redist(v, 0, 4, true, 1);
	}
	assert_int_equal(its_write(0x80, 8, VALID | QUEUE), MMIO_HANDLED);
	assert_int_equal(its_write(0, 4, 1), MMIO_HANDLED);
	for (uint64_t v = 0; v < 2; v++)
		assert_int_equal(command(MAPC, 0, VALID | v << 16 | v, 0), MMIO_HANDLED);
	assert_int_equal(command(first(MAPD, 2), 1, VALID | (RAM + 0x8000), 0), MMIO_HANDLED);
	return 0;
}

/* What the list registers of a vCPU hold of an INTID: its value, or 0. */
static uint64_t listed(unsigned v, uint32_t intid)
{
	vgic_flush(&w.gic, v);
	for (unsigned i = 0; i < 4; i++)
		if ((w.lr[v][i] & VGIC_LR_STATE) && (uint32_t)w.lr[v][i] == intid)
			return w.lr[v][i];
	return 0;
}

/* The guest takes all and ends all. */
static void guest_ends(unsigned v)
{
	for (unsigned i = 0; i < 4; i++)
		w.lr[v][i] &= ~VGIC_LR_STATE;
	vgic_sync(&w.gic, v);
}

static enum mmio_outcome map(unsigned slot, uint64_t event, uint64_t intid, uint64_t collection)
{
	return command(first(MAPTI, slot), intid << 32 | event, collection, 0);
}

static void identity(void **state)
{
	(void)state;
	new_world();
	assert_int_equal(its_read(0, 4), 1u << 31);
	assert_int_equal(its_read(8, 8), 1 | 7 << 4 | 4 << 8 | 7 << 13 | 16 << 24);
	assert_int_equal(its_read(0xc, 4), 0);
	assert_int_equal(its_read(0xffe8, 4), 0x3b);
	assert_int_equal(its_read(0xffe4, 4), 0xb4);
	/* The device table: type and size of an entry stand, nothing is indirect. */
	assert_int_equal(its_write(0x100, 8, UINT64_MAX), MMIO_HANDLED);
	assert_int_equal(its_read(0x100, 8), 0xb9e7ffffffffffffull);
	assert_int_equal(its_write(0x104, 4, 0), MMIO_HANDLED);
	assert_int_equal(its_read(0x100, 8), 0x01070000ffffffffull);
	for (uint32_t n = 1; n < 8; n++) {
		assert_int_equal(its_write(0x100 + 8 * n, 8, 1), MMIO_IGNORED);
		assert_int_equal(its_read(0x100 + 8 * n, 8), 0);
	}
	assert_int_equal(its_write(ITS_TRANSLATER, 4, 1), MMIO_IGNORED);
	assert_int_equal(its_write(0, 1, 1), MMIO_IGNORED);
	/* The distributor says that there are LPIs, 128 of them, INTIDs of 14 bits. */
	assert_int_equal(redist(1, 8, 8, false, 0), 1ull << 32 | 1 << 8 | 1 << 4 | 1);
	assert_int_equal(redist(0, 0, 4, false, 0), 0);
}

static void tables(void **state)
{
	(void)state;
	new_world();
	redist(0, 0x70, 8, true, UINT64_MAX);
	assert_int_equal(redist(1, 0x70, 8, false, 0), 0x070fffffffffff9full);
	redist(0, 0x74, 4, true, 0);
	assert_int_equal(redist(0, 0x70, 8, false, 0), 0xffffff9f);
	redist(1, 0x78, 8, true, UINT64_MAX);
	assert_int_equal(redist(1, 0x78, 8, false, 0), 0x070fffffffff0f80ull);
	assert_int_equal(redist(0, 0x78, 8, false, 0), 0);
	redist(0, 0, 4, true, 1);
	assert_int_equal(redist(0, 0, 4, false, 0), 1);
	redist(0, 0x70, 8, true, 0); /* in use */
	assert_int_equal(redist(0, 0x70, 8, false, 0), 0xffffff9f);
}

static void message(void **state)
{
	(void)state;
	config(8192 + 7, 0x43);
	assert_int_equal(map(2, 3, 8192 + 7, 1), MMIO_HANDLED);
	assert_true(its_message(&w.its, 2, 3));
	assert_int_equal(listed(0, 8192 + 7), 0);
	assert_int_equal(listed(1, 8192 + 7),
			 PENDING | VGIC_LR_GROUP1 | 0x40ull << VGIC_LR_PRIORITY_SHIFT | (8192 + 7));
	guest_ends(1);
	assert_int_equal(listed(1, 8192 + 7), 0);
	assert_true(its_message(&w.its, 2, 3));
	assert_int_not_equal(listed(1, 8192 + 7), 0);
	/* Not of this device, not this event, not mapped, no such device. */
	assert_false(its_message(&w.its, 3, 3));
	assert_false(its_message(&w.its, 2, 4));
	assert_false(its_message(&w.its, 2, 2));
	assert_false(its_message(&w.its, PCI_SLOTS, 3));
	assert_int_equal(its_write(0, 4, 0), MMIO_HANDLED);
	assert_false(its_message(&w.its, 2, 3));
}

static void mapi(void **state)
{
	(void)state;
	/* The event's own number, which is never that of an LPI here. */
	assert_int_equal(command(first(MAPI, 2), 1, 0, 0), MMIO_IGNORED);
	assert_false(its_message(&w.its, 2, 1));
}

static void configuration(void **state)
{
	(void)state;
	assert_int_equal(map(2, 0, 8192, 0), MMIO_HANDLED);
	assert_true(its_message(&w.its, 2, 0)); /* disabled: it waits */
	assert_int_equal(listed(0, 8192), 0);
	config(8192, 0x81);
	assert_int_equal(listed(0, 8192), 0);
	assert_int_equal(command(first(INV, 2), 0, 0, 0), MMIO_HANDLED);
	assert_int_not_equal(listed(0, 8192), 0);
	guest_ends(0);
	config(8192, 0x80);
	assert_int_equal(command(INVALL, 0, 1, 0), MMIO_HANDLED); /* another collection */
	assert_true(its_message(&w.its, 2, 0));
	assert_int_not_equal(listed(0, 8192), 0);
	guest_ends(0);
	assert_int_equal(command(INVALL, 0, 0, 0), MMIO_HANDLED);
	assert_true(its_message(&w.its, 2, 0));
	assert_int_equal(listed(0, 8192), 0);
}

static void moves(void **state)
{
	(void)state;
	config(8192 + 127, 1);
	assert_int_equal(map(2, 1, 8192 + 127, 0), MMIO_HANDLED);
	assert_true(its_message(&w.its, 2, 1));
	assert_int_not_equal(listed(0, 8192 + 127), 0);
	assert_int_equal(command(first(MOVI, 2), 1, 1, 0), MMIO_HANDLED);
	assert_int_equal(listed(0, 8192 + 127), 0); /* it goes along */
	assert_int_not_equal(listed(1, 8192 + 127), 0);
	assert_int_equal(command(MOVALL, 0, 1 << 16, 0), MMIO_HANDLED);
	assert_int_equal(listed(1, 8192 + 127), 0);
	assert_int_not_equal(listed(0, 8192 + 127), 0);
	guest_ends(0);
	/* A collection that goes nowhere: it waits for one that does. */
	assert_int_equal(command(MAPC, 0, 1, 0), MMIO_HANDLED);
	assert_true(its_message(&w.its, 2, 1));
	assert_int_equal(listed(0, 8192 + 127) | listed(1, 8192 + 127), 0);
	assert_int_equal(command(MAPC, 0, VALID | 1 << 16 | 1, 0), MMIO_HANDLED);
	assert_int_not_equal(listed(1, 8192 + 127), 0);
	/* LPIs off at its vCPU. */
	redist(1, 0, 4, true, 0);
	assert_int_equal(listed(1, 8192 + 127), 0);
	redist(1, 0, 4, true, 1);
	assert_int_not_equal(listed(1, 8192 + 127), 0);
}

static void commands_about_one(void **state)
{
	(void)state;
	config(8192 + 1, 1);
	assert_int_equal(map(2, 0, 8192 + 1, 0), MMIO_HANDLED);
	assert_int_equal(command(first(INT, 2), 0, 0, 0), MMIO_HANDLED);
	assert_int_not_equal(listed(0, 8192 + 1), 0);
	assert_int_equal(command(first(CLEAR, 2), 0, 0, 0), MMIO_HANDLED);
	assert_int_equal(listed(0, 8192 + 1), 0);
	assert_int_equal(command(SYNC, 0, 0, 0), MMIO_HANDLED);
	assert_true(its_message(&w.its, 2, 0));
	assert_int_equal(command(first(DISCARD, 2), 0, 0, 0), MMIO_HANDLED);
	assert_int_equal(listed(0, 8192 + 1), 0);
	assert_false(its_message(&w.its, 2, 0));
	/* The device goes, and its events with it. */
	assert_int_equal(map(2, 0, 8192 + 1, 0), MMIO_HANDLED);
	assert_true(its_message(&w.its, 2, 0));
	assert_int_equal(command(first(MAPD, 2), 1, 0, 0), MMIO_HANDLED);
	assert_int_equal(listed(0, 8192 + 1), 0);
	assert_false(its_message(&w.its, 2, 0));
	assert_int_equal(command(first(MAPD, 2), 1, VALID, 0), MMIO_HANDLED);
	assert_false(its_message(&w.its, 2, 0));
}

static void wrong_commands(void **state)
{
	static const uint64_t wrong[][4] = {
		{ 0 },
		{ 0x7f },
		{ MAPD | DEVICE(32) << 32, 1, VALID }, /* no such slot */
		{ MAPD | 17ull << 32, 1, VALID },      /* function 1 */
		{ MAPD | DEVICE(2) << 32, 5, VALID },  /* 64 events */
		{ MAPTI | DEVICE(2) << 32, 8192ull << 32 | 4 },
		{ MAPTI | DEVICE(3) << 32, 8192ull << 32 },
		{ MAPTI | DEVICE(2) << 32, 8191ull << 32 },
		{ MAPTI | DEVICE(2) << 32, (8192ull + 128) << 32 },
		{ MAPTI | DEVICE(2) << 32, 8192ull << 32, ITS_COLLECTIONS },
		{ MAPC, 0, VALID | 2 << 16 }, /* no such vCPU */
		{ MAPC, 0, VALID | ITS_COLLECTIONS },
		{ MOVI | DEVICE(2) << 32, 0, 0 }, /* not mapped */
		{ MOVALL, 0, 0, 2 << 16 },
		{ INT | DEVICE(2) << 32, 0 },
		{ INV | DEVICE(2) << 32, 0xffffffff },
		{ INVALL, 0, ITS_COLLECTIONS },
		{ DISCARD | DEVICE(31) << 32, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(command(wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]),
				 MMIO_IGNORED);
	config(8192, 1);
	assert_int_equal(map(2, 0, 8192, 0), MMIO_HANDLED); /* and it goes on */
	assert_true(its_message(&w.its, 2, 0));
	assert_int_not_equal(listed(0, 8192), 0);
}

static void queues(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) /* round and round */
		assert_int_equal(command(SYNC, 0, 0, 0), MMIO_HANDLED);
	/* Beyond the end; in use. */
	assert_int_equal(its_write(0x88, 8, 4096), MMIO_IGNORED);
	assert_int_equal(its_read(0x88, 8), w.at);
	assert_int_equal(its_write(0x80, 8, VALID | QUEUE | 1), MMIO_IGNORED);
	assert_int_equal(its_write(0x100, 8, 0), MMIO_IGNORED);
	/* Not in RAM, half of it, not valid: nothing happens, nothing hangs. */
	assert_int_equal(its_write(0, 4, 0), MMIO_HANDLED);
	assert_int_equal(its_write(0x80, 8, VALID | (RAM - 4096) | 1), MMIO_HANDLED);
	assert_int_equal(its_read(0x88, 8), 0);
	assert_int_equal(its_write(0x88, 8, 4096 + 32), MMIO_HANDLED);
	assert_int_equal(its_write(0, 4, 1), MMIO_IGNORED);
	assert_int_equal(its_read(0x90, 8), 4096 + 32);
	assert_int_equal(its_write(0, 4, 0), MMIO_HANDLED);
	assert_int_equal(its_write(0x80, 8, QUEUE), MMIO_HANDLED);
	assert_int_equal(its_write(0x88, 8, 64), MMIO_HANDLED);
	assert_int_equal(its_write(0, 4, 1), MMIO_HANDLED);
	assert_int_equal(its_read(0x90, 8), 0);
	assert_int_equal(its_read(0, 4), 1);
}

static void table_missing(void **state)
{
	(void)state;
	new_world();
	gicd_enable();
	assert_int_equal(its_write(0x80, 8, VALID | QUEUE), MMIO_HANDLED);
	assert_int_equal(its_write(0, 4, 1), MMIO_HANDLED);
	command(MAPC, 0, VALID, 0);
	command(first(MAPD, 2), 1, VALID, 0);
	config(8192, 1);
	assert_int_equal(map(2, 0, 8192, 0), MMIO_HANDLED);
	assert_true(its_message(&w.its, 2, 0)); /* no table: not enabled */
	redist(0, 0x70, 8, true, TABLE | 12);   /* one for INTIDs below 8192 */
	redist(0, 0, 4, true, 1);
	assert_int_equal(listed(0, 8192), 0);
	redist(0, 0, 4, true, 0);
	redist(0, 0x70, 8, true, TABLE | 13);
	redist(0, 0, 4, true, 1); /* read again */
	assert_int_not_equal(listed(0, 8192), 0);
}

static void configs(void **state)
{
	struct vgic_config c = { .version = 3, .n_vcpus = 1, .n_irqs = 96, .n_lrs = 4 };
	const struct vgic_env env = { .read_lr = read_lr, .write_lr = write_lr };
	static struct vgic g;

	(void)state;
	assert_true(vgic_init(&g, &c, &env));
	c.n_lpis = 32;
	assert_false(vgic_init(&g, &c, &env)); /* no read-back */
	c.lr_readback = true;
	assert_true(vgic_init(&g, &c, &env));
	c.n_lpis = 96;
	assert_false(vgic_init(&g, &c, &env));
	c.n_lpis = 256;
	assert_false(vgic_init(&g, &c, &env));
	c.n_lpis = 32;
	c.version = 2;
	assert_false(vgic_init(&g, &c, &env));
}

/* A long queue: no access holds up the vCPUs for all of it. */
static void a_few_at_a_time(void **state)
{
	const uint64_t sync[4] = { SYNC };

	(void)state;
	new_world();
	assert_int_equal(its_write(0, 4, 0), MMIO_HANDLED);
	assert_int_equal(its_write(0x80, 8, VALID | QUEUE | 3), MMIO_HANDLED);
	assert_int_equal(its_write(0, 4, 1), MMIO_HANDLED);
	for (unsigned i = 0; i < 300; i++)
		memcpy(&w.ram[32 * i], sync, sizeof(sync));
	assert_int_equal(its_write(0x88, 8, 32 * 300), MMIO_HANDLED);
	assert_int_equal(w.its.command_read, 32 * 256);
	assert_int_equal(its_read(0x90, 8), 32 * 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity),
		cmocka_unit_test(tables),
		cmocka_unit_test_setup(message, ready),
		cmocka_unit_test_setup(mapi, ready),
		cmocka_unit_test_setup(configuration, ready),
		cmocka_unit_test_setup(moves, ready),
		cmocka_unit_test_setup(commands_about_one, ready),
		cmocka_unit_test_setup(wrong_commands, ready),
		cmocka_unit_test_setup(queues, ready),
		cmocka_unit_test(table_missing),
		cmocka_unit_test(configs),
		cmocka_unit_test(a_few_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
