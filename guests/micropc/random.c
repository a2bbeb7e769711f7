/*
 * Random bytes, executed. Each seed is a guest of its own: a mode, page tables, registers and
 * code. The console says which: "SEED COUNT" is asked for, and the answer to each is
 * `r SEED MODE` before and `= VECTOR` behind it. What destroys this program ends in a triple
 * fault, or in silence; whoever asks then starts the VM again and asks for the next.
 */
#include "micropc.h"

#define REAL 0x7000u
#define STATE ((struct state *)0x7800)
#define ARENA 0x20000u
#define ARENA_BYTES 0x10000u
#define CODE_BYTES 1024u
#define TIMER_VECTOR 0xf0u
#define TIMER_COUNT 20000000u

#define CODE32 0x08u
#define DATA 0x10u
#define CODE64 0x18u
#define USER32 0x3bu
#define USER_DATA 0x43u
#define USER64 0x4bu
#define TASK 0x50u
#define CODE16 0x60u
#define DATA16 0x68u
#define RANDOM_FROM 0x70u

#define P 1ull
#define W 2ull
#define U 4ull

enum kind { LONG,
	    PROTECTED,
	    REAL_MODE };

struct table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* modes.S */
struct state {
	uint64_t gpr[16], rip, cs, flags, ss, ds, cr0, cr3, cr4;
	struct table idt;
	uint8_t pad[6];
	uint64_t kind, vector;
	struct table gdt;
};
_Static_assert(__builtin_offsetof(struct state, kind) == 208, "modes.S");
_Static_assert(__builtin_offsetof(struct state, gdt) == 224, "modes.S");

void enter(uint64_t unused);
void enter_stub(void);
extern uint8_t real_code[], real_code_end[];
extern uint64_t gdt[18], root[512];
extern struct table gdt_pointer, idt_pointer;

static struct {
	uint64_t level4[512], level3[512], level2[512], level1[512], pae[512];
	uint32_t directory[1024], table[1024];
} __attribute__((aligned(4096))) tables;
static struct {
	uint8_t code[10];
	uint8_t pad[6];
} stubs[256];
static uint64_t gates32[256];
static uint32_t tss[26];
static uint8_t trap_stack[4096] __attribute__((aligned(16)));
static uint64_t sum;

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static unsigned below(unsigned n) { return (unsigned)(pc_random() >> 33) % n; }

/* --- The machine as this program needs it ---------------------------------------------- */

static void put_gdt(void)
{
	const uint64_t at = address(tss);

	gdt[7] = 0x00cffb000000ffff;
	gdt[8] = 0x00cff3000000ffff;
	gdt[9] = 0x00affb000000ffff;
	gdt[10] = 0x67 | (at & 0xffffff) << 16 | 0x89ull << 40 | (at >> 24 & 0xff) << 56;
	gdt[11] = at >> 32;
	gdt[4] = 0x00009b000000ffff | (uint64_t)REAL << 16; /* to real mode */
	gdt[12] = 0x00009b000000ffff | (uint64_t)ARENA << 16;
	gdt[13] = 0x000093000000ffff | (uint64_t)ARENA << 16;
}

static void put_tss(void)
{
	const uint64_t top = address(trap_stack + sizeof(trap_stack));

	tss[1] = (uint32_t)top; /* ESP0, SS0; in 64 bits IST1 is taken */
	tss[2] = DATA;
	tss[9] = (uint32_t)top;
	tss[10] = (uint32_t)(top >> 32);
	for (unsigned i = 0; i < 256; i++)
		idt[2 * i] |= 1ull << 32;
}

static void put_gates(void)
{
	for (unsigned i = 0; i < 256; i++) {
		const uint64_t at = address(stubs[i].code);
		const uint32_t jump = (uint32_t)(address((void *)(uintptr_t)enter_stub) - at - 10);

		stubs[i].code[0] = 0x68;
		*(volatile uint32_t *)(stubs[i].code + 1) = i;
		stubs[i].code[5] = 0xe9;
		*(volatile uint32_t *)(stubs[i].code + 6) = jump;
		gates32[i] = (at & 0xffff) | CODE32 << 16 | 0x8e00ull << 32 | (at >> 16) << 48;
	}
}

static void drain(uint64_t unused)
{
	(void)unused;
	__asm__ volatile("sti; nop; nop; cli");
}

/* Interrupts of the last guest's timer, or that it sent itself, do not end the next. */
static void apic_restore(void)
{
	*pc_apic(0x80) = 0;
	*pc_apic(0xf0) = 0x1ff;
	for (unsigned lvt = 0x320; lvt <= 0x370; lvt += 0x10)
		*pc_apic(lvt) = 0x10000;
	*pc_apic(0x380) = 0;
	for (unsigned i = 0; i < 32; i++) {
		*pc_apic(0xb0) = 0;
		if (attempt(drain, 0) == NO_TRAP)
			return;
	}
}

/* Behind an attempt: everything that it could have changed. */
static void restore(void)
{
	const uint32_t no = 0;

	gdt[10] &= ~(2ull << 40); /* busy */
	__asm__ volatile("lgdt %0; lidt %1" ::"m"(gdt_pointer), "m"(idt_pointer));
	__asm__ volatile("wrmsr" ::"a"(0x100), "d"(0), "c"(0xc0000080));
	__asm__ volatile("mov %0, %%cr4" ::"r"(0x620ull));
	__asm__ volatile("mov %0, %%cr0" ::"r"(0x80010033ull));
	__asm__ volatile("mov %0, %%cr3" ::"r"(address(root))
			 : "memory");
	__asm__ volatile("mov %0, %%dr7" ::"r"(0x400ull));
	__asm__ volatile("lldt %w0; ltr %w1; fninit" ::"r"(no), "r"(TASK));
	__asm__ volatile("mov %0, %%fs; mov %0, %%gs" ::"r"(DATA));
	__asm__ volatile("wrmsr" ::"a"(0xfee00900), "d"(0), "c"(0x1b));
	__asm__ volatile("wrmsr" ::"a"(0x00070406), "d"(0x00070406), "c"(0x277));
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	apic_restore();
	pc_uart();
}

static void timer_start(void)
{
	*pc_apic(0x3e0) = 0xb;
	*pc_apic(0x320) = TIMER_VECTOR;
	*pc_apic(0x380) = TIMER_COUNT;
}

static uint64_t sum_of(const void *from, uint64_t bytes)
{
	const uint64_t *word = from;
	uint64_t s = 0;

	for (uint64_t i = 0; i < bytes / 8; i++)
		s = (s << 7 | s >> 57) ^ word[i];
	return s;
}

/* The program, and what an exception goes through. */
static uint64_t sum_now(void)
{
	const uint8_t *start = (const uint8_t *)0x100000;
	extern uint8_t text_end[];

	return sum_of(start, (uint64_t)(text_end - start)) ^ sum_of(idt, 4096) ^
	       sum_of(gates32, sizeof(gates32)) ^ sum_of(stubs, sizeof(stubs));
}

/* --- What is random ------------------------------------------------------------------ */

static bool is_arena(uint64_t page) { return page - ARENA / 4096 < ARENA_BYTES / 4096; }

/* Half of them present, most in RAM. */
static uint64_t random_entry(void)
{
	const uint64_t r = pc_random();

	switch (below(4)) {
	case 0: return 0;
	case 1: return r & ~P;
	case 2: return (r & 0x3fffff) | P;
	default: return r & 0x8000000fe0ffffffull;
	}
}

static void put_tables(void)
{
	for (unsigned i = 0; i < 512; i++) {
		tables.level4[i] = random_entry();
		tables.level3[i] = random_entry();
		tables.level2[i] = random_entry();
		tables.level1[i] = i * 4096ull | P | W | (is_arena(i) ? U : 0);
		tables.pae[i] = 0;
	}
	for (unsigned i = 0; i < 1024; i++) {
		tables.directory[i] = (uint32_t)random_entry();
		tables.table[i] = i * 4096u | (uint32_t)(P | W) | (uint32_t)(is_arena(i) ? U : 0);
	}
	/* This program, wherever it runs. */
	tables.level4[0] = address(tables.level3) | P | W | U;
	tables.level3[0] = address(tables.level2) | P | W | U;
	tables.level2[0] = address(tables.level1) | P | W | U;
	tables.pae[0] = address(tables.level2) | P;
	tables.directory[0] = (uint32_t)(address(tables.table) | P | W | U);
}

/* What leaves the guest, or changes what it is; their operands are random. */
static const struct {
	uint8_t n, bytes[4];
} special[] = {
	{ 2, { 0x0f, 0xa2 } }, /* CPUID */
	{ 2, { 0x0f, 0x32 } }, /* RDMSR */
	{ 2, { 0x0f, 0x30 } }, /* WRMSR */
	{ 1, { 0xec } },       /* IN, OUT, INS, OUTS */
	{ 1, { 0xed } },
	{ 1, { 0xee } },
	{ 1, { 0xef } },
	{ 1, { 0x6c } },
	{ 1, { 0x6f } },
	{ 2, { 0xf3, 0x6d } },
	{ 2, { 0xf3, 0x6e } },
	{ 1, { 0xf4 } },       /* HLT */
	{ 2, { 0x0f, 0x22 } }, /* MOV to CR, DR */
	{ 2, { 0x0f, 0x23 } },
	{ 2, { 0x0f, 0x01 } }, /* LGDT, LIDT, LMSW, VMRUN, XSETBV ... */
	{ 2, { 0x0f, 0x00 } }, /* LTR, LLDT */
	{ 2, { 0x0f, 0x06 } }, /* CLTS */
	{ 2, { 0x0f, 0x09 } }, /* WBINVD */
	{ 2, { 0x0f, 0x33 } }, /* RDPMC */
	{ 2, { 0x0f, 0xaa } }, /* RSM */
	{ 1, { 0xcd } },       /* INT */
	{ 1, { 0xcf } },       /* IRET */
	{ 1, { 0xea } },       /* far jump */
	{ 1, { 0xcb } },       /* far return */
	{ 2, { 0xf3, 0xa5 } }, /* REP MOVS */
	{ 2, { 0xf3, 0xab } },
	{ 1, { 0x8e } }, /* MOV to a segment register */
	{ 1, { 0x8b } }, /* loads and stores, some of devices */
	{ 1, { 0x89 } },
	{ 2, { 0xf0, 0x01 } },
	{ 3, { 0xf0, 0x0f, 0xb1 } },
	{ 2, { 0x0f, 0x7f } },
};

static void put_code(bool plain)
{
	uint8_t *at = (uint8_t *)(uintptr_t)ARENA;

	for (unsigned i = 0; i < CODE_BYTES; i++)
		at[i] = (uint8_t)(pc_random() >> 40);
	if (plain)
		return;
	for (unsigned i = 0; i < CODE_BYTES - 8;) {
		const unsigned s = below(sizeof(special) / sizeof(special[0]));

		for (unsigned j = 0; j < special[s].n; j++)
			at[i++] = special[s].bytes[j];
		i += below(4);
	}
}

static uint64_t random_value(void)
{
	static const uint32_t bases[] = { 0xfee00000, 0xfec00000, 0xfed00000, ARENA, 0xf0000000,
					  0xc0000080, 0xc0010000, 0x3f8, 0x40, 0x60 };

	switch (below(4)) {
	case 0: return pc_random();
	case 1: return (uint32_t)pc_random();
	case 2: return pc_random() & 0xffff;
	default: return bases[below(sizeof(bases) / sizeof(bases[0]))] + (pc_random() & 0x3ff);
	}
}

/* --- A guest ------------------------------------------------------------------------ */

static const struct mode {
	const char *name;
	enum kind kind;
	uint16_t cs, ss, ds;
	uint32_t cr0, cr4;
} modes[] = {
	{ "real", REAL_MODE, ARENA >> 4, ARENA >> 4, ARENA >> 4, 0x10, 0 },
	{ "protected16", PROTECTED, CODE16, DATA, DATA16, 0x11, 0 },
	{ "protected32", PROTECTED, CODE32, DATA, DATA, 0x11, 0 },
	{ "paged32", PROTECTED, CODE32, DATA, DATA, 0x80010011, 0x10 },
	{ "user32", PROTECTED, USER32, USER_DATA, USER_DATA, 0x80010011, 0x10 },
	{ "pae32", PROTECTED, CODE32, DATA, DATA, 0x80010011, 0x20 },
	{ "long", LONG, CODE64, DATA, DATA, 0, 0x620 },
	{ "long-user", LONG, USER64, USER_DATA, USER_DATA, 0, 0x620 },
	{ "compatible32", LONG, CODE32, DATA, DATA, 0, 0x620 },
	{ "compatible16", LONG, CODE16, DATA, DATA16, 0, 0x620 },
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

static uint64_t root_of(const struct mode *m)
{
	if (m->kind == LONG)
		return address(tables.level4);
	return m->cr4 & 0x20 ? address(tables.pae) : address(tables.directory);
}

static void prepare(const struct mode *m)
{
	const bool based = m->kind == REAL_MODE || m->cs == CODE16;
	const bool stack_based = m->kind == REAL_MODE;

	for (unsigned i = 0; i < 16; i++)
		STATE->gpr[i] = random_value();
	STATE->rip = based ? 0 : ARENA;
	STATE->gpr[4] = (stack_based ? 0 : ARENA) + ARENA_BYTES - 256;
	STATE->cs = m->cs;
	STATE->ss = m->ss;
	STATE->ds = m->ds;
	STATE->flags = 0x202;
	STATE->cr0 = m->cr0;
	STATE->cr4 = m->cr4;
	STATE->cr3 = root_of(m);
	STATE->kind = m->kind;
	STATE->vector = 0;
	STATE->gdt = gdt_pointer;
	STATE->idt = m->kind == REAL_MODE ? (struct table){ 0x3ff, 0 }
					  : (struct table){ 0x7ff, address(gates32) };
	for (unsigned i = 0; i < (uint64_t)(real_code_end - real_code); i++)
		((volatile uint8_t *)(uintptr_t)REAL)[i] = real_code[i];
	for (unsigned i = 0; i < 256; i++)
		((volatile uint32_t *)0)[i] = ((REAL + 0x400) / 16 - i) << 16 | 16 * i;
	for (unsigned i = RANDOM_FROM / 8; i < 18; i++)
		gdt[i] = pc_random();
}

static _Noreturn void give_up(void)
{
	static const struct table none = { 0, 0 };

	pc_print("random: damaged\n");
	for (;;)
		__asm__ volatile("lidt %0; ud2" ::"m"(none));
}

static void run(uint64_t seed)
{
	const struct mode *m = &modes[seed % MODES];
	unsigned vector;

	pc_seed(seed);
	prepare(m);
	put_tables();
	put_code(seed / MODES % 2 == 0);
	pc_print("r ");
	pc_print_number(seed);
	pc_print(" ");
	pc_print(m->name);
	pc_print("\n");
	timer_start();
	vector = attempt(enter, 0);
	restore();
	if (sum_now() != sum)
		give_up();
	pc_print("= ");
	pc_print_number(vector);
	pc_print("\n");
}

static uint64_t number(void)
{
	uint64_t n = 0;
	int c = pc_get();

	while (c < '0' || c > '9')
		c = pc_get();
	for (; c != ' ' && c != '\n' && c != '\r'; c = pc_get())
		if (c >= '0' && c <= '9')
			n = n * 10 + (uint64_t)(c - '0');
	return n;
}

void main(void)
{
	uint64_t seed, end;

	pc_uart();
	put_gdt();
	put_tss();
	put_gates();
	sum = sum_now();
	restore();
	for (;;) {
		pc_print("random: ready\n");
		seed = number();
		end = seed + number();
		while (seed < end)
			run(seed++);
	}
}
