#include <dev/virtio/mmio.h>

#define CONFIG 0x100u
#define ISR_QUEUE (1u << 0)
#define ISR_CONFIG (1u << 1)

static void update_irq(struct virtio_mmio *t)
{
	bool level = t->isr != 0;

	if (level == t->irq)
		return;
	t->irq = level;
	t->env.set_irq(t->env.opaque, level);
}

static void interrupt(void *opaque, int queue)
{
	struct virtio_mmio *t = opaque;

	t->isr |= queue == VIRTIO_CONFIG_CHANGED ? ISR_CONFIG : ISR_QUEUE;
	update_irq(t);
}

static void quiet(void *opaque)
{
	struct virtio_mmio *t = opaque;

	t->isr = 0;
	update_irq(t);
}

/* --- Registers ---------------------------------------------------------------------- */

static uint32_t device_id(void *device)
{
	return ((struct virtio_mmio *)device)->device->class->id;
}

static uint32_t device_features(void *device)
{
	const struct virtio_mmio *t = device;

	return virtio_offered_word(t->device, t->device_sel);
}

static void driver_features(void *device, uint32_t value)
{
	struct virtio_mmio *t = device;

	t->ignored = virtio_take_features_word(t->device, t->driver_sel, value);
}

/* The selected queue; NULL: there is none. */
static struct virtq *selected(struct virtio_mmio *t)
{
	return virtio_queue(t->device, t->queue_sel);
}

static uint32_t queue_num_max(void *device)
{
	struct virtio_mmio *t = device;

	return selected(t) ? t->device->class->queue_size : 0;
}

/* The layout of the selected queue if it can be written now, or NULL. */
static struct virtq_layout *layout(struct virtio_mmio *t)
{
	struct virtq *q = selected(t);

	if (q != NULL && virtio_queue_open(t->device, q))
		return &q->at;
	t->ignored = "no such queue, or it is ready";
	return NULL;
}

static void queue_num(void *device, uint32_t value)
{
	struct virtq_layout *at = layout(device);

	if (at != NULL)
		at->size = value;
}

static uint32_t queue_ready_read(void *device)
{
	const struct virtq *q = selected(device);

	return q != NULL && q->ready;
}

static void queue_ready(void *device, uint32_t value)
{
	struct virtio_mmio *t = device;
	struct virtq *q = selected(t);

	if (q == NULL)
		t->ignored = "no such queue";
	else if (value == 0)
		virtio_queue_stop(t->device, q);
	else
		t->ignored = virtio_queue_start(t->device, q);
}

static void queue_notify(void *device, uint32_t value)
{
	struct virtio_mmio *t = device;

	t->ignored = virtio_kick(t->device, value);
}

static uint32_t interrupt_status(void *device)
{
	struct virtio_mmio *t = device;

	/* The line for it has been raised elsewhere. */
	if (virtio_poll(t->device)) {
		t->isr |= ISR_QUEUE;
		t->irq = true;
	}
	return t->isr;
}

static void interrupt_ack(void *device, uint32_t value)
{
	struct virtio_mmio *t = device;

	t->isr &= ~value;
	/* Where the line is a pulse, what came in between needs one of its own. */
	if (t->isr != 0)
		t->env.set_irq(t->env.opaque, true);
	else
		update_irq(t);
}

static uint32_t status_read(void *device)
{
	return ((struct virtio_mmio *)device)->device->status;
}

static void status_write(void *device, uint32_t value)
{
	struct virtio_mmio *t = device;

	t->ignored = virtio_set_status(t->device, value);
	if (value == 0)
		quiet(t);
}

static void set_low(uint64_t *word, uint32_t value)
{
	*word = (*word & ~0xffffffffull) | value;
}

static void set_high(uint64_t *word, uint32_t value)
{
	*word = (*word & 0xffffffffull) | (uint64_t)value << 32;
}

#define QUEUE_ADDRESS(name, half)                               \
	static void name##_##half(void *device, uint32_t value) \
	{                                                       \
		struct virtq_layout *at = layout(device);       \
                                                                \
		if (at != NULL)                                 \
			set_##half(&at->name, value);           \
	}
QUEUE_ADDRESS(desc, low)
QUEUE_ADDRESS(desc, high)
QUEUE_ADDRESS(driver, low)
QUEUE_ADDRESS(driver, high)
QUEUE_ADDRESS(device, low)
QUEUE_ADDRESS(device, high)

static uint32_t config_generation(void *device)
{
	return ((struct virtio_mmio *)device)->device->generation;
}

#define ALL 0xffffffffu
#define NONE DEV_REG_NO_FIELD
#define FIELD(name) offsetof(struct virtio_mmio, name)

/* Table 4.1. There is no shared memory: its registers read as all ones. */
static const struct dev_reg registers[DEV_REG_PLACES] = {
	DEV_REG("MagicValue", 0x000, NONE, 0x74726976, 0, NULL, NULL),
	DEV_REG("Version", 0x004, NONE, 2, 0, NULL, NULL),
	DEV_REG("DeviceID", 0x008, NONE, 0, 0, device_id, NULL),
	DEV_REG("VendorID", 0x00c, NONE, 0x47564c53, 0, NULL, NULL), /* "SLVG" */
	DEV_REG("DeviceFeatures", 0x010, NONE, 0, 0, device_features, NULL),
	DEV_REG("DeviceFeaturesSel", 0x014, FIELD(device_sel), 0, ALL, NULL, NULL),
	DEV_REG("DriverFeatures", 0x020, NONE, 0, ALL, NULL, driver_features),
	DEV_REG("DriverFeaturesSel", 0x024, FIELD(driver_sel), 0, ALL, NULL, NULL),
	DEV_REG("QueueSel", 0x030, FIELD(queue_sel), 0, ALL, NULL, NULL),
	DEV_REG("QueueNumMax", 0x034, NONE, 0, 0, queue_num_max, NULL),
	DEV_REG("QueueNum", 0x038, NONE, 0, ALL, NULL, queue_num),
	DEV_REG("QueueReady", 0x044, NONE, 0, ALL, queue_ready_read, queue_ready),
	DEV_REG("QueueNotify", 0x050, NONE, 0, ALL, NULL, queue_notify),
	DEV_REG("InterruptStatus", 0x060, NONE, 0, 0, interrupt_status, NULL),
	DEV_REG("InterruptACK", 0x064, NONE, 0, ALL, NULL, interrupt_ack),
	DEV_REG("Status", 0x070, NONE, 0, ALL, status_read, status_write),
	DEV_REG("QueueDescLow", 0x080, NONE, 0, ALL, NULL, desc_low),
	DEV_REG("QueueDescHigh", 0x084, NONE, 0, ALL, NULL, desc_high),
	DEV_REG("QueueDriverLow", 0x090, NONE, 0, ALL, NULL, driver_low),
	DEV_REG("QueueDriverHigh", 0x094, NONE, 0, ALL, NULL, driver_high),
	DEV_REG("QueueDeviceLow", 0x0a0, NONE, 0, ALL, NULL, device_low),
	DEV_REG("QueueDeviceHigh", 0x0a4, NONE, 0, ALL, NULL, device_high),
	DEV_REG("SHMLenLow", 0x0b0, NONE, ALL, 0, NULL, NULL),
	DEV_REG("SHMLenHigh", 0x0b4, NONE, ALL, 0, NULL, NULL),
	DEV_REG("SHMBaseLow", 0x0b8, NONE, ALL, 0, NULL, NULL),
	DEV_REG("SHMBaseHigh", 0x0bc, NONE, ALL, 0, NULL, NULL),
	DEV_REG("ConfigGeneration", 0x0fc, NONE, 0, 0, config_generation, NULL),
};

const struct dev_reg *virtio_mmio_registers(void)
{
	return registers;
}

static const char *config_access(struct virtio *device, struct mmio *m)
{
	if (m->write)
		return virtio_config_write(device, m->offset - CONFIG, m->size,
					   m->value & mmio_mask(m));
	return virtio_config_read(device, m->offset - CONFIG, m->size, &m->value);
}

enum mmio_outcome virtio_mmio_access(struct virtio_mmio *t, struct mmio *m)
{
	enum mmio_outcome outcome = MMIO_HANDLED;

	t->ignored = NULL;
	if (m->offset >= CONFIG)
		t->ignored = config_access(t->device, m);
	else
		outcome = dev_reg_access(registers, t, m);
	return t->ignored == NULL ? outcome : mmio_ignore(m, t->ignored);
}

void virtio_mmio_init(struct virtio_mmio *t, struct virtio *device,
		      const struct virtio_mmio_env *env)
{
	*t = (struct virtio_mmio){ .device = device, .env = *env };
	device->transport = (struct virtio_transport){ t, interrupt, quiet };
}
