/* vmm/boot/pc: e820, places, the three states, and what the protocols put into
 * memory. Real images: tests/pcboot. */
#include "boot/pc/boot.h"
#include "boot/pc/bzimage.h"
#include "boot/pc/multiboot.h"

#include "pc_images.h"
#include "random.h"
#include "unit.h"

#include <stdlib.h>

#define RAM_BYTES 0x800000u

static uint8_t ram[RAM_BYTES];

struct fixture {
	struct gmem mem;
	struct pc_map map;
	struct pc_boot boot;
	struct pc_entry entry;
	uint8_t image[0x3000];
};

static void begin(struct fixture *f, uint64_t image_bytes)
{
	memset(ram, 0, sizeof(ram));
	f->mem = (struct gmem){ 0 };
	assert_true(gmem_add(&f->mem, 0, RAM_BYTES, ram));
	assert_true(pc_map_from_ram(&f->map, &f->mem, PC_LOW_PC));
	f->boot = (struct pc_boot){ .mem = &f->mem,
				    .map = &f->map,
				    .kernel = f->image,
				    .kernel_bytes = image_bytes,
				    .cmdline = "a=b" };
}

/* --- e820 ---------------------------------------------------------------- */

struct expected {
	uint64_t start, end;
	enum pc_memory type;
};

static void expect_map(const struct pc_map *m, const struct expected *e, unsigned n)
{
	assert_int_equal(m->n, n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(m->range[i].start, e[i].start);
		assert_int_equal(m->range[i].start + m->range[i].size, e[i].end);
		assert_int_equal(m->range[i].type, e[i].type);
	}
}

/* Chunks of low memory, of memory below 4 GiB and above it, in any order. */
static void map_of_chunks(void **state)
{
	static const struct expected wanted[] = {
		{ 0, 0x500, PC_MEMORY_RESERVED },
		{ 0x500, 0x9fc00, PC_MEMORY_RAM },
		{ 0x9fc00, 0x100000, PC_MEMORY_RESERVED },
		{ 0x100000, 0x30000000, PC_MEMORY_RAM },
		{ 0xfec00000, 0x100000000, PC_MEMORY_RESERVED },
		{ 0x100000000, 0x140000000, PC_MEMORY_RAM },
	};
	struct gmem mem = { 0 };
	struct pc_map m;

	(void)state;
	assert_true(gmem_add(&mem, 0x100000000, 0x20000000, ram));
	assert_true(gmem_add(&mem, 0x120000000, 0x20000000, ram));
	assert_true(gmem_add(&mem, 0x80000, 0x1fc00, ram));
	assert_true(gmem_add(&mem, 0x500, 0x7fb00, ram));
	assert_true(gmem_add(&mem, 0x20000000, 0x10000000, ram));
	assert_true(gmem_add(&mem, 0x100000, 0x1ff00000, ram));
	assert_true(pc_map_from_ram(&m, &mem, PC_LOW_PC));
	assert_true(pc_map_set(&m, 0xfec00000, 0x1400000, PC_MEMORY_RESERVED));
	expect_map(&m, wanted, ARRAY_SIZE(wanted));
}

/* Memory fixed from 0 to 0x4000_0000, without a hole or with one. */
static void map_of_fixed_memory(void **state)
{
	static const struct expected plain[] = { { 0, 0x40000000, PC_MEMORY_RAM } };
	static const struct expected pc[] = {
		{ 0, 0x500, PC_MEMORY_RESERVED },
		{ 0x500, 0x9fc00, PC_MEMORY_RAM },
		{ 0x9fc00, 0x100000, PC_MEMORY_RESERVED },
		{ 0x100000, 0x40000000, PC_MEMORY_RAM },
	};
	struct gmem mem = { 0 };
	struct pc_map m;

	(void)state;
	assert_true(gmem_add(&mem, 0, 0x40000000, ram));
	assert_true(pc_map_from_ram(&m, &mem, PC_LOW_PLAIN));
	expect_map(&m, plain, 1);
	assert_true(pc_map_from_ram(&m, &mem, PC_LOW_PC));
	expect_map(&m, pc, 4);
	assert_int_equal(pc_map_ram_end(&m, 0x100000), 0x40000000);
	assert_int_equal(pc_map_ram_end(&m, 0xa0000), 0xa0000);
}

static void map_refuses(void **state)
{
	struct pc_map m = { 0 };
	struct gmem mem = { 0 };

	(void)state;
	assert_false(pc_map_set(&m, 0, 0, PC_MEMORY_RAM));
	assert_false(pc_map_set(&m, 1ull << 52, 1, PC_MEMORY_RAM));
	assert_false(pc_map_set(&m, 1, 1ull << 52, PC_MEMORY_RAM));
	assert_false(pc_map_set(&m, ~0ull, 1, PC_MEMORY_RAM));
	for (unsigned i = 0; i < PC_MAP_MAX; i++)
		assert_true(pc_map_set(&m, i * 0x2000, 0x1000, PC_MEMORY_RAM));
	assert_false(pc_map_set(&m, PC_MAP_MAX * 0x2000, 0x1000, PC_MEMORY_RAM));
	assert_false(pc_map_set(&m, 0x400, 0x100, PC_MEMORY_ACPI));
	assert_int_equal(m.n, PC_MAP_MAX);
	assert_true(gmem_add(&mem, 1ull << 52, 0x1000, ram));
	assert_false(pc_map_from_ram(&m, &mem, PC_LOW_PLAIN));
}

/* Against an array with a type per byte. */
static void map_agrees_with_a_model(void **state)
{
	struct random r = { 7 };

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		uint8_t model[64] = { 0 };
		struct pc_map m = { 0 };

		for (unsigned i = 0; i < 20; i++) {
			unsigned at = random_below(&r, 63), type = 1 + random_below(&r, 4);
			unsigned n = 1 + random_below(&r, 64 - at);

			assert_true(pc_map_set(&m, at, n, type));
			memset(model + at, (int)type, n);
		}
		for (unsigned i = 0; i < m.n; i++) {
			for (uint64_t b = 0; b < m.range[i].size; b++) {
				assert_int_equal(model[m.range[i].start + b], m.range[i].type);
				model[m.range[i].start + b] = 0;
			}
			assert_true(i == 0 || m.range[i].type != m.range[i - 1].type ||
				    m.range[i].start >
					    m.range[i - 1].start + m.range[i - 1].size);
		}
		for (unsigned i = 0; i < 64; i++)
			assert_int_equal(model[i], 0);
	}
}

static void places_are_free(void **state)
{
	struct pc_map m = { 0 };
	struct pc_places p = { .map = &m };

	(void)state;
	assert_true(pc_map_set(&m, 0x500, 0x9f700, PC_MEMORY_RAM));
	assert_true(pc_map_set(&m, 0x100000, 0x100000, PC_MEMORY_RAM));
	assert_true(pc_take(&p, 0x2000, 0x1000));
	assert_false(pc_take(&p, 0x2fff, 1));
	assert_false(pc_take(&p, 0xa0000, 1));
	assert_false(pc_take(&p, 0x9f000, 0x1000));
	assert_int_equal(pc_place(&p, 0x1800, 0x1000, 0x1000, PC_4GIB, PC_PLACE_LOWEST), 0x3000);
	assert_int_equal(pc_place(&p, 0x1000, 0x1000, 0x1000, PC_4GIB, PC_PLACE_LOWEST), 0x1000);
	assert_int_equal(pc_place(&p, 0, 16, 0x1000, PC_4GIB, PC_PLACE_LOWEST), 0x4800);
	assert_int_equal(pc_place(&p, 0x100, 0x1000, 0, PC_4GIB, PC_PLACE_HIGHEST), 0x1ff000);
	assert_int_equal(pc_place(&p, 0x100, 16, 0, PC_4GIB, PC_PLACE_HIGHEST), 0x1fff00);
	assert_int_equal(pc_place(&p, 0xff000, 16, 0, PC_4GIB, PC_PLACE_HIGHEST), 0x100000);
	assert_int_equal(pc_place(&p, 0x100001, 16, 0, PC_4GIB, PC_PLACE_LOWEST), PC_NOWHERE);
	assert_int_equal(pc_place(&p, 0x1000, 1ull << 63, 0, PC_4GIB, PC_PLACE_LOWEST), PC_NOWHERE);
	assert_int_equal(pc_place(&p, 16, 16, 0x300000, 0x200000, PC_PLACE_LOWEST), PC_NOWHERE);
	while (p.n < PC_TAKEN_MAX)
		assert_true(pc_place(&p, 1, 1, 0, PC_4GIB, PC_PLACE_LOWEST) != PC_NOWHERE);
	assert_int_equal(pc_place(&p, 1, 1, 0, PC_4GIB, PC_PLACE_LOWEST), PC_NOWHERE);
	assert_false(pc_take(&p, 0x50000, 1));
}

/* --- states -------------------------------------------------------------- */

/* Base, limit and attributes as a processor reads them from the table. */
static void expect_descriptor(const uint8_t *gdt, const struct pc_segment *s)
{
	uint64_t d = load_le64(gdt + s->selector);
	uint32_t limit = (uint32_t)(d & 0xffff) | (uint32_t)(d >> 32 & 0xf0000);
	uint32_t attributes = (uint32_t)(d >> 40 & 0xff) | (uint32_t)(d >> 44 & 0xf00);

	assert_int_equal(attributes, s->attributes);
	assert_int_equal(attributes & 0x800 ? limit << 12 | 0xfff : limit, s->limit);
	assert_int_equal((d >> 16 & 0xffffff) | (d >> 56) << 24, s->base);
}

static void expect_flat(const struct pc_entry *e, const uint8_t *gdt)
{
	for (unsigned i = 0; i < PC_SREGS; i++)
		if (i != PC_LDTR)
			expect_descriptor(gdt, &e->segment[i]);
	assert_int_equal(e->gdtr.limit, PC_GDT_BYTES - 1);
	assert_int_equal(e->rflags, 2);
	for (unsigned i = 0; i < PC_GPRS; i++)
		assert_int_equal(e->gpr[i], 0);
}

/* PVH, "Direct boot guests state": flat segments, TSS of 0x67, CR0.PE alone. */
static void state_of_protected_mode(void **state)
{
	uint8_t gdt[PC_GDT_BYTES];
	struct pc_entry e;

	(void)state;
	pc_gdt_fill(PC_MODE_PROTECTED, gdt);
	pc_entry_protected(&e, 0x1000, 0x100000);
	expect_flat(&e, gdt);
	assert_int_equal(e.rip, 0x100000);
	assert_int_equal(e.cr0, 0x11);
	assert_int_equal(e.cr4 | e.efer | e.cr3, 0);
	assert_int_equal(e.segment[PC_CS].attributes, 0xc9b);
	assert_int_equal(e.segment[PC_CS].selector, 0x10);
	assert_int_equal(e.segment[PC_DS].attributes, 0xc93);
	assert_int_equal(e.segment[PC_DS].selector, 0x18);
	assert_int_equal(e.segment[PC_TR].limit, 0x67);
	assert_int_equal(e.segment[PC_TR].attributes, 0x8b);
}

static void state_of_long_mode(void **state)
{
	static uint8_t tables[PC_PAGE_TABLES][PC_PAGE_BYTES];
	static const uint64_t probes[] = { 0, 0x1fffff, 0x200000, 0x3fffffff, 0x40000000,
					   0xfee00000, 0xffffffff };
	uint8_t gdt[PC_GDT_BYTES];
	struct pc_entry e;

	(void)state;
	pc_gdt_fill(PC_MODE_LONG, gdt);
	pc_entry_long(&e, 0x1000, 0x2000, 0x100200);
	expect_flat(&e, gdt);
	assert_int_equal(e.segment[PC_CS].attributes, 0xa9b);
	assert_int_equal(e.cr0, 0x80000011);
	assert_int_equal(e.cr4, 0x20);
	assert_int_equal(e.efer, 0x500);
	assert_int_equal(e.cr3, 0x2000);
	for (unsigned i = 0; i < PC_PAGE_TABLES; i++)
		pc_page_table_fill(0x2000, i, tables[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(probes); i++) {
		uint64_t at = probes[i], table = 0, pde;

		assert_int_equal(load_le64(tables[0]), 0x3003);
		table = load_le64(tables[1] + 8 * (at >> 30));
		assert_int_equal(table & 0xfff, 3);
		pde = load_le64(tables[(table - 0x2000) >> 12] + 8 * (at >> 21 & 511));
		assert_int_equal(pde, (at & ~0x1fffffull) | 0x83);
	}
	/* Nothing above 4 GiB and 512 GiB. */
	assert_int_equal(load_le64(tables[0] + 8) | load_le64(tables[1] + 32), 0);
}

static void state_of_real_mode(void **state)
{
	struct pc_entry e;

	(void)state;
	pc_entry_real(&e, 0xf000, 0xfff0);
	assert_int_equal(e.segment[PC_CS].base, 0xf0000);
	assert_int_equal(e.segment[PC_CS].limit, 0xffff);
	assert_int_equal(e.rip, 0xfff0);
	assert_int_equal(e.cr0, 0x10);
	assert_int_equal(e.idtr.limit, 0x3ff);
}

/* --- Linux --------------------------------------------------------------- */

static void bzimage_enters(void **state)
{
	struct fixture f;
	uint8_t *zero;

	(void)state;
	for (enum pc_mode mode = PC_MODE_PROTECTED; mode <= PC_MODE_LONG; mode++) {
		begin(&f, TEST_BZIMAGE_BYTES);
		test_bzimage(f.image);
		f.boot.rsdp = 0xe0000;
		f.boot.n_modules = 1;
		f.boot.module[0] = (struct pc_module){ "initrd!", 7, NULL };
		assert_null(bzimage_load(&f.boot, mode, &f.entry));
		assert_int_equal(f.entry.mode, mode);
		assert_int_equal(f.entry.rip, mode == PC_MODE_LONG ? 0x200200 : 0x200000);
		assert_int_equal(f.entry.load, 0x200000);
		assert_memory_equal(ram + 0x200000, f.image + 5 * 512, 0x400);
		zero = ram + f.entry.gpr[PC_RSI];
		assert_memory_equal(zero + 0x202, "HdrS", 4);
		assert_int_equal(zero[0x210], 0xff);
		assert_int_equal(load_le32(zero + 0x214), 0x200000);
		assert_int_equal(load_le64(zero + 0x70), 0xe0000);
		assert_string_equal((char *)ram + load_le32(zero + 0x228), "a=b");
		assert_int_equal(load_le32(zero + 0x218), RAM_BYTES - 0x1000);
		assert_memory_equal(ram + RAM_BYTES - 0x1000, "initrd!", 7);
		assert_int_equal(load_le32(zero + 0x21c), 7);
		assert_int_equal(zero[0x1e8], 4);
		assert_int_equal(load_le64(zero + 0x2d0 + 20), 0x500);
		assert_int_equal(load_le64(zero + 0x2d0 + 28), 0x9f700);
		assert_int_equal(load_le32(zero + 0x2d0 + 36), PC_MEMORY_RAM);
		/* What the processor will read is there. */
		assert_int_equal(load_le64(ram + f.entry.gdtr.base + 0x10) >> 40 & 0xff, 0x9b);
		assert_true(mode != PC_MODE_LONG || load_le64(ram + f.entry.cr3) ==
							    f.entry.cr3 + 0x1003);
	}
}

static void bzimage_moves(void **state)
{
	struct fixture f;

	(void)state;
	/* Where it likes to be there is no memory. */
	begin(&f, TEST_BZIMAGE_BYTES);
	test_bzimage(f.image);
	store_le64(f.image + 0x258, 0x1000000);
	assert_null(bzimage_load(&f.boot, PC_MODE_LONG, &f.entry));
	assert_int_equal(f.entry.rip, 0x100200);
	f.image[0x234] = 0;
	assert_non_null(bzimage_load(&f.boot, PC_MODE_LONG, &f.entry));
	/* The initrd keeps below its limit, and may not have room there. */
	begin(&f, TEST_BZIMAGE_BYTES);
	test_bzimage(f.image);
	store_le32(f.image + 0x22c, 0x3fffff);
	f.boot.n_modules = 1;
	f.boot.module[0] = (struct pc_module){ f.image, 0x1001, NULL };
	assert_null(bzimage_load(&f.boot, PC_MODE_LONG, &f.entry));
	assert_int_equal(load_le32(ram + f.entry.gpr[PC_RSI] + 0x218), 0x3fe000);
	store_le32(f.image + 0x22c, 0xfff);
	assert_non_null(bzimage_load(&f.boot, PC_MODE_LONG, &f.entry));
}

static void expect_bad_bzimage(unsigned at, unsigned bytes, uint32_t value, uint64_t size,
			       const char *text)
{
	struct fixture f;
	const char *error;

	begin(&f, size);
	test_bzimage(f.image);
	for (unsigned i = 0; i < bytes; i++)
		f.image[at + i] = (uint8_t)(value >> 8 * i);
	error = bzimage_load(&f.boot, PC_MODE_LONG, &f.entry);
	assert_non_null(error);
	if (strstr(error, text) == NULL)
		fail_msg("'%s' says nothing of '%s'", error, text);
}

static void bad_bzimages(void **state)
{
	const uint64_t all = TEST_BZIMAGE_BYTES;
	struct fixture f;

	(void)state;
	expect_bad_bzimage(0, 0, 0, 0, "cut short");
	expect_bad_bzimage(0, 0, 0, 0x263, "cut short");
	expect_bad_bzimage(0, 0, 0, 5 * 512, "cut short");
	expect_bad_bzimage(0, 0, 0, all - 16, "cut short");
	expect_bad_bzimage(0x1fe, 1, 0, all, "not a bzImage");
	expect_bad_bzimage(0x202, 1, 'h', all, "not a bzImage");
	expect_bad_bzimage(0x206, 2, 0x209, all, "older than");
	expect_bad_bzimage(0x211, 1, 0, all, "zImage for memory below");
	expect_bad_bzimage(0x201, 1, 0x61, all, "its length");
	expect_bad_bzimage(0x201, 1, 0x8f, all, "its length");
	expect_bad_bzimage(0x1f4, 4, 0x20, all, "no code");
	expect_bad_bzimage(0x1f4, 4, 0xffffffff, all, "cut short");
	expect_bad_bzimage(0x1f1, 1, 0xff, all, "cut short");
	expect_bad_bzimage(0x230, 4, 0, all, "power of two");
	expect_bad_bzimage(0x230, 4, 0x1001, all, "power of two");
	expect_bad_bzimage(0x230, 4, 0x80000000, all, "power of two");
	expect_bad_bzimage(0x260, 4, 0x3ff, all, "less memory");
	expect_bad_bzimage(0x260, 4, 0xffffffff, all, "no room");
	expect_bad_bzimage(0x236, 2, 0, all, "64-bit entry");
	expect_bad_bzimage(0x206, 2, 0x20b, all, "64-bit entry");
	expect_bad_bzimage(0x238, 4, 2, all, "command line");
	begin(&f, all);
	test_bzimage(f.image);
	assert_non_null(bzimage_load(&f.boot, PC_MODE_REAL, &f.entry));
	f.boot.n_modules = 2;
	assert_non_null(bzimage_load(&f.boot, PC_MODE_LONG, &f.entry));
	/* As old as can be, the last paragraph not whole, something behind it. */
	begin(&f, all - 15);
	test_bzimage(f.image);
	store_le16(f.image + 0x206, 0x20a);
	f.image[0x201] = 0x62;
	assert_null(bzimage_load(&f.boot, PC_MODE_PROTECTED, &f.entry));
	f.boot.kernel_bytes = all + 100;
	assert_null(bzimage_load(&f.boot, PC_MODE_PROTECTED, &f.entry));
}

/* --- PVH ----------------------------------------------------------------- */

static void pvh_enters(void **state)
{
	struct fixture f;
	const uint8_t *info, *module, *map;

	(void)state;
	begin(&f, TEST_ELF_BYTES);
	test_elf(f.image);
	f.boot.rsdp = 0xe0000;
	f.boot.n_modules = 2;
	f.boot.module[0] = (struct pc_module){ "one", 3, "first" };
	f.boot.module[1] = (struct pc_module){ "second", 6, NULL };
	assert_null(pvh_load(&f.boot, &f.entry));
	assert_int_equal(f.entry.mode, PC_MODE_PROTECTED);
	assert_int_equal(f.entry.rip, 0x100040);
	assert_int_equal(f.entry.load, 0x100000);
	assert_memory_equal(ram + 0x100000, f.image + 0x200, 0x100);
	assert_memory_equal(ram + 0x101000, f.image + 0x300, 0x100);
	info = ram + f.entry.gpr[PC_RBX];
	assert_int_equal(load_le32(info), 0x336ec578);
	assert_int_equal(load_le32(info + 4), 1);
	assert_int_equal(load_le32(info + 12), 2);
	assert_string_equal((char *)ram + load_le64(info + 24), "a=b");
	assert_int_equal(load_le64(info + 32), 0xe0000);
	module = ram + load_le64(info + 16);
	assert_memory_equal(ram + load_le64(module), "one", 3);
	assert_string_equal((char *)ram + load_le64(module + 16), "first");
	assert_int_equal(load_le64(module + 40), 6);
	assert_memory_equal(ram + load_le64(module + 32), "second", 6);
	assert_int_equal(load_le32(info + 48), 4);
	map = ram + load_le64(info + 40);
	assert_int_equal(load_le64(map + 24), 0x500);
	assert_int_equal(load_le64(map + 32), 0x9f700);
	assert_int_equal(load_le32(map + 40), PC_MEMORY_RAM);
	/* Without modules, and a note of 4 bytes. */
	f.boot.n_modules = 0;
	store_le32(f.image + 0x180 + 24, 4);
	assert_null(pvh_load(&f.boot, &f.entry));
	assert_int_equal(load_le64(ram + f.entry.gpr[PC_RBX] + 16), 0);
	assert_int_equal(f.entry.rip, 0x100040);
}

static void expect_bad_elf(unsigned at, unsigned bytes, uint64_t value, uint64_t size,
			   const char *text)
{
	struct fixture f;
	const char *error;

	begin(&f, size);
	test_elf(f.image);
	for (unsigned i = 0; i < bytes; i++)
		f.image[at + i] = (uint8_t)(value >> 8 * i);
	error = pvh_load(&f.boot, &f.entry);
	assert_non_null(error);
	if (strstr(error, text) == NULL)
		fail_msg("'%s' says nothing of '%s'", error, text);
}

static void bad_elves(void **state)
{
	const uint64_t all = TEST_ELF_BYTES;

	(void)state;
	expect_bad_elf(0, 0, 0, 51, "not an ELF");
	expect_bad_elf(0, 0, 0, 63, "cut short");
	expect_bad_elf(0, 0, 0, 200, "cut short");
	expect_bad_elf(0, 0, 0, all - 1, "cut short");
	expect_bad_elf(1, 1, 'e', all, "not an ELF");
	expect_bad_elf(4, 1, 3, all, "damaged");
	expect_bad_elf(5, 1, 2, all, "another processor");
	expect_bad_elf(18, 2, 183, all, "another processor");
	expect_bad_elf(16, 2, 1, all, "not linked");
	expect_bad_elf(32, 8, ~0ull, all, "damaged");
	expect_bad_elf(54, 2, 55, all, "damaged");
	expect_bad_elf(56, 2, 65, all, "64 program headers");
	expect_bad_elf(56, 2, 0, all, "nothing to load");
	expect_bad_elf(64 + 8, 8, ~0ull, all, "damaged");
	expect_bad_elf(64 + 24, 8, ~0ull, all, "damaged");
	expect_bad_elf(64 + 40, 8, 0xff, all, "damaged");
	expect_bad_elf(64 + 24, 8, 0x101fff, all, "overlap");
	expect_bad_elf(64 + 40, 8, 0x1001, all, "overlap");
	expect_bad_elf(64 + 24, 8, 0x9ff00, all, "no memory");
	expect_bad_elf(64 + 24, 8, RAM_BYTES, all, "no memory");
	expect_bad_elf(0x180 + 20 + 8, 4, 17, all, "without the note");
	expect_bad_elf(0x180 + 20 + 12, 1, 'x', all, "without the note");
	expect_bad_elf(0x180 + 20 + 4, 4, 5, all, "without the note");
	expect_bad_elf(0x180, 4, 0xfffffffd, all, "without the note");
	expect_bad_elf(64 + 2 * 56 + 32, 8, 43, all, "without the note");
	expect_bad_elf(64 + 2 * 56 + 8, 8, ~0ull, all, "without the note");
	expect_bad_elf(0x180 + 20 + 20, 4, 1, all, "below 4 GiB");
}

static void too_little_memory(void **state)
{
	static uint8_t large[RAM_BYTES];
	struct fixture f;

	(void)state;
	begin(&f, TEST_ELF_BYTES);
	test_elf(f.image);
	f.boot.n_modules = 1;
	f.boot.module[0] = (struct pc_module){ large, sizeof(large), NULL };
	assert_non_null(strstr(pvh_load(&f.boot, &f.entry), "no room"));
	test_bzimage(f.image);
	f.boot.kernel_bytes = TEST_BZIMAGE_BYTES;
	assert_non_null(strstr(bzimage_load(&f.boot, PC_MODE_LONG, &f.entry), "no room"));
	test_multiboot(f.image);
	assert_non_null(strstr(multiboot_load(&f.boot, &f.entry), "no room"));
}

/* --- Multiboot ----------------------------------------------------------- */

static void expect_info(const struct fixture *f)
{
	const uint8_t *info = ram + f->entry.gpr[PC_RBX];
	const uint8_t *module = ram + load_le32(info + 24), *map = ram + load_le32(info + 48);

	assert_int_equal(f->entry.mode, PC_MODE_PROTECTED);
	for (unsigned i = 0; i < PC_GPRS; i++)
		if (i != PC_RBX)
			assert_int_equal(f->entry.gpr[i], i == PC_RAX ? 0x2badb002 : 0);
	assert_int_equal(load_le32(info), 0x24d);
	assert_int_equal(load_le32(info + 4), 639);
	assert_int_equal(load_le32(info + 8), 7 * 1024);
	assert_string_equal((char *)ram + load_le32(info + 16), "a=b");
	assert_int_equal(load_le32(info + 20), 1);
	assert_int_equal(load_le32(module) & 0xfff, 0);
	assert_int_equal(load_le32(module + 4) - load_le32(module), 6);
	assert_memory_equal(ram + load_le32(module), "module", 6);
	assert_string_equal((char *)ram + load_le32(module + 8), "its words");
	assert_int_equal(load_le32(info + 44), 4 * 24);
	assert_int_equal(load_le32(map + 24), 20);
	assert_int_equal(load_le64(map + 28), 0x500);
	assert_int_equal(load_le64(map + 36), 0x9f700);
	assert_int_equal(load_le32(map + 44), PC_MEMORY_RAM);
	assert_string_equal((char *)ram + load_le32(info + 64), "Selvage");
}

static void multiboot_enters(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, TEST_MULTIBOOT_BYTES);
	test_multiboot(f.image);
	f.boot.n_modules = 1;
	f.boot.module[0] = (struct pc_module){ "module", 6, "its words" };
	assert_null(multiboot_load(&f.boot, &f.entry));
	assert_int_equal(f.entry.rip, 0x300044);
	assert_int_equal(f.entry.load, 0x300000);
	assert_memory_equal(ram + 0x300000, f.image + 0x20, 0x200);
	assert_int_equal(ram[0x300200], 0);
	expect_info(&f);
	/* To the end of the file, and no BSS. */
	store_le32(f.image + 0x40 + 20, 0);
	store_le32(f.image + 0x40 + 24, 0);
	assert_null(multiboot_load(&f.boot, &f.entry));
	assert_memory_equal(ram + 0x300000, f.image + 0x20, TEST_MULTIBOOT_BYTES - 0x20);
	/* An ELF file with the header behind its other headers; its entry is virtual. */
	begin(&f, TEST_ELF_BYTES);
	test_elf(f.image);
	store_le32(f.image + 0x140, 0x1badb002);
	store_le32(f.image + 0x144, 3);
	store_le32(f.image + 0x148, 0u - 0x1badb005u);
	f.boot.n_modules = 1;
	f.boot.module[0] = (struct pc_module){ "module", 6, "its words" };
	assert_null(multiboot_load(&f.boot, &f.entry));
	assert_int_equal(f.entry.rip, 0x100010);
	assert_int_equal(f.entry.load, 0x100000);
	assert_memory_equal(ram + 0x101000, f.image + 0x300, 0x100);
	expect_info(&f);
}

/* Up to the last place, which is 12 bytes before 8192. */
static void multiboot_header_is_found(void **state)
{
	struct fixture f;
	struct multiboot m;

	(void)state;
	for (unsigned at = 0; at < sizeof(f.image) - 0x40; at += 2) {
		test_multiboot(f.image + 0x100);
		memset(f.image, 0, sizeof(f.image));
		store_le32(f.image + at, 0x1badb002);
		store_le32(f.image + at + 4, 0);
		store_le32(f.image + at + 8, 0u - 0x1badb002u);
		assert_int_equal(multiboot_parse(f.image, sizeof(f.image), &m) == NULL,
				 at % 4 == 0 && at <= 8192 - 12);
	}
}

static void expect_bad_multiboot(unsigned at, uint32_t value, uint64_t size, const char *text)
{
	struct fixture f;
	const char *error;
	uint8_t *h = f.image + 0x40;

	begin(&f, size);
	test_multiboot(f.image);
	store_le32(h + at, value);
	if (at == 4)
		store_le32(h + 8, 0u - 0x1badb002u - value);
	error = multiboot_load(&f.boot, &f.entry);
	assert_non_null(error);
	if (strstr(error, text) == NULL)
		fail_msg("'%s' says nothing of '%s'", error, text);
}

static void bad_multiboot_images(void **state)
{
	const uint64_t all = TEST_MULTIBOOT_BYTES;

	(void)state;
	expect_bad_multiboot(0, 0, all, "no Multiboot header");
	expect_bad_multiboot(8, 0, all, "checksum");
	expect_bad_multiboot(4, 0x10007, all, "video");
	expect_bad_multiboot(4, 0x1000b, all, "flags 3 to 15");
	expect_bad_multiboot(4, 0x18003, all, "flags 3 to 15");
	expect_bad_multiboot(4, 3, all, "not an ELF");
	expect_bad_multiboot(8, load_le32("\x03\x00\x01\x00"), 0x40 + 11, "no Multiboot header");
	expect_bad_multiboot(28, 0x300044, 0x40 + 31, "cut short in its header");
	expect_bad_multiboot(12, 0x2fffff, all, "do not agree");
	expect_bad_multiboot(12, 0x300041, all, "do not agree");
	expect_bad_multiboot(20, 0x2fffff, all, "before its load_addr");
	expect_bad_multiboot(20, 0x3003e1, all, "cut short");
	expect_bad_multiboot(24, 0x3001ff, all, "bss_end_addr");
	expect_bad_multiboot(24, 0xffffffff, all, "no memory");
}

/* --- flat ---------------------------------------------------------------- */

static void flat_enters(void **state)
{
	struct pc_flat flat = { .load = 0x7c00, .start = 0x7c00, .mode = PC_MODE_REAL };
	struct fixture f;

	(void)state;
	begin(&f, 512);
	memset(f.image, 0xf4, 512);
	flat.gpr[PC_RDX] = 0x80;
	assert_null(flat_load(&f.boot, &flat, &f.entry));
	assert_memory_equal(ram + 0x7c00, f.image, 512);
	assert_int_equal(f.entry.rip, 0x7c00);
	assert_int_equal(f.entry.load, 0x7c00);
	assert_int_equal(f.entry.segment[PC_CS].base, 0);
	assert_int_equal(f.entry.gpr[PC_RDX], 0x80);
	flat.load = flat.start = 0xff123;
	assert_null(flat_load(&f.boot, &flat, &f.entry));
	assert_int_equal(f.entry.segment[PC_CS].base + f.entry.rip, 0xff123);
	flat.start = 0x100000;
	assert_non_null(flat_load(&f.boot, &flat, &f.entry));
	flat.mode = PC_MODE_LONG;
	assert_null(flat_load(&f.boot, &flat, &f.entry));
	assert_int_equal(f.entry.rip, 0x100000);
	assert_true(f.entry.cr3 != 0);
	flat.load = RAM_BYTES - 511;
	assert_non_null(flat_load(&f.boot, &flat, &f.entry));
	flat.load = 0x1000;
	flat.start = PC_4GIB;
	assert_non_null(flat_load(&f.boot, &flat, &f.entry));
	flat.start = 0x1000;
	flat.mode = PC_MODE_PROTECTED;
	assert_null(flat_load(&f.boot, &flat, &f.entry));
	assert_int_equal(f.entry.gdtr.base, 0x1200);
	f.boot.n_modules = 1;
	assert_non_null(flat_load(&f.boot, &flat, &f.entry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_of_chunks),
		cmocka_unit_test(map_of_fixed_memory),
		cmocka_unit_test(map_refuses),
		cmocka_unit_test(map_agrees_with_a_model),
		cmocka_unit_test(places_are_free),
		cmocka_unit_test(state_of_protected_mode),
		cmocka_unit_test(state_of_long_mode),
		cmocka_unit_test(state_of_real_mode),
		cmocka_unit_test(bzimage_enters),
		cmocka_unit_test(bzimage_moves),
		cmocka_unit_test(bad_bzimages),
		cmocka_unit_test(pvh_enters),
		cmocka_unit_test(bad_elves),
		cmocka_unit_test(too_little_memory),
		cmocka_unit_test(multiboot_enters),
		cmocka_unit_test(multiboot_header_is_found),
		cmocka_unit_test(bad_multiboot_images),
		cmocka_unit_test(flat_enters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
