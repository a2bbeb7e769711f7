/*
 * A compromised kernel that looks for memory, from 0 to 1 TiB. What it can write and
 * read back it names, in ranges. Its VM has the device `kick`, so that nothing is no
 * end of it.
 */
#include "micro.h"

#define NOTHING 0xffffffffffffffffull

/* Finely where memory is or could be said to be, coarsely elsewhere: a look takes as
 * long as an exit. The board's devices, whose registers change, are left out. */
static const struct {
	uint64_t start, end, step;
} looks[] = {
	{ 0, 0x08000000, 0x10000 },
	{ 0x10000000, 0x13000000, 0x1000 },
	{ 0x13000000, 0x40000000, 0x10000 },
	{ 0x40000000, 0x42000000, 0x1000 },
	{ 0x42000000, 0x100000000, 0x100000 },
	{ 0x100000000, 0x10000000000, 0x4000000 },
};

static void print_hex(uint64_t n)
{
	char text[17];
	unsigned at = sizeof(text);

	text[--at] = '\0';
	do {
		text[--at] = "0123456789abcdef"[n % 16];
		n /= 16;
	} while (n != 0);
	micro_print(text + at);
}

/* An abort goes on behind the instruction. */
__asm__(".section .text\n"
	".balign 2048\n"
	"reach_vectors:\n"
	".skip 0x200\n"
	"mrs x9, elr_el1\n"
	"add x9, x9, #4\n"
	"msr elr_el1, x9\n"
	"eret\n"
	".balign 2048\n"
	".previous\n");

static void set_vectors(void)
{
	uint64_t x;

	__asm__ volatile("adr %0, reach_vectors\n\t"
			 "msr vbar_el1, %0\n\t"
			 "isb"
			 : "=r"(x));
}

static uint64_t load(uint64_t at)
{
	uint64_t value = NOTHING;

	__asm__ volatile("ldr %0, [%1]"
			 : "+&r"(value)
			 : "r"(at)
			 : "x9", "memory");
	return value;
}

static int is_memory(uint64_t at)
{
	volatile uint64_t *word = (volatile uint64_t *)at;
	uint64_t was = load(at);
	int same;

	if (was == NOTHING)
		return 0;
	*word = ~was;
	same = *word == ~was;
	*word = was;
	return same;
}

static void name(uint64_t from, uint64_t to)
{
	micro_print("reach: memory ");
	print_hex(from);
	micro_print(" ");
	print_hex(to);
	micro_print("\n");
}

static void look(uint64_t start, uint64_t end, uint64_t step)
{
	uint64_t from = NOTHING;

	for (uint64_t at = start; at < end; at += step) {
		int memory = is_memory(at);

		if (memory && from == NOTHING)
			from = at;
		if (!memory && from != NOTHING) {
			name(from, at);
			from = NOTHING;
		}
	}
	if (from != NOTHING)
		name(from, end);
}

void micro_main(void)
{
	set_vectors();
	micro_print("reach: looks\n");
	for (unsigned i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		look(looks[i].start, looks[i].end, looks[i].step);
	micro_print("reach: done\n");
	micro_power_off();
}
