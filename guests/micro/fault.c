/*
 * A guest that makes the mistake that its boot arguments name, for the records
 * of faults: each stops the VM. `flood` makes those that the monitor answers
 * with an exception, for ever.
 */
#include "micro.h"

#define VIRTIO_MMIO 0x0a000000ull
#define GICH 0x08030000ull

/* Goes on behind the instruction that failed. */
__asm__(".section .text\n"
	".balign 2048\n"
	"flood_vectors:\n"
	".skip 0x200\n"
	"mrs x9, elr_el1\n"
	"add x9, x9, #4\n"
	"msr elr_el1, x9\n"
	"eret\n"
	".balign 2048\n"
	".previous\n");

static void stack(void)
{
	__asm__ volatile("mov sp, %0\n\t"
			 "stp x0, x1, [sp, #-16]!"
			 :
			 : "r"(0x70000000ull)
			 : "memory");
}

static void undecodable(void)
{
	uint64_t value;

	__asm__ volatile("ldxr %w0, [%1]"
			 : "=r"(value)
			 : "r"(MICRO_UART + 0x18));
}

static void execute(void)
{
	((void (*)(void))(uintptr_t)MICRO_UART)();
}

static void set_vectors(void)
{
	uint64_t x;

	__asm__ volatile("adr %0, flood_vectors\n\t"
			 "msr vbar_el1, %0\n\t"
			 "isb"
			 : "=r"(x));
}

/* Three mistakes alike and one other, which the guest survives, and the end. */
static void after(void)
{
	set_vectors();
	__asm__ volatile("mov x1, #3\n"
			 "1: ldr w0, [%0]\n\t"
			 "subs x1, x1, #1\n\t"
			 "b.ne 1b"
			 :
			 : "r"(MICRO_UART + 0x19)
			 : "x0", "x1", "x9", "cc");
	__asm__ volatile("smc #0"
			 :
			 :
			 : "x0", "x1", "x2", "x3", "x9");
	(void)micro_read32(VIRTIO_MMIO);
}

/* A misaligned access, a register that is not there, a secure call, a number
 * that nobody knows: at full speed. */
static void flood(void)
{
	uint64_t base = MICRO_UART + 0x19;

	set_vectors();
	micro_print("micro: flood\n");
	for (;;)
		__asm__ volatile("ldr w0, [%0]\n\t"
				 "ldp w0, w1, [%0]\n\t"
				 "mrs x0, pmcr_el0\n\t"
				 "mov x0, #0x7777\n\t"
				 "smc #0\n\t"
				 "hvc #0"
				 :
				 : "r"(base)
				 : "x0", "x1", "x2", "x3", "x9", "memory");
}

static void null(void)
{
	uint64_t value;

	__asm__ volatile("ldr %w0, [%1, #16]"
			 : "=r"(value)
			 : "r"(0ull));
}

#define STORM 100000u

/* Registers that the PL011 does not have: the cheapest mistake, for ever. */
static void storm(void)
{
	uint64_t start = micro_us();

	for (unsigned i = 0; i < STORM; i++)
		(void)micro_read32(MICRO_UART + 0x100);
	start = micro_us() - start;
	micro_print("micro: storm ");
	micro_print_number(STORM);
	micro_print(" in ");
	micro_print_number(start);
	micro_print(" us\n");
	for (;;)
		(void)micro_read32(MICRO_UART + 0x100);
}

void micro_main(void)
{
	if (micro_told("missing"))
		(void)micro_read32(VIRTIO_MMIO);
	if (micro_told("hypervisor"))
		(void)micro_read32(GICH);
	if (micro_told("null"))
		null();
	if (micro_told("stack"))
		stack();
	if (micro_told("undecodable"))
		undecodable();
	if (micro_told("execute"))
		execute();
	if (micro_told("after"))
		after();
	if (micro_told("flood"))
		flood();
	if (micro_told("storm"))
		storm();
	micro_print("micro: still here\n");
}
