/* A hostile guest at the devices of vexpress-a9 while time goes by in leaps. */
#include <dev/a9mp.h>
#include <dev/pl310.h>
#include <dev/sp804.h>
#include <dev/sp805.h>
#include <dev/vexpress.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct owner {
	uint64_t now;
	bool line[A9MP_CPUS * A9MP_LINES];
};

struct board {
	/* The devices' lines are apart, as on a board. */
	struct owner owner[3];
	struct sp804 sp804;
	struct sp805 sp805;
	struct a9mp a9;
	struct vexpress vx;
	struct pl310 l2;
};

static uint64_t now_ns(void *opaque)
{
	return ((struct owner *)opaque)->now;
}

static void set_irq(void *opaque, unsigned line, bool level)
{
	struct owner *o = opaque;

	if (line >= A9MP_CPUS * A9MP_LINES || o->line[line] == level)
		abort();
	o->line[line] = level;
}

static void started(void *opaque, uint32_t entry)
{
	(void)opaque;
	if (entry == 0)
		abort();
}

static void nothing(void *opaque)
{
	(void)opaque;
}

static enum mmio_outcome access(struct board *b, unsigned which, struct mmio *m)
{
	switch (which % 6) {
	case 0:
		return sp804_access(&b->sp804, m);
	case 1:
		return sp805_access(&b->sp805, m);
	case 2:
		return vexpress_access(&b->vx, m);
	case 3:
		return pl310_access(&b->l2, m);
	default:
		return a9mp_access(&b->a9, which % 3, m);
	}
}

/* Whose time has come is told; then the next is in the future, or now. */
static void expire(struct board *b, uint64_t now)
{
	for (unsigned i = 0; i < 3; i++)
		b->owner[i].now = now;
	sp804_expired(&b->sp804);
	sp805_expired(&b->sp805);
	a9mp_expired(&b->a9);
	if (sp804_deadline(&b->sp804) < now || sp805_deadline(&b->sp805) < now ||
	    a9mp_deadline(&b->a9) < now)
		abort();
}

static uint32_t some_offset(const uint8_t *b)
{
	static const uint32_t base[8] = { 0, 0x20, 0x80, 0x200, 0x600, 0x620, 0xc00, 0xfe0 };

	return base[b[0] & 7u] + (b[1] & 0x3fu);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct board b;
	struct timer_env env[3];
	uint64_t now = 1000;

	for (unsigned i = 0; i < 3; i++) {
		b.owner[i] = (struct owner){ .now = now };
		env[i] = (struct timer_env){ &b.owner[i], now_ns, set_irq, nothing };
	}
	sp804_init(&b.sp804, &env[0], 1000000);
	sp805_init(&b.sp805, &env[1], 1000000);
	a9mp_init(&b.a9, &env[2], 2, 100000000);
	vexpress_init(&b.vx, &(struct vexpress_env){ &b.owner[0], now_ns, nothing, nothing,
						     started });
	pl310_reset(&b.l2);
	for (; size >= 8; data += 8, size -= 8) {
		struct mmio m = { .offset = some_offset(data + 1),
				  .size = (uint8_t)(1u << (data[0] >> 6)),
				  .write = data[0] & 0x20,
				  .value = (uint64_t)data[3] << (data[4] & 31u) | data[5] };
		enum mmio_outcome outcome;

		m.offset &= ~(m.size - 1ull);
		if (data[7] & 0x80) {
			now += (uint64_t)data[5] << (data[6] & 47u);
			expire(&b, now);
			continue;
		}
		outcome = access(&b, data[0] & 0x1fu, &m);
		if (outcome != MMIO_HANDLED && outcome != MMIO_IGNORED)
			abort();
		if (!m.write && (m.value & ~mmio_mask(&m)))
			abort();
	}
	return 0;
}
