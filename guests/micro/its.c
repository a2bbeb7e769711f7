/* The GICv3's ITS for one device (IHI 0069, 5): each of its events an LPI here. */
#include "micro.h"
#include "vdev.h"

#define GITS 0x08080000ull
#define GITS_CTLR GITS
#define GITS_CBASER (GITS + 0x80)
#define GITS_CWRITER (GITS + 0x88)
#define GITS_CREADR (GITS + 0x90)
#define GITS_BASER(n) (GITS + 0x100 + 8 * (n))
#define BASERS 8u
#define BASER_TYPE(v) ((v) >> 56 & 7)
#define DEVICES 1u
#define COLLECTIONS 4u
#define VALID (1ull << 63)
#define PAGES_64K (2ull << 8)
#define GICR_PROPBASER (MICRO_GICR + 0x70)
#define GICR_PENDBASER (MICRO_GICR + 0x78)
#define ID_BITS 14u
#define LPI 8192u
#define PRIORITY_ENABLED 0xa1u

/* Memory that nothing else has, and that is 0. */
#define ROOM 0x43000000ull
#define ROOM_BYTES 0x10000u
enum { PROPERTIES,
       PENDING,
       TRANSLATIONS,
       COMMANDS,
       TABLES };

enum { MAPD = 0x08,
       MAPC = 0x09,
       MAPTI = 0x0a,
       SYNC = 0x05,
       INVALL = 0x0d };

static unsigned commands;

static uint64_t room(unsigned n) { return ROOM + (uint64_t)n * ROOM_BYTES; }

static void command(uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t at = room(COMMANDS) + 32 * commands++;

	vdev_write64(at, a);
	vdev_write64(at + 8, b);
	vdev_write64(at + 16, c);
	vdev_write64(at + 24, 0);
	__asm__ volatile("dsb sy" ::
				 : "memory");
	vdev_write64(GITS_CWRITER, 32 * commands);
	while (vdev_read64(GITS_CREADR) != 32 * commands)
		;
}

static void set_up_tables(void)
{
	for (unsigned i = 0; i < BASERS; i++) {
		const uint64_t type = BASER_TYPE(vdev_read64(GITS_BASER(i)));

		if (type == DEVICES || type == COLLECTIONS)
			vdev_write64(GITS_BASER(i), VALID | PAGES_64K | room(TABLES + i));
	}
	vdev_write64(GITS_CBASER, VALID | room(COMMANDS) | (ROOM_BYTES / 4096 - 1));
	vdev_write64(GICR_PROPBASER, room(PROPERTIES) | (ID_BITS - 1));
	vdev_write64(GICR_PENDBASER, room(PENDING));
	vdev_write32(MICRO_GICR, 1); /* EnableLPIs */
	vdev_write32(GITS_CTLR, 1);
}

void its_start(uint32_t device, unsigned events)
{
	const uint64_t of_device = (uint64_t)device << 32;

	for (unsigned i = 0; i < events; i++)
		*(volatile uint8_t *)(room(PROPERTIES) + i) = PRIORITY_ENABLED;
	set_up_tables();
	command(MAPC, 0, VALID);
	command(MAPD | of_device, 4, VALID | room(TRANSLATIONS));
	for (unsigned i = 0; i < events; i++)
		command(MAPTI | of_device, i | (uint64_t)(LPI + i) << 32, 0);
	command(INVALL, 0, 0);
	command(SYNC, 0, 0);
}
