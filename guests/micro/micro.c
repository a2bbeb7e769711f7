#include "micro.h"

void micro_print(const char *text)
{
	for (; *text != '\0'; text++)
		micro_write32(MICRO_UART, (uint8_t)*text);
}

uint64_t micro_random(void)
{
	static uint64_t state = 0x5e1fa9e0c0ffeeull;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

/* PSCI SYSTEM_OFF by HVC. */
void micro_power_off(void)
{
	register uint64_t x0 __asm__("x0") = 0x84000008u;

	__asm__ volatile("hvc #0"
			 : "+r"(x0)
			 :
			 : "x1", "x2", "x3", "memory");
}
