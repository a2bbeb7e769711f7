/* The 256-bit pending-interrupt bitmap. */
#include <selvage/vcpu.h>

void vcpu_irqs_set(struct vcpu_irqs *p, uint8_t vector)
{
	p->word[vector / 64] |= 1ull << (vector % 64);
}

void vcpu_irqs_clear(struct vcpu_irqs *p, uint8_t vector)
{
	p->word[vector / 64] &= ~(1ull << (vector % 64));
}

bool vcpu_irqs_test(const struct vcpu_irqs *p, uint8_t vector)
{
	return p->word[vector / 64] >> (vector % 64) & 1;
}

int vcpu_irqs_highest(const struct vcpu_irqs *p)
{
	for (int i = 3; i >= 0; i--) {
		if (p->word[i] != 0)
			return i * 64 + 63 - __builtin_clzll(p->word[i]);
	}
	return -1;
}
