/* A hostile guest and a fickle console at a PL011. */
#include <dev/pl011.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct owner {
	bool blocked, irq;
};

static bool transmit(void *opaque, uint8_t byte)
{
	(void)byte;
	return !((struct owner *)opaque)->blocked;
}

static void set_irq(void *opaque, bool level)
{
	struct owner *o = opaque;

	if (o->irq == level)
		abort();
	o->irq = level;
}

static void access(struct pl011 *u, const uint8_t *b)
{
	struct mmio m = { .offset = (b[1] | (uint32_t)b[2] << 8) & 0xfff,
			  .size = (uint8_t)(1u << (b[0] >> 4 & 3)),
			  .write = b[0] >> 6 & 1,
			  .value = b[3] * 0x0101010101010101ull };
	enum mmio_outcome outcome;

	if (b[0] & 0x80) { /* mostly at registers */
		m.offset &= 0x4c;
		m.size = 4;
		m.value = b[3] | (uint64_t)b[2] << 8;
	}
	outcome = pl011_access(u, &m);
	if (outcome != MMIO_HANDLED && outcome != MMIO_IGNORED)
		abort();
	if (!m.write && (m.value & ~mmio_mask(&m)))
		abort();
}

static void check(const struct pl011 *u, const struct owner *o)
{
	if (o->irq != pl011_irq_level(u) || u->rx.count > PL011_FIFO_DEPTH ||
	    u->tx.count > PL011_FIFO_DEPTH || u->rx.head >= PL011_FIFO_DEPTH ||
	    u->tx.head >= PL011_FIFO_DEPTH)
		abort();
	/* Nothing waits in a device whose owner takes everything. */
	if (pl011_receive_room(u) > PL011_FIFO_DEPTH)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct owner owner = { .blocked = false };
	struct pl011_env env = { &owner, transmit, set_irq };
	struct pl011 u;

	pl011_init(&u, &env);
	for (; size >= 4; data += 4, size -= 4) {
		switch (data[0] & 7) {
		case 0: (void)pl011_receive(&u, data[1]); break;
		case 2: pl011_transmit_ready(&u); break;
		case 3: owner.blocked = data[1] & 1; break;
		default: access(&u, data); break;
		}
		check(&u, &owner);
	}
	owner.blocked = false;
	pl011_transmit_ready(&u);
	return u.tx.count == 0 ? 0 : (abort(), 1);
}
