/*
 * Benchmarks seen from a guest: prints `bench ROW min median max` in ticks of
 * CNTVCT, which are instructions under icount with a frequency of 1 GHz. The
 * addresses are those of QEMU's `virt`, so the image runs without a
 * hypervisor as well, or a Xen domain's if the devicetree says so. The row
 * `empty` is the cost of timing itself; an interrupt's handler reads the
 * counter in its first instruction. Rows that need something of the machine
 * are measured if the boot arguments have the word (tests/bench/README.md).
 */
#include "micro.h"

#define ROUNDS 1000u
#define WARM_UP 10u
#define PSCI_VERSION 0x84000000u
#define SMCCC_VERSION 0x80000000u
#define XEN_VERSION 17u
#define VTIMER_PPI 27
#define SGI 1
#define TIMER_DELAY 3000u
/* tests/bench/README.md: a write is a doorbell; a write makes somebody raise
 * the edge-triggered interrupt; memory of which no page is there. */
#define DOORBELL 0x0b000000ull
#define KICK 0x0b001000ull
#define KICK_INTID 40u
#define LAZY_MEMORY 0x48000000ull

struct machine {
	uint64_t gicd, gicr, gicc, uart, rtc;
	uint32_t uart_write; /* a register whose write does nothing */
};
static const struct machine virt = { MICRO_GICD, MICRO_GICR, 0x08010000, MICRO_UART,
				     0x09010000, 0x24 };
static const struct machine xen = { 0x03001000, 0x03020000, 0x03002000, 0x22000000, 0, 0x44 };

static struct machine m;
static uint32_t samples[ROUNDS];
static int gicv3;

/* An interrupt's handler: x9 to x11 are free while interrupts are on, x12 is
 * GICC. It notes the time in x10, stops the timer and ends the interrupt. */
__asm__(".section .text\n"
	".balign 2048\n"
	"vectors_v3:\n"
	".skip 0x280\n"
	"mrs x10, cntvct_el0\n"
	"msr cntv_ctl_el0, xzr\n"
	"isb\n"
	"mrs x11, s3_0_c12_c12_0\n" /* ICC_IAR1_EL1 */
	"msr s3_0_c12_c12_1, x11\n" /* ICC_EOIR1_EL1 */
	"isb\n"
	"eret\n"
	".balign 2048\n"
	"vectors_v2:\n"
	".skip 0x280\n"
	"mrs x10, cntvct_el0\n"
	"msr cntv_ctl_el0, xzr\n"
	"isb\n"
	"ldr w11, [x12, #0xc]\n"
	"str w11, [x12, #0x10]\n"
	"dsb sy\n"
	"eret\n"
	".balign 2048\n"
	".previous\n");

static inline uint64_t now(void)
{
	uint64_t v;

	__asm__ volatile("mrs %0, cntvct_el0"
			 : "=r"(v)
			 :
			 : "memory");
	return v;
}

/* --- output --- */

static void print_number(uint64_t n)
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

static void sort(void)
{
	for (unsigned i = 1; i < ROUNDS; i++) {
		uint32_t x = samples[i];
		unsigned j = i;

		for (; j > 0 && samples[j - 1] > x; j--)
			samples[j] = samples[j - 1];
		samples[j] = x;
	}
}

/* Not inline: tests/bench/profile.py looks for it. */
__attribute__((noinline)) static void report(const char *row)
{
	sort();
	micro_print("bench ");
	micro_print(row);
	micro_print(" ");
	print_number(samples[0]);
	micro_print(" ");
	print_number(samples[ROUNDS / 2]);
	micro_print(" ");
	print_number(samples[ROUNDS - 1]);
	micro_print("\n");
}

/* --- rows --- */

static uint64_t time_empty(void)
{
	uint64_t start = now();

	return now() - start;
}

static uint64_t time_call(uint32_t function)
{
	register uint64_t x0 __asm__("x0") = function;
	uint64_t start = now();

	__asm__ volatile("hvc #0"
			 : "+r"(x0)
			 :
			 : "x1", "x2", "x3", "memory");
	return now() - start;
}

static uint64_t time_hypercall(void) { return time_call(PSCI_VERSION); }
static uint64_t time_smccc(void) { return time_call(SMCCC_VERSION); }

/* Xen's own call, the shortest that it has. */
static uint64_t time_xen_version(void)
{
	register uint64_t x0 __asm__("x0") = 0, x1 __asm__("x1") = 0;
	register uint64_t x16 __asm__("x16") = XEN_VERSION;
	uint64_t start = now();

	__asm__ volatile("hvc #0xea1"
			 : "+r"(x0), "+r"(x1), "+r"(x16)
			 :
			 : "x2", "x3", "x4", "memory");
	return now() - start;
}

static uint64_t time_read(uint64_t address)
{
	uint64_t start = now();

	(void)micro_read32(address);
	return now() - start;
}

static uint64_t time_mmio_read(void) { return time_read(m.uart + 0x18); }
static uint64_t time_rtc_read(void) { return time_read(m.rtc); }
static uint64_t time_gicd_read(void) { return time_read(m.gicd + 4); }

static uint64_t time_write(uint64_t address)
{
	uint64_t start = now();

	micro_write32(address, 1);
	return now() - start;
}

static uint64_t time_mmio_write(void) { return time_write(m.uart + m.uart_write); }
static uint64_t time_doorbell(void) { return time_write(DOORBELL); }

/* Each time a page that was never touched. */
static uint64_t time_first_touch(void)
{
	static uint64_t next = LAZY_MEMORY;

	next += 4096;
	return time_write(next - 4096);
}

static uint64_t time_self_sgi(void)
{
	uint64_t start, end;

	if (gicv3)
		__asm__ volatile("mov x10, #0\n\t"
				 "msr daifclr, #2\n\t"
				 "mrs %0, cntvct_el0\n\t"
				 "msr s3_0_c12_c11_5, %2\n" /* ICC_SGI1R_EL1 */
				 "1: cbz x10, 1b\n\t"
				 "msr daifset, #2\n\t"
				 "mov %1, x10"
				 : "=&r"(start), "=&r"(end)
				 : "r"((uint64_t)SGI << 24 | 1)
				 : "x9", "x10", "x11", "memory");
	else
		__asm__ volatile("mov x10, #0\n\t"
				 "mov x12, %4\n\t"
				 "msr daifclr, #2\n\t"
				 "mrs %0, cntvct_el0\n\t"
				 "str %w2, [%3]\n"
				 "1: cbz x10, 1b\n\t"
				 "msr daifset, #2\n\t"
				 "mov %1, x10"
				 : "=&r"(start), "=&r"(end)
				 : "r"(2u << 24 | SGI), "r"(m.gicd + 0xf00), "r"(m.gicc)
				 : "x9", "x10", "x11", "x12", "memory");
	return end - start;
}

static uint64_t time_kick(void)
{
	uint64_t start, end;

	__asm__ volatile("mov x10, #0\n\t"
			 "mov x12, %3\n\t"
			 "msr daifclr, #2\n\t"
			 "mrs %0, cntvct_el0\n\t"
			 "str wzr, [%2]\n"
			 "1: cbz x10, 1b\n\t"
			 "msr daifset, #2\n\t"
			 "mov %1, x10"
			 : "=&r"(start), "=&r"(end)
			 : "r"(KICK), "r"(m.gicc)
			 : "x9", "x10", "x11", "x12", "memory");
	return end - start;
}

/* From the moment for which the timer is set; the guest is busy. */
static uint64_t time_vtimer(void)
{
	uint64_t due = now() + TIMER_DELAY, end;

	__asm__ volatile("mov x10, #0\n\t"
			 "mov x12, %3\n\t"
			 "msr cntv_cval_el0, %1\n\t"
			 "msr cntv_ctl_el0, %2\n\t"
			 "isb\n\t"
			 "msr daifclr, #2\n"
			 "1: cbz x10, 1b\n\t"
			 "msr daifset, #2\n\t"
			 "mov %0, x10"
			 : "=&r"(end)
			 : "r"(due), "r"(1ull), "r"(m.gicc)
			 : "x9", "x10", "x11", "x12", "memory");
	return end - due;
}

static void measure(const char *row, uint64_t (*time)(void))
{
	for (unsigned i = 0; i < ROUNDS + WARM_UP; i++) {
		uint64_t ticks = time();

		samples[i < WARM_UP ? 0 : i - WARM_UP] = (uint32_t)ticks;
	}
	report(row);
}

/* --- interrupts --- */

/* The same registers on both versions; KICK_INTID goes to this CPU. */
static void set_up_kick_interrupt(void)
{
	const uint64_t bit = 1u << KICK_INTID % 32, word = 4 * (KICK_INTID / 32);
	const uint64_t edge = m.gicd + 0xc00 + 4 * (KICK_INTID / 16);

	micro_write32(m.gicd + 0x80 + word, gicv3 ? ~0u : 0);
	micro_write32(edge, micro_read32(edge) | 2u << 2 * (KICK_INTID % 16));
	if (gicv3)
		*(volatile uint64_t *)(m.gicd + 0x6000 + 8 * KICK_INTID) = 0;
	else
		*(volatile uint8_t *)(m.gicd + 0x800 + KICK_INTID) = 1;
	micro_write32(m.gicd + 0x100 + word, (uint32_t)bit);
}

static void set_up_gicv3(void)
{
	uint64_t sgi_base = m.gicr + 0x10000;

	micro_write32(m.gicd, 0x12); /* affinity routing, group 1 */
	micro_write32(m.gicr + 0x14, 0);
	while ((micro_read32(m.gicr + 0x14) & 4) != 0) /* children asleep */
		;
	micro_write32(sgi_base + 0x80, ~0u);
	micro_write32(sgi_base + 0x100, 1u << SGI | 1u << VTIMER_PPI);
	__asm__ volatile("msr s3_0_c12_c12_5, %0\n\t" /* ICC_SRE_EL1 */
			 "isb\n\t"
			 "msr s3_0_c4_c6_0, %1\n\t"   /* ICC_PMR_EL1 */
			 "msr s3_0_c12_c12_7, %2\n\t" /* ICC_IGRPEN1_EL1 */
			 "adr x0, vectors_v3\n\t"
			 "msr vbar_el1, x0\n\t"
			 "isb"
			 :
			 : "r"(7ull), "r"(0xffull), "r"(1ull)
			 : "x0", "memory");
}

static void set_up_gicv2(void)
{
	micro_write32(m.gicd, 1);
	micro_write32(m.gicd + 0x100, 1u << SGI | 1u << VTIMER_PPI);
	micro_write32(m.gicc + 4, 0xff);
	micro_write32(m.gicc, 1);
	__asm__ volatile("adr x0, vectors_v2\n\t"
			 "msr vbar_el1, x0\n\t"
			 "isb"
			 :
			 :
			 : "x0", "memory");
}

static void measure_exits(void)
{
	measure("empty", time_empty);
	measure("hypercall_vmm", time_hypercall);
	measure("hypercall_smccc", time_smccc);
	if (m.uart == xen.uart)
		measure("hypercall_xen_version", time_xen_version);
	measure("mmio_read_vmm", time_mmio_read);
	measure("mmio_write_vmm", time_mmio_write);
	if (m.rtc != 0)
		measure("mmio_read_rtc", time_rtc_read);
	measure("gicd_read", time_gicd_read);
	if (micro_told("bench-doorbell"))
		measure("doorbell", time_doorbell);
	if (micro_told("bench-lazy"))
		measure("stage2_fault", time_first_touch);
}

static void measure_interrupts(void)
{
	if (gicv3)
		set_up_gicv3();
	else
		set_up_gicv2();
	measure("self_sgi", time_self_sgi);
	measure("vtimer_to_handler", time_vtimer);
	if (micro_told("bench-kick")) {
		set_up_kick_interrupt();
		measure("kick_to_isr", time_kick);
	}
}

void micro_main(void)
{
	uint64_t id;

	__asm__ volatile("msr daifset, #15\n\t"
			 "mrs %0, id_aa64pfr0_el1"
			 : "=r"(id));
	gicv3 = (id >> 24 & 15) != 0;
	m = micro_told("bench-xen") ? xen : virt;
	micro_uart = m.uart;
	measure_exits();
	measure_interrupts();
	micro_print("bench done\n");
	micro_power_off();
}
