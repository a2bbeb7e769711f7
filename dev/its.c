#include <dev/its.h>
#include <selvage/base.h>

/* Registers, all within lanes of 8 bytes. */
#define CTLR 0x0000u /* and GITS_IIDR */
#define TYPER 0x0008u
#define CBASER 0x0080u
#define CWRITER 0x0088u
#define CREADR 0x0090u
#define BASER0 0x0100u
#define PIDR4 0xffd0u
#define PIDR0 0xffe0u /* and PIDR1 */
#define PIDR2 0xffe8u
#define CIDR0 0xfff0u
#define CIDR2 0xfff8u

#define CTLR_ENABLED (1u << 0)
#define CTLR_QUIESCENT (1u << 31)
#define IIDR 0x5300043bull
#define TYPER_PHYSICAL (1u << 0)
#define TYPER_ITT_ENTRY (7u << 4) /* 8 bytes */
#define TYPER_EVENT_BITS ((ITS_EVENT_BITS - 1u) << 8)
#define TYPER_DEVICE_BITS (7u << 13) /* 8 bits: bus 0 */
#define TYPER_HCC ((uint64_t)ITS_COLLECTIONS << 24)
#define BASER_DEVICES (1ull << 56 | 7ull << 48) /* type, 8 bytes an entry */
#define BASER_KEPT 0xb8e0ffffffffffffull        /* no indirect tables */
#define CBASER_KEPT 0xb8effffffffffcffull
#define CBASER_VALID (1ull << 63)
#define CBASER_ADDRESS 0x000ffffffffff000ull
#define CBASER_PAGES 0xffu /* of 4 KiB, less one */
#define QUEUE_OFFSET 0xfffe0u

#define COMMAND_BYTES 32u
#define TURN 256u /* commands */

/* 5.3: the first byte of a command. */
enum {
	MOVI = 0x01,
	INT = 0x03,
	CLEAR = 0x04,
	SYNC = 0x05,
	MAPD = 0x08,
	MAPC = 0x09,
	MAPTI = 0x0a,
	MAPI = 0x0b,
	INV = 0x0c,
	INVALL = 0x0d,
	MOVALL = 0x0e,
	DISCARD = 0x0f,
};

/* A command's fields, where any has them. */
static uint32_t device_of(const uint64_t *c) { return (uint32_t)(c[0] >> 32); }
static uint32_t event_of(const uint64_t *c) { return (uint32_t)c[1]; }
static uint32_t intid_of(const uint64_t *c) { return (uint32_t)(c[1] >> 32); }
static uint32_t size_of(const uint64_t *c) { return c[1] & 0x1f; }
static uint32_t collection_of(const uint64_t *c) { return c[2] & 0xffff; }
static uint32_t target_of(uint64_t word) { return (uint32_t)(word >> 16); }
static bool valid_of(const uint64_t *c) { return c[2] >> 63 != 0; }

static unsigned vcpu_of(const struct its *its, uint32_t target)
{
	return target < its->gic->config.n_vcpus ? target : ITS_NO_VCPU;
}

/* --- Events ----------------------------------------------------------------------- */

/* The slot of a device, or PCI_SLOTS. Its functions other than 0 are nobody's. */
static unsigned slot_of(uint32_t device)
{
	return device % 8u == 0 && device / 8u < PCI_SLOTS ? device / 8u : PCI_SLOTS;
}

/* The event that a command names, or NULL. */
static struct its_event *find(struct its *its, const uint64_t *c)
{
	unsigned slot = slot_of(device_of(c));

	if (slot == PCI_SLOTS || event_of(c) >= its->n_events[slot]) {
		its->wrong = "a command for an event that no device has";
		return NULL;
	}
	return &its->event[slot][event_of(c)];
}

static struct its_event *find_mapped(struct its *its, const uint64_t *c)
{
	struct its_event *e = find(its, c);

	if (e != NULL && e->lpi == 0) {
		its->wrong = "a command for an event that is not mapped";
		return NULL;
	}
	return e;
}

/* Reads the LPI's configuration again. */
static void configure(struct its *its, const struct its_event *e)
{
	uint64_t at = vgic_lpi_config_address(its->gic, e->lpi);
	uint8_t config = 0;

	if (at != UINT64_MAX && its->env.read(its->env.opaque, at, &config, sizeof(config)))
		vgic_lpi_configure(its->gic, e->lpi, config);
}

static void route(struct its *its, const struct its_event *e)
{
	vgic_lpi_route(its->gic, e->lpi, its->target[e->collection]);
}

static void forget(struct its *its, struct its_event *e)
{
	if (e->lpi == 0)
		return;
	vgic_lpi_set_pending(its->gic, e->lpi, false);
	vgic_lpi_route(its->gic, e->lpi, ITS_NO_VCPU);
	e->lpi = 0;
}

/* Does `each` with every event that is mapped. */
static void each_event(struct its *its, uint32_t collection,
		       void (*each)(struct its *its, const struct its_event *e))
{
	for (unsigned s = 0; s < PCI_SLOTS; s++)
		for (unsigned i = 0; i < its->n_events[s]; i++) {
			const struct its_event *e = &its->event[s][i];

			if (e->lpi != 0 &&
			    (collection == ITS_COLLECTIONS || e->collection == collection))
				each(its, e);
		}
}

/* --- Commands --------------------------------------------------------------------- */

static void map_device(struct its *its, const uint64_t *c)
{
	unsigned slot = slot_of(device_of(c));

	if (slot == PCI_SLOTS || size_of(c) >= ITS_EVENT_BITS) {
		its->wrong = "MAPD of a device that is not there, or of too many events";
		return;
	}
	for (unsigned i = 0; i < its->n_events[slot]; i++)
		forget(its, &its->event[slot][i]);
	its->n_events[slot] = valid_of(c) ? 2u << size_of(c) : 0;
}

static bool collection_valid(struct its *its, const uint64_t *c)
{
	if (collection_of(c) < ITS_COLLECTIONS)
		return true;
	its->wrong = "a command for a collection that is not there";
	return false;
}

static void map_collection(struct its *its, const uint64_t *c)
{
	unsigned vcpu = valid_of(c) ? vcpu_of(its, target_of(c[2])) : ITS_NO_VCPU;

	if (!collection_valid(its, c))
		return;
	if (valid_of(c) && vcpu == ITS_NO_VCPU) {
		its->wrong = "MAPC to a processor that is not there";
		return;
	}
	its->target[collection_of(c)] = (uint8_t)vcpu;
	each_event(its, collection_of(c), route);
}

static void map_event(struct its *its, const uint64_t *c, uint32_t intid)
{
	struct its_event *e = find(its, c);
	unsigned lpi = vgic_lpi(its->gic, intid);

	if (e == NULL || !collection_valid(its, c))
		return;
	if (lpi == 0) {
		its->wrong = "MAPTI to an interrupt that is no LPI";
		return;
	}
	forget(its, e);
	*e = (struct its_event){ (uint16_t)lpi, (uint8_t)collection_of(c) };
	configure(its, e);
	route(its, e);
}

static void move_event(struct its *its, const uint64_t *c)
{
	struct its_event *e = find_mapped(its, c);

	if (e == NULL || !collection_valid(its, c))
		return;
	e->collection = (uint8_t)collection_of(c);
	route(its, e);
}

/* What went to one processor goes to another, until it is mapped anew. */
static void move_all(struct its *its, const uint64_t *c)
{
	unsigned from = vcpu_of(its, target_of(c[2])), to = vcpu_of(its, target_of(c[3]));

	if (from == ITS_NO_VCPU || to == ITS_NO_VCPU) {
		its->wrong = "MOVALL of a processor that is not there";
		return;
	}
	for (unsigned i = 0; i < ITS_COLLECTIONS; i++)
		if (its->target[i] == from) {
			its->target[i] = (uint8_t)to;
			each_event(its, i, route);
		}
}

static void carry_out(struct its *its, const uint64_t *c)
{
	struct its_event *e;

	switch (c[0] & 0xff) {
	case SYNC: return; /* all is done by now */
	case MAPD: map_device(its, c); return;
	case MAPC: map_collection(its, c); return;
	case MAPTI: map_event(its, c, intid_of(c)); return;
	case MAPI: map_event(its, c, event_of(c)); return;
	case MOVI: move_event(its, c); return;
	case MOVALL: move_all(its, c); return;
	case INVALL:
		if (collection_valid(its, c))
			each_event(its, collection_of(c), configure);
		return;
	case INT:
	case CLEAR:
	case INV:
	case DISCARD: break;
	default: its->wrong = "a command that is not there"; return;
	}
	e = find_mapped(its, c);
	if (e == NULL)
		return;
	if ((c[0] & 0xff) == INV)
		configure(its, e);
	else if ((c[0] & 0xff) == DISCARD)
		forget(its, e);
	else
		vgic_lpi_set_pending(its->gic, e->lpi, (c[0] & 0xff) == INT);
}

static uint32_t queue_bytes(const struct its *its)
{
	return ((uint32_t)(its->command_base & CBASER_PAGES) + 1u) * 4096u;
}

/* What is between GITS_CREADR and GITS_CWRITER: so much of it for each access, and the rest
 * while the guest looks how far it has come. */
static const char *run_queue(struct its *its)
{
	uint32_t bytes = queue_bytes(its);
	const char *wrong = NULL;

	if (!its->enabled || !(its->command_base & CBASER_VALID) || its->command_write >= bytes)
		return NULL;
	for (unsigned n = 0; n < TURN && its->command_read != its->command_write; n++) {
		uint64_t at = (its->command_base & CBASER_ADDRESS) + its->command_read, c[4];

		its->wrong = NULL;
		if (its->env.read(its->env.opaque, at, c, sizeof(c)))
			carry_out(its, c);
		else
			its->wrong = "a command queue that is not in RAM";
		wrong = its->wrong != NULL ? its->wrong : wrong;
		its->command_read = (its->command_read + COMMAND_BYTES) % bytes;
	}
	return wrong;
}

/* --- Registers -------------------------------------------------------------------- */

static uint64_t read_lane(const struct its *its, uint32_t lane)
{
	switch (lane) {
	case CTLR: return IIDR << 32 | (its->enabled ? CTLR_ENABLED : CTLR_QUIESCENT);
	case TYPER:
		return TYPER_PHYSICAL | TYPER_ITT_ENTRY | TYPER_EVENT_BITS | TYPER_DEVICE_BITS |
		       TYPER_HCC;
	case CBASER: return its->command_base;
	case CWRITER: return its->command_write;
	case CREADR: return its->command_read;
	case BASER0: return its->device_base | BASER_DEVICES;
	case PIDR4: return 0x44;
	case PIDR0: return 0xb4ull << 32 | 0x94;
	case PIDR2: return 0x3b;
	case CIDR0: return 0xf0ull << 32 | 0x0d;
	case CIDR2: return 0xb1ull << 32 | 0x05;
	default: return 0;
	}
}

static const char *write_lane(struct its *its, uint32_t lane, uint64_t value)
{
	switch (lane) {
	case CTLR:
		its->enabled = value & CTLR_ENABLED;
		return run_queue(its);
	case CBASER:
		if (its->enabled)
			return "the command queue is in use";
		its->command_base = value & CBASER_KEPT;
		its->command_read = 0;
		its->command_write = 0;
		return NULL;
	case CWRITER:
		if ((value & QUEUE_OFFSET) >= queue_bytes(its))
			return "a command beyond the queue's end";
		its->command_write = (uint32_t)value & QUEUE_OFFSET;
		return run_queue(its);
	case BASER0:
		if (its->enabled)
			return "the device table is in use";
		its->device_base = value & BASER_KEPT;
		return NULL;
	default: return "no such register, or one to be read";
	}
}

enum mmio_outcome its_access(struct its *its, struct mmio *m)
{
	const uint32_t lane = (uint32_t)m->offset & ~7u, at = (uint32_t)m->offset & 7u;

	if (m->size < 4 || m->offset >= ITS_BYTES)
		return mmio_ignore(m, "access size");
	if (m->write) {
		/* What a processor sends has no device. */
		const uint64_t old = read_lane(its, lane);

		m->reason = write_lane(its, lane, mmio_merge(old, at, m->size, m->value));
	} else {
		m->reason = run_queue(its);
		m->value = read_lane(its, lane) >> at * 8u & mmio_mask(m);
	}
	return m->reason == NULL ? MMIO_HANDLED : MMIO_IGNORED;
}

/* --- Messages --------------------------------------------------------------------- */

bool its_message(struct its *its, unsigned slot, uint32_t data)
{
	(void)run_queue(its); /* it may be mapped by then */
	if (!its->enabled || slot >= PCI_SLOTS || data >= its->n_events[slot] ||
	    its->event[slot][data].lpi == 0)
		return false;
	vgic_lpi_set_pending(its->gic, its->event[slot][data].lpi, true);
	return true;
}

void its_reload(struct its *its) { each_event(its, ITS_COLLECTIONS, configure); }

void its_init(struct its *its, struct vgic *gic, const struct its_env *env)
{
	*its = (struct its){ .gic = gic, .env = *env };
	for (unsigned i = 0; i < ITS_COLLECTIONS; i++)
		its->target[i] = ITS_NO_VCPU;
}
