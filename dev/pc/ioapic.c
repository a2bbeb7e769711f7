#include <dev/pc/ioapic.h>

/* 82093AA 3.1: the three registers that are there; and the EOI register. */
#define IOREGSEL 0x00u
#define IOWIN 0x10u
#define EOI 0x40u
/* 3.2: what IOREGSEL selects. */
#define IOAPICID 0x00u
#define IOAPICVER 0x01u
#define IOAPICARB 0x02u
#define IOREDTBL 0x10u
#define VERSION 0x20u

#define ENTRY_LOGICAL (1ull << 11)
#define ENTRY_REMOTE_IRR (1ull << 14)
#define ENTRY_LEVEL (1ull << 15)
#define ENTRY_MASKED (1ull << 16)
/* Not delivery status and remote IRR. */
#define ENTRY_WRITABLE 0xff0000000001afffull

/* 3.2.4: only what goes by vector can be sensed by level. */
static bool by_level(uint64_t entry)
{
	return (entry & ENTRY_LEVEL) && (entry >> 8 & 7) <= APIC_LOWEST;
}

static void send(struct ioapic *io, uint64_t entry)
{
	uint32_t to = (uint32_t)(entry >> 56);
	bool logical = entry & ENTRY_LOGICAL;

	io->env.send(io->env.opaque, &(struct apic_message){
					     .destination = to == 0xff && !logical ? APIC_BROADCAST
										   : to,
					     .logical = logical,
					     .mode = entry >> 8 & 7,
					     .vector = (uint8_t)entry,
					     .level = by_level(entry),
				     });
}

/* A pin that is sensed by level sends once until its EOI. */
static void sense(struct ioapic *io, unsigned pin)
{
	uint64_t entry = io->entry[pin];

	if (!by_level(entry) || (entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) ||
	    !(io->lines >> pin & 1))
		return;
	io->entry[pin] |= ENTRY_REMOTE_IRR;
	send(io, entry);
}

void ioapic_set_line(struct ioapic *io, unsigned pin, bool level)
{
	bool rises;

	if (pin >= IOAPIC_PINS)
		return;
	rises = level && !(io->lines >> pin & 1);
	io->lines = (io->lines & ~(1u << pin)) | (uint32_t)level << pin;
	if (rises && !by_level(io->entry[pin]) && !(io->entry[pin] & ENTRY_MASKED))
		send(io, io->entry[pin]);
	sense(io, pin);
}

void ioapic_eoi(struct ioapic *io, uint8_t vector)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		if ((uint8_t)io->entry[pin] != vector || !(io->entry[pin] & ENTRY_REMOTE_IRR))
			continue;
		io->entry[pin] &= ~ENTRY_REMOTE_IRR;
		sense(io, pin);
	}
}

static uint32_t window_read(const struct ioapic *io)
{
	unsigned i = io->select - IOREDTBL;

	if (i < 2 * IOAPIC_PINS)
		return (uint32_t)(io->entry[i / 2] >> (i % 2 * 32));
	switch (io->select) {
	case IOAPICID:
	case IOAPICARB: return (uint32_t)io->id << 24;
	case IOAPICVER: return (IOAPIC_PINS - 1) << 16 | VERSION;
	default: return 0;
	}
}

static void entry_write(struct ioapic *io, unsigned i, uint32_t value)
{
	uint64_t *entry = &io->entry[i / 2], mask = ENTRY_WRITABLE & 0xffffffffull << i % 2 * 32;

	*entry = (*entry & ~mask) | ((uint64_t)value << i % 2 * 32 & mask);
	/* What comes by edge waits for no EOI: how drivers clear it by hand. */
	if (!by_level(*entry))
		*entry &= ~ENTRY_REMOTE_IRR;
	sense(io, i / 2);
}

static void window_write(struct ioapic *io, uint32_t value)
{
	unsigned i = io->select - IOREDTBL;

	if (i < 2 * IOAPIC_PINS)
		entry_write(io, i, value);
	else if (io->select == IOAPICID)
		io->id = value >> 24 & 15;
}

enum mmio_outcome ioapic_access(struct ioapic *io, struct mmio *m)
{
	if (m->size > 4)
		return mmio_ignore(m, "access size");
	switch (m->offset) {
	case IOREGSEL:
		if (!m->write)
			return mmio_done(m, io->select);
		io->select = (uint8_t)m->value;
		return MMIO_HANDLED;
	case IOWIN:
		if (!m->write)
			return mmio_done(m, window_read(io));
		if (m->size != 4)
			return mmio_ignore(m, "access size");
		window_write(io, (uint32_t)m->value);
		return MMIO_HANDLED;
	case EOI:
		if (!m->write)
			return mmio_done(m, 0);
		ioapic_eoi(io, (uint8_t)m->value);
		return MMIO_HANDLED;
	default:
		return mmio_ignore(m, "no such register");
	}
}

void ioapic_reset(struct ioapic *io)
{
	io->select = 0;
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		io->entry[i] = ENTRY_MASKED;
}

void ioapic_init(struct ioapic *io, const struct ioapic_env *env, uint8_t id)
{
	*io = (struct ioapic){ .env = *env, .id = id & 15 };
	ioapic_reset(io);
}
