/* A modern virtio device on the bus 0 of QEMU's `virt`, which no firmware has set up. */
#include "micro.h"
#include "vdev.h"

#define ECAM 0x3f000000ull /* with highmem=off */
#define WINDOW 0x10000000u /* addresses for BARs: a MiB each */
#define DEVICES 32u
#define BARS 6u
#define COMMAND 4u
#define MEMORY_AND_MASTER 6u
#define CAPABILITIES 0x34u
#define CAP_VENDOR 0x09u
#define CAP_MSIX 0x11u
enum { COMMON = 1,
       NOTIFY = 2,
       CONFIG = 4,
       KINDS };
#define QUEUES 2u

static unsigned device;
static uint64_t part[KINDS];
static uint32_t notify_times;
static unsigned msix;

static uint64_t config_at(unsigned offset) { return ECAM + ((uint64_t)device << 15) + offset; }
static uint32_t config(unsigned offset) { return (uint32_t)vdev_read32(config_at(offset)); }
static uint8_t config8(unsigned offset) { return (uint8_t)vdev_read8(config_at(offset)); }

/* One that is in memory has a place; the rest of its address is 0. */
static void place_bars(void)
{
	for (unsigned i = 0; i < BARS; i++) {
		const uint64_t bar = config_at(0x10 + 4 * i);

		vdev_write32(bar, ~0u);
		if (vdev_read32(bar) == 0 || (vdev_read32(bar) & 1) != 0)
			continue;
		vdev_write32(bar, WINDOW + (i << 20));
		if ((vdev_read32(bar) & 6) == 4) {
			vdev_write32(bar + 4, 0);
			i++;
		}
	}
	vdev_write32(config_at(COMMAND), MEMORY_AND_MASTER);
}

static uint64_t place(unsigned bar, uint32_t offset) { return WINDOW + (bar << 20) + offset; }

static void read_capabilities(void)
{
	for (unsigned at = config8(CAPABILITIES); at != 0; at = config8(at + 1)) {
		const unsigned kind = config8(at + 3);

		if (config8(at) == CAP_MSIX)
			msix = at;
		if (config8(at) != CAP_VENDOR || kind >= KINDS)
			continue;
		part[kind] = place(config8(at + 4), config(at + 8));
		if (kind == NOTIFY)
			notify_times = config(at + 16);
	}
}

int vpci_find(unsigned id)
{
	for (device = 0; device < DEVICES; device++) {
		if (config(0) != ((0x1040u + id) << 16 | 0x1af4u))
			continue;
		place_bars();
		read_capabilities();
		return part[COMMON] != 0 && part[NOTIFY] != 0 && msix != 0;
	}
	return 0;
}

uint64_t vpci_common(void) { return part[COMMON]; }
uint64_t vpci_device_config(void) { return part[CONFIG]; }

uint64_t vpci_notify(void)
{
	return part[NOTIFY] + (uint64_t)notify_times * vdev_read16(part[COMMON] + 0x1e);
}

void vpci_set_up_messages(void)
{
	const uint32_t table = config(msix + 4);

	its_start(device << 3, QUEUES);
	vdev_write32(config_at(msix), config(msix) | 1u << 31);
	for (unsigned i = 0; i < QUEUES; i++) {
		const uint64_t entry = place(table & 7, table & ~7u) + 16 * i;

		vdev_write32(entry, ITS_TRANSLATER);
		vdev_write32(entry + 4, 0);
		vdev_write32(entry + 8, i);
		vdev_write32(entry + 12, 0);
	}
}
