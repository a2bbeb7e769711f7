/*
 * In a kernel's place: says in TAP what the loader hands over to one that is
 * linked high, as seL4's is (docs/bring-your-own-kernel.md).
 */
#include <stdbool.h>
#include <stdint.h>

#define UART ((volatile uint32_t *)0x09000000)
#define OFFSET 0x8000000000ull
#define PAGE 4096u

void handover(const uint64_t *args);
extern const char image_end[];

__asm__(".pushsection .head, \"ax\"\n"
	".global _start\n"
	"_start:	adrp x9, stack_top\n"
	"	add x9, x9, :lo12:stack_top\n"
	"	mov sp, x9\n"
	"	stp x4, x5, [sp, #-16]!\n"
	"	stp x2, x3, [sp, #-16]!\n"
	"	stp x0, x1, [sp, #-16]!\n"
	"	mov x0, sp\n"
	"	bl handover\n"
	"	b .\n"
	".popsection\n"
	".pushsection .bss\n"
	".balign 16\n"
	".skip 4096\n"
	"stack_top:\n"
	".popsection\n");

static unsigned number, failures;
static uint64_t zero[PAGE], data = 0x5e1f5e1f;

static void put(const char *s)
{
	for (; *s; s++)
		*UART = (uint8_t)*s;
}

static void ok(bool good, const char *what)
{
	char digit[] = { (char)('0' + ++number), 0 };

	failures += !good;
	put(good ? "ok " : "not ok ");
	put(digit);
	put(" - ");
	put(what);
	put("\n");
}

#define READ(name)                       \
	({                               \
		uint64_t v_;             \
		__asm__("mrs %0, " #name \
			: "=r"(v_));     \
		v_;                      \
	})

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void handover(const uint64_t *x)
{
	uint64_t here, kernel_end = (uintptr_t)image_end - OFFSET, vstart = x[0] - x[2];
	uint64_t tcr = READ(tcr_el2), mair = READ(mair_el2);
	const uint8_t *dtb = (const uint8_t *)(uintptr_t)x[4];
	bool cleared = true;

	__asm__("adr %0, ."
		: "=r"(here));
	for (unsigned i = 0; i < PAGE; i++)
		cleared &= zero[i] == 0;
	ok(READ(CurrentEL) == 2 << 2 && (READ(sctlr_el2) & 0x1005) == 0x1005,
	   "EL2, MMU and caches on");
	ok(here - OFFSET - 0x60000000 < PAGE * 16, "at its virtual address");
	ok(*(const uint64_t *)(uintptr_t)((uintptr_t)&data - OFFSET) == data && data == 0x5e1f5e1f,
	   "the same memory at its physical address");
	ok(cleared, "what is not in the file is zero");
	ok((tcr & 63) == 16 && (mair & 0xff) == 0 && (mair >> 32 & 0xff) == 0xff,
	   "48 bits of address, memory types where seL4's tables expect them");
	ok(x[0] % PAGE == 0 && x[1] % PAGE == 0 && x[0] >= x[4] + x[5] && x[1] > x[0],
	   "root task behind the devicetree");
	ok(x[3] >= vstart && x[3] < vstart + (x[1] - x[0]) &&
		   *(const uint32_t *)(uintptr_t)(x[3] + x[2]) != 0,
	   "its entry and offset");
	ok(x[4] % 8 == 0 && x[4] >= kernel_end && be32(dtb) == 0xd00dfeed && be32(dtb + 4) == x[5],
	   "devicetree and its size");
	put("1..8\n");
}
