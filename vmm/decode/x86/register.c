/* General registers of every width. */
#include "internal.h"

uint64_t x86_reg(const struct x86_state *s, unsigned reg, unsigned size)
{
	return s->reg[reg] & x86_mask(size);
}

void x86_set_reg(struct x86_state *s, unsigned reg, unsigned size, uint64_t value)
{
	uint64_t mask = x86_mask(size);

	/* SDM volume 1, 3.4.1.1: only 32 bits clear those above them. */
	if (size >= 4)
		s->reg[reg] = value & mask;
	else
		s->reg[reg] = (s->reg[reg] & ~mask) | (value & mask);
}
