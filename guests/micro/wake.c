/*
 * Two vCPUs that wake each other by SGIs out of WFI, tens of thousands of times,
 * with timer interrupts falling in between at random. One wake-up that is lost
 * and the guest stands still for ever. Both then say what they have counted.
 */
#include "micro.h"

#define ROUNDS 10000u
#define SGI 5u
#define TIMER 27u
#define GICC 0x08010000ull
#define PSCI_CPU_ON 0xc4000003ull
#define STACK_BYTES 4096u

struct cpu {
	volatile uint32_t woken; /* by an SGI, since it last looked */
	volatile uint32_t sgis, timers, odd;
	uint32_t id;
};
static struct cpu cpus[2];
static int gicv3;
static volatile uint32_t finished;
__attribute__((aligned(16))) static char stack[STACK_BYTES];

void wake_interrupt(void);
void wake_second(void);

/* Each CPU's struct is in TPIDR_EL1. The vectors are within reach of ADR. */
__asm__(".section .text\n"
	".balign 2048\n"
	"wake_vectors:\n"
	".skip 0x280\n"
	"stp x0, x1, [sp, #-176]!\n"
	"stp x2, x3, [sp, #16]\n"
	"stp x4, x5, [sp, #32]\n"
	"stp x6, x7, [sp, #48]\n"
	"stp x8, x9, [sp, #64]\n"
	"stp x10, x11, [sp, #80]\n"
	"stp x12, x13, [sp, #96]\n"
	"stp x14, x15, [sp, #112]\n"
	"stp x16, x17, [sp, #128]\n"
	"stp x18, x29, [sp, #144]\n"
	"str x30, [sp, #160]\n"
	"bl wake_interrupt\n"
	"ldr x30, [sp, #160]\n"
	"ldp x18, x29, [sp, #144]\n"
	"ldp x16, x17, [sp, #128]\n"
	"ldp x14, x15, [sp, #112]\n"
	"ldp x12, x13, [sp, #96]\n"
	"ldp x10, x11, [sp, #80]\n"
	"ldp x8, x9, [sp, #64]\n"
	"ldp x6, x7, [sp, #48]\n"
	"ldp x4, x5, [sp, #32]\n"
	"ldp x2, x3, [sp, #16]\n"
	"ldp x0, x1, [sp], #176\n"
	"eret\n"
	".balign 2048\n"
	"wake_entry:\n" /* x0: top of the stack */
	"mov sp, x0\n"
	"bl wake_second\n"
	"1: wfi\n"
	"b 1b\n"
	".previous\n");

static struct cpu *self(void)
{
	struct cpu *c;

	__asm__ volatile("mrs %0, tpidr_el1"
			 : "=r"(c));
	return c;
}

__attribute__((used)) void wake_interrupt(void)
{
	struct cpu *c = self();
	uint64_t iar;

	if (gicv3)
		__asm__ volatile("mrs %0, s3_0_c12_c12_0"
				 : "=r"(iar));
	else
		iar = micro_read32(GICC + 0xc);
	switch (iar & 0x3ff) {
	case SGI:
		c->sgis++;
		c->woken = 1;
		break;
	case TIMER:
		__asm__ volatile("msr cntv_ctl_el0, xzr\n\tisb");
		c->timers++;
		break;
	default:
		c->odd++;
	}
	if (gicv3)
		__asm__ volatile("msr s3_0_c12_c12_1, %0\n\tisb" ::"r"(iar));
	else
		micro_write32(GICC + 0x10, (uint32_t)iar);
	__asm__ volatile("dsb sy");
}

static void set_up_gicv3(const struct cpu *c)
{
	uint64_t redist = MICRO_GICR + c->id * 0x20000ull;

	micro_write32(MICRO_GICD, 0x12);
	micro_write32(redist + 0x14, 0);
	while ((micro_read32(redist + 0x14) & 4) != 0)
		;
	micro_write32(redist + 0x10080, ~0u);
	micro_write32(redist + 0x10100, 1u << SGI | 1u << TIMER);
	__asm__ volatile("msr s3_0_c12_c12_5, %0\n\tisb\n\t"
			 "msr s3_0_c4_c6_0, %1\n\t"
			 "msr s3_0_c12_c12_7, %2\n\tisb" ::"r"(7ull),
			 "r"(0xffull), "r"(1ull));
}

static void set_up_gicv2(void)
{
	micro_write32(MICRO_GICD, 1);
	micro_write32(MICRO_GICD + 0x100, 1u << SGI | 1u << TIMER);
	micro_write32(GICC + 4, 0xff);
	micro_write32(GICC, 1);
}

static void set_up(struct cpu *c)
{
	__asm__ volatile("msr tpidr_el1, %0\n\t"
			 "adr x9, wake_vectors\n\t"
			 "msr vbar_el1, x9\n\tisb" ::"r"(c)
			 : "x9");
	if (gicv3)
		set_up_gicv3(c);
	else
		set_up_gicv2();
	__asm__ volatile("msr daifclr, #2");
}

static void send(uint32_t target)
{
	__asm__ volatile("dsb sy");
	if (gicv3)
		__asm__ volatile("msr s3_0_c12_c11_5, %0\n\tisb" ::"r"((uint64_t)SGI << 24 |
								       1ull << target));
	else
		micro_write32(MICRO_GICD + 0xf00, 1u << (16 + target) | SGI);
}

/* Sometimes soon, sometimes later than the other's answer. */
static void start_timer(void)
{
	__asm__ volatile("msr cntv_tval_el0, %0\n\t"
			 "msr cntv_ctl_el0, %1\n\tisb" ::"r"(micro_random() % 20000),
			 "r"(1ull));
}

static void wait(struct cpu *c)
{
	__asm__ volatile("msr daifset, #2");
	while (!c->woken)
		__asm__ volatile("wfi\n\tmsr daifclr, #2\n\tisb\n\tmsr daifset, #2" ::
					 : "memory");
	c->woken = 0;
	__asm__ volatile("msr daifclr, #2");
}

__attribute__((used)) void wake_second(void)
{
	struct cpu *c = &cpus[1];

	set_up(c);
	for (unsigned i = 0; i < ROUNDS; i++) {
		wait(c);
		if (i % 3 == 0)
			start_timer();
		send(0);
	}
	finished = 1;
	__asm__ volatile("dsb sy");
}

static void start_second(void)
{
	register uint64_t x0 __asm__("x0") = PSCI_CPU_ON, x1 __asm__("x1") = 1, x2 __asm__("x2");
	register uint64_t x3 __asm__("x3") = (uint64_t)(stack + STACK_BYTES);

	__asm__ volatile("adr %0, wake_entry"
			 : "=r"(x2));
	__asm__ volatile("hvc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
}

void micro_main(void)
{
	struct cpu *c = &cpus[0];
	uint64_t id;

	__asm__ volatile("msr daifset, #15\n\tmrs %0, id_aa64pfr0_el1"
			 : "=r"(id));
	gicv3 = (id >> 24 & 15) != 0;
	cpus[1].id = 1;
	set_up(c);
	start_second();
	/* Until it has its interrupts on, SGIs wait. */
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (i % 2 == 0)
			start_timer();
		send(1);
		wait(c);
	}
	while (!finished)
		;
	if (c->sgis == ROUNDS && cpus[1].sgis == ROUNDS && c->odd + cpus[1].odd == 0 &&
	    c->timers != 0 && cpus[1].timers != 0)
		micro_print("micro: wake done\n");
	else
		micro_print("micro: wake WRONG\n");
	micro_power_off();
}
