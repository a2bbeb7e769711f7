#include "micro.h"

uint64_t micro_uart = MICRO_UART;

static uint32_t big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The whole blob is searched: no need to walk a tree for a word that nothing
 * else in it resembles. */
int micro_told(const char *word)
{
	const uint8_t *blob = micro_devicetree;
	uint32_t size;

	if (blob == 0 || big_endian(blob) != 0xd00dfeedu)
		return 0;
	size = big_endian(blob + 4);
	for (uint32_t i = 0; i < size; i++) {
		uint32_t n = 0;

		while (word[n] != '\0' && i + n < size && blob[i + n] == (uint8_t)word[n])
			n++;
		if (word[n] == '\0')
			return 1;
	}
	return 0;
}

void micro_print(const char *text)
{
	for (; *text != '\0'; text++)
		micro_write32(micro_uart, (uint8_t)*text);
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

void micro_print_number(uint64_t n)
{
	char text[21];
	unsigned at = sizeof(text);

	text[--at] = '\0';
	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	micro_print(text + at);
}

uint64_t micro_us(void)
{
	uint64_t ticks, hz;

	__asm__ volatile("isb\n\t"
			 "mrs %0, cntvct_el0\n\t"
			 "mrs %1, cntfrq_el0"
			 : "=r"(ticks), "=r"(hz)
			 :
			 : "memory");
	return ticks / (hz / 1000000);
}
