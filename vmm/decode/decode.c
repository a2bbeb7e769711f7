/* Dispatch by instruction set, and carrying out. */
#include "internal.h"

#include <stddef.h>

void decode(struct decode *d, const struct decode_state *state, uint32_t insn,
	    const struct decode_narrow *narrow)
{
	*d = (struct decode){ .bytes = 4, .pstate = state->pstate };
	if (!(state->pstate & DECODE_PSTATE_AARCH32))
		decode_a64(d, state, insn);
	else if (narrow != NULL)
		narrow->decode(d, state, insn);
	else
		decode_refuse(d, NULL, "32-bit code, in a VM that started with 64 bits");
	if (d->name == NULL && d->refused == NULL)
		decode_refuse(d, NULL, "no load or store");
}

const char *decode_name(bool load, unsigned log2, bool sign)
{
	static const char *const stores[4] = { "strb", "strh", "str", "str" };
	static const char *const loads[2][4] = { { "ldrb", "ldrh", "ldr", "ldr" },
						 { "ldrsb", "ldrsh", "ldrsw", "ldr" } };

	return load ? loads[sign][log2 & 3] : stores[log2 & 3];
}

static uint64_t swap(uint64_t value, unsigned size)
{
	return __builtin_bswap64(value) >> (64 - 8 * size);
}

static uint64_t extend(const struct decode *d, uint64_t value, unsigned size)
{
	unsigned unused = 64 - 8 * size;

	if (d->sign == 0)
		return value;
	value = (uint64_t)((int64_t)(value << unused) >> unused);
	return d->sign == 4 ? (uint32_t)value : value;
}

static uint64_t operand(const struct decode_state *s, unsigned reg)
{
	if (reg == DECODE_PC) /* the word that a store puts there */
		return s->pc + (s->pstate & DECODE_PSTATE_THUMB ? 4 : 8);
	if (reg == DECODE_ZERO)
		return 0;
	return s->x[reg];
}

static void set(struct decode_state *s, unsigned reg, uint64_t value)
{
	if (reg < 32) {
		s->x[reg] = value;
	} else if (reg == DECODE_PC) { /* BXWritePC() */
		s->pc = value & ~1ull;
		s->pstate &= ~DECODE_PSTATE_THUMB;
		s->pstate |= value & 1 ? DECODE_PSTATE_THUMB : 0;
	}
}

static bool is_big_endian(const struct decode_state *s)
{
	return s->pstate & DECODE_PSTATE_AARCH32 ? (s->pstate & DECODE_PSTATE_E) != 0
						 : s->big_endian;
}

bool decode_run(const struct decode *d, struct decode_state *state, decode_bus bus, void *opaque,
		const struct decode_access **failed)
{
	uint64_t value[DECODE_MAX_ACCESSES];
	bool big = is_big_endian(state);

	for (unsigned i = 0; i < d->n; i++) {
		const struct decode_access *a = &d->access[i];

		value[i] = 0;
		if (d->write) {
			value[i] = operand(state, a->reg) & (~0ull >> (64 - 8 * a->size));
			value[i] = big ? swap(value[i], a->size) : value[i];
		}
		if (!bus(opaque, a, d->write, &value[i])) {
			*failed = a;
			return false;
		}
		if (!d->write)
			value[i] = extend(d, big ? swap(value[i], a->size) : value[i], a->size);
	}
	state->pc += d->bytes;
	state->pstate = d->pstate;
	if (d->writeback)
		set(state, d->base, d->base_value);
	for (unsigned i = 0; i < d->n && !d->write; i++)
		set(state, d->access[i].reg, value[i]);
	return true;
}
