#include <selvage/vpci.h>

#include <selvage/base.h>
#include <selvage/virtio_abi.h>
#include <string.h>

#include "registers.h"

/* The common structure (4.1.4.3). */
enum { C_FEATURES_SEL = 0x00,
       C_FEATURES = 0x04,
       C_DRIVER_FEATURES_SEL = 0x08,
       C_DRIVER_FEATURES = 0x0c,
       C_CONFIG_VECTOR = 0x10,
       C_STATUS = 0x14,
       C_GENERATION = 0x15,
       C_QUEUE_SEL = 0x16,
       C_QUEUE_SIZE = 0x18,
       C_QUEUE_VECTOR = 0x1a,
       C_QUEUE_ENABLE = 0x1c,
       C_QUEUE_NOTIFY_OFF = 0x1e,
       C_QUEUE_DESC = 0x20,
       C_QUEUE_DRIVER = 0x28,
       C_QUEUE_DEVICE = 0x30 };
#define VECTOR 0u /* of everything */

/* Those that are in both, under other numbers and as wide as it is here. */
static const struct pair {
	uint16_t mmio;
	uint8_t common, bytes;
} pairs[] = {
	{ DEVICE_FEATURES, C_FEATURES, 4 },
	{ DEVICE_FEATURES_SEL, C_FEATURES_SEL, 4 },
	{ DRIVER_FEATURES, C_DRIVER_FEATURES, 4 },
	{ DRIVER_FEATURES_SEL, C_DRIVER_FEATURES_SEL, 4 },
	{ QUEUE_SEL, C_QUEUE_SEL, 2 },
	{ QUEUE_NUM_MAX, C_QUEUE_SIZE, 2 }, /* before it is set */
	{ QUEUE_NUM, C_QUEUE_SIZE, 2 },
	{ QUEUE_READY, C_QUEUE_ENABLE, 2 },
	{ STATUS, C_STATUS, 1 },
	{ QUEUE_DESC, C_QUEUE_DESC, 4 },
	{ QUEUE_DESC + 4, C_QUEUE_DESC + 4, 4 },
	{ QUEUE_DRIVER, C_QUEUE_DRIVER, 4 },
	{ QUEUE_DRIVER + 4, C_QUEUE_DRIVER + 4, 4 },
	{ QUEUE_DEVICE, C_QUEUE_DEVICE, 4 },
	{ QUEUE_DEVICE + 4, C_QUEUE_DEVICE + 4, 4 },
	{ CONFIG_GENERATION, C_GENERATION, 1 },
};

static const struct pair *pair_of(uint32_t offset)
{
	for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++)
		if (pairs[i].mmio == offset)
			return &pairs[i];
	return NULL;
}

static uint32_t rd(struct vpci *t, uint32_t offset, unsigned bytes)
{
	return t->under.read(t->under.opaque, offset, bytes);
}

static void wr(struct vpci *t, uint32_t offset, uint32_t value, unsigned bytes)
{
	t->under.write(t->under.opaque, offset, value, bytes);
}

/* A message says that something has happened, not what. */
static uint32_t interrupt_status(struct vpci *t)
{
	return t->at.messages ? VMMIO_INTERRUPT_QUEUE | VMMIO_INTERRUPT_CONFIG
			      : rd(t, t->at.isr, 1);
}

static uint32_t read_reg(void *opaque, uint32_t offset, unsigned bytes)
{
	struct vpci *t = opaque;
	const struct pair *p = pair_of(offset);

	if (offset >= CONFIG)
		return range_within_u64(offset - CONFIG, bytes, 0, t->at.config_bytes)
			       ? rd(t, t->at.config + (offset - CONFIG), bytes)
			       : 0;
	switch (offset) {
	case MAGIC: return MAGIC_VALUE;
	case VERSION: return MMIO_VERSION;
	case DEVICE_ID: return t->at.id;
	case INTERRUPT_STATUS: return interrupt_status(t);
	default: return p == NULL ? 0 : rd(t, t->at.common + p->common, p->bytes);
	}
}

/* Where the queue that is selected is kicked. False: not within the structure. */
static bool find_notify(struct vpci *t)
{
	uint64_t offset = (uint64_t)rd(t, t->at.common + C_QUEUE_NOTIFY_OFF, 2) *
			  t->at.notify_multiplier;

	if (t->queue >= VPCI_QUEUES || !range_within_u64(offset, 2, 0, t->at.notify_bytes))
		return false;
	t->notify[t->queue] = t->at.notify + (uint32_t)offset;
	return true;
}

/* One that is not ready after that, the driver does not use. */
static void make_ready(struct vpci *t)
{
	if (!find_notify(t))
		return;
	if (t->at.messages)
		wr(t, t->at.common + C_QUEUE_VECTOR, VECTOR, 2);
	wr(t, t->at.common + C_QUEUE_ENABLE, 1, 2);
}

static void set_status(struct vpci *t, uint32_t value)
{
	if (value == 0)
		memset(t->notify, 0, sizeof(t->notify));
	if (t->at.messages && (value & VIRTIO_STATUS_FEATURES_OK))
		wr(t, t->at.common + C_CONFIG_VECTOR, VECTOR, 2);
	wr(t, t->at.common + C_STATUS, value, 1);
}

static void write_reg(void *opaque, uint32_t offset, uint32_t value, unsigned bytes)
{
	struct vpci *t = opaque;
	const struct pair *p = pair_of(offset);

	(void)bytes;
	if (offset == QUEUE_NOTIFY) {
		if (value < VPCI_QUEUES && t->notify[value] != 0)
			wr(t, t->notify[value], value, 2);
	} else if (offset == QUEUE_READY) {
		make_ready(t);
	} else if (offset == STATUS) {
		set_status(t, value);
	} else if (p != NULL) {
		if (offset == QUEUE_SEL)
			t->queue = value;
		wr(t, t->at.common + p->common, value, p->bytes);
	}
}

struct vmmio_regs vpci_regs(struct vpci *t, const struct vmmio_regs *under,
			    const struct vpci_place *at)
{
	*t = (struct vpci){ .under = *under, .at = *at };
	return (struct vmmio_regs){ t, read_reg, write_reg };
}
