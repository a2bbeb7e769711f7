/*
 * A root task as somebody else would link it: no runtime of ours, a TLS
 * segment, segments that are not aligned to pages or share one, a large BSS,
 * other programs embedded as one large blob. Says in TAP whether it finds
 * what the contract promises (docs/kernel-interface.md, abi/bootinfo.h).
 */
#include <abi/bootinfo.h>
#include <abi/regs.h>
#include <selvage/sel4.h>
#include <stdbool.h>

#define PAGE 4096ull
#define UART_PADDR 0x09000000ull
#define UART_VADDR 0x3000000000ull
#define BLOB_WORDS 0x100000u /* 8 MiB: foreign.S */
#define BLOB_PATTERN 0x5e1fa9e05e1fa9e0ull
#define BSS_BYTES 0xc00123u

void foreign_main(const struct abi_bootinfo *info);

/* Of the linker script. */
extern char image_start[], image_end[], tls_start[], tls_data_end[], tls_end[];
extern const uint64_t blob[];

static _Alignas(64) char tls_block[1024];
static char bss[BSS_BYTES];
static volatile uint64_t data[3] = { 0x1111, 0x2222, 0x3333 };
static _Thread_local volatile uint64_t tls_data = 0x715da7a;
static _Thread_local uint64_t tls_zero[4];
static volatile uint32_t *uart;
static cap_t next_slot;
static unsigned number, failures;

/* --- output --- */

static void put(const char *s)
{
	for (; uart && *s; s++)
		*uart = (uint8_t)*s;
}

static void put_number(unsigned n)
{
	char digits[12], *p = digits + sizeof(digits) - 1;

	*p = 0;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	put(p);
}

static void ok(bool good, const char *what)
{
	failures += !good;
	put(good ? "ok " : "not ok ");
	put_number(++number);
	put(" - ");
	put(what);
	put("\n");
}

/* --- what a runtime does --- */

/* Variant 1: two words, then the segment at its alignment. */
static void set_up_tls(void)
{
	char *at = tls_block + 64;

	for (uint64_t i = 0; i < (uint64_t)(tls_data_end - tls_start); i++)
		at[i] = tls_start[i];
	__asm__ volatile("msr tpidr_el0, %0" ::"r"(at - 16)
			 : "memory");
}

static int retype(cap_t from, uint64_t type, unsigned bits, cap_t to, unsigned n)
{
	return sel4_untyped_retype(from, ABI_ROOT_CNODE, type, bits, 0, 0, to, n);
}

static cap_t untyped_at(const struct abi_bootinfo *info, uint64_t paddr, uint64_t *base,
			unsigned *bits)
{
	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct abi_untyped_desc *u = &info->untyped_list[i];

		*base = u->paddr;
		*bits = u->size_bits;
		if (u->is_device && paddr - u->paddr < 1ull << u->size_bits)
			return info->untyped.start + i;
	}
	return 0;
}

static cap_t memory(const struct abi_bootinfo *info)
{
	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++)
		if (!info->untyped_list[i].is_device && info->untyped_list[i].size_bits > 16)
			return info->untyped.start + i;
	return 0;
}

static bool map_uart(const struct abi_bootinfo *info)
{
	uint64_t base;
	unsigned bits;
	cap_t from = untyped_at(info, UART_PADDR, &base, &bits), frame;

	while (from && bits-- > 12) {
		cap_t half = next_slot;

		next_slot += 2;
		if (retype(from, ABI_OBJ_UNTYPED, bits, half, 2))
			return false;
		from = half + (UART_PADDR - base >= 1ull << bits);
		base += UART_PADDR - base >= 1ull << bits ? 1ull << bits : 0;
	}
	frame = next_slot++;
	if (retype(from, ABI_OBJ_SMALL_PAGE, 0, frame, 1))
		return false;
	for (unsigned level = 0; level < 4; level++) {
		if (!sel4_page_map(frame, ABI_ROOT_VSPACE, UART_VADDR,
				   ABI_RIGHT_READ | ABI_RIGHT_WRITE, ABI_VM_EXECUTE_NEVER)) {
			uart = (volatile uint32_t *)UART_VADDR;
			return true;
		}
		if (retype(memory(info), ABI_OBJ_PAGE_TABLE, 0, next_slot, 1))
			return false;
		(void)sel4_page_table_map(next_slot++, ABI_ROOT_VSPACE, UART_VADDR,
					  ABI_VM_DEFAULT);
	}
	return false;
}

/* --- the contract --- */

static bool is_zero(const volatile char *p, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static bool blob_is_whole(void)
{
	for (unsigned i = 1; i + 1 < BLOB_WORDS; i++)
		if (blob[i] != BLOB_PATTERN)
			return false;
	return blob[0] == 1 && blob[BLOB_WORDS - 1] == 2;
}

/* Frame i is page i of the image, and the pages follow each other. */
static bool frames_are_the_image(const struct abi_bootinfo *info)
{
	uint64_t first = 0, pa = 0, n = info->user_image_frames.end - info->user_image_frames.start;

	for (uint64_t i = 0; i < n; i++) {
		if (sel4_page_get_address(info->user_image_frames.start + i, &pa))
			return false;
		if (i == 0)
			first = pa;
		else if (pa != first + i * PAGE)
			return false;
	}
	return n > 0;
}

/* Every page of the image may be written and executed. */
static bool image_is_rwx(void)
{
	static const uint32_t ret = 0xd65f03c0;
	volatile uint32_t *rodata = (volatile uint32_t *)(uintptr_t)(blob + 4);
	void (*run)(void) = (void (*)(void))(uintptr_t)(blob + 4);

	*rodata = ret;
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" ::"r"(rodata)
			 : "memory");
	run();
	rodata[0] = (uint32_t)BLOB_PATTERN;
	return true;
}

static void check(const struct abi_bootinfo *info)
{
	uint64_t start = (uintptr_t)image_start & ~(PAGE - 1);
	uint64_t end = ((uintptr_t)image_end + PAGE - 1) & ~(PAGE - 1);
	uint64_t regs[ABI_CTX_COUNT];
	const uint64_t *chunk = (const void *)((const char *)info + PAGE);

	ok(info->ipc_buffer == end, "the IPC buffer is the page behind the image");
	ok((uintptr_t)info == end + PAGE, "the boot information is the page behind that");
	ok(info->user_image_frames.end - info->user_image_frames.start == (end - start) / PAGE,
	   "a frame for each page of the image, gaps too");
	ok(frames_are_the_image(info), "frame i is page i");
	ok(data[0] == 0x1111 && data[1] == 0x2222 && data[2] == 0x3333, "data as it was linked");
	ok(is_zero(bss, sizeof(bss)), "a large BSS of zeroes");
	ok(is_zero(image_end, end - (uintptr_t)image_end), "zeroes up to the end of the last page");
	ok(blob_is_whole(), "an embedded blob of 8 MiB");
	ok(tls_data == 0x715da7a && is_zero((const volatile char *)tls_zero, sizeof(tls_zero)),
	   "the TLS segment's image");
	ok(image_is_rwx(), "the image is mapped to read, write and execute");
	ok(info->extra_len >= 16 && chunk[0] == 6 && chunk[1] > 16,
	   "extra boot information follows: the devicetree");
	ok(info->extra_bi_pages.end - info->extra_bi_pages.start ==
		   (info->extra_len + PAGE - 1) / PAGE,
	   "frames of the extra boot information");
	ok(info->empty.start >= info->untyped.end && info->empty.end == 1u << ABI_ROOT_CNODE_BITS,
	   "the empty slots are the last");
	ok(sel4_tcb_read_registers(ABI_ROOT_TCB, 0, ABI_CTX_COUNT, regs) == ABI_ILLEGAL_OPERATION,
	   "the IPC buffer works");
}

void foreign_main(const struct abi_bootinfo *info)
{
	set_up_tls();
	sel4_ipcbuf = (struct abi_ipcbuf *)(uintptr_t)info->ipc_buffer;
	next_slot = info->empty.start;
	if (map_uart(info)) {
		check(info);
		put("1..");
		put_number(number);
		put("\n");
	}
	for (;;)
		sel4_yield();
}
