/*
 * Benchmarks seen from a PC's guest: prints `bench x86_ROW min median max`
 * in ticks of the TSC, which are instructions under icount. The row `empty_guest` is
 * the cost of timing itself. Rows that need something of the machine are measured
 * if the command line has the word (tests/bench/README.md).
 */
#include "micropc.h"

#define ROUNDS 1000u
#define WARM_UP 10u
#define COM1_SCRATCH 0x3ff
#define PIC_MASK 0x21
#define PIC2_MASK 0xa1
#define HPET 0xfed00000u
#define IOAPIC 0xfec00000u
/* A write is a doorbell; a write makes somebody raise the edge-triggered interrupt. */
#define DOORBELL 0xb00
#define KICK 0xb04
#define KICK_LINE 15u
#define VECTOR 0x40u
#define MSR_APIC_BASE 0x1bu
#define X2APIC_ON 0xc00u
#define X2APIC_SPURIOUS 0x80fu
#define HAS_X2APIC (1u << 21)

static uint32_t samples[ROUNDS], more_samples[ROUNDS];

/* An interrupt's handler: it takes the time in r8 and, behind EOI, in r9. RAX, RCX and RDX are
 * free while interrupts are on. */
void handler(void);
__asm__("handler:\n"
	"rdtsc\n"
	"mov %eax, %r8d\n"
	"xor %eax, %eax\n"
	"xor %edx, %edx\n"
	"mov $0x80b, %ecx\n" /* EOI */
	"wrmsr\n"
	"rdtsc\n"
	"mov %eax, %r9d\n"
	"iretq\n");

static inline uint32_t now(void)
{
	uint32_t low;

	__asm__ volatile("rdtsc"
			 : "=a"(low)
			 :
			 : "rdx", "memory");
	return low;
}

static inline uint32_t read32(uintptr_t address) { return *(volatile uint32_t *)address; }

static inline void write32(uintptr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static inline uint32_t cpuid_c(uint32_t leaf)
{
	uint32_t a = leaf, b, c = 0, d;

	__asm__ volatile("cpuid"
			 : "+a"(a), "=b"(b), "+c"(c), "=d"(d)
			 :
			 : "memory");
	return c;
}

/* The end of its name, "AuthenticAMD" or "GenuineIntel". */
static bool is_intel(void) { return cpuid_c(0) == 0x6c65746e; }

static inline void write_msr(uint32_t msr, uint32_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"(value), "d"(0)
			 : "memory");
}

static void sort(uint32_t *v)
{
	for (unsigned i = 1; i < ROUNDS; i++) {
		uint32_t x = v[i];
		unsigned j = i;

		for (; j > 0 && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

/* Not inline: tests/bench/profile.py looks for it. */
__attribute__((noinline)) static void report(const char *row, uint32_t *v)
{
	sort(v);
	pc_print("bench x86_");
	pc_print(row);
	pc_print(" ");
	pc_print_number(v[0]);
	pc_print(" ");
	pc_print_number(v[ROUNDS / 2]);
	pc_print(" ");
	pc_print_number(v[ROUNDS - 1]);
	pc_print("\n");
}

/* --- rows --- */

static void take(unsigned round, uint32_t *v, uint32_t ticks)
{
	v[round < WARM_UP ? 0 : round - WARM_UP] = ticks;
}

#define MEASURE(row, body)                                           \
	do {                                                         \
		for (unsigned i_ = 0; i_ < ROUNDS + WARM_UP; i_++) { \
			uint32_t start_ = now();                     \
			body;                                        \
			take(i_, samples, now() - start_);           \
		}                                                    \
		report(row, samples);                                \
	} while (0)

/* Of a number that nobody has: answered all the same. */
#define HYPERCALL(instruction)                                            \
	do {                                                              \
		uint64_t rax_ = 0x7fffffff;                               \
		__asm__ volatile(instruction                              \
				 : "+a"(rax_)                             \
				 :                                        \
				 : "rbx", "rcx", "rdx", "rsi", "memory"); \
	} while (0)

static void measure_hypercall(void)
{
	if (is_intel())
		MEASURE("hypercall_vmm", HYPERCALL("vmcall"));
	else
		MEASURE("hypercall_vmm", HYPERCALL("vmmcall"));
}

static void measure_exits(void)
{
	MEASURE("empty_guest", (void)0);
	if (pc_told("bench-hypercall"))
		measure_hypercall();
	MEASURE("cpuid_vmm", (void)cpuid_c(0));
	MEASURE("pio_vmm", (void)in8(PIC_MASK));
	MEASURE("pio_uart", (void)in8(COM1_SCRATCH));
	MEASURE("mmio_vmm", (void)read32(IOAPIC));
	MEASURE("mmio_hpet", (void)read32(HPET));
	if (pc_told("bench-doorbell"))
		MEASURE("doorbell", out8(DOORBELL, 0));
}

/* From the OUT to the handler's first instruction, and to the end of EOI. */
static void time_kick(uint32_t *to_handler, uint32_t *with_eoi)
{
	uint32_t start, first, end;

	__asm__ volatile("xor %%r9d, %%r9d\n\t"
			 "sti\n\t"
			 "rdtsc\n\t"
			 "mov %%eax, %0\n\t"
			 "mov %3, %%edx\n\t"
			 "out %%al, %%dx\n"
			 "1: test %%r9d, %%r9d\n\t"
			 "jz 1b\n\t"
			 "cli\n\t"
			 "mov %%r8d, %1\n\t"
			 "mov %%r9d, %2"
			 : "=&r"(start), "=&r"(first), "=&r"(end)
			 : "i"(KICK)
			 : "rax", "rcx", "rdx", "r8", "r9", "memory");
	*to_handler = first - start;
	*with_eoi = end - start;
}

static void set_up_interrupt(void)
{
	const uint64_t entry = (uintptr_t)handler, mask = 0xffffull;

	idt[2 * VECTOR] = (idt[2 * VECTOR] & ~(mask << 48 | mask)) | (entry & mask) |
			  (entry >> 16 & mask) << 48;
	out8(PIC_MASK, 0xff);
	out8(PIC2_MASK, 0xff);
	write_msr(MSR_APIC_BASE, 0xfee00000u | X2APIC_ON | 0x100);
	write_msr(X2APIC_SPURIOUS, 0x1ff);
	write32(IOAPIC, 0x10 + 2 * KICK_LINE + 1);
	write32(IOAPIC + 0x10, 0); /* to processor 0 */
	write32(IOAPIC, 0x10 + 2 * KICK_LINE);
	write32(IOAPIC + 0x10, VECTOR); /* edge, not masked */
}

static void measure_interrupts(void)
{
	set_up_interrupt();
	for (unsigned i = 0; i < ROUNDS + WARM_UP; i++) {
		uint32_t to_handler, with_eoi;

		time_kick(&to_handler, &with_eoi);
		take(i, more_samples, to_handler);
		take(i, samples, with_eoi);
	}
	report("kick_to_handler", more_samples);
	report("kick_to_isr", samples);
}

void main(void)
{
	measure_exits();
	if (pc_told("bench-kick") && (cpuid_c(1) & HAS_X2APIC))
		measure_interrupts();
	pc_print("bench done\n");
}
