/*
 * Everything that a processor and a PC can be asked, each thing in turn: it has
 * the architecture's answer. A line for each part; a wrong answer is a line
 * with FAILED. Of the command line: part=NAME; full: every
 * port in every way; end=NAME, how to end badly.
 */
#include "micropc.h"

#define APIC_ICR 0x300u
#define APIC_ICR_HIGH 0x310u
#define EFER 0xc0000080u
#define PAT 0x277u

static unsigned wrong, tried;

/* At most a few of each part are told. */
static void fail(const char *what, uint64_t a, uint64_t b)
{
	if (wrong++ >= 8)
		return;
	pc_print("sweep: FAILED ");
	pc_print(what);
	pc_print(" ");
	pc_print_hex(a);
	pc_print(" ");
	pc_print_hex(b);
	pc_print("\n");
}

static void expect(const char *what, uint64_t which, unsigned trap, unsigned wanted)
{
	tried++;
	if (trap != wanted)
		fail(what, which, trap);
}

/* --- CPUID ----------------------------------------------------------------- */

struct leaf {
	uint32_t a, b, c, d;
};

static struct leaf cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct leaf r;

	tried++;
	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "0"(leaf), "2"(subleaf));
	return r;
}

static void cpuid_range(uint32_t first, uint32_t n, uint32_t max)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t sub = 0; sub < 4; sub++) {
			const struct leaf r = cpuid(first + i, sub);

			if (i > max - first && (r.a | r.b | r.c | r.d) != 0)
				fail("leaf above the last", first + i, sub);
		}
}

#define INSTRUCTION(name, ...)                                                  \
	static void name(uint64_t at)                                           \
	{                                                                       \
		__asm__ volatile(__VA_ARGS__ ::"D"(at)                          \
				 : "rax", "rbx", "rcx", "rdx", "memory", "cc"); \
	}
INSTRUCTION(fpu, "fninit; fld1; fstp %%st(0)")
INSTRUCTION(tsc, "rdtsc")
INSTRUCTION(cx8, "xor %%eax, %%eax; cmpxchg8b (%%rdi)")
INSTRUCTION(cmov, "cmovz %%rax, %%rbx")
INSTRUCTION(clflush, "clflush (%%rdi)")
INSTRUCTION(mmx, ".byte 0x0f, 0x6f, 0xc0; emms")
INSTRUCTION(fxsr, "fxsave (%%rdi)")
INSTRUCTION(sse, ".byte 0x0f, 0x28, 0xc0")
INSTRUCTION(sse2, ".byte 0x66, 0x0f, 0x28, 0xc0")
INSTRUCTION(sse3, ".byte 0xf2, 0x0f, 0xd0, 0xc0")
INSTRUCTION(pclmul, ".byte 0x66, 0x0f, 0x3a, 0x44, 0xc0, 0x00")
INSTRUCTION(monitor, "xor %%ecx, %%ecx; xor %%edx, %%edx; mov %%rdi, %%rax; .byte 0x0f, 0x01, 0xc8")
INSTRUCTION(ssse3, ".byte 0x66, 0x0f, 0x38, 0x00, 0xc0")
INSTRUCTION(cx16, "xor %%eax, %%eax; cmpxchg16b (%%rdi)")
INSTRUCTION(sse41, ".byte 0x66, 0x0f, 0x38, 0x17, 0xc0")
INSTRUCTION(sse42, "crc32b %%al, %%ebx")
INSTRUCTION(movbe, ".byte 0x0f, 0x38, 0xf0, 0x07")
INSTRUCTION(popcnt, ".byte 0xf3, 0x0f, 0xb8, 0xc0")
INSTRUCTION(aes, ".byte 0x66, 0x0f, 0x38, 0xdc, 0xc0")
INSTRUCTION(xsave, "xor %%ecx, %%ecx; .byte 0x0f, 0x01, 0xd0")
INSTRUCTION(rdrand, ".byte 0x0f, 0xc7, 0xf0")
INSTRUCTION(fsgsbase, ".byte 0xf3, 0x48, 0x0f, 0xae, 0xc0")
INSTRUCTION(rdseed, ".byte 0x0f, 0xc7, 0xf8")
INSTRUCTION(adx, ".byte 0x66, 0x0f, 0x38, 0xf6, 0xc0")
INSTRUCTION(clflushopt, ".byte 0x66, 0x0f, 0xae, 0x3f")
INSTRUCTION(clwb, ".byte 0x66, 0x0f, 0xae, 0x37")
INSTRUCTION(lahf, ".byte 0x9f")
INSTRUCTION(lzcnt, ".byte 0xf3, 0x0f, 0xbd, 0xc0")
INSTRUCTION(sse4a, ".byte 0x66, 0x0f, 0x79, 0xc0")
INSTRUCTION(prefetchw, ".byte 0x0f, 0x0d, 0x0f")
INSTRUCTION(vmrun, "mov $0x1000, %%eax; .byte 0x0f, 0x01, 0xd8")
INSTRUCTION(rdtscp, ".byte 0x0f, 0x01, 0xf9")
INSTRUCTION(vmxon, ".byte 0xf3, 0x0f, 0xc7, 0x37")

/* Leaf, register (0 to 3), bit; what it stands for. */
static const struct feature {
	uint32_t leaf;
	uint8_t reg, bit;
	bool hidden; /* without the bit it must be #UD here */
	void (*run)(uint64_t);
	const char *name;
} features[] = {
	{ 1, 3, 0, false, fpu, "fpu" },
	{ 1, 3, 4, false, tsc, "tsc" },
	{ 1, 3, 8, false, cx8, "cx8" },
	{ 1, 3, 15, false, cmov, "cmov" },
	{ 1, 3, 19, false, clflush, "clflush" },
	{ 1, 3, 23, false, mmx, "mmx" },
	{ 1, 3, 24, false, fxsr, "fxsr" },
	{ 1, 3, 25, false, sse, "sse" },
	{ 1, 3, 26, false, sse2, "sse2" },
	{ 1, 2, 0, false, sse3, "sse3" },
	{ 1, 2, 1, false, pclmul, "pclmul" },
	{ 1, 2, 3, true, monitor, "monitor" },
	{ 1, 2, 5, true, vmxon, "vmx" },
	{ 1, 2, 9, false, ssse3, "ssse3" },
	{ 1, 2, 13, false, cx16, "cx16" },
	{ 1, 2, 19, false, sse41, "sse4.1" },
	{ 1, 2, 20, false, sse42, "sse4.2" },
	{ 1, 2, 22, false, movbe, "movbe" },
	{ 1, 2, 23, false, popcnt, "popcnt" },
	{ 1, 2, 25, false, aes, "aes" },
	{ 1, 2, 27, true, xsave, "osxsave" },
	{ 1, 2, 30, false, rdrand, "rdrand" },
	{ 7, 1, 0, false, fsgsbase, "fsgsbase" },
	{ 7, 1, 18, false, rdseed, "rdseed" },
	{ 7, 1, 19, false, adx, "adx" },
	{ 7, 1, 23, false, clflushopt, "clflushopt" },
	{ 7, 1, 24, false, clwb, "clwb" },
	{ 0x80000001, 2, 0, false, lahf, "lahf" },
	{ 0x80000001, 2, 2, true, vmrun, "svm" },
	{ 0x80000001, 2, 5, false, lzcnt, "lzcnt" },
	{ 0x80000001, 2, 6, false, sse4a, "sse4a" },
	{ 0x80000001, 2, 8, false, prefetchw, "prefetchw" },
	{ 0x80000001, 3, 27, false, rdtscp, "rdtscp" },
};

static bool shown(uint32_t leaf, unsigned reg, unsigned bit)
{
	const struct leaf r = cpuid(leaf, 0);
	const uint32_t word[4] = { r.a, r.b, r.c, r.d };

	return word[reg] >> bit & 1;
}

static void feature_sweep(void)
{
	static uint8_t area[512] __attribute__((aligned(64)));
	const bool has_fsgsbase = shown(7, 1, 0);
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0"
			 : "=r"(cr4));
	if (has_fsgsbase)
		__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | 1u << 16));
	for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const struct feature *f = &features[i];
		const bool there = shown(f->leaf, f->reg, f->bit);

		if (!there && !f->hidden)
			continue;
		expect(f->name, f->bit, attempt(f->run, (uint64_t)(uintptr_t)area),
		       there ? NO_TRAP : TRAP_UD);
	}
}

static void cpuid_sweep(void)
{
	const uint32_t standard = cpuid(0, 0).a, extended = cpuid(0x80000000, 0).a;
	const uint32_t own = cpuid(0x40000000, 0).a;

	cpuid_range(0, 0x100, standard);
	cpuid_range(0x40000000, 0x101, own);
	cpuid_range(0x80000000, 0x100, extended);
	for (unsigned i = 0; i < 2000; i++)
		(void)cpuid((uint32_t)pc_random(), (uint32_t)pc_random());
	/* What needs something else that is not there. */
	if (!shown(1, 2, 26) && (shown(1, 2, 28) || shown(1, 2, 12) || shown(7, 1, 5)))
		fail("AVX or FMA without XSAVE", 0, 0);
	if (!shown(1, 3, 9) && (shown(1, 2, 21) || shown(1, 2, 24)))
		fail("x2APIC or deadlines without an APIC", 0, 0);
	feature_sweep();
}

/* --- Model-specific registers ------------------------------------------------ */

static uint64_t msr_value;

static void msr_read(uint64_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr"
			 : "=a"(low), "=d"(high)
			 : "c"((uint32_t)msr));
	msr_value = low | (uint64_t)high << 32;
}

static void msr_write(uint64_t msr)
{
	__asm__ volatile("wrmsr" ::"a"((uint32_t)msr_value), "d"((uint32_t)(msr_value >> 32)),
			 "c"((uint32_t)msr));
}

/* Its value written again; else nothing. */
static void msr_try(uint32_t msr)
{
	const unsigned got = attempt(msr_read, msr);
	unsigned put;

	if (got != NO_TRAP)
		msr_value = 0;
	put = attempt(msr_write, msr);
	tried += 2;
	if ((got != NO_TRAP && got != TRAP_GP) || (put != NO_TRAP && put != TRAP_GP))
		fail("register", msr, got << 16 | put);
	if ((got == TRAP_GP || put == TRAP_GP) && trap_error != 0)
		fail("#GP with an error code", msr, trap_error);
}

static void msr_range(uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		msr_try(first + i);
}

static void msr_put(uint32_t msr, uint64_t value, unsigned wanted)
{
	uint64_t before;

	(void)attempt(msr_read, msr);
	before = msr_value;
	msr_value = value;
	expect("register written", msr, attempt(msr_write, msr), wanted);
	msr_value = before;
	(void)attempt(msr_write, msr);
}

static bool canonical(uint64_t v) { return (uint64_t)((int64_t)(v << 16) >> 16) == v; }

static void msr_values(void)
{
	static const uint32_t addresses[] = { 0x175, 0x176, 0xc0000082, 0xc0000083,
					      0xc0000100, 0xc0000101, 0xc0000102 };

	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		for (unsigned bit = 0; bit < 64; bit++)
			msr_put(addresses[i], 1ull << bit,
				canonical(1ull << bit) ? NO_TRAP : TRAP_GP);
	for (unsigned type = 0; type < 256; type++)
		for (unsigned at = 0; at < 64; at += 8)
			msr_put(PAT, (uint64_t)type << at,
				type > 7 || type == 2 || type == 3 ? TRAP_GP : NO_TRAP);
	/* LME and LMA are on, and so is paging: only SCE and NXE can change. */
	for (unsigned bit = 0; bit < 64; bit++)
		msr_put(EFER, 0x500ull ^ 1ull << bit,
			bit == 0 || bit == 11 ? NO_TRAP : bit == 10 ? NO_TRAP
								    : TRAP_GP);
}

static void msr_sweep(void)
{
	msr_range(0, 0x2000);
	msr_range(0x40000000, 0x100);
	msr_range(0xc0000000, 0x2000);
	msr_range(0xc0010000, 0x2000);
	for (unsigned i = 0; i < 2000; i++)
		msr_try((uint32_t)pc_random() | 0x2000);
	msr_values();
}

/* --- Ports ------------------------------------------------------------------- */

static bool ends_the_machine(uint32_t port, unsigned size)
{
	static const uint16_t list[] = { 0x64, 0x92, 0x604, 0x605, 0xcf9 };

	for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i] >= port && list[i] < port + size)
			return true;
	return false;
}

static uint8_t buffer[16] __attribute__((aligned(16)));

static void port_in(uint32_t port, unsigned size, bool string)
{
	uint64_t to = (uint64_t)(uintptr_t)buffer;
	uint32_t a = 0;

	if (string && size == 1)
		__asm__ volatile("insb"
				 : "+D"(to)
				 : "d"(port)
				 : "memory");
	else if (string && size == 2)
		__asm__ volatile("insw"
				 : "+D"(to)
				 : "d"(port)
				 : "memory");
	else if (string)
		__asm__ volatile("insl"
				 : "+D"(to)
				 : "d"(port)
				 : "memory");
	else if (size == 1)
		__asm__ volatile("inb %w1, %b0"
				 : "+a"(a)
				 : "d"(port));
	else if (size == 2)
		__asm__ volatile("inw %w1, %w0"
				 : "+a"(a)
				 : "d"(port));
	else
		__asm__ volatile("inl %w1, %0"
				 : "+a"(a)
				 : "d"(port));
	if (string && to != (uint64_t)(uintptr_t)buffer + size)
		fail("INS", port, to);
	if (a > 0xffffffffull >> (32 - 8 * size))
		fail("IN wider than asked", port, a);
	tried++;
}

static void port_out(uint32_t port, unsigned size, bool string)
{
	uint64_t from = (uint64_t)(uintptr_t)buffer;
	uint32_t value = ends_the_machine(port, size) ? 0 : (uint32_t)pc_random();

	*(uint32_t *)buffer = value;
	if (string && size == 1)
		__asm__ volatile("outsb"
				 : "+S"(from)
				 : "d"(port)
				 : "memory");
	else if (string && size == 2)
		__asm__ volatile("outsw"
				 : "+S"(from)
				 : "d"(port)
				 : "memory");
	else if (string)
		__asm__ volatile("outsl"
				 : "+S"(from)
				 : "d"(port)
				 : "memory");
	else if (size == 1)
		__asm__ volatile("outb %b0, %w1" ::"a"(value), "d"(port));
	else if (size == 2)
		__asm__ volatile("outw %w0, %w1" ::"a"(value), "d"(port));
	else
		__asm__ volatile("outl %0, %w1" ::"a"(value), "d"(port));
	if (string && from != (uint64_t)(uintptr_t)buffer + size)
		fail("OUTS", port, from);
	tried++;
}

static void port_try(uint32_t port, unsigned size, bool string)
{
	if (port + size > 0x3f8 && port < 0x400)
		return; /* the console */
	port_in(port, size, string);
	port_out(port, size, string);
}

/* Each in bytes; with `full`, or where devices are, and at some others, in every way. */
static void port_sweep(void)
{
	const bool full = pc_told("full");

	for (uint32_t port = 0; port < 0x10000; port++) {
		port_try(port, 1, false);
		if (!full && port >= 0x1000 && (port & 0xff) < 0xfc)
			continue;
		port_try(port, 2, false);
		port_try(port, 4, false);
		for (unsigned size = 1; size <= 4; size *= 2)
			port_try(port, size, true);
	}
	pc_uart();
}

/* --- Moves of vector registers from and to a device ------------------------------- */

#define HPET 0xfed00000ull
#define COUNTER (HPET + 0xf0) /* behind it is nothing, which reads as 0 */
#define DEVICE 0x1122334455667788ull
#define LOW 0xa1a2a3a4a5a6a7a8ull
#define HIGH 0xb1b2b3b4b5b6b7b8ull
#define ONE (1ull << 63) /* the mantissa of 1.0 */

uint64_t vector_in[2] __attribute__((aligned(16))) = { LOW, HIGH };
uint64_t vector_out[2] __attribute__((aligned(16)));
uint16_t x87_status;

#define LOAD_XMM(name)                                                                   \
	INSTRUCTION(load_##name, "movups vector_in, %%xmm7; " #name " (%%rdi), %%xmm7; " \
				 "movups %%xmm7, vector_out")
#define STORE_XMM(name) \
	INSTRUCTION(store_##name, "movups vector_in, %%xmm9; " #name " %%xmm9, (%%rdi)")
#define LOAD_MMX(name)                                                                        \
	INSTRUCTION(load_mmx_##name, "movq vector_in, %%mm6; " #name " (%%rdi), %%mm6; movq " \
				     "%%mm6, vector_out; fnstsw x87_status; emms")
#define STORE_MMX(name)                                                                   \
	INSTRUCTION(store_mmx_##name, "movq vector_in, %%mm6; " #name " %%mm6, (%%rdi); " \
				      "fnstsw x87_status; emms")
LOAD_XMM(movd)
LOAD_XMM(movq)
LOAD_XMM(movss)
LOAD_XMM(movsd)
LOAD_XMM(movlps)
LOAD_XMM(movlpd)
LOAD_XMM(movhps)
LOAD_XMM(movhpd)
LOAD_XMM(movups)
LOAD_XMM(movaps)
LOAD_XMM(movupd)
LOAD_XMM(movapd)
LOAD_XMM(movdqu)
LOAD_XMM(movdqa)
LOAD_XMM(lddqu)
STORE_XMM(movd)
STORE_XMM(movq)
STORE_XMM(movss)
STORE_XMM(movsd)
STORE_XMM(movlps)
STORE_XMM(movlpd)
STORE_XMM(movhps)
STORE_XMM(movhpd)
STORE_XMM(movups)
STORE_XMM(movaps)
STORE_XMM(movupd)
STORE_XMM(movapd)
STORE_XMM(movdqu)
STORE_XMM(movdqa)
STORE_XMM(movntps)
STORE_XMM(movntpd)
STORE_XMM(movntdq)
LOAD_MMX(movd)
LOAD_MMX(movq)
STORE_MMX(movd)
STORE_MMX(movq)
STORE_MMX(movntq)
/* R7 and R6 are 1.0, R5 is 0, and the stack's top: MMX has the registers by number. */
INSTRUCTION(store_stack, "fninit; fld1; fld1; fldz; movq %%mm7, (%%rdi); fnstsw x87_status; "
			 "movq %%mm6, vector_out; movq %%mm5, vector_out + 8; emms")
INSTRUCTION(load_stack, "fninit; fld1; fldz; movq (%%rdi), %%mm7; fnstsw x87_status; "
			"movq %%mm7, vector_out; movq %%mm6, vector_out + 8; emms")

/* Loads: what becomes of the register. Stores: what becomes of the device. */
static const struct {
	void (*run)(uint64_t);
	const char *name;
	uint64_t low, high;
} loads[] = {
	{ load_movd, "MOVD", (uint32_t)DEVICE, 0 },
	{ load_movq, "MOVQ", DEVICE, 0 },
	{ load_movss, "MOVSS", (uint32_t)DEVICE, 0 },
	{ load_movsd, "MOVSD", DEVICE, 0 },
	{ load_movlps, "MOVLPS", DEVICE, HIGH },
	{ load_movlpd, "MOVLPD", DEVICE, HIGH },
	{ load_movhps, "MOVHPS", LOW, DEVICE },
	{ load_movhpd, "MOVHPD", LOW, DEVICE },
	{ load_movups, "MOVUPS", DEVICE, 0 },
	{ load_movaps, "MOVAPS", DEVICE, 0 },
	{ load_movupd, "MOVUPD", DEVICE, 0 },
	{ load_movapd, "MOVAPD", DEVICE, 0 },
	{ load_movdqu, "MOVDQU", DEVICE, 0 },
	{ load_movdqa, "MOVDQA", DEVICE, 0 },
	{ load_lddqu, "LDDQU", DEVICE, 0 },
	{ load_mmx_movd, "MOVD of MMX", (uint32_t)DEVICE, 0 },
	{ load_mmx_movq, "MOVQ of MMX", DEVICE, 0 },
	{ load_stack, "MOVQ of MMX, of a stack", DEVICE, 0 },
},
  stores[] = {
	  { store_movd, "MOVD", (DEVICE >> 32 << 32) + (uint32_t)LOW, 0 },
	  { store_movq, "MOVQ", LOW, 0 },
	  { store_movss, "MOVSS", (DEVICE >> 32 << 32) + (uint32_t)LOW, 0 },
	  { store_movsd, "MOVSD", LOW, 0 },
	  { store_movlps, "MOVLPS", LOW, 0 },
	  { store_movlpd, "MOVLPD", LOW, 0 },
	  { store_movhps, "MOVHPS", HIGH, 0 },
	  { store_movhpd, "MOVHPD", HIGH, 0 },
	  { store_movups, "MOVUPS", LOW, 0 },
	  { store_movaps, "MOVAPS", LOW, 0 },
	  { store_movupd, "MOVUPD", LOW, 0 },
	  { store_movapd, "MOVAPD", LOW, 0 },
	  { store_movdqu, "MOVDQU", LOW, 0 },
	  { store_movdqa, "MOVDQA", LOW, 0 },
	  { store_movntps, "MOVNTPS", LOW, 0 },
	  { store_movntpd, "MOVNTPD", LOW, 0 },
	  { store_movntdq, "MOVNTDQ", LOW, 0 },
	  { store_mmx_movd, "MOVD of MMX", (DEVICE >> 32 << 32) + (uint32_t)LOW, 0 },
	  { store_mmx_movq, "MOVQ of MMX", LOW, 0 },
	  { store_mmx_movntq, "MOVNTQ", LOW, 0 },
	  { store_stack, "MOVQ of MMX, of a stack", ONE, 0 },
  };

static void same(const char *what, uint64_t got, uint64_t wanted)
{
	tried++;
	if (got != wanted)
		fail(what, got, wanted);
}

static void move_sweep(void)
{
	volatile uint64_t *counter = (volatile uint64_t *)COUNTER;

	*(volatile uint32_t *)(HPET + 0x10) = 0; /* it stands still */
	for (unsigned i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		*counter = DEVICE;
		vector_out[0] = vector_out[1] = 0;
		x87_status = 0;
		expect(loads[i].name, i, attempt(loads[i].run, COUNTER), NO_TRAP);
		same(loads[i].name, vector_out[0], loads[i].low);
		same(loads[i].name, vector_out[1], loads[i].high);
		same("the stack's top", x87_status >> 11 & 7, 0);
	}
	for (unsigned i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		*counter = DEVICE;
		vector_out[0] = vector_out[1] = x87_status = 0;
		expect(stores[i].name, i, attempt(stores[i].run, COUNTER), NO_TRAP);
		same(stores[i].name, counter[0], stores[i].low);
		same(stores[i].name, counter[1], stores[i].high);
		same("the stack's top", x87_status >> 11 & 7, 0);
	}
	same("MM6 of a stack", vector_out[0], ONE);
	same("MM5 of a stack", vector_out[1], 0);
	expect("MOVAPS, not aligned", 0, attempt(load_movaps, COUNTER + 4), TRAP_GP);
	expect("MOVDQA, not aligned", 0, attempt(store_movdqa, COUNTER + 4), TRAP_GP);
}

/* --- Memory that is none -------------------------------------------------------- */

static void mmio(uint64_t at)
{
	*(volatile uint8_t *)at = (uint8_t)pc_random();
	*(volatile uint16_t *)at = (uint16_t)pc_random();
	*(volatile uint32_t *)at = (uint32_t)pc_random();
	*(volatile uint64_t *)at = pc_random();
	(void)*(volatile uint8_t *)at;
	(void)*(volatile uint16_t *)at;
	(void)*(volatile uint32_t *)at;
	(void)*(volatile uint64_t *)at;
	tried += 8;
}

/* Not the local APIC's commands, its timer's and its spurious register's. */
static bool left_out(uint64_t at)
{
	return at >= 0xfee00000ull && at < 0xfee01000ull && (at & 0xfff) > 0xe8;
}

static void mmio_sweep(void)
{
	static const uint64_t devices[] = { 0xfec00000ull, 0xfed00000ull, 0xfee00000ull };

	for (uint64_t at = 0xf0000000ull; at < 0x100000000ull; at += 0x20000)
		if ((at & 0xfff00000ull) != 0xfee00000ull)
			mmio(at);
	for (unsigned i = 0; i < 3; i++)
		for (uint64_t at = devices[i]; at < devices[i] + 0x1000; at += 4)
			if (!left_out(at))
				mmio(at);
	for (unsigned i = 0; i < 2000; i++) {
		const uint64_t at = 0xf0000000ull + (pc_random() & 0xffffff0);

		if ((at & 0xfff00000ull) != 0xfee00000ull)
			mmio(at + (pc_random() & 15));
	}
}

/* --- Control and debug registers --------------------------------------------------- */

#define REGISTER(name, reg)                                           \
	static void get_##name(uint64_t to)                           \
	{                                                             \
		__asm__ volatile("mov %%" reg ", %0"                  \
				 : "=r"(*(uint64_t *)(uintptr_t)to)); \
	}                                                             \
	static void put_##name(uint64_t value)                        \
	{                                                             \
		__asm__ volatile("mov %0, %%" reg ::"r"(value)        \
				 : "memory");                         \
	}
static void get_cr0(uint64_t to)
{
	__asm__ volatile("mov %%cr0, %0"
			 : "=r"(*(uint64_t *)(uintptr_t)to));
}
REGISTER(cr2, "cr2")
REGISTER(cr3, "cr3")
REGISTER(cr4, "cr4")
REGISTER(cr8, "cr8")
REGISTER(dr0, "dr0")
REGISTER(dr3, "dr3")
REGISTER(dr6, "dr6")
REGISTER(dr7, "dr7")

/* Each bit the other way round: may it be? `skip`: not even tried. */
static void bits(const char *name, void (*get)(uint64_t), void (*put)(uint64_t), uint64_t good,
		 uint64_t any, uint64_t skip)
{
	uint64_t before = 0;

	get((uint64_t)(uintptr_t)&before);
	for (unsigned bit = 0; bit < 64; bit++) {
		const uint64_t one = 1ull << bit;
		unsigned trap;

		if (skip & one)
			continue;
		trap = attempt(put, before ^ one);
		(void)attempt(put, before);
		tried++;
		if (!(any & one) && trap != (good & one ? NO_TRAP : TRAP_GP))
			fail(name, bit, trap);
	}
}

static void cr0_twice(uint64_t value)
{
	__asm__ volatile("mov %%cr0, %%rax; mov %0, %%cr0; mov %%rax, %%cr0" ::"r"(value)
			 : "rax", "memory");
}

static void xsetbv(uint64_t unused)
{
	(void)unused;
	__asm__ volatile(".byte 0x0f, 0x01, 0xd1" ::"a"(3), "d"(0), "c"(0));
}

/* CR8 and the local APIC's register are the same. */
static void task_priority(void)
{
	uint64_t cr8 = 0;

	*pc_apic(0x80) = 0x3a;
	get_cr8((uint64_t)(uintptr_t)&cr8);
	expect("CR8 of the task priority", cr8, (unsigned)cr8, 3);
	put_cr8(5);
	expect("task priority of CR8", 5, *pc_apic(0x80), 0x50);
	put_cr8(0);
}

static void control_sweep(void)
{
	uint64_t low, high, dr;

	/* MP, EM, TS, NE, WP, AM, CD; of the others QEMU does not check what may be. */
	bits("CR0", get_cr0, cr0_twice, ~0ull, 0, ~0x4005002eull);
	bits("CR2", get_cr2, put_cr2, ~0ull, 0, 0);
	bits("CR3", get_cr3, put_cr3, 0xfff, 0, 0x000000fffffff000ull | 1ull << 63);
	/* VME to OSXMMEXCPT; what CPUID does not show may be all the same. PAE: as above. */
	bits("CR4", get_cr4, put_cr4, 0x7df, 0x371800, 0x20);
	bits("CR8", get_cr8, put_cr8, 15, 0, 0);
	task_priority();
	bits("DR0", get_dr0, put_dr0, ~0ull, 0, 0);
	bits("DR3", get_dr3, put_dr3, ~0ull, 0, 0);
	bits("DR6", get_dr6, put_dr6, 0xffffffffull, 0, 0);
	bits("DR7", get_dr7, put_dr7, 0xffffdfffull, 0, 0x2000); /* GD */
	/* Breakpoints anywhere, the kernel's addresses among them. */
	get_dr7((uint64_t)(uintptr_t)&dr);
	for (unsigned i = 0; i < 64; i++) {
		put_dr0(0xffffffff80000000ull + (pc_random() & 0x3ffff));
		put_dr3(0xffffff8000000000ull + (pc_random() & 0x1fffffff));
		put_dr7(0x4ff | pc_random() % 2 * 0x33330000ull);
		(void)cpuid(0, 0);
		put_dr7(dr);
	}
	expect("XSETBV", 0, attempt(xsetbv, 0), TRAP_UD);
	__asm__ volatile("rdtsc"
			 : "=a"(low), "=d"(high));
}

/* --- Instructions ------------------------------------------------------------------ */

INSTRUCTION(vmmcall, ".byte 0x0f, 0x01, 0xd9")
INSTRUCTION(vmcall, ".byte 0x0f, 0x01, 0xc1")
INSTRUCTION(vmload, "mov $0x1000, %%eax; .byte 0x0f, 0x01, 0xda")
INSTRUCTION(vmsave, "mov $0x1000, %%eax; .byte 0x0f, 0x01, 0xdb")
INSTRUCTION(stgi, ".byte 0x0f, 0x01, 0xdc")
INSTRUCTION(clgi, ".byte 0x0f, 0x01, 0xdd")
INSTRUCTION(skinit, "xor %%eax, %%eax; .byte 0x0f, 0x01, 0xde")
INSTRUCTION(invlpga, "xor %%eax, %%eax; xor %%ecx, %%ecx; .byte 0x0f, 0x01, 0xdf")
INSTRUCTION(rsm, ".byte 0x0f, 0xaa")
INSTRUCTION(invd, "invd")
INSTRUCTION(wbinvd, "wbinvd")
INSTRUCTION(rdpmc, "xor %%ecx, %%ecx; rdpmc")
INSTRUCTION(mwait, "xor %%eax, %%eax; xor %%ecx, %%ecx; .byte 0x0f, 0x01, 0xc9")
INSTRUCTION(ud2, "ud2")
INSTRUCTION(int3, "int3")
INSTRUCTION(divide, "xor %%ecx, %%ecx; xor %%edx, %%edx; div %%ecx")
INSTRUCTION(far_null, "push $0; push $0; lretq")
INSTRUCTION(step, "pushf; orl $0x100, (%%rsp); popf; nop; nop")
INSTRUCTION(int1, "lea 1f(%%rip), %%rax; mov %%rax, step_end; .byte 0xf1; 1: nop")
INSTRUCTION(guarded, "mov $0x2400, %%eax; mov %%rax, %%dr7; mov %%dr0, %%rax")

/* Wanted of what only one maker's processors have. */
#define OF_AMD 0x1000u
#define OF_INTEL 0x1001u
#define AMD_NAME 0x68747541u /* "Auth", in EBX of leaf 0 */

static const struct {
	void (*run)(uint64_t);
	const char *name;
	unsigned wanted;
} instructions[] = {
	{ vmrun, "VMRUN", TRAP_UD },
	{ vmmcall, "VMMCALL", OF_AMD },
	{ vmcall, "VMCALL", OF_INTEL },
	{ vmload, "VMLOAD", TRAP_UD },
	{ vmsave, "VMSAVE", TRAP_UD },
	{ stgi, "STGI", TRAP_UD },
	{ clgi, "CLGI", TRAP_UD },
	{ skinit, "SKINIT", TRAP_UD },
	{ invlpga, "INVLPGA", TRAP_UD },
	{ rsm, "RSM", TRAP_UD },
	{ invd, "INVD", NO_TRAP },
	{ wbinvd, "WBINVD", NO_TRAP },
	{ rdpmc, "RDPMC", TRAP_GP },
	{ monitor, "MONITOR", TRAP_UD },
	{ mwait, "MWAIT", TRAP_UD },
	{ vmxon, "VMXON", TRAP_UD },
	{ ud2, "UD2", TRAP_UD },
	{ int3, "INT3", 3 },
	{ divide, "DIV", 0 },
	{ far_null, "RETF", TRAP_GP },
	{ step, "TF", TRAP_DB },
};

/* What a hypervisor carries out is stepped over as any other. */
#define STEPPED(name, insn)                                                                \
	INSTRUCTION(step_##name, "lea 1f(%%rip), %%rax; mov %%rax, step_end; "             \
				 "xor %%eax, %%eax; mov $0x277, %%ecx; mov $0x80, %%edx; " \
				 "pushf; orl $0x100, (%%rsp); popf; " insn "; 1: nop; nop")
STEPPED(load, "mov (%%rdi), %%eax")
STEPPED(store, "mov %%eax, 0xb0(%%rdi)")
STEPPED(to_cr8, "mov %%rax, %%cr8")
STEPPED(from_cr8, ".byte 0xf3, 0x2e; mov %%cr8, %%rax")
STEPPED(hlt, "hlt")
STEPPED(cpuid, "cpuid")
STEPPED(rdmsr, "rdmsr")
STEPPED(in, "in %%dx, %%al")
STEPPED(out, "out %%al, %%dx")
STEPPED(wbinvd, "wbinvd")

static const struct {
	void (*run)(uint64_t);
	const char *name;
} stepped[] = {
	{ step_load, "TF, load" },
	{ step_store, "TF, store" },
	{ step_to_cr8, "TF, to CR8" },
	{ step_from_cr8, "TF, from CR8" },
	{ step_hlt, "TF, HLT" },
	{ step_cpuid, "TF, CPUID" },
	{ step_rdmsr, "TF, RDMSR" },
	{ step_in, "TF, IN" },
	{ step_out, "TF, OUT" },
	{ step_wbinvd, "TF, WBINVD" },
};

uint64_t step_end;

static void step_sweep(bool intel)
{
	uint64_t dr = 0;

	for (unsigned i = 0; i < sizeof(stepped) / sizeof(stepped[0]); i++) {
		put_dr6(0);
		expect(stepped[i].name, i, attempt(stepped[i].run, 0xfee00000), TRAP_DB);
		get_dr6((uint64_t)(uintptr_t)&dr);
		if (trap_rip != step_end)
			fail(stepped[i].name, trap_rip, step_end);
		if (!(dr & 0x4000))
			fail(stepped[i].name, i, dr);
	}
	if (!intel)
		return; /* QEMU has neither INT1 nor GD */
	expect("INT1", 0, attempt(int1, 0), TRAP_DB);
	if (trap_rip != step_end)
		fail("INT1 ends at", trap_rip, step_end);
	expect("GD", 0, attempt(guarded, 0), TRAP_DB);
	expect("GD in its handler", 0, attempt(get_dr6, (uint64_t)(uintptr_t)&dr), NO_TRAP);
	if (!(dr & 0x2000))
		fail("DR6 of GD", 0, dr);
	put_dr7(0x400);
}

static void instruction_sweep(void)
{
	const unsigned own = cpuid(0, 0).b == AMD_NAME ? OF_AMD : OF_INTEL;

	for (unsigned i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++)
		for (unsigned n = 0; n < 3; n++)
			expect(instructions[i].name, n,
			       attempt(instructions[i].run, (uint64_t)(uintptr_t)buffer),
			       instructions[i].wanted == own      ? NO_TRAP
			       : instructions[i].wanted >= OF_AMD ? TRAP_UD
								  : instructions[i].wanted);
	step_sweep(own == OF_INTEL);
}

/* --- Exceptions and interrupts -------------------------------------------------------- */

/* Code that the guest writes: INT n, RET. */
static void int_n(uint64_t n)
{
	static volatile uint8_t code[3];

	code[0] = 0xcd;
	code[1] = (uint8_t)n;
	code[2] = 0xc3;
	((void (*)(void))(uintptr_t)code)();
}

static void apic_command(uint32_t low)
{
	*pc_apic(APIC_ICR_HIGH) = 0; /* to identity 0: itself */
	*pc_apic(APIC_ICR) = low;
}

static void nmi(uint64_t unused)
{
	(void)unused;
	apic_command(0x4400);
	for (volatile unsigned i = 0; i < 100; i++)
		;
}

static void self(uint64_t vector)
{
	*pc_apic(0xf0) = 0x1ff;
	apic_command(0x4000 | (uint32_t)vector);
	__asm__ volatile("sti; nop; nop; nop; hlt");
}

static void put_gate(unsigned n, uint64_t entry)
{
	idt[2 * n] = (idt[2 * n] & ~0xffff00000000ffffull) | (entry & 0xffff) |
		     (entry >> 16 & 0xffff) << 48;
}

/* A handler that waits for an interrupt. */
void waits(void);
__asm__(".text; waits: sti; hlt; 1: jmp 1b");

/* The interrupt is due with the access that ends in #DB by the flag. */
static void waited_for(uint64_t vector)
{
	for (unsigned i = 0; i < 16; i++)
		*pc_apic(0xb0) = 0; /* none is in service */
	*pc_apic(0xf0) = 0x1ff;
	*pc_apic(0x80) = 0xff;
	apic_command(0x4000 | (uint32_t)vector);
	__asm__ volatile("pushf; orl $0x300, (%%rsp); popf; movl $0, (%0); 1: nop; jmp 1b" ::"r"(
				 pc_apic(0x80))
			 : "memory");
}

static void startup(uint64_t vector) { apic_command(0x4600 | (uint32_t)vector); }

static void vector_sweep(void)
{
	for (unsigned n = 0; n < 256; n++) {
		if (n == 8 || (n >= 10 && n <= 14) || n == 17)
			continue; /* INT n pushes no error code */
		expect("INT", n, attempt(int_n, n), n);
	}
	for (unsigned n = 32; n < 256; n++) {
		const uint64_t gate = idt[2 * n];

		idt[2 * n] = gate & ~(1ull << 47);
		expect("INT through a gate that is not present", n, attempt(int_n, n), TRAP_NP);
		idt[2 * n] = gate;
	}
	/* #GP in the delivery of #GP is a double fault. */
	const uint64_t gate = idt[2 * TRAP_GP], np = idt[2 * TRAP_NP];

	idt[2 * TRAP_GP] = idt[2 * TRAP_NP] = 0;
	expect("#GP without a gate", 0, attempt(rdpmc, 0), TRAP_DF);
	idt[2 * TRAP_GP] = gate;
	idt[2 * TRAP_NP] = np;
	for (unsigned n = 16; n < 256; n += 16)
		expect("interrupt to itself", n, attempt(self, n), n);
	expect("NMI", 0, attempt(nmi, 0), TRAP_NMI);
	expect("NMI again", 0, attempt(nmi, 0), TRAP_NMI);
	expect("STARTUP", 0, attempt(startup, 9), NO_TRAP);
	put_gate(TRAP_DB, (uintptr_t)waits);
	for (unsigned n = 0; n < 3; n++)
		expect("HLT in a handler, its interrupt older", n, attempt(waited_for, 0x50), 0x50);
	idt_fill();
}

/* --- How to end ------------------------------------------------------------------------ */

static void triple(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	__asm__ volatile("lidt %0; ud2" ::"m"(none));
}

static void halt(void)
{
	__asm__ volatile("cli; hlt");
	pc_print("sweep: FAILED it woke up\n");
}

static void init(void) { apic_command(0x4500); }

/* A jump to a task, from 32 bits, since long mode has none. The task switches the
 * machine off; a hypervisor may have stopped it before. */
static void task(void)
{
	uint32_t *tss = (uint32_t *)(uintptr_t)0x1000;

	__asm__ volatile("mov $task_code, %%eax; mov %%eax, 0x20(%0)\n"
			 "mov %%esp, 0x38(%0)" ::"r"(tss)
			 : "rax", "memory");
	tss[0x24 / 4] = 2;
	for (unsigned i = 0x48; i <= 0x5c; i += 4)
		tss[i / 4] = 0x10;
	tss[0x4c / 4] = 0x08;
	__asm__ volatile("push $0x08; push $1f; lretq; .code32\n"
			 "1: mov %%cr0, %%eax; and $0x7fffffff, %%eax; mov %%eax, %%cr0\n"
			 "ljmp $0x30, $0\n"
			 "task_code: mov $0x604, %%edx; mov $0x3400, %%eax; out %%ax, %%dx\n"
			 "2: jmp 2b; .code64" ::
				 : "memory");
}

static void nowhere(void) { (void)*(volatile uint32_t *)0x80000000ull; }
static void fetch(void) { ((void (*)(void))0xf0000000ull)(); }

/* An exception whose gate is a device's register. */
static void delivery(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) device = { 0xfff, HPET };

	__asm__ volatile("lidt %0; ud2" ::"m"(device));
}

/* The monitor has nothing to say to either: loops. */
static void spin(void)
{
	for (;;)
		(void)cpuid(0, 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "cpuid", cpuid_sweep },
	{ "msr", msr_sweep },
	{ "control", control_sweep },
	{ "instructions", instruction_sweep },
	{ "vectors", vector_sweep },
	{ "moves", move_sweep },
	{ "mmio", mmio_sweep },
	{ "ports", port_sweep },
},
  ends[] = {
	  { "end=triple", triple },
	  { "end=halt", halt },
	  { "end=reset", init },
	  { "end=task", task },
	  { "end=nowhere", nowhere },
	  { "end=fetch", fetch },
	  { "end=delivery", delivery },
	  { "end=spin", spin },
  };

static void part_run(unsigned i)
{
	wrong = tried = 0;
	parts[i].run();
	pc_print("sweep: ");
	pc_print(parts[i].name);
	pc_print(wrong == 0 ? " ok, " : " WRONG, ");
	pc_print_number(tried);
	pc_print(" tried\n");
}

void main(void)
{
	pc_uart();
	pc_seed(1);
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (pc_told(ends[i].name)) {
			pc_print("sweep: the end\n");
			ends[i].run();
			return;
		}
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!pc_told("part=") || pc_told(parts[i].name))
			part_run(i);
	pc_print("sweep: done\n");
}
