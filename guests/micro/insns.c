/* Loads and stores that the hardware does not describe, on the registers of the
 * PL011: pairs, written-back ones, the stack pointer as base. IBRD is at 0x24,
 * FBRD at 0x28, the identification bytes at 0xfe0. */
#include "micro.h"

static void verdict(int good, const char *what)
{
	micro_print(good ? "micro: " : "micro: wrong: ");
	micro_print(what);
	micro_print("\n");
}

static void pairs(void)
{
	uint64_t base = MICRO_UART + 0xfe0, a, b, c, d;

	__asm__ volatile("ldp %w0, %w1, [%4], #8\n\t"
			 "ldpsw %2, %3, [%4]"
			 : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d), "+r"(base));
	verdict(a == 0x11 && b == 0x10 && c == 0x34 && d == 0 && base == MICRO_UART + 0xfe8,
		"load pair");
	base = MICRO_UART + 0x2c;
	__asm__ volatile("stp %w1, %w2, [%0, #-8]!"
			 : "+r"(base)
			 : "r"(26), "r"(3));
	verdict(base == MICRO_UART + 0x24 && micro_read32(base) == 26 &&
			micro_read32(base + 4) == 3,
		"store pair");
}

static void written_back(void)
{
	uint64_t base = MICRO_UART + 0x24, value = 0x177, sp;

	__asm__ volatile("str %w1, [%0], #-4\n\t"
			 "mov %2, sp\n\t"
			 "mov sp, %0\n\t"
			 "ldrb %w1, [sp, #4]!\n\t"
			 "mov %0, sp\n\t"
			 "mov sp, %2"
			 : "+r"(base), "+&r"(value), "=&r"(sp));
	verdict(value == 0x77 && base == MICRO_UART + 0x24, "write-back");
}

void micro_main(void)
{
	micro_print("micro: insns\n");
	pairs();
	written_back();
	micro_print("micro: insns done\n");
	micro_power_off();
}
