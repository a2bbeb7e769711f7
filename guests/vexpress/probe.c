/* What a vexpress-a9 looks like from inside. Nothing is printed that depends on
 * how fast it is, nor what the documentation says differs. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART 0x10009000u
#define SYSREGS 0x10000000u
#define SP804 0x10011000u
#define SCU 0x1e000000u
#define GICC 0x1e000100u
#define GLOBAL 0x1e000200u
#define PRIVATE 0x1e000600u
#define WATCHDOG 0x1e000620u
#define GICD 0x1e001000u
#define PL310 0x1e00a000u
#define RTC 0x10017000u

static uint8_t stack[4096] __attribute__((aligned(8), used));
static uint8_t irq_stack[1024] __attribute__((aligned(8), used));
static uint32_t table[4096] __attribute__((aligned(16384)));
static uint8_t second_stack[1024] __attribute__((aligned(8), used));
static volatile uint32_t second_is_up;
static volatile uint32_t taken[4]; /* interrupts, undefined, SVC, data aborts */

void start_c(void) __attribute__((used, noreturn));
void on_irq(void) __attribute__((used));
void second_c(void) __attribute__((used, noreturn));
extern const char _start[];
extern const char vectors[];

/* The first bytes of the image. */
__asm__(".section .start, \"ax\"\n"
	".global _start\n_start:\n"
	"	mrc p15, 0, r0, c0, c0, 5\n	ands r0, r0, #15\n"
	"	ldrne sp, =second_stack + 1024\n	bne second_c\n"
	"	ldr sp, =stack + 4096\n"
	"	cps #0x12\n	ldr sp, =irq_stack + 1024\n	cps #0x13\n"
	"	b start_c\n"
	"	.ltorg\n"
	"	.balign 32\n.global vectors\nvectors:\n"
	"	b .\n	b undefined\n	b svc\n	b .\n	b data\n	b .\n	b irq\n	b .\n"
	"undefined:\n	cps #0x1f\n	cps #0x1b\n	ldr sp, =taken\n	ldr r12, [sp, #4]\n"
	"	add r12, r12, #1\n	str r12, [sp, #4]\n	movs pc, lr\n"
	"svc:\n	push {r0, r1}\n	ldr r0, =taken\n	ldr r1, [r0, #8]\n	add r1, r1, #1\n"
	"	str r1, [r0, #8]\n	pop {r0, r1}\n	movs pc, lr\n"
	"data:\n	ldr sp, =taken\n	ldr r12, [sp, #12]\n	add r12, r12, #1\n"
	"	str r12, [sp, #12]\n	subs pc, lr, #4\n"
	"irq:\n	sub lr, lr, #4\n	push {r0-r3, r12, lr}\n	bl on_irq\n"
	"	ldm sp!, {r0-r3, r12, pc}^\n"
	"	.ltorg\n	.previous\n");

static uint32_t rd(uint32_t address)
{
	return *(volatile uint32_t *)(uintptr_t)address;
}

static void wr(uint32_t address, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)address = value;
}

static void put(char c)
{
	while (rd(UART + 0x18) & 0x20)
		;
	wr(UART, (uint8_t)c);
}

static void say(const char *text)
{
	for (; *text; text++)
		put(*text);
}

static void hex(uint32_t value)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15u]);
}

static void show(const char *what, uint32_t value)
{
	say("probe: ");
	say(what);
	put(' ');
	hex(value);
	say("\r\n");
}

static void show_range(const char *what, uint32_t from, unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		say("probe: ");
		say(what);
		put(' ');
		hex(from + 4 * i);
		put(' ');
		hex(rd(from + 4 * i));
		say("\r\n");
	}
}

static void identification(void)
{
	static const uint32_t frame[] = { 0x10004000, 0x10005000, 0x10006000, 0x10007000,
					  0x10011000, 0x10012000, 0x1001f000,
					  0x10020000, 0x100e4000 };

	for (unsigned i = 0; i < sizeof(frame) / sizeof(frame[0]); i++)
		show_range("id", frame[i] + 0xfe0, 8);
}

static void nowhere(void)
{
	static const uint32_t address[] = { 0x10001000, 0x1000e000, 0x10030000, 0x18000000,
					    0x1e00b000, 0x20000000, 0x50000000, 0xf0000000 };

	for (unsigned i = 0; i < sizeof(address) / sizeof(address[0]); i++) {
		wr(address[i], 0x12345678);
		show_range("nowhere", address[i], 1);
	}
	show("data aborts", taken[3]);
}

static void configure(uint32_t control, uint32_t data)
{
	wr(SYSREGS + 0xa8, 0);
	wr(SYSREGS + 0xa0, data);
	wr(SYSREGS + 0xa4, 1u << 31 | control);
	show("cfgctrl", rd(SYSREGS + 0xa4));
	show("cfgstat", rd(SYSREGS + 0xa8));
	show("cfgdata", rd(SYSREGS + 0xa0));
}

static void system_registers(void)
{
	static const uint8_t offset[] = { 0x00, 0x04, 0x08, 0x20, 0x30, 0x38, 0x44,
					  0x48, 0x4c, 0x58, 0x60, 0x84, 0x88 };

	for (unsigned i = 0; i < sizeof(offset); i++)
		show_range("sys", SYSREGS + offset[i], 1);
	wr(SYSREGS + 0x30, 0xff00);
	wr(SYSREGS + 0x34, 0x0f00);
	wr(SYSREGS + 0x38, 0x55);
	wr(SYSREGS + 0x3c, 0x05);
	wr(SYSREGS + 0x20, 0xa05f);
	wr(SYSREGS + 0x08, 0xa5);
	show_range("sys", SYSREGS + 0x20, 1);
	show_range("sys", SYSREGS + 0x30, 4);
	show_range("sys", SYSREGS + 0x08, 1);
	for (unsigned device = 0; device < 7; device++) {
		configure(1u << 20 | device, 0);            /* oscillators of the motherboard */
		configure(1u << 20 | 1u << 16 | device, 0); /* of the tile */
		configure(2u << 20 | device, 0);            /* voltages */
		configure(2u << 20 | 1u << 16 | device, 0);
	}
	configure(1u << 30 | 1u << 20 | 1, 25000000);
	configure(1u << 20 | 1, 0);
	configure(1u << 30 | 7u << 20, 0);
	configure(1u << 30 | 11u << 20, 1);
	configure(5u << 20, 0);
	configure(1u << 20 | 2u << 16, 0);
}

static void processor(void)
{
	uint32_t midr, mpidr, sctlr, vbar, cpsr;

	__asm__ volatile("mrc p15, 0, %0, c0, c0, 0"
			 : "=r"(midr));
	__asm__ volatile("mrc p15, 0, %0, c0, c0, 5"
			 : "=r"(mpidr));
	__asm__ volatile("mrc p15, 0, %0, c1, c0, 0"
			 : "=r"(sctlr));
	__asm__ volatile("mrc p15, 0, %0, c12, c0, 0"
			 : "=r"(vbar));
	__asm__ volatile("mrs %0, cpsr"
			 : "=r"(cpsr));
	show("midr", midr);
	show("mpidr", mpidr);
	show("sctlr.VICAM", sctlr & 0x3007);
	show("vbar", vbar);
	show("cpsr.AIFTM", cpsr & 0x1ff);
	show_range("scu", SCU, 4);
	wr(SCU + 0x0c, 0xffff);
	wr(SCU, 1);
	show_range("scu", SCU, 1);
	show_range("pl310", PL310, 2);
	show_range("pl310", PL310 + 0x100, 4);
	wr(PL310 + 0x104, 0x02060000);
	wr(PL310 + 0x77c, 0xff);
	show_range("pl310", PL310 + 0x730, 1);
	show_range("pl310", PL310 + 0x77c, 1);
	wr(PL310 + 0x100, 1);
	show_range("pl310", PL310 + 0x100, 2);
}

/* What start-up code for an A9 in the Secure state touches, and a later processor lacks.
 * NSACR's value at reset differs with the Security state. */
static void a9_registers(void)
{
	uint32_t was = taken[1], value;

#define READ(name, op1, crm, crn, op2)                                      \
	__asm__ volatile("mrc p15, " #op1 ", %0, " #crn ", " #crm ", " #op2 \
			 : "=r"(value));                                    \
	show(name, value)
#define KEEP(name, new, op1, crm, crn, op2)                                              \
	__asm__ volatile("mcr p15, " #op1 ", %0, " #crn ", " #crm ", " #op2 ::"r"(new)); \
	READ(name, op1, crm, crn, op2)
	READ("cbar", 4, c0, c15, 0);
	READ("power control", 0, c0, c15, 0);
	READ("neon busy", 0, c1, c15, 0);
	READ("scr", 0, c1, c1, 0);
	KEEP("scr", 0, 0, c1, c1, 0);
	KEEP("sder", 1, 0, c1, c1, 1);
	KEEP("nsacr", 0xc00, 0, c1, c1, 2);
	KEEP("diagnostic", 0x11, 0, c0, c15, 1);
	KEEP("mvbar", 0x60012340, 0, c0, c12, 1);
	KEEP("mvbar", 0, 0, c0, c12, 1);
	READ("tlb va", 5, c5, c15, 2);
#undef KEEP
#undef READ
	__asm__ volatile("adr %0, 1f + 1\n\tblx %0\n\tb 2f\n\t.thumb\n\t.balign 4\n\tnop\n"
			 "1:\tnop\n\tmrc p15, 4, %0, c15, c0, 0\n\tbx lr\n\t.balign 4\n\t.arm\n2:"
			 : "=&r"(value)::"lr");
	show("cbar in thumb", value);
	show("undefined", taken[1] - was);
}

static void memory(void)
{
	static const uint32_t base[] = { 0x48000000, 0x49fffffc, 0x4c000000, 0x4c7ffffc, 0x60000000,
					 0x60fffffc };

	for (unsigned i = 0; i < sizeof(base) / sizeof(base[0]); i++) {
		uint32_t was = rd(base[i]);

		wr(base[i], 0xa5a50000u + i);
		show_range("memory", base[i], 1);
		wr(base[i], was);
	}
}

/* --- GIC and timers, polled first --------------------------------------------------- */

static void show_gic(const char *what)
{
	show(what, rd(GICC + 0x0c)); /* IAR */
	show("  rpr", rd(GICC + 0x14));
	show("  hppir", rd(GICC + 0x18));
}

static void gic(void)
{
	wr(GICD, 1);
	for (unsigned i = 32; i < 96; i += 4)
		wr(GICD + 0x800 + i, 0x01010101); /* to the first processor */
	wr(GICD + 0x400 + 32, 0xffffffff);
	show("priority bits", rd(GICD + 0x400 + 32));
	wr(GICD + 0x400 + 32, 0x60606060);
	wr(GICC + 0x04, 0xff);
	show("pmr", rd(GICC + 0x04));
	wr(GICC, 1);
	show_gic("nothing pending");
	wr(GICD + 0x180, 0xffffffff);
	show("sgis stay on", rd(GICD + 0x100));
	wr(GICD + 0xf00, 2u << 24 | 5); /* an SGI to oneself */
	wr(GICD + 0x400, 0x40404040);
	wr(GICD + 0x404, 0x40402040);
	wr(GICD + 0xf00, 2u << 24 | 1);
	show_gic("sgi");
	show_gic("another");
	wr(GICC + 0x10, 5);
	show_gic("ended");
	wr(GICC + 0x10, 1);
	show_gic("ended");
	wr(GICD + 0x104, 1u << 2); /* SPI 2: the first SP804 */
	wr(GICD + 0x204, 1u << 2);
	show("ispendr", rd(GICD + 0x204));
	show_gic("spi by ispendr");
	show("isactiver", rd(GICD + 0x304));
	wr(GICC + 0x10, 34);
	show("isactiver", rd(GICD + 0x304));
	wr(GICC + 0x04, 0x50);
	wr(GICD + 0x204, 1u << 2);
	show("masked", rd(GICC + 0x0c));
	wr(GICC + 0x04, 0xff);
	show_gic("open");
	wr(GICC + 0x10, 34);
}

static void wait_for(uint32_t address, uint32_t bits)
{
	for (uint32_t i = 0; i < 100000000u && !(rd(address) & bits); i++)
		;
}

static void timers(void)
{
	show_range("sp804", SP804, 1);
	show_range("sp804", SP804 + 0x08, 1);
	wr(SP804, 1000);
	wr(SP804 + 0x08, 0xa3); /* one shot, 32 bits, interrupt */
	wait_for(SP804 + 0x10, 1);
	show("sp804 value", rd(SP804 + 0x04));
	show("sp804 ris", rd(SP804 + 0x10));
	show("sp804 mis", rd(SP804 + 0x14));
	show_gic("sp804");
	wr(SP804 + 0x0c, 0);
	wr(GICC + 0x10, 34);
	show("sp804 ris", rd(SP804 + 0x10));
	wr(SP804 + 0x08, 0x20);
	wr(GICD + 0x100, 0xf8000000);
	wr(PRIVATE, 10000);
	show("private load", rd(PRIVATE));
	wr(PRIVATE + 0x08, 5); /* once, with interrupt */
	wait_for(PRIVATE + 0x0c, 1);
	show("private counter", rd(PRIVATE + 0x04));
	show("private status", rd(PRIVATE + 0x0c));
	show_gic("private timer");
	wr(PRIVATE + 0x0c, 1);
	show("private status", rd(PRIVATE + 0x0c));
	wr(GICC + 0x10, 29);
	wr(PRIVATE + 0x08, 0);
	wr(WATCHDOG, 5000);
	wr(WATCHDOG + 0x08, 5); /* as a timer */
	wait_for(WATCHDOG + 0x0c, 1);
	show_gic("watchdog");
	wr(WATCHDOG + 0x0c, 1);
	wr(GICC + 0x10, 30);
	wr(WATCHDOG + 0x08, 0);
	wr(GLOBAL + 0x08, 0);
	wr(GLOBAL, 0);
	wr(GLOBAL + 0x04, 0);
	wr(GLOBAL + 0x10, 20000);
	wr(GLOBAL + 0x14, 0);
	show_range("global", GLOBAL + 0x08, 2);
	wr(GLOBAL + 0x08, 7);
	wait_for(GLOBAL + 0x0c, 1);
	show("global status", rd(GLOBAL + 0x0c));
	show_gic("global timer");
	wr(GLOBAL + 0x08, 1);
	wr(GLOBAL + 0x0c, 1);
	show("global status", rd(GLOBAL + 0x0c));
	wr(GICC + 0x10, 27);
}

/* The alarm comes while nobody looks at the clock. */
static void rtc(void)
{
	wr(GICD + 0x104, 1u << 4);
	wr(RTC + 0x10, 1);
	wr(RTC + 0x04, rd(RTC) + 1);
	wait_for(GICD + 0x204, 1u << 4);
	show_gic("rtc");
	wr(RTC + 0x1c, 1);
	wr(GICC + 0x10, 36);
	show("rtc ris", rd(RTC + 0x14));
}

/* --- The second processor: started by SYS_FLAGS and an SGI, answers SGIs -------------- */

void second_c(void)
{
	wr(GICC + 0x04, 0xff);
	wr(GICC, 1);
	second_is_up = 1;
	for (;;) {
		uint32_t irq = rd(GICC + 0x0c);

		if ((irq & 0x3ffu) == 1023)
			continue;
		wr(GICC + 0x10, irq);
		if (irq == 7)
			wr(GICD + 0xf00, 1u << 16 | 8);
	}
}

static void second_processor(void)
{
	uint32_t irq = 1023;

	wr(SYSREGS + 0x34, 0xffffffff);
	wr(SYSREGS + 0x30, (uint32_t)(uintptr_t)_start);
	wr(GICD + 0xf00, 1u << 24 | 1);
	wait_for((uint32_t)(uintptr_t)&second_is_up, 1);
	show("second is up", second_is_up);
	wr(GICD + 0xf00, 1u << 17 | 7);
	for (uint32_t i = 0; i < 100000000u && irq == 1023; i++)
		irq = rd(GICC + 0x0c);
	show("its answer", irq);
	wr(GICC + 0x10, irq);
}

/* --- Exceptions, MMU, caches ------------------------------------------------------------ */

void on_irq(void)
{
	uint32_t irq = rd(GICC + 0x0c);

	if ((irq & 0x3ffu) == 29)
		wr(PRIVATE + 0x0c, 1);
	taken[0]++;
	wr(GICC + 0x10, irq);
}

static void exceptions(void)
{
	__asm__ volatile("mcr p15, 0, %0, c12, c0, 0\n\tisb"
			 :
			 : "r"((uint32_t)(uintptr_t)vectors));
	__asm__ volatile("svc #7" ::
				 : "lr", "memory");
	__asm__ volatile("svc #8" ::
				 : "lr", "memory");
	show("svc", taken[2]);
	wr(PRIVATE, 50000);
	wr(PRIVATE + 0x08, 7);
	__asm__ volatile("cpsie i" ::
				 : "memory");
	while (taken[0] < 20)
		__asm__ volatile("wfi");
	__asm__ volatile("cpsid i" ::
				 : "memory");
	wr(PRIVATE + 0x08, 0);
	show("interrupts", taken[0] >= 20);
}

/* Sections that map each address to itself, RAM cacheable, one alias of it. */
static void mmu(void)
{
	uint32_t sctlr, one = 1, failed = 1;
	volatile uint32_t cell = 5;

	for (uint32_t i = 0; i < 4096; i++)
		table[i] = i << 20 | (i >= 0x600 && i < 0x610 ? 0xc0eu : 0xc02u);
	table[0x700] = 0x60000000u | 0xc0eu;
	__asm__ volatile("mcr p15, 0, %0, c8, c7, 0\n\tmcr p15, 0, %0, c7, c5, 0\n\t"
			 "mcr p15, 0, %1, c3, c0, 0\n\tmcr p15, 0, %2, c2, c0, 0\n\t"
			 "mcr p15, 0, %0, c2, c0, 2\n\tdsb\n\tisb"
			 :
			 : "r"(0), "r"(one), "r"((uint32_t)(uintptr_t)table | 0x4au)
			 : "memory");
	__asm__ volatile("mrc p15, 0, %0, c1, c0, 0"
			 : "=r"(sctlr));
	__asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb"
			 :
			 : "r"(sctlr | 0x1805u)
			 : "memory");
	show("mmu on", 1);
	wr(0x60f00000, 0xfeed);
	show("alias", rd(0x70000000 + 0x0) == rd(0x60000000));
	/* An exception in between, of a hypervisor's interrupt too, makes it fail. */
	for (unsigned tries = 0; failed && tries < 100; tries++)
		__asm__ volatile("ldrex %0, [%2]\n\tadd %0, %0, #1\n\tstrex %1, %0, [%2]"
				 : "=&r"(one), "=&r"(failed)
				 : "r"(&cell)
				 : "memory");
	show("strex", failed);
	show("cell", cell);
}

void start_c(void)
{
	wr(UART + 0x30, 0x301);
	processor();
	a9_registers();
	identification();
	system_registers();
	nowhere();
	memory();
	gic();
	timers();
	rtc();
	second_processor();
	exceptions();
	mmu();
	say("probe: done\r\n");
	wr(SYSREGS + 0xa8, 0);
	wr(SYSREGS + 0xa4, 1u << 31 | 1u << 30 | 8u << 20);
	for (;;)
		;
}
