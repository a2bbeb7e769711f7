#include <selvage/pcibus.h>

#include <selvage/base.h>
#include <stddef.h>

/* Configuration space (6.1, 6.2.5, 6.7; bridges: PCI-to-PCI Bridge 1.2, 3.2). */
#define ID 0x00u
#define COMMAND 0x04u
#define COMMAND_IO (1u << 0)
#define COMMAND_MEMORY (1u << 1)
#define COMMAND_MASTER (1u << 2)
#define COMMAND_NO_INTX (1u << 10)
#define STATUS_MASK 0xffff0000u /* whose bits go by writing them */
#define STATUS_CAPABILITIES (1u << 20)
#define CLASS 0x08u
#define HEADER 0x0cu
#define HEADER_KIND 0x7fu
#define HEADER_SEVERAL 0x80u
#define BAR(n) (0x10u + 4u * (n))
#define BAR_IO 1u
#define BAR_KIND 6u
#define BAR_64 4u
#define BAR_FLAGS 15u
#define BUSES 0x18u
#define SUBSYSTEM 0x2cu
#define CAPABILITIES 0x34u
#define INTERRUPT 0x3cu
#define FIRST_CAPABILITY 0x40u

#define BRIDGE 1u
#define CLASS_BRIDGE 0x060400u
#define BUSES_MAX 256u

static uint32_t rd(const struct pcibus *b, const struct pcibus_function *f, uint32_t offset)
{
	return b->read(b->opaque, f->address, offset);
}

static void wr(const struct pcibus *b, const struct pcibus_function *f, uint32_t offset,
	       uint32_t value)
{
	b->write(b->opaque, f->address, offset, value);
}

/* --- What there is ------------------------------------------------------------------------ */

struct search {
	const struct pcibus *bus;
	struct pcibus_function *found;
	unsigned n, most;
	uint64_t known[BUSES_MAX / 64]; /* buses: each is looked at once */
	uint8_t waiting[BUSES_MAX];
	unsigned n_waiting;
};

static void add_bus(struct search *s, uint8_t bus)
{
	if (s->known[bus / 64] & bit_u64(bus % 64))
		return;
	s->known[bus / 64] |= bit_u64(bus % 64);
	s->waiting[s->n_waiting++] = bus;
}

static bool identify(const struct pcibus *b, uint16_t address, struct pcibus_function *f)
{
	uint32_t id, header;

	*f = (struct pcibus_function){ .address = address };
	id = rd(b, f, ID);
	if ((id & 0xffff) == 0xffff || id == 0)
		return false;
	header = rd(b, f, HEADER) >> 16;
	f->vendor = (uint16_t)id;
	f->device = (uint16_t)(id >> 16);
	f->class = rd(b, f, CLASS) >> 8;
	f->header = (uint8_t)(header & HEADER_KIND);
	f->subsystem = f->header == 0 ? (uint16_t)(rd(b, f, SUBSYSTEM) >> 16) : 0;
	f->line = (uint8_t)rd(b, f, INTERRUPT);
	return true;
}

/* True: its other functions may be there. */
static bool look_at(struct search *s, uint16_t address)
{
	struct pcibus_function f;

	if (!identify(s->bus, address, &f))
		return PCIBUS_FUNCTION(address) != 0;
	if (f.header == BRIDGE && f.class >> 8 == CLASS_BRIDGE >> 8)
		add_bus(s, (uint8_t)(rd(s->bus, &f, BUSES) >> 8));
	if (s->n < s->most)
		s->found[s->n++] = f;
	return PCIBUS_FUNCTION(address) != 0 ||
	       (rd(s->bus, &f, HEADER) >> 16 & HEADER_SEVERAL) != 0;
}

unsigned pcibus_find(const struct pcibus *b, struct pcibus_function *found, unsigned most)
{
	struct search s = { .bus = b, .found = found, .most = most };

	add_bus(&s, 0);
	for (unsigned i = 0; i < s.n_waiting; i++)
		for (unsigned device = 0; device < 32; device++)
			for (unsigned function = 0; function < 8; function++)
				if (!look_at(&s, PCIBUS_ADDRESS(s.waiting[i], device, function)))
					break;
	return s.n;
}

/* --- Registers ---------------------------------------------------------------------------- */

static uint32_t command(const struct pcibus *b, const struct pcibus_function *f)
{
	return rd(b, f, COMMAND) & ~STATUS_MASK;
}

/* What its bits say when all of them are written: which are the address's. */
static uint32_t probe(const struct pcibus *b, const struct pcibus_function *f, uint32_t offset)
{
	uint32_t was = rd(b, f, offset), mask;

	wr(b, f, offset, UINT32_MAX);
	mask = rd(b, f, offset);
	wr(b, f, offset, was);
	return mask;
}

static unsigned n_bars(const struct pcibus_function *f)
{
	return f->header == 0 ? 6 : f->header == BRIDGE ? 2
							: 0;
}

bool pcibus_bar(const struct pcibus *b, const struct pcibus_function *f, unsigned n,
		struct pcibus_bar *bar)
{
	uint32_t low, was;
	uint64_t mask, at;
	bool wide;

	if (n >= n_bars(f))
		return false;
	low = rd(b, f, BAR(n));
	wide = (low & BAR_KIND) == BAR_64;
	if ((low & BAR_IO) || (wide && n + 1 >= n_bars(f)))
		return false;
	was = command(b, f);
	wr(b, f, COMMAND, was & ~(COMMAND_IO | COMMAND_MEMORY));
	mask = probe(b, f, BAR(n)) & ~BAR_FLAGS;
	mask |= wide ? (uint64_t)probe(b, f, BAR(n + 1)) << 32 : 0xffffffffull << 32;
	at = (low & ~BAR_FLAGS) | (wide ? (uint64_t)rd(b, f, BAR(n + 1)) << 32 : 0);
	wr(b, f, COMMAND, was);
	*bar = (struct pcibus_bar){ at, ~mask + 1 };
	/* A mask is ones from some bit on. */
	return (uint32_t)mask != 0 && is_pow2_u64(bar->bytes) && at != 0 &&
	       at % bar->bytes == 0 && at <= UINT64_MAX - bar->bytes;
}

uint32_t pcibus_capability(const struct pcibus *b, const struct pcibus_function *f, uint8_t id,
			   uint32_t after)
{
	bool passed = after == 0;
	uint64_t seen = 0; /* words: a list may lead back */
	uint32_t at;

	if (!(rd(b, f, COMMAND) & STATUS_CAPABILITIES))
		return 0;
	at = rd(b, f, CAPABILITIES) & 0xfc;
	while (at >= FIRST_CAPABILITY && !(seen & bit_u64(at / 4))) {
		uint32_t head = rd(b, f, at);

		if (passed && (uint8_t)head == id)
			return at;
		seen |= bit_u64(at / 4);
		passed = passed || at == after;
		at = head >> 8 & 0xfc;
	}
	return 0;
}

void pcibus_enable(const struct pcibus *b, const struct pcibus_function *f)
{
	wr(b, f, COMMAND, (command(b, f) & ~COMMAND_NO_INTX) | COMMAND_MEMORY | COMMAND_MASTER);
}

void pcibus_silence(const struct pcibus *b, const struct pcibus_function *f)
{
	if (f->header == 0)
		wr(b, f, COMMAND, command(b, f) | COMMAND_NO_INTX);
}

/* --- Interrupts by messages ----------------------------------------------------------- */

/* MSI-X (6.8.2). */
#define MSIX_ENABLE (1u << 31)
#define MSIX_MASK_ALL (1u << 30)
#define MSIX_TABLE 4u
#define MSIX_ENTRY_BYTES 16u
/* MSI (6.8.1). */
#define MSI_ENABLE (1u << 16)
#define MSI_SEVERAL (7u << 20)
#define MSI_WIDE (1u << 23)

static bool use_msix(const struct pcibus *b, const struct pcibus_function *f, uint64_t *table)
{
	uint32_t cap = pcibus_capability(b, f, PCIBUS_CAP_MSIX, 0);
	struct pcibus_bar bar;
	uint32_t where;

	if (cap == 0 || cap > 256 - 12)
		return false;
	where = rd(b, f, cap + MSIX_TABLE);
	if (!pcibus_bar(b, f, where & 7, &bar) || (where & ~7u) > bar.bytes - MSIX_ENTRY_BYTES)
		return false;
	*table = bar.at + (where & ~7u);
	wr(b, f, cap, (rd(b, f, cap) | MSIX_ENABLE) & ~MSIX_MASK_ALL);
	return true;
}

static bool use_msi(const struct pcibus *b, const struct pcibus_function *f, uint32_t to,
		    uint16_t data)
{
	uint32_t cap = pcibus_capability(b, f, PCIBUS_CAP_MSI, 0);
	uint32_t head, where;

	if (cap == 0 || cap > 256 - 16)
		return false;
	head = rd(b, f, cap);
	where = head & MSI_WIDE ? 12 : 8;
	wr(b, f, cap + 4, to);
	if (head & MSI_WIDE)
		wr(b, f, cap + 8, 0);
	wr(b, f, cap + where, (rd(b, f, cap + where) & 0xffff0000u) | data);
	wr(b, f, cap, (head & ~MSI_SEVERAL) | MSI_ENABLE);
	return true;
}

enum pcibus_messages pcibus_use_messages(const struct pcibus *b, const struct pcibus_function *f,
					 uint32_t to, uint16_t data, uint64_t *table)
{
	enum pcibus_messages kind = use_msix(b, f, table)     ? PCIBUS_MSIX
				    : use_msi(b, f, to, data) ? PCIBUS_MSI
							      : PCIBUS_NO_MESSAGES;

	if (kind != PCIBUS_NO_MESSAGES)
		pcibus_silence(b, f);
	return kind;
}
