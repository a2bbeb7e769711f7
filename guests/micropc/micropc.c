#include "micropc.h"

#define COM1 0x3f8u

static uint64_t random_state = 1;

extern uint32_t boot_info;

void idt_fill(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t at = (uint64_t)(uintptr_t)(trap_entries + 16ull * i);

		idt[2 * i] = (at & 0xffff) | 0x18ull << 16 | 0x8e00ull << 32 | (at >> 16) << 48;
		idt[2 * i + 1] = at >> 32;
	}
}

void pc_uart(void)
{
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 3);
	out8(COM1 + 2, 7);
	out8(COM1 + 4, 3);
}

static void put(char c)
{
	for (unsigned i = 0; i < 100000 && !(in8(COM1 + 5) & 0x20); i++)
		;
	out8(COM1, (uint8_t)c);
}

void pc_print(const char *text)
{
	for (; *text != '\0'; text++)
		put(*text);
}

void pc_print_number(uint64_t n)
{
	char text[21];
	unsigned at = sizeof(text) - 1;

	text[at] = '\0';
	do
		text[--at] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	pc_print(text + at);
}

void pc_print_hex(uint64_t n)
{
	unsigned shift = 60;

	while (shift > 0 && (n >> shift & 15) == 0)
		shift -= 4;
	for (;; shift -= 4) {
		put("0123456789abcdef"[n >> shift & 15]);
		if (shift == 0)
			return;
	}
}

int pc_get(void) { return in8(COM1 + 5) & 1 ? in8(COM1) : -1; }

_Noreturn void pc_off(void)
{
	for (;;)
		out16(0x604, 0x3400);
}

bool pc_told(const char *word)
{
	const uint32_t *info = (const uint32_t *)(uintptr_t)boot_info;

	for (const char *at = (const char *)(uintptr_t)info[4]; *at != '\0'; at++) {
		unsigned i = 0;

		while (word[i] != '\0' && at[i] == word[i])
			i++;
		if (word[i] == '\0')
			return true;
	}
	return false;
}

void pc_seed(uint64_t seed)
{
	random_state = (seed + 1) * 0x9e3779b97f4a7c15ull | 1;
	for (unsigned i = 0; i < 4; i++)
		(void)pc_random();
}

uint64_t pc_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dull;
}
