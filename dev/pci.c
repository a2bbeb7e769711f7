#include <dev/pci.h>

#include <selvage/base.h>
#include <string.h>

#define VENDOR 0x00u
#define STATUS_CAPABILITIES (1u << 4)
#define COMMAND_WRITABLE \
	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX)
#define BAR_IO (1u << 0)
#define SUBSYSTEM 0x2cu
#define CACHE_LINE 0x0cu
#define CAPABILITIES_BASE 0x40u

/* MSI-X: capability (6.8.2.3), table entries (6.8.2.9), in BAR: pending bits. */
#define MSIX_CONTROL 2u
#define MSIX_ENABLE (1u << 15)
#define MSIX_MASK_ALL (1u << 14)
#define MSIX_TABLE 4u
#define MSIX_PENDING 8u
#define MSIX_CAP_BYTES 12u
#define ENTRY_BYTES 16u
#define ENTRY_ADDRESS 0u
#define ENTRY_ADDRESS_HIGH 1u
#define ENTRY_DATA 2u
#define ENTRY_CONTROL 3u
#define ENTRY_MASKED 1u
#define PENDING_AT 0x800u

/* --- MSI-X ---------------------------------------------------------------------------- */

static uint32_t msix_control(const struct pci_function *f)
{
	return f->msix == 0 ? 0 : load_le16(f->config + f->msix + MSIX_CONTROL);
}

bool pci_msix_enabled(const struct pci_function *f)
{
	return (msix_control(f) & MSIX_ENABLE) != 0;
}

bool pci_message(const struct pci_function *f, unsigned vector, uint64_t *address, uint32_t *data)
{
	const uint32_t *word;

	if (vector >= f->n_vectors || !(load_le16(f->config + PCI_COMMAND) & PCI_COMMAND_MASTER) ||
	    (msix_control(f) & (MSIX_ENABLE | MSIX_MASK_ALL)) != MSIX_ENABLE)
		return false;
	word = f->vector[vector].word;
	*address = (uint64_t)word[ENTRY_ADDRESS_HIGH] << 32 | word[ENTRY_ADDRESS];
	*data = word[ENTRY_DATA];
	return (word[ENTRY_CONTROL] & ENTRY_MASKED) == 0;
}

void pci_notify(struct pci_function *f, unsigned vector)
{
	uint64_t address;
	uint32_t data;

	if (vector >= f->n_vectors || !pci_msix_enabled(f))
		return;
	if (!pci_message(f, vector, &address, &data)) {
		f->pending |= 1u << vector;
		return;
	}
	f->pending &= ~(1u << vector);
	f->env.send(f->env.opaque, address, data);
}

/* Masks or enables have changed: what waited may go. */
static void send_pending(struct pci_function *f)
{
	if (!pci_msix_enabled(f))
		f->pending = 0;
	for (uint32_t left = f->pending; left != 0; left &= left - 1)
		pci_notify(f, (unsigned)__builtin_ctz(left));
}

static uint32_t msix_word(const struct pci_function *f, uint64_t offset)
{
	if (offset < f->n_vectors * ENTRY_BYTES)
		return f->vector[offset / ENTRY_BYTES].word[offset % ENTRY_BYTES / 4];
	return offset == PENDING_AT ? f->pending : 0;
}

static void set_msix_word(struct pci_function *f, uint64_t offset, uint32_t value)
{
	unsigned i = offset % ENTRY_BYTES / 4;

	if (offset >= f->n_vectors * ENTRY_BYTES)
		return;
	if (i == ENTRY_CONTROL)
		value &= ENTRY_MASKED;
	if (i == ENTRY_ADDRESS)
		value &= ~3u;
	f->vector[offset / ENTRY_BYTES].word[i] = value;
	send_pending(f);
}

static enum mmio_outcome msix_access(struct pci_function *f, struct mmio *m)
{
	if (m->size < 4)
		return mmio_ignore(m, "MSI-X tables are read and written by words");
	if (m->offset >= f->n_vectors * ENTRY_BYTES &&
	    (m->write || m->offset / 8 != PENDING_AT / 8))
		return mmio_ignore(m, "no such MSI-X vector");
	if (!m->write)
		return mmio_done(m, msix_word(f, m->offset) |
					    (uint64_t)msix_word(f, m->offset + 4) << 32);
	set_msix_word(f, m->offset, (uint32_t)m->value);
	if (m->size == 8)
		set_msix_word(f, m->offset + 4, (uint32_t)(m->value >> 32));
	return MMIO_HANDLED;
}

/* --- INTx ------------------------------------------------------------------------------- */

static void update_intx(struct pci_function *f)
{
	uint16_t status = load_le16(f->config + PCI_STATUS) & (uint16_t)~PCI_STATUS_INTX;
	bool line = f->intx && !pci_msix_enabled(f) &&
		    !(load_le16(f->config + PCI_COMMAND) & PCI_COMMAND_NO_INTX);

	store_le16(f->config + PCI_STATUS, status | (f->intx ? PCI_STATUS_INTX : 0));
	if (line == f->line)
		return;
	f->line = line;
	f->env.set_intx(f->env.opaque, line);
}

void pci_set_intx(struct pci_function *f, bool level)
{
	f->intx = level;
	update_intx(f);
}

/* --- Configuration space ------------------------------------------------------------------ */

void pci_init(struct pci_function *f, const struct pci_identity *id,
	      const struct pci_class *class, void *device, const struct pci_env *env)
{
	memset(f, 0, sizeof(*f));
	f->class = class;
	f->device = device;
	f->env = *env;
	f->cap_end = CAPABILITIES_BASE;
	for (unsigned i = 0; i < PCI_BARS; i++)
		f->base[i] = PCI_BAR_NONE;
	store_le16(f->config + VENDOR, id->vendor);
	store_le16(f->config + VENDOR + 2, id->device);
	store_le32(f->config + 0x08, id->class_code << 8 | id->revision);
	store_le16(f->config + SUBSYSTEM, id->subsystem_vendor);
	store_le16(f->config + SUBSYSTEM + 2, id->subsystem);
	f->config[PCI_INTERRUPT_PIN] = 1;
	store_le16(f->writable + PCI_COMMAND, COMMAND_WRITABLE);
	f->writable[CACHE_LINE] = f->writable[PCI_INTERRUPT_LINE] = 0xff;
}

void pci_add_bar(struct pci_function *f, unsigned bar, uint32_t bytes, bool io)
{
	f->bar_bytes[bar] = bytes;
	f->config[PCI_BAR(bar)] = io ? BAR_IO : 0;
	store_le32(f->writable + PCI_BAR(bar), ~(bytes - 1));
}

uint32_t pci_add_capability(struct pci_function *f, uint8_t id, uint32_t bytes)
{
	uint8_t at = f->cap_end;

	f->config[at] = id;
	f->config[f->cap_last == 0 ? PCI_CAPABILITIES : f->cap_last + 1u] = at;
	f->config[PCI_STATUS] |= STATUS_CAPABILITIES;
	f->cap_last = at;
	f->cap_end = (uint8_t)(at + align_up_u64(bytes, 4));
	return at;
}

void pci_add_msix(struct pci_function *f, unsigned bar, unsigned n_vectors)
{
	f->msix = (uint8_t)pci_add_capability(f, PCI_CAP_MSIX, MSIX_CAP_BYTES);
	f->msix_bar = (uint8_t)bar;
	f->n_vectors = min_u32(n_vectors, PCI_MAX_VECTORS);
	store_le16(f->config + f->msix + MSIX_CONTROL, (uint16_t)(f->n_vectors - 1));
	store_le16(f->writable + f->msix + MSIX_CONTROL, MSIX_ENABLE | MSIX_MASK_ALL);
	store_le32(f->config + f->msix + MSIX_TABLE, bar);
	store_le32(f->config + f->msix + MSIX_PENDING, PENDING_AT | bar);
	pci_add_bar(f, bar, PCI_MSIX_BYTES, false);
	for (unsigned i = 0; i < f->n_vectors; i++)
		f->vector[i].word[ENTRY_CONTROL] = ENTRY_MASKED;
}

static void decode_bars(struct pci_function *f)
{
	uint16_t command = load_le16(f->config + PCI_COMMAND);

	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint32_t at = load_le32(f->config + PCI_BAR(i));
		bool on = (command & (at & BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)) != 0;

		f->base[i] = f->bar_bytes[i] != 0 && on ? at & ~(f->bar_bytes[i] - 1)
							: PCI_BAR_NONE;
	}
}

void pci_drop_msix(struct pci_function *f)
{
	if (f->msix == 0)
		return;
	f->config[f->msix] = PCI_CAP_NULL;
	store_le16(f->writable + f->msix + MSIX_CONTROL, 0);
}

void pci_assign(struct pci_function *f, uint32_t *memory, uint32_t *io, uint8_t line)
{
	for (unsigned i = 0; i < PCI_BARS; i++) {
		uint8_t *bar = f->config + PCI_BAR(i);
		uint32_t *next = *bar & BAR_IO ? io : memory;

		if (f->bar_bytes[i] == 0)
			continue;
		*next = (uint32_t)align_up_u64(*next, f->bar_bytes[i]);
		store_le32(bar, *next | (*bar & BAR_IO));
		*next += f->bar_bytes[i];
	}
	f->config[PCI_INTERRUPT_LINE] = line;
	store_le16(f->config + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	decode_bars(f);
}

static void config_write(struct pci_function *f, uint32_t offset, uint32_t bytes, uint64_t value)
{
	for (uint32_t i = 0; i < bytes; i++) {
		uint8_t mask = f->writable[offset + i];

		f->config[offset + i] =
			(uint8_t)((f->config[offset + i] & ~mask) | (value >> (8 * i) & mask));
	}
	decode_bars(f);
	update_intx(f);
	send_pending(f);
}

static uint64_t config_read(const struct pci_function *f, uint32_t offset, uint32_t bytes)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < bytes; i++)
		value |= (uint64_t)f->config[offset + i] << (8 * i);
	return value;
}

enum mmio_outcome pci_ecam_access(struct pci_host *h, struct mmio *m)
{
	/* Bus, device, function and register; there are bus 0 and function 0. */
	struct pci_function *f = m->offset >> 20 == 0 && (m->offset >> 12 & 7) == 0
					 ? h->slot[m->offset >> 15 & (PCI_SLOTS - 1)]
					 : NULL;
	uint32_t offset = m->offset & 0xfff;

	if (f == NULL)
		return mmio_done(m, UINT64_MAX);
	if (m->size > 4)
		return mmio_ignore(m, "access size");
	/* There is no extended space: an empty list of capabilities. */
	if (offset >= PCI_CONFIG_BYTES)
		return mmio_done(m, 0);
	if (m->write)
		config_write(f, offset, m->size, m->value);
	if (f->class->config != NULL)
		f->class->config(f->device, offset, m->size, m->write);
	return m->write ? MMIO_HANDLED : mmio_done(m, config_read(f, offset, m->size));
}

/* --- Windows -------------------------------------------------------------------------------- */

static bool decodes(const struct pci_function *f, unsigned bar, bool io, uint64_t at)
{
	return f->base[bar] != PCI_BAR_NONE && at - f->base[bar] < f->bar_bytes[bar] &&
	       ((f->config[PCI_BAR(bar)] & BAR_IO) != 0) == io;
}

static bool find(struct pci_host *h, bool io, uint64_t at)
{
	if (h->last != NULL && decodes(h->last, h->last_bar, io, at))
		return true;
	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		for (unsigned bar = 0; h->slot[i] != NULL && bar < PCI_BARS; bar++) {
			if (!decodes(h->slot[i], bar, io, at))
				continue;
			h->last = h->slot[i];
			h->last_bar = bar;
			return true;
		}
	}
	return false;
}

static enum mmio_outcome window_access(struct pci_host *h, bool io, uint64_t start, struct mmio *m)
{
	struct pci_function *f;

	if (!find(h, io, start + m->offset)) {
		m->value = m->write ? m->value : mmio_mask(m);
		m->reason = "no PCI function decodes this address";
		return MMIO_IGNORED;
	}
	f = h->last;
	m->offset += start - f->base[h->last_bar];
	/* A BAR of I/O ports may be smaller than the access. */
	if (m->offset + m->size > f->bar_bytes[h->last_bar])
		return mmio_ignore(m, "access over the end of a BAR");
	if (f->msix != 0 && h->last_bar == f->msix_bar)
		return msix_access(f, m);
	return f->class->access(f->device, h->last_bar, m);
}

enum mmio_outcome pci_memory_access(struct pci_host *h, struct mmio *m)
{
	return window_access(h, false, h->memory, m);
}

enum mmio_outcome pci_io_access(struct pci_host *h, struct mmio *m)
{
	return window_access(h, true, h->io, m);
}

void pci_host_init(struct pci_host *h, uint64_t memory, uint64_t io)
{
	*h = (struct pci_host){ .memory = memory, .io = io };
}

void pci_plug(struct pci_host *h, unsigned slot, struct pci_function *f)
{
	h->slot[slot] = f;
}
