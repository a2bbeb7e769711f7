/* The kernel's reader of Multiboot information, of both versions. */
#include "unit.h"

#include "multiboot.h"
#include <selvage/base.h>
#include <string.h>
#include <sys/mman.h>

#define MAGIC_1 0x2badb002u
#define MAGIC_2 0x36d76289u
#define PAGE 4096u

static struct multiboot mb;

/* --- version 2 --- */
static uint8_t info[PAGE] __attribute__((aligned(8)));
static uint32_t used;

static void begin(void)
{
	memset(&mb, 0, sizeof(mb));
	memset(info, 0, sizeof(info));
	used = 8;
}

static void tag(uint32_t type, const void *data, uint32_t bytes)
{
	store_le32(info + used, type);
	store_le32(info + used + 4, 8 + bytes);
	memcpy(info + used + 8, data, bytes);
	used += (8 + bytes + 7) & ~7u;
}

static void module(uint32_t start, uint32_t end)
{
	uint8_t d[11] = { 0 };

	store_le32(d, start);
	store_le32(d + 4, end);
	memcpy(d + 8, "ab", 3);
	tag(3, d, sizeof(d));
}

static void map(uint32_t step, uint32_t entries, uint64_t first, uint64_t length)
{
	uint8_t d[3000] = { 0 };

	store_le32(d, step);
	for (uint32_t i = 0; i < entries; i++) {
		store_le64(d + 8 + i * step, first + i * length);
		store_le64(d + 8 + i * step + 8, length);
		store_le32(d + 8 + i * step + 16, i % 2 ? 3 : 1);
	}
	tag(6, d, 8 + entries * step);
}

static const char *parse(void)
{
	tag(0, "", 0);
	store_le32(info, used);
	return multiboot2_parse(&mb, info);
}

static void version_2(void **state)
{
	(void)state;
	begin();
	tag(1, "command line", 13);
	module(0x200000, 0x201234);
	map(24, 3, 0x100000, 0x10000);
	module(0x300000, 0x300000);
	tag(99, "who knows", 9);
	assert_null(parse());
	assert_int_equal(mb.module_count, 2);
	assert_int_equal(mb.module[0].start, 0x200000);
	assert_int_equal(mb.module[0].end, 0x201234);
	assert_int_equal(mb.module[1].start, 0x300000);
	assert_int_equal(mb.memory_count, 3);
	assert_int_equal(mb.memory[2].base, 0x120000);
	assert_int_equal(mb.memory[2].length, 0x10000);
	assert_int_equal(mb.memory[1].type, 3);
	assert_int_equal(mb.memory[1].size, 20);
	assert_false(mb.has_rsdp);
	/* By its magic number, from an address. */
	void *low = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	assert_ptr_not_equal(low, MAP_FAILED);
	memcpy(low, info, used);
	memset(&mb, 0, sizeof(mb));
	assert_null(multiboot_read(&mb, MAGIC_2, (uintptr_t)low));
	assert_int_equal(mb.module_count, 2);
	munmap(low, PAGE);
}

static void entries_may_be_longer(void **state)
{
	(void)state;
	begin();
	map(32, 2, 0x100000, 0x1000);
	assert_null(parse());
	assert_int_equal(mb.memory_count, 2);
	assert_int_equal(mb.memory[1].base, 0x101000);
	/* Shorter ones say nothing: then there is what tag 4 says. */
	begin();
	map(16, 2, 0x100000, 0x1000);
	uint8_t sizes[8] = { 0 };
	store_le32(sizes, 640);
	store_le32(sizes + 4, 1024);
	tag(4, sizes, 8);
	assert_null(parse());
	assert_int_equal(mb.memory_count, 1);
	assert_int_equal(mb.memory[0].base, 0x100000);
	assert_int_equal(mb.memory[0].length, 0x100000);
	assert_int_equal(mb.memory[0].type, MULTIBOOT_RAM);
}

static void the_newer_rsdp_counts(void **state)
{
	uint8_t old[20], new[RSDP_BYTES];

	(void)state;
	memset(old, 'o', sizeof(old));
	memset(new, 'n', sizeof(new));
	for (unsigned order = 0; order < 3; order++) {
		begin();
		if (order != 1)
			tag(14, old, sizeof(old));
		if (order != 2)
			tag(15, new, sizeof(new));
		if (order == 1)
			tag(14, old, sizeof(old));
		assert_null(parse());
		assert_true(mb.has_rsdp);
		assert_int_equal(mb.rsdp[0], order == 2 ? 'o' : 'n');
		assert_int_equal(mb.rsdp[19], order == 2 ? 'o' : 'n');
		assert_int_equal(mb.rsdp[35], order == 2 ? 0 : 'n');
	}
	begin();
	tag(14, old, 19);
	assert_null(parse());
	assert_false(mb.has_rsdp);
}

static void what_wraps_is_no_memory(void **state)
{
	(void)state;
	begin();
	map(24, 1, UINT64_MAX - 10, 5);
	map(24, 1, 1ull << 63, 1ull << 63);
	map(24, 1, 0x1000, UINT64_MAX);
	map(24, 1, 0x1000, 0x2000);
	assert_null(parse());
	assert_int_equal(mb.memory_count, 1);
	assert_int_equal(mb.memory[0].length, 0x2000);
}

static void surplus_memory_is_none(void **state)
{
	(void)state;
	begin();
	map(24, 100, 0x100000, 0x1000);
	for (unsigned i = 0; i < 40; i++)
		map(24, 1, 0x1000000, 0x1000);
	assert_true(used < sizeof(info) + 1);
	assert_null(parse());
	assert_int_equal(mb.memory_count, HANDOVER_MEMORY);
}

static void bad_information(void **state)
{
	(void)state;
	begin();
	store_le32(info, 7);
	assert_non_null(strstr(multiboot2_parse(&mb, info), "no such size"));
	store_le32(info, 0x100001);
	assert_non_null(strstr(multiboot2_parse(&mb, info), "no such size"));
	/* A tag that is longer than what is left, and one that has no head. */
	for (unsigned size = 0; size < 32; size += 1) {
		begin();
		store_le32(info, 32);
		store_le32(info + 8, 1);
		store_le32(info + 12, size);
		const char *error = multiboot2_parse(&mb, info);
		if (size < 8 || size > 24)
			assert_non_null(strstr(error, "cut short"));
		else if (size > 16)
			assert_null(error); /* no end tag: the end */
	}
	begin();
	module(0x2000, 0x1fff);
	assert_non_null(strstr(parse(), "before it begins"));
	begin();
	for (unsigned i = 0; i < MULTIBOOT_MODULES; i++)
		module(0x1000, 0x2000);
	assert_null(parse());
	begin();
	for (unsigned i = 0; i <= MULTIBOOT_MODULES; i++)
		module(0x1000, 0x2000);
	assert_non_null(strstr(parse(), "too many"));
}

/* --- version 1 --- */
static void version_1(void **state)
{
	uint8_t *low = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint32_t at = (uint32_t)(uintptr_t)low;

	(void)state;
	assert_ptr_not_equal(low, MAP_FAILED);
	begin();
	assert_non_null(strstr(multiboot_read(&mb, MAGIC_1 + 1, at), "not started by"));
	assert_non_null(strstr(multiboot_read(&mb, MAGIC_1, at), "nothing of memory"));
	store_le32(low, 1);
	store_le32(low + 8, 512);
	assert_null(multiboot_read(&mb, MAGIC_1, at));
	assert_int_equal(mb.memory_count, 1);
	assert_int_equal(mb.memory[0].length, 512 * 1024);
	assert_int_equal(mb.module_count, 0);
	/* Two modules; a map whose second entry has more than is known of. */
	begin();
	store_le32(low, 1 | 8 | 64);
	store_le32(low + 20, 2);
	store_le32(low + 24, at + 256);
	store_le32(low + 256, 0x100000);
	store_le32(low + 260, 0x123456);
	store_le32(low + 272, 0x200000);
	store_le32(low + 276, 0x200001);
	store_le32(low + 44, 24 + 28 + 24);
	store_le32(low + 48, at + 512);
	static const uint16_t sizes[] = { 20, 24, 20 };
	for (unsigned i = 0, o = 512; i < 3; o += 4u + sizes[i++]) {
		store_le32(low + o, sizes[i]);
		store_le64(low + o + 4, 0x100000 * i);
		store_le64(low + o + 12, 0x1000);
		store_le32(low + o + 20, i + 1);
	}
	assert_null(multiboot_read(&mb, MAGIC_1, at));
	assert_int_equal(mb.module_count, 2);
	assert_int_equal(mb.module[1].end, 0x200001);
	assert_int_equal(mb.memory_count, 3);
	assert_int_equal(mb.memory[2].base, 0x200000);
	assert_int_equal(mb.memory[2].type, 3);
	assert_int_equal(mb.memory[1].size, 20);
	/* One byte less: the last entry is not whole. An entry without a size: the end. */
	memset(&mb, 0, sizeof(mb));
	store_le32(low + 44, 24 + 28 + 23);
	assert_null(multiboot_read(&mb, MAGIC_1, at));
	assert_int_equal(mb.memory_count, 2);
	memset(&mb, 0, sizeof(mb));
	store_le32(low + 512, 0);
	assert_null(multiboot_read(&mb, MAGIC_1, at));
	assert_int_equal(mb.memory_count, 0);
	munmap(low, PAGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_2),
		cmocka_unit_test(entries_may_be_longer),
		cmocka_unit_test(the_newer_rsdp_counts),
		cmocka_unit_test(what_wraps_is_no_memory),
		cmocka_unit_test(surplus_memory_is_none),
		cmocka_unit_test(bad_information),
		cmocka_unit_test(version_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
