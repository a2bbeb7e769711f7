#include <dev/virtio/pci.h>

#include <selvage/base.h>

#define VENDOR 0x1af4u
#define TRANSITIONAL_ID 0x1000u
#define MODERN_ID 0x1040u
#define MODERN_SUBSYSTEM 0x40u

enum { BAR_LEGACY = 0,
       BAR_MSIX = 1,
       BAR_MODERN = 4 };

#define ISR_QUEUE (1u << 0)
#define ISR_CONFIG (1u << 1)

/* Structures in BAR 4, a page each (4.1.4). */
enum { COMMON = 1,
       NOTIFY = 2,
       ISR = 3,
       DEVICE = 4,
       WINDOW = 5 };
#define PAGE 0x1000u
#define MODERN_BYTES (4 * PAGE)
#define NOTIFY_MULTIPLIER 4u
#define LEGACY_BYTES 0x80u
#define LEGACY_NOTIFY 0x10u
#define LEGACY_STATUS 0x12u
#define LEGACY_PAGE 4096u

/* Registers of the common configuration (4.1.4.3) and of the legacy interface
 * (4.1.4.10), by offset; each is accessed by its own width. */
struct field {
	uint8_t offset, bytes;
	uint32_t (*read)(struct virtio_pci *t);
	void (*write)(struct virtio_pci *t, uint32_t value);
};

static void update_intx(struct virtio_pci *t)
{
	pci_set_intx(&t->f, t->isr != 0);
}

static uint16_t vector_of(const struct virtio_pci *t, int queue)
{
	return queue == VIRTIO_CONFIG_CHANGED ? t->config_vector : t->queue_vector[queue];
}

static void interrupt(void *opaque, int queue)
{
	struct virtio_pci *t = opaque;

	if (queue == VIRTIO_CONFIG_CHANGED)
		t->isr |= ISR_CONFIG;
	else if (!pci_msix_enabled(&t->f))
		t->isr |= ISR_QUEUE;
	update_intx(t);
	pci_notify(&t->f, vector_of(t, queue));
}

bool virtio_pci_message(const struct virtio_pci *t, int queue, uint64_t *address, uint32_t *data)
{
	return pci_message(&t->f, vector_of(t, queue), address, data);
}

/* --- Common to both interfaces -------------------------------------------------------- */

static void forget_vectors(struct virtio_pci *t)
{
	t->config_vector = VIRTIO_PCI_NO_VECTOR;
	for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
		t->queue_vector[i] = VIRTIO_PCI_NO_VECTOR;
}

static uint32_t status_read(struct virtio_pci *t)
{
	return t->device->status;
}

static void quiet(void *opaque)
{
	struct virtio_pci *t = opaque;

	t->isr = 0;
	update_intx(t);
	t->f.pending = 0;
	forget_vectors(t);
}

static void set_status(struct virtio_pci *t, uint32_t value)
{
	t->ignored = virtio_set_status(t->device, value);
	if (value == 0)
		quiet(t);
}

static uint32_t isr_read(struct virtio_pci *t)
{
	uint32_t value = t->isr;

	t->isr = 0;
	update_intx(t);
	return value;
}

static struct virtq *selected(struct virtio_pci *t)
{
	struct virtq *q = virtio_queue(t->device, t->queue_sel);

	if (q == NULL)
		t->ignored = "no such queue";
	return q;
}

/* The layout of the selected queue if it can be written now, or NULL. */
static struct virtq_layout *layout(struct virtio_pci *t)
{
	struct virtq *q = selected(t);

	if (q != NULL && virtio_queue_open(t->device, q))
		return &q->at;
	t->ignored = "no such queue, or it is ready";
	return NULL;
}

static uint32_t queue_sel_read(struct virtio_pci *t)
{
	return t->queue_sel;
}

static void queue_sel_write(struct virtio_pci *t, uint32_t value)
{
	t->queue_sel = (uint16_t)value;
}

static uint16_t vector(const struct virtio_pci *t, uint32_t value)
{
	return value < t->f.n_vectors ? (uint16_t)value : VIRTIO_PCI_NO_VECTOR;
}

static uint32_t config_vector_read(struct virtio_pci *t)
{
	return t->config_vector;
}

static void config_vector_write(struct virtio_pci *t, uint32_t value)
{
	t->config_vector = vector(t, value);
}

static uint32_t queue_vector_read(struct virtio_pci *t)
{
	return selected(t) != NULL ? t->queue_vector[t->queue_sel] : VIRTIO_PCI_NO_VECTOR;
}

static void queue_vector_write(struct virtio_pci *t, uint32_t value)
{
	if (selected(t) != NULL)
		t->queue_vector[t->queue_sel] = vector(t, value);
}

static void notify(struct virtio_pci *t, uint32_t value)
{
	t->ignored = virtio_kick(t->device, value);
}

static void field_access(struct virtio_pci *t, const struct field *table, unsigned n,
			 struct mmio *m)
{
	for (unsigned i = 0; i < n; i++) {
		const struct field *r = &table[i];

		if (m->offset != r->offset || m->size != r->bytes)
			continue;
		if (!m->write)
			m->value = r->read != NULL ? r->read(t) : 0;
		else if (r->write != NULL)
			r->write(t, (uint32_t)(m->value & mmio_mask(m)));
		else
			t->ignored = "read-only register";
		return;
	}
	t->ignored = "no such register of this width";
}

static void config_access(struct virtio_pci *t, uint64_t offset, struct mmio *m)
{
	if (m->write)
		t->ignored = virtio_config_write(t->device, offset, m->size,
						 m->value & mmio_mask(m));
	else
		t->ignored = virtio_config_read(t->device, offset, m->size, &m->value);
}

/* --- Modern ------------------------------------------------------------------------------- */

static uint32_t device_sel_read(struct virtio_pci *t)
{
	return t->device_sel;
}

static void device_sel_write(struct virtio_pci *t, uint32_t value)
{
	t->device_sel = value;
}

static uint32_t device_feature(struct virtio_pci *t)
{
	return virtio_offered_word(t->device, t->device_sel);
}

static uint32_t driver_sel_read(struct virtio_pci *t)
{
	return t->driver_sel;
}

static void driver_sel_write(struct virtio_pci *t, uint32_t value)
{
	t->driver_sel = value;
}

static uint32_t driver_feature_read(struct virtio_pci *t)
{
	return t->driver_sel > 1 ? 0 : (uint32_t)(t->device->features >> (t->driver_sel * 32));
}

static void driver_feature_write(struct virtio_pci *t, uint32_t value)
{
	t->ignored = virtio_take_features_word(t->device, t->driver_sel, value);
}

static uint32_t num_queues(struct virtio_pci *t)
{
	return t->device->class->n_queues;
}

static uint32_t generation(struct virtio_pci *t)
{
	return t->device->generation & 0xff;
}

/* Unless the driver says otherwise, a queue has the size that is offered. */
static uint32_t queue_size_read(struct virtio_pci *t)
{
	const struct virtq *q = selected(t);

	return q == NULL ? 0 : q->at.size != 0 ? q->at.size
					       : t->device->class->queue_size;
}

static void queue_size_write(struct virtio_pci *t, uint32_t value)
{
	struct virtq_layout *at = layout(t);

	if (at != NULL)
		at->size = value;
}

static uint32_t queue_enable_read(struct virtio_pci *t)
{
	const struct virtq *q = selected(t);

	return q != NULL && q->ready;
}

static void queue_enable_write(struct virtio_pci *t, uint32_t value)
{
	struct virtq *q = selected(t);

	if (q == NULL)
		return;
	if (value != 1) {
		t->ignored = "a queue can be enabled only";
		return;
	}
	if (!q->ready && q->at.size == 0)
		q->at.size = t->device->class->queue_size;
	t->ignored = virtio_queue_start(t->device, q);
}

static uint32_t queue_notify_off(struct virtio_pci *t)
{
	return t->queue_sel;
}

static void set_half(uint64_t *word, unsigned half, uint32_t value)
{
	*word = (*word & ~(0xffffffffull << (32 * half))) | (uint64_t)value << (32 * half);
}

#define QUEUE_ADDRESS(name, half)                                               \
	static uint32_t name##_##half##_read(struct virtio_pci *t)              \
	{                                                                       \
		const struct virtq *q = selected(t);                            \
                                                                                \
		return q == NULL ? 0 : (uint32_t)(q->at.name >> (32 * half));   \
	}                                                                       \
	static void name##_##half##_write(struct virtio_pci *t, uint32_t value) \
	{                                                                       \
		struct virtq_layout *at = layout(t);                            \
                                                                                \
		if (at != NULL)                                                 \
			set_half(&at->name, half, value);                       \
	}
QUEUE_ADDRESS(desc, 0)
QUEUE_ADDRESS(desc, 1)
QUEUE_ADDRESS(driver, 0)
QUEUE_ADDRESS(driver, 1)
QUEUE_ADDRESS(device, 0)
QUEUE_ADDRESS(device, 1)

#define COMMON_ADDRESSES 0x20u
#define COMMON_BYTES 0x38u
static const struct field common[] = {
	{ 0x00, 4, device_sel_read, device_sel_write },
	{ 0x04, 4, device_feature, NULL },
	{ 0x08, 4, driver_sel_read, driver_sel_write },
	{ 0x0c, 4, driver_feature_read, driver_feature_write },
	{ 0x10, 2, config_vector_read, config_vector_write },
	{ 0x12, 2, num_queues, NULL },
	{ 0x14, 1, status_read, set_status },
	{ 0x15, 1, generation, NULL },
	{ 0x16, 2, queue_sel_read, queue_sel_write },
	{ 0x18, 2, queue_size_read, queue_size_write },
	{ 0x1a, 2, queue_vector_read, queue_vector_write },
	{ 0x1c, 2, queue_enable_read, queue_enable_write },
	{ 0x1e, 2, queue_notify_off, NULL },
	{ 0x20, 4, desc_0_read, desc_0_write },
	{ 0x24, 4, desc_1_read, desc_1_write },
	{ 0x28, 4, driver_0_read, driver_0_write },
	{ 0x2c, 4, driver_1_read, driver_1_write },
	{ 0x30, 4, device_0_read, device_0_write },
	{ 0x34, 4, device_1_read, device_1_write },
};

/* A queue's address may be written whole, as some drivers do, though 4.1.3.1 has them write
 * its halves. */
static void common_access(struct virtio_pci *t, struct mmio *m)
{
	struct mmio low = *m, high = *m;

	if (m->size != 8 || m->offset < COMMON_ADDRESSES || m->offset >= COMMON_BYTES) {
		field_access(t, common, ARRAY_SIZE(common), m);
		return;
	}
	low.size = high.size = 4;
	high.offset += 4;
	high.value >>= 32;
	field_access(t, common, ARRAY_SIZE(common), &low);
	field_access(t, common, ARRAY_SIZE(common), &high);
	m->value = low.value | high.value << 32;
}

static void notify_access(struct virtio_pci *t, uint32_t offset, const struct mmio *m)
{
	if (!m->write || m->size > 4 || offset % NOTIFY_MULTIPLIER != 0)
		t->ignored = "a queue is kicked by a word at its place";
	else
		notify(t, offset / NOTIFY_MULTIPLIER);
}

static void modern_access(struct virtio_pci *t, struct mmio *m)
{
	uint32_t page = (uint32_t)m->offset / PAGE, offset = (uint32_t)m->offset % PAGE;

	/* It may reset the device, whose driver will be another one then. */
	if (t->device->legacy && m->write &&
	    (m->offset != 0x14 || (m->value & mmio_mask(m)) != 0)) {
		t->ignored = "the driver uses the legacy interface";
		return;
	}
	switch (page + 1) {
	case COMMON: common_access(t, m); break;
	case NOTIFY: notify_access(t, offset, m); break;
	case ISR:
		if (m->write || offset != 0)
			t->ignored = "no such register of this width";
		else
			m->value = isr_read(t);
		break;
	default: config_access(t, offset, m);
	}
}

/* --- Legacy (4.1.4.10) ------------------------------------------------------------------------ */

static uint32_t legacy_features(struct virtio_pci *t)
{
	return (uint32_t)virtio_offered(t->device);
}

static uint32_t legacy_taken(struct virtio_pci *t)
{
	return (uint32_t)t->device->features;
}

/* Of what there is in the queues it may have told before they or the features were there. */
static void legacy_kick(struct virtio_pci *t)
{
	for (unsigned i = 0; i < t->device->class->n_queues; i++)
		if (virtio_live(t->device) && t->device->queue[i].ready)
			(void)virtio_kick(t->device, i);
}

static void legacy_take(struct virtio_pci *t, uint32_t value)
{
	t->ignored = virtio_take_features(t->device, value);
	legacy_kick(t);
}

static uint32_t legacy_queue_size(struct virtio_pci *t)
{
	return selected(t) != NULL ? t->device->class->queue_size : 0;
}

static uint32_t legacy_queue_page(struct virtio_pci *t)
{
	const struct virtq *q = selected(t);

	return q != NULL && q->ready ? (uint32_t)(q->at.desc / LEGACY_PAGE) : 0;
}

/* One page number says it all (2.7.2): the rings lie behind each other. */
static void legacy_set_queue_page(struct virtio_pci *t, uint32_t value)
{
	struct virtq *q = selected(t);

	if (q == NULL)
		return;
	if (value == 0) {
		virtio_queue_stop(t->device, q);
		return;
	}
	if (!virtio_queue_open(t->device, q)) {
		t->ignored = "the queue is ready already, or the device needs a reset";
		return;
	}
	q->at.size = t->device->class->queue_size;
	q->at.desc = (uint64_t)value * LEGACY_PAGE;
	q->at.driver = q->at.desc + 16ull * q->at.size;
	q->at.device = align_up_u64(q->at.driver + 6 + 2ull * q->at.size, LEGACY_PAGE);
	t->ignored = virtio_queue_start(t->device, q);
}

static void legacy_set_status(struct virtio_pci *t, uint32_t value)
{
	set_status(t, value);
	legacy_kick(t);
}

static const struct field legacy[] = {
	{ 0x00, 4, legacy_features, NULL },
	{ 0x04, 4, legacy_taken, legacy_take },
	{ 0x08, 4, legacy_queue_page, legacy_set_queue_page },
	{ 0x0c, 2, legacy_queue_size, NULL },
	{ 0x0e, 2, queue_sel_read, queue_sel_write },
	{ LEGACY_NOTIFY, 2, NULL, notify },
	{ LEGACY_STATUS, 1, status_read, legacy_set_status },
	{ 0x13, 1, isr_read, NULL },
};
static const struct field legacy_msix[] = {
	{ 0x14, 2, config_vector_read, config_vector_write },
	{ 0x16, 2, queue_vector_read, queue_vector_write },
};

/* The first step of a driver, which may find the device as a modern one left it. */
static bool is_legacy_reset(const struct mmio *m)
{
	return m->write && m->offset == LEGACY_STATUS && m->size == 1 &&
	       (m->value & mmio_mask(m)) == 0;
}

static void legacy_access(struct virtio_pci *t, struct mmio *m)
{
	unsigned config = pci_msix_enabled(&t->f) ? 0x18 : 0x14;

	/* A modern driver may kick there (virtio_pci_kick_by_port). */
	if (m->write && m->offset == LEGACY_NOTIFY && m->size == 2 && t->by_port &&
	    !t->device->legacy) {
		notify(t, (uint32_t)(m->value & mmio_mask(m)));
		return;
	}
	if (m->write && !is_legacy_reset(m))
		t->ignored = virtio_make_legacy(t->device);
	if (t->ignored != NULL)
		return;
	if (m->offset >= config)
		config_access(t, m->offset - config, m);
	else if (m->offset >= 0x14)
		field_access(t, legacy_msix, ARRAY_SIZE(legacy_msix), m);
	else
		field_access(t, legacy, ARRAY_SIZE(legacy), m);
}

/* --- PCI ------------------------------------------------------------------------------------- */

static enum mmio_outcome access(void *device, unsigned bar, struct mmio *m)
{
	struct virtio_pci *t = device;

	t->ignored = NULL;
	if (bar == BAR_LEGACY)
		legacy_access(t, m);
	else
		modern_access(t, m);
	if (t->ignored != NULL)
		return mmio_ignore(m, t->ignored);
	return m->write ? MMIO_HANDLED : mmio_done(m, m->value);
}

/* --- A window on a BAR in configuration space (4.1.4.9) ------------------------------ */

#define WINDOW_BAR 4u
#define WINDOW_OFFSET 8u
#define WINDOW_LENGTH 12u
#define WINDOW_DATA 16u
#define WINDOW_BYTES 20u

static uint64_t window_bytes(const struct virtio_pci *t, unsigned bar)
{
	if (bar == BAR_LEGACY && t->device->class->legacy)
		return LEGACY_BYTES;
	return bar == BAR_MODERN ? MODERN_BYTES : 0;
}

static void config(void *device, uint32_t offset, uint32_t bytes, bool write)
{
	struct virtio_pci *t = device;
	uint8_t *cap = t->f.config + t->window;
	const uint32_t length = load_le32(cap + WINDOW_LENGTH), data = load_le32(cap + WINDOW_DATA);
	const unsigned bar = cap[WINDOW_BAR];
	struct mmio m = { .offset = load_le32(cap + WINDOW_OFFSET), .write = write, .value = data };

	/* However little of the data is touched: the access is one of `length` bytes. */
	if (offset >= t->window + WINDOW_BYTES || offset + bytes <= t->window + WINDOW_DATA ||
	    (length != 1 && length != 2 && length != 4))
		return;
	m.size = (uint8_t)length;
	if (!mmio_valid(&m) || m.offset >= window_bytes(t, bar))
		return;
	(void)access(t, bar, &m);
	if (!write) /* the first `length` bytes; the others stay */
		store_le32(cap + WINDOW_DATA, (data & ~(uint32_t)mmio_mask(&m)) |
						      (uint32_t)(m.value & mmio_mask(&m)));
}

/* struct virtio_pci_cap. */
static uint32_t add_structure(struct virtio_pci *t, uint8_t type, uint32_t offset, uint32_t length,
			      uint32_t bytes)
{
	uint32_t at = pci_add_capability(&t->f, PCI_CAP_VENDOR, bytes);
	uint8_t *cap = t->f.config + at;

	cap[2] = (uint8_t)bytes;
	cap[3] = type;
	cap[WINDOW_BAR] = BAR_MODERN;
	store_le32(cap + WINDOW_OFFSET, offset);
	store_le32(cap + WINDOW_LENGTH, length);
	return at;
}

static uint32_t add_notify(struct virtio_pci *t)
{
	uint32_t at = add_structure(t, NOTIFY, (NOTIFY - 1) * PAGE, PAGE, 20);

	store_le32(t->f.config + at + 16, NOTIFY_MULTIPLIER);
	return at;
}

/* Whole pages: how many queues and bytes of configuration there are, the device
 * says, and one that is served elsewhere may do so later. */
static void add_structures(struct virtio_pci *t)
{
	(void)add_structure(t, COMMON, (COMMON - 1) * PAGE, PAGE, 16);
	(void)add_structure(t, ISR, (ISR - 1) * PAGE, PAGE, 16);
	(void)add_structure(t, DEVICE, (DEVICE - 1) * PAGE, PAGE, 16);
	t->notify = add_notify(t);
	t->window = add_structure(t, WINDOW, 0, 0, WINDOW_BYTES);
	t->f.writable[t->window + WINDOW_BAR] = 0xff;
	for (unsigned i = WINDOW_OFFSET; i < WINDOW_BYTES; i++)
		t->f.writable[t->window + i] = 0xff;
}

/* Class codes as QEMU has them; what has none of its own is "other". */
static uint32_t class_code(uint32_t id)
{
	switch (id) {
	case 1: return 0x020000; /* network */
	case 2: return 0x010000; /* storage */
	case 3: return 0x078000; /* communication */
	default: return 0x00ff00;
	}
}

static uint16_t transitional_id(uint32_t id)
{
	/* Table of 4.1.2.1: by type. */
	static const uint8_t ids[] = { [1] = 0, [2] = 1, [5] = 2, [3] = 3, [4] = 5 };

	return (uint16_t)(TRANSITIONAL_ID + (id < ARRAY_SIZE(ids) ? ids[id] : 0));
}

void virtio_pci_init(struct virtio_pci *t, struct virtio *device, const struct pci_env *env)
{
	static const struct pci_class class = { access, config };
	const struct virtio_class *kind = device->class;
	const struct pci_identity id = {
		.vendor = VENDOR,
		.device = kind->legacy ? transitional_id(kind->id)
				       : (uint16_t)(MODERN_ID + kind->id),
		.subsystem_vendor = VENDOR,
		.subsystem = (uint16_t)(kind->legacy ? kind->id : MODERN_SUBSYSTEM + kind->id),
		.revision = kind->legacy ? 0 : 1,
		.class_code = class_code(kind->id),
	};

	*t = (struct virtio_pci){ .device = device };
	forget_vectors(t);
	pci_init(&t->f, &id, &class, t, env);
	if (kind->legacy)
		pci_add_bar(&t->f, BAR_LEGACY, LEGACY_BYTES, true);
	pci_add_msix(&t->f, BAR_MSIX, VIRTIO_MAX_QUEUES + 1);
	pci_add_bar(&t->f, BAR_MODERN, MODERN_BYTES, false);
	add_structures(t);
	device->transport = (struct virtio_transport){ t, interrupt, quiet };
}

/* Drivers take the first structure that they can use (4.1.4). */
void virtio_pci_kick_by_port(struct virtio_pci *t)
{
	uint8_t *cap = t->f.config + t->notify;

	if (!t->device->class->legacy || t->by_port)
		return;
	t->by_port = true;
	cap[WINDOW_BAR] = BAR_LEGACY;
	store_le32(cap + WINDOW_OFFSET, LEGACY_NOTIFY);
	store_le32(cap + WINDOW_LENGTH, 2);
	store_le32(cap + 16, 0);
	(void)add_notify(t);
}

bool virtio_pci_kick_port(const struct virtio_pci *t, uint32_t *port)
{
	*port = (uint32_t)t->f.base[BAR_LEGACY] + LEGACY_NOTIFY;
	return t->by_port && t->f.base[BAR_LEGACY] != PCI_BAR_NONE;
}
