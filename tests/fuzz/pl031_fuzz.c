/* A hostile guest at a PL031 while time goes by in leaps. */
#include <dev/pl031.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct owner {
	uint64_t now, alarm;
	bool irq;
};

static uint64_t now_seconds(void *opaque)
{
	return ((struct owner *)opaque)->now;
}

static void set_alarm(void *opaque, uint64_t seconds)
{
	struct owner *o = opaque;

	/* The counter has 32 bits: nothing is further away. */
	if (seconds > UINT32_MAX)
		abort();
	o->alarm = seconds ? o->now + seconds : 0;
}

static void set_irq(void *opaque, bool level)
{
	struct owner *o = opaque;

	if (o->irq == level)
		abort();
	o->irq = level;
}

static void access(struct pl031 *r, const uint8_t *b)
{
	struct mmio m = { .offset = b[1] & 0x3f,
			  .size = (uint8_t)(1u << (b[0] >> 4 & 3)),
			  .write = b[0] >> 6 & 1,
			  .value = b[2] * 0x01010101u + b[3] };
	uint32_t before = (uint32_t)r->env.now_seconds(r->env.opaque);
	enum mmio_outcome outcome;

	if (b[0] & 0x80) {
		m.offset = b[1] & 0x1c;
		m.size = 4;
	}
	outcome = pl031_access(r, &m);
	if (outcome != MMIO_HANDLED && outcome != MMIO_IGNORED)
		abort();
	/* What was loaded is what shows. */
	if (m.write && m.offset == 8 && m.size == 4 &&
	    before + r->offset != (uint32_t)m.value)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct owner owner = { .now = 1700000000 };
	struct pl031_env env = { &owner, now_seconds, set_alarm, set_irq };
	struct pl031 r;

	pl031_init(&r, &env);
	for (; size >= 4; data += 4, size -= 4) {
		switch (data[0] & 3) {
		case 0:
			owner.now += (uint64_t)data[1] << (data[2] & 31);
			if (owner.alarm && owner.alarm <= owner.now) {
				owner.alarm = 0;
				pl031_alarm(&r);
				/* It was armed for this: it has matched. */
				if (!r.ris)
					abort();
			}
			break;
		default: access(&r, data); break;
		}
		if (owner.irq != pl031_irq_level(&r))
			abort();
	}
	return 0;
}
