/* vmm: guest memory, bus, image header, layout, PSCI, system registers, the
 * walk of the guest's tables. */
#include "a9_regs.h"
#include "arm64_image_test.h"
#include "board/vexpress_a9.h"
#include "boot/layout.h"
#include "bus.h"
#include "gmem.h"
#include "psci.h"
#include "sysreg.h"
#include "walk.h"

#include "random.h"
#include "unit.h"

#include <selvage/base.h>
#include <selvage/sysdesc.h>
#include <selvage/vcpu_arch.h>
#include <stdlib.h>
#include <string.h>

/* --- registers of a Cortex-A9 ------------------------------------------------ */

#define CBAR VCPU_SYSREG(0, 4, 15, 0, 0)
#define DIAGNOSTIC VCPU_SYSREG(0, 0, 15, 0, 1)
#define SCR VCPU_SYSREG(0, 0, 1, 1, 0)

static void a9_instructions_are_found(void **state)
{
	/* As gcc assembles them: ARM, then Thumb on a halfword. */
	static const uint8_t code[] = {
		0x10, 0x0f, 0x9f, 0xee, /* mrc p15, 4, r0, c15, c0, 0 */
		0x30, 0x3f, 0x0f, 0xee, /* mcr p15, 0, r3, c15, c0, 1 */
		0x51, 0x1f, 0x11, 0xee, /* mrc p15, 0, r1, c1, c1, 2: NSACR can be read */
		0x51, 0x1f, 0x01, 0xee, /* mcr p15, 0, r1, c1, c1, 2 */
		0x10, 0x0f, 0x9f, 0x0e, /* mrceq */
		0x10, 0xff, 0x9f, 0xee, /* mrc ..., apsr */
		0x70, 0x47,             /* bx lr */
		0x11, 0xee, 0x11, 0x2f, /* mrc p15, 0, r2, c1, c1, 0 */
		0x70, 0x47, 0x9f, 0xee, /* half of one */
	};
	static const size_t wanted[] = { 0, 4, 12, 26 };
	struct a9_insn insn;
	size_t at = 0;

	(void)state;
	for (unsigned i = 0; i < 4; i++, at += 4) {
		at = a9_insn_find(code, sizeof(code), at);
		assert_int_equal(at, wanted[i]);
	}
	assert_int_equal(a9_insn_find(code, sizeof(code), at), sizeof(code));
	assert_int_equal(a9_insn_find(code, 3, 0), 3);
	assert_int_equal(a9_insn_find(code, 0, 0), 0);
	assert_true(a9_insn_decode(0xee9f, 0x0f10, &insn));
	assert_true(insn.code == CBAR && !insn.write && insn.rt == 0);
	assert_true(a9_insn_decode(0xee0f, 0x3f30, &insn));
	assert_true(insn.code == DIAGNOSTIC && insn.write && insn.rt == 3);
}

static void a9_registers_keep(void **state)
{
	struct a9_regs r = { 0 };

	(void)state;
	assert_int_equal(a9_reg_read(&r, CBAR, 0x1e000000), 0x1e000000);
	a9_reg_write(&r, CBAR, 5);
	a9_reg_write(&r, DIAGNOSTIC, 0x11);
	a9_reg_write(&r, SCR, 1);
	a9_reg_write(&r, VCPU_SYSREG(0, 0, 15, 1, 0), 7);
	assert_int_equal(a9_reg_read(&r, CBAR, 0x1e000000), 0x1e000000);
	assert_int_equal(a9_reg_read(&r, DIAGNOSTIC, 0), 0x11);
	assert_int_equal(a9_reg_read(&r, SCR, 0), 1);
	assert_int_equal(a9_reg_read(&r, VCPU_SYSREG(0, 0, 15, 1, 0), 0), 0);
	assert_int_equal(a9_reg_read(&r, VCPU_SYSREG(0, 0, 1, 0, 0), 0), 0);
}

/* --- gmem ----------------------------------------------------------------- */

static void gmem_bounds(void **state)
{
	static uint8_t low[0x100], high[0x200];
	struct gmem m = { 0 };
	uint32_t word;
	uint16_t half;
	uint8_t byte = 7;

	(void)state;
	assert_true(gmem_add(&m, 0, sizeof(low), low));
	assert_true(gmem_add(&m, 0x1000, sizeof(high), high));
	assert_false(gmem_add(&m, 0x10ff, 1, low));
	assert_false(gmem_add(&m, ~0ull, 2, low));
	assert_false(gmem_add(&m, 0x5000, 0, low));
	assert_true(gmem_holds(&m, 0, 0x100));
	assert_false(gmem_holds(&m, 0, 0x101));
	assert_false(gmem_holds(&m, 0x100, 1));
	assert_false(gmem_holds(&m, 0xff, ~0ull));
	assert_false(gmem_holds(&m, ~0ull, 1));
	assert_true(gmem_write(&m, 0x11ff, &byte, 1));
	assert_int_equal(high[0x1ff], 7);
	assert_false(gmem_write(&m, 0x11ff, &word, 4));
	assert_false(gmem_read_u32(&m, 0x1001, &word));
	assert_false(gmem_read_u32(&m, 0x1200, &word));
	assert_false(gmem_write_u16(&m, 0x1001, 0x1234));
	assert_false(gmem_write_u16(&m, 0x1200, 0x1234));
	assert_true(gmem_write_u16(&m, 0x11fe, 0x1234));
	assert_false(gmem_read_u16(&m, 0x11fd, &half));
	assert_false(gmem_read_u16(&m, 0x1200, &half));
	assert_true(gmem_read_u16(&m, 0x11fe, &half));
	assert_int_equal(half, 0x1234);
	high[0] = 1;
	assert_true(gmem_read_u32(&m, 0x1000, &word));
	assert_int_equal(word, 1);
}

static void gmem_agrees_with_a_model(void **state)
{
	static uint8_t ram[4][256];
	struct random r = { 3 };
	struct gmem m = { 0 };

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_true(gmem_add(&m, i * 1024, 256, ram[i]));
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t gpa = random_below(&r, 5000);
		uint64_t size = random_below(&r, 600);
		bool inside = gpa % 1024 < 256 && gpa / 1024 < 4 &&
			      gpa % 1024 + size <= 256;

		/* an empty range at a region's very end counts as inside */
		if (size == 0)
			continue;
		assert_int_equal(gmem_holds(&m, gpa, size), inside);
	}
}

/* Of two regions that meet, one has the other's bytes in front of its own. */
static void gmem_crosses_regions(void **state)
{
	static uint8_t ram[2][64];
	struct gmem m = { 0 };
	uint8_t bytes[8] = { 0 };

	(void)state;
	assert_true(gmem_add(&m, 0x1040, 64, ram[1]));
	assert_true(gmem_add(&m, 0x1000, 64, ram[0]));
	assert_true(gmem_write(&m, 0x103c, "12345678", 8));
	assert_memory_equal(ram[0] + 60, "1234", 4);
	assert_memory_equal(ram[1], "5678", 4);
	assert_true(gmem_read(&m, 0x103c, bytes, 8));
	assert_memory_equal(bytes, "12345678", 8);
	/* The whole of it, and a byte more at either end: then nothing at all. */
	assert_false(gmem_write(&m, 0x1079, "abcdefgh", 8));
	assert_int_equal(ram[1][63], 0);
	assert_false(gmem_write(&m, 0xfff, "ab", 2));
	assert_int_equal(ram[0][0], 0);
	assert_false(gmem_read(&m, 0x103c, bytes, ~(size_t)0));
}

/* --- bus ------------------------------------------------------------------ */

struct probe {
	unsigned calls;
	struct mmio last;
	uint64_t answer;
};

static enum mmio_outcome probe_access(void *device, unsigned vcpu,
				      struct mmio *m)
{
	struct probe *p = device;

	(void)vcpu;
	p->calls++;
	p->last = *m;
	return m->write ? MMIO_HANDLED : mmio_done(m, p->answer);
}

static struct bus_region at(const char *name, gpa_t base, uint64_t size, bus_handler handler,
			    void *device)
{
	return (struct bus_region){
		.name = name, .base = base, .size = size, .handler = handler, .device = device
	};
}

static void bus_routes(void **state)
{
	struct probe a = { .answer = ~0ull }, b = { .answer = 5 };
	struct bus bus = { 0 };
	const struct bus_region ra = at("a", 0x1000, 0x100, probe_access, &a);
	const struct bus_region rb = at("b", 0x1100, 0x100, probe_access, &b);
	const struct bus_region rest = at("rest", 0x1000, 0x1000, probe_access, &a);
	const struct bus_region bad = at("c", 0x11f8, 8, probe_access, &b);
	const struct bus_region crooked = at("d", 0x2004, 8, probe_access, &b);
	const struct bus_region odd = at("e", 0x2000, 0xfc, probe_access, &b);
	struct mmio m = { .size = 4 };
	const struct bus_region *r;

	(void)state;
	assert_true(bus_add(&bus, &ra));
	assert_true(bus_add(&bus, &rb));
	assert_false(bus_add(&bus, &bad));
	assert_false(bus_add(&bus, &crooked));
	assert_false(bus_add(&bus, &odd));
	assert_null(bus_find(&bus, 0xfff));
	bus.elsewhere = &rest; /* within its own range */
	assert_null(bus_find(&bus, 0xfff));
	assert_ptr_equal(bus_find(&bus, 0x1200), &rest);
	assert_ptr_equal(bus_find(&bus, 0x10fc), &bus.region[0]);
	assert_null(bus_find(&bus, 0x2000));
	bus.elsewhere = NULL;
	assert_null(bus_find(&bus, 0x1200));
	r = bus_find(&bus, 0x10fc);
	assert_int_equal(bus_access(r, 0x10fc, 0, &m), MMIO_HANDLED);
	assert_int_equal(m.value, 0xffffffff);
	assert_int_equal(a.last.offset, 0xfc);
	m = (struct mmio){ .size = 1, .write = true, .value = 0x1234 };
	r = bus_find(&bus, 0x1101);
	assert_int_equal(bus_access(r, 0x1101, 0, &m), MMIO_HANDLED);
	assert_int_equal(b.last.value & mmio_mask(&b.last), 0x34);
	assert_int_equal(b.last.offset, 1);
}

static void bus_of_a_lenient_board(void **state)
{
	static const uint32_t id = 0x00041181;
	const struct bus_region nothing = at("nothing", 0, UINT64_MAX, bus_nothing, NULL);
	const struct bus_region stub = at("stub", 0x1000, 0x1000, bus_stub, (void *)(uintptr_t)&id);
	static const uint8_t bytes[8] = { 0x81, 0x11, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	struct mmio m = { .size = 4 };
	struct bus bus = { .elsewhere = &nothing };

	(void)state;
	assert_true(bus_add(&bus, &stub));
	for (unsigned i = 0; i < 8; i++) {
		assert_ptr_equal(bus_find(&bus, 0x1fe0 + 4 * i), &bus.region[0]);
		assert_int_equal(bus_access(&bus.region[0], 0x1fe0 + 4 * i, 0, &m), MMIO_HANDLED);
		assert_int_equal(m.value, bytes[i]);
		assert_ptr_equal(bus_find(&bus, 0x9000), &nothing);
	}
	assert_int_equal(bus_access(&bus.region[0], 0x1010, 0, &m), MMIO_HANDLED);
	assert_int_equal(m.value, 0);
	m.value = 7;
	assert_int_equal(bus_access(bus_find(&bus, 0x9000), 0x9000, 0, &m), MMIO_IGNORED);
	assert_int_equal(m.value, 0);
}

/* No two devices of a board in one place, nor among memory. */
static void board_tables(void **state)
{
	const struct board_a9 *a9 = &board_a9;
	struct bus bus = { .elsewhere = NULL };
	unsigned n;
	const struct sysdesc_range *room = sysdesc_board_devices(SYSDESC_BOARD_VEXPRESS_A9, &n);
	struct board_range all[16] = {
		board_vexpress_a9.gicd_v2,
		board_vexpress_a9.gicc,
		board_vexpress_a9.uart,
		board_vexpress_a9.rtc,
		a9->sysregs,
		a9->pl310,
		a9->sp805.range,
		a9->sp804[0].range,
		a9->sp804[1].range,
		a9->sp804[2].range,
		a9->uart[0].range,
		a9->uart[1].range,
		a9->uart[2].range,
	};

	(void)state;
	assert_int_equal(board_vexpress_a9.number, SYSDESC_BOARD_VEXPRESS_A9);
	assert_int_equal(board_virt.number, SYSDESC_BOARD_VIRT);
	assert_int_equal(n, 2);
	for (unsigned i = 0; i < 13; i++) {
		const struct bus_region r = at("r", all[i].base, all[i].size, bus_nothing, NULL);

		assert_true(bus_add(&bus, &r));
		assert_true(range_within_u64(r.base, r.size, room[0].base, room[0].size) ||
			    range_within_u64(r.base, r.size, room[1].base, room[1].size));
	}
	for (unsigned i = 0; i < board_vexpress_a9.n_stubs; i++) {
		const struct board_stub *s = &board_vexpress_a9.stubs[i];
		const struct bus_region r =
			at(s->name, s->range.base, s->range.size, bus_nothing, NULL);

		assert_true(bus_add(&bus, &r));
	}
}

static void bus_refuses_what_is_crooked(void **state)
{
	struct probe a = { 0 };
	const struct bus_region r = at("a", 0x1000, 0x100, probe_access, &a);
	struct mmio m = { .size = 4 };

	(void)state;
	assert_int_equal(bus_access(&r, 0x1002, 0, &m), MMIO_FAULT);
	m.size = 8;
	assert_int_equal(bus_access(&r, 0x10fc, 0, &m), MMIO_FAULT);
	for (unsigned size = 0; size < 256; size++) {
		if (size == 1 || size == 2 || size == 4 || size == 8)
			continue;
		m.size = (uint8_t)size;
		assert_int_equal(bus_access(&r, 0x1000, 0, &m), MMIO_FAULT);
	}
	assert_int_equal(a.calls, 0);
}

/* --- arm64 Image and layout ----------------------------------------------- */

static void image_headers(void **state)
{
	uint8_t h[64];
	struct arm64_image out;

	(void)state;
	make_image_header(h, 0, 0x500000, 0xa);
	assert_null(arm64_image_parse(h, sizeof(h), &out));
	assert_int_equal(out.memory_bytes, 0x500000);
	assert_int_equal(out.text_offset, 0);
	assert_non_null(arm64_image_parse(h, 63, &out));
	make_image_header(h, 0, 0x500000, 1);
	assert_non_null(arm64_image_parse(h, sizeof(h), &out));
	make_image_header(h, 0x200000, 0x500000, 0);
	assert_non_null(arm64_image_parse(h, sizeof(h), &out));
	make_image_header(h, 0x80001, 0x500000, 0);
	assert_non_null(arm64_image_parse(h, sizeof(h), &out));
	make_image_header(h, 0, ~0ull, 0);
	assert_non_null(arm64_image_parse(h, sizeof(h), &out));
	make_image_header(h, 0, 0, 0);
	assert_null(arm64_image_parse(h, sizeof(h), &out));
	assert_int_equal(out.text_offset, 0x80000);
	h[56] = 0;
	assert_non_null(arm64_image_parse(h, sizeof(h), &out));
}

static void layouts(void **state)
{
	struct arm64_image kernel = { .text_offset = 0, .memory_bytes = 0x1234567 };
	struct boot_layout l;

	(void)state;
	assert_null(boot_layout_plan(0x40000000, 64 << 20, &kernel, 0x100000,
				     &l));
	assert_int_equal(l.fdt_gpa, 0x40000000);
	assert_int_equal(l.kernel_gpa, 0x40200000);
	assert_true(l.initrd_gpa >= l.kernel_gpa + kernel.memory_bytes);
	assert_int_equal(l.initrd_gpa % 0x1000, 0);
	assert_non_null(boot_layout_plan(0x40000000, 16 << 20, &kernel, 0, &l));
	assert_non_null(boot_layout_plan(0x40000000, 32 << 20, &kernel,
					 16 << 20, &l));
	assert_non_null(boot_layout_plan(0x40000000, 64 << 20, &kernel, ~0ull,
					 &l));
	assert_non_null(boot_layout_plan(~0ull - 5, 6, &kernel, 0, &l));
}

static void zimage_layouts(void **state)
{
	struct boot_layout l;

	(void)state;
	assert_null(boot_layout_zimage(0x40000000, 256 << 20, 5 << 20, 0xd0000, &l));
	assert_int_equal(l.kernel_gpa, 0x42000000);
	assert_int_equal(l.fdt_gpa, 0x4fff0000);
	assert_int_equal(l.initrd_gpa, 0x4ff20000);
	/* Little memory: nearer to the start; much: all in the lowest 512 MiB. */
	assert_null(boot_layout_zimage(0x40000000, 64 << 20, 5 << 20, 0, &l));
	assert_int_equal(l.kernel_gpa, 0x41000000);
	assert_null(boot_layout_zimage(0x40000000, 3ull << 30, 5 << 20, 4096, &l));
	assert_int_equal(l.fdt_gpa, 0x5fff0000);
	assert_non_null(boot_layout_zimage(0x40001000, 64 << 20, 5 << 20, 0, &l));
	assert_non_null(boot_layout_zimage(1ull << 32, 64 << 20, 5 << 20, 0, &l));
	assert_non_null(boot_layout_zimage(0x40000000, 64 << 20, 5 << 20, 48 << 20, &l));
	assert_non_null(boot_layout_zimage(0x40000000, 64 << 20, 64 << 20, 0, &l));
	assert_non_null(boot_layout_zimage(0x40000000, 64 << 20, 5 << 20, ~0ull, &l));
	assert_non_null(boot_layout_zimage(0x40000000, 0x8000, 0x1000, 0, &l));
}

static void piece_layouts(void **state)
{
	struct sysdesc_vm vm = {
		.n_regions = 1,
		.region[0] = { 0x40000000, 1 << 20, SYSDESC_OWN_MEMORY },
		.entry = 0x40010000,
		.n_pieces = 1,
		.piece[0] = { 0, 0x100, 0x40010000, 0x1000 },
	};
	struct boot_layout l;

	(void)state;
	assert_null(boot_layout_pieces(&vm, 0, &l));
	assert_int_equal(l.fdt_gpa, 0x40000000);
	assert_int_equal(l.kernel_gpa, 0x40010000);
	/* The start is taken: the end; both are: none. */
	vm.piece[0].gpa = 0x4000f000;
	assert_null(boot_layout_pieces(&vm, 0x1000, &l));
	assert_int_equal(l.fdt_gpa, 0x400f0000);
	assert_int_equal(l.initrd_gpa, 0x400e0000);
	vm.piece[0].size = 0xe2000;
	assert_null(boot_layout_pieces(&vm, 0, &l));
	assert_int_equal(l.fdt_gpa, BOOT_NOWHERE);
	assert_non_null(boot_layout_pieces(&vm, 0x1000, &l));
	/* The vectors' page is not free either. */
	vm.region[0].gpa = 0;
	vm.piece[0] = (struct sysdesc_piece){ 0, 0x100, 0x20000, 0x1000 };
	assert_null(boot_layout_pieces(&vm, 0, &l));
	assert_int_equal(l.fdt_gpa, 0);
	vm.n_vectors = 8;
	assert_null(boot_layout_pieces(&vm, 0, &l));
	assert_int_equal(l.fdt_gpa, 0xf0000);
	assert_non_null(boot_layout_pieces(&vm, ~0ull, &l));
}

/* --- PSCI ----------------------------------------------------------------- */

static struct {
	unsigned calls, vcpu;
	uint64_t entry, context;
	bool refuse;
} started;

static bool cpu_on(void *opaque, unsigned vcpu, uint64_t entry,
		   uint64_t context)
{
	(void)opaque;
	started.calls++;
	started.vcpu = vcpu;
	started.entry = entry;
	started.context = context;
	return !started.refuse;
}

static bool entry_valid(void *opaque, uint64_t entry)
{
	(void)opaque;
	return entry >= 0x40000000 && entry < 0x50000000;
}

static struct psci psci;

static void psci_boot(void)
{
	const struct psci_env env = {
		.cpu_on = cpu_on, .entry_valid = entry_valid
	};

	memset(&started, 0, sizeof(started));
	psci_init(&psci, 2, &env);
	psci_running(&psci, 0);
}

/* Calls and gives x0, as 64 bits signed. */
static int64_t call(unsigned vcpu, uint32_t function, uint64_t a, uint64_t b,
		    uint64_t c)
{
	const uint64_t args[4] = { function, a, b, c };
	uint64_t result = 0;

	assert_int_equal(psci_call(&psci, vcpu, args, &result), PSCI_RETURN);
	return (int64_t)result;
}

static enum psci_action action(unsigned vcpu, uint32_t function, uint64_t a)
{
	const uint64_t args[4] = { function, a, 0, 0 };
	uint64_t result;

	return psci_call(&psci, vcpu, args, &result);
}

static void psci_versions(void **state)
{
	(void)state;
	psci_boot();
	assert_int_equal(call(0, 0x84000000, 0, 0, 0), 0x10001);
	assert_int_equal(call(0, 0x84000006, 0, 0, 0), 2);
	assert_int_equal(call(0, 0x80000000, 0, 0, 0), 0x10001);
	assert_int_equal(call(0, 0x80000001, 0x80000000, 0, 0), 0);
	assert_int_equal(call(0, 0x80000001, 0x80008000, 0, 0), -1);
	assert_int_equal(call(0, 0x8400000a, 0x80000000, 0, 0), 0);
	assert_int_equal(call(0, 0x8400000a, 0x84000001, 0, 0), 0);
	assert_int_equal(call(0, 0x8400000a, 0xc4000003, 0, 0), 0);
	assert_int_equal(call(0, 0x8400000a, 0x84000005, 0, 0), -1);
	assert_int_equal(call(0, 0x12345678, 0, 0, 0), -1);
	/* 32-bit only, and numbers just outside the range */
	assert_int_equal(call(0, 0xc4000000, 0, 0, 0), -1);
	assert_int_equal(call(0, 0xc400000a, 0x84000000, 0, 0), -1);
	assert_int_equal(call(0, 0x84000020, 0, 0, 0), -1);
	assert_int_equal(call(0, 0x80000002, 0, 0, 0), -1);
	assert_int_equal(call(0, 0xc0000000, 0, 0, 0), -1);
	/* MIGRATE does not exist: MIGRATE_INFO_TYPE says so */
	assert_int_equal(call(0, 0x84000005, 0, 0, 0), -1);
}

static void psci_cpus(void **state)
{
	(void)state;
	psci_boot();
	assert_int_equal(call(0, 0xc4000004, 1, 0, 0), 1);
	assert_int_equal(call(0, 0xc4000004, 0, 0, 0), 0);
	assert_int_equal(call(0, 0xc4000004, 2, 0, 0), -2);
	assert_int_equal(call(0, 0xc4000004, 1, 1, 0), -2);
	assert_int_equal(call(0, 0xc4000003, 2, 0x40000000, 0), -2);
	assert_int_equal(call(0, 0xc4000003, 1ull << 32, 0x40000000, 0), -2);
	assert_int_equal(call(0, 0xc4000003, 0, 0x40000000, 0), -4);
	assert_int_equal(call(0, 0xc4000003, 1, 0x1000, 0), -9);
	assert_int_equal(started.calls, 0);
	started.refuse = true;
	assert_int_equal(call(0, 0xc4000003, 1, 0x40000000, 9), -6);
	assert_int_equal(call(0, 0xc4000004, 1, 0, 0), 1);
	started.refuse = false;
	assert_int_equal(call(0, 0xc4000003, 1, 0x40000000, 9), 0);
	assert_int_equal(started.vcpu, 1);
	assert_int_equal(started.entry, 0x40000000);
	assert_int_equal(started.context, 9);
	assert_int_equal(call(0, 0xc4000003, 1, 0x40000000, 9), -5);
	assert_int_equal(call(0, 0xc4000004, 1, 0, 0), 2);
	psci_running(&psci, 1);
	assert_int_equal(call(0, 0xc4000004, 1, 0, 0), 0);
	assert_int_equal(action(1, 0x84000002, 0), PSCI_PARK);
	assert_int_equal(call(0, 0xc4000004, 1, 0, 0), 1);
}

/* A 32-bit call looks at 32 bits of its arguments. */
static void psci_narrow(void **state)
{
	const uint64_t args[4] = { 0xffffffff84000003ull, 1ull << 32 | 1,
				   0x40000000, 1ull << 40 | 7 };
	uint64_t result;

	(void)state;
	psci_boot();
	assert_int_equal(psci_call(&psci, 0, args, &result), PSCI_RETURN);
	assert_int_equal(result, 0);
	assert_int_equal(started.context, 7);
}

static void psci_power(void **state)
{
	(void)state;
	psci_boot();
	assert_int_equal(action(0, 0x84000008, 0), PSCI_VM_OFF);
	assert_int_equal(action(0, 0x84000009, 0), PSCI_VM_RESET);
	assert_int_equal(action(0, 0xc4000012, 0), PSCI_VM_RESET);
	assert_int_equal(call(0, 0xc4000012, 1, 0, 0), -2);
	assert_int_equal(call(0, 0xc4000012, 0x80000000, 0, 0), -1);
	assert_int_equal(action(0, 0xc4000001, 0), PSCI_STANDBY);
	assert_int_equal(action(0, 0x84000001, 0x10000), PSCI_STANDBY);
	assert_int_equal(call(0, 0x84000001, 0x80000000, 0, 0), -2);
}

/* --- System registers ----------------------------------------------------- */

static const struct sysreg_config v3 = { .gic_version = 3, .pa_bits = 44 };
static const struct sysreg_config v2 = { .gic_version = 2, .pa_bits = 40 };

static unsigned field(uint64_t value, unsigned shift)
{
	return (unsigned)(value >> shift) & 0xf;
}

/* Every feature the kernel saves nothing for, by its field in the Arm ARM. */
static void unsaved_features_are_hidden(void **state)
{
	static const struct {
		unsigned crm, op2, shift;
		const char *name;
	} hidden[] = {
		{ 4, 0, 8, "EL2" },
		{ 4, 0, 12, "EL3" },
		{ 4, 0, 28, "RAS" },
		{ 4, 0, 32, "SVE" },
		{ 4, 0, 36, "SEL2" },
		{ 4, 0, 40, "MPAM" },
		{ 4, 0, 44, "AMU" },
		{ 4, 0, 52, "RME" },
		{ 4, 1, 8, "MTE" },
		{ 4, 1, 12, "RAS_frac" },
		{ 4, 1, 16, "MPAM_frac" },
		{ 4, 1, 24, "SME" },
		{ 5, 0, 4, "TraceVer" },
		{ 5, 0, 8, "PMUVer" },
		{ 5, 0, 32, "PMSVer" },
		{ 5, 0, 40, "TraceFilt" },
		{ 5, 0, 44, "TraceBuffer" },
		{ 6, 0, 24, "TME" },
		{ 6, 1, 4, "APA" },
		{ 6, 1, 8, "API" },
		{ 6, 1, 24, "GPA" },
		{ 6, 1, 28, "GPI" },
		{ 6, 1, 40, "SPECRES" },
		{ 6, 1, 56, "XS" },
		{ 6, 1, 60, "LS64" },
		{ 6, 2, 0, "WFxT" },
		{ 6, 2, 8, "GPA3" },
		{ 6, 2, 12, "APA3" },
		{ 6, 2, 16, "MOPS" },
		{ 7, 0, 56, "FGT" },
		{ 7, 0, 60, "ECV" },
		{ 7, 1, 4, "VMIDBits" },
		{ 7, 1, 8, "VH" },
		{ 7, 1, 16, "LO" },
		{ 7, 1, 24, "SpecSEI" },
		{ 7, 1, 40, "HCX" },
		{ 7, 2, 12, "IESB" },
		{ 7, 2, 24, "NV" },
		{ 7, 2, 40, "FWB" },
		{ 1, 0, 28, "RAS" },
		{ 1, 0, 20, "AMU" },
		{ 1, 2, 24, "PerfMon" },
		{ 1, 1, 12, "Virtualization" },
		{ 1, 1, 4, "Security" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(hidden); i++) {
		unsigned index = SYSREG_ID(hidden[i].crm, hidden[i].op2);
		/* the largest unsigned value that is not negative as signed */
		uint64_t all = sysreg_filter_id(&v3, index, 0x7777777777777777ull);

		if (field(all, hidden[i].shift) != 0)
			fail_msg("ID register %u: %s shows", index,
				 hidden[i].name);
		all = sysreg_filter_id(&v3, index, ~0ull);
		if (field(all, hidden[i].shift) != 0)
			fail_msg("ID register %u: %s shows", index,
				 hidden[i].name);
	}
}

static void offered_features_are_capped(void **state)
{
	uint64_t pfr0 = SYSREG_ID(4, 0), mmfr0 = SYSREG_ID(7, 0);
	uint64_t id;

	(void)state;
	/* cortex-a57: EL0 and EL1 with AArch32, GICv3 */
	id = sysreg_filter_id(&v3, (unsigned)pfr0, 0x01002222);
	assert_int_equal(id, 0x01000012);
	id = sysreg_filter_id(&v2, (unsigned)pfr0, 0x01002222);
	assert_int_equal(id, 0x00000012);
	/* no floating point stays no floating point */
	id = sysreg_filter_id(&v3, (unsigned)pfr0, 0xff0011);
	assert_int_equal(id, 0xff0011);
	id = sysreg_filter_id(&v3, (unsigned)mmfr0, 0x6);
	assert_int_equal(field(id, 0), 4);
	id = sysreg_filter_id(&v2, (unsigned)mmfr0, 0x6);
	assert_int_equal(field(id, 0), 2);
	/* 4 and 64 KiB granules: 0 is "yes", 0xf "no" */
	id = sysreg_filter_id(&v3, (unsigned)mmfr0, 0xf0000000);
	assert_int_equal(field(id, 28), 0xf);
	assert_int_equal(field(id, 24), 0);
	/* debug is made up, whatever the machine has */
	assert_int_equal(sysreg_filter_id(&v3, SYSREG_ID(5, 0), ~0ull),
			 0x101006);
	/* reserved encodings read as zero */
	assert_int_equal(sysreg_filter_id(&v3, SYSREG_ID(3, 7), ~0ull), 0);
	assert_int_equal(sysreg_filter_id(&v3, 999, ~0ull), 0);
}

static void filtering_never_adds(void **state)
{
	struct random r = { 5 };

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		unsigned index = random_below(&r, SYSREG_IDS);
		uint64_t machine = random_u64(&r);
		uint64_t id = sysreg_filter_id(&v3, index, machine);

		if (index == SYSREG_ID(5, 0))
			continue; /* made up */
		for (unsigned shift = 0; shift < 64; shift += 4)
			assert_true(field(id, shift) <= field(machine, shift));
		/* what has been filtered passes unchanged */
		assert_int_equal(sysreg_filter_id(&v3, index, id), id);
	}
}

static enum sysreg_action look(uint16_t code, bool write)
{
	uint64_t value;

	return (code < SYSREG_CP15_END ? sysreg_narrow : sysreg_lookup)(code, write, &value);
}

static void trapped_registers(void **state)
{
	uint64_t value = 99;

	(void)state;
	assert_int_equal(look(VCPU_SYSREG(3, 0, 0, 4, 0), false), SYSREG_ID_READ);
	assert_int_equal(look(VCPU_SYSREG(3, 0, 0, 4, 0), true), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(3, 0, 12, 11, 5), true), SYSREG_SGI1R);
	assert_int_equal(look(VCPU_SYSREG(3, 0, 12, 11, 5), false), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(3, 0, 12, 11, 7), true), SYSREG_SGI0R);
	assert_int_equal(look(VCPU_SYSREG(2, 0, 1, 0, 4), true), SYSREG_VALUE);
	assert_int_equal(sysreg_lookup(VCPU_SYSREG(2, 0, 1, 1, 4), false, &value),
			 SYSREG_VALUE);
	assert_int_equal(value, 8);
	assert_int_equal(sysreg_lookup(VCPU_SYSREG(2, 0, 0, 3, 5), false, &value),
			 SYSREG_VALUE);
	assert_int_equal(value, 0);
	/* PMU, LOR, trace, SVE control: not there */
	assert_int_equal(look(VCPU_SYSREG(3, 3, 9, 12, 0), false), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(3, 0, 10, 4, 0), false), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(2, 1, 0, 0, 0), false), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(3, 0, 1, 2, 0), true), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(3, 3, 14, 2, 1), true), SYSREG_CNTP_CTL);
	/* AArch32's: CP15 of 32 bits, of 64 bits, CP14. */
	assert_int_equal(look(VCPU_SYSREG(0, 0, 0, 2, 0), false), SYSREG_ID_READ);
	assert_int_equal(look(VCPU_SYSREG(0, 0, 0, 2, 0), true), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(0, 0, 1, 0, 1), true), SYSREG_VALUE);
	assert_int_equal(look(VCPU_SYSREG(0, 0, 14, 2, 1), true), SYSREG_CNTP_CTL);
	assert_int_equal(look(VCPU_SYSREG(1, 2, 0, 14, 0), true), SYSREG_CNTP_CVAL);
	assert_int_equal(look(VCPU_SYSREG(1, 0, 0, 14, 0), false), SYSREG_COUNTER);
	assert_int_equal(look(VCPU_SYSREG(1, 0, 0, 12, 0), true), SYSREG_SGI1R);
	assert_int_equal(look(VCPU_SYSREG(1, 0, 0, 12, 0), false), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(1, 1, 0, 14, 0), false), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(0, 1, 9, 0, 2), false), SYSREG_VALUE);
	for (unsigned crm = 12; crm < 15; crm++)
		assert_int_equal(look(VCPU_SYSREG(0, 0, 9, crm, 0), false), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(0, 0, 1, 1, 0), false), SYSREG_UNDEFINED);
	assert_int_equal(look(VCPU_SYSREG(2, 6, 0, 0, 0), false), SYSREG_UNDEFINED);
}

/* --- Walk ----------------------------------------------------------------- */

static void put64(uint8_t *ram, uint64_t at, uint64_t value)
{
	memcpy(ram + at, &value, sizeof(value));
}

static void walk_4k(void **state)
{
	uint8_t *ram = calloc(1, 0x10000);
	struct gmem m = { 0 };
	/* 39-bit halves, 4 KiB granule; TTBR1 table at 0x1000 */
	struct walk_regs r = {
		.sctlr = 1,
		.tcr = 25 | 25ull << 16 | 2ull << 30,
		.ttbr0 = 0x5000,
		.ttbr1 = 0x1000,
	};
	struct walk_trace trace = { 0 };
	uint64_t gpa;

	(void)state;
	assert_true(gmem_add(&m, 0, 0x10000, ram));
	put64(ram, 0x1000, 0x2003);                        /* level 1 */
	put64(ram, 0x2000, 0x3003);                        /* level 2 */
	put64(ram, 0x2008, 0x40200001);                    /* 2 MiB block */
	put64(ram, 0x3000 + 5 * 8, 0x0060000007003003ull); /* page */
	assert_true(walk_stage1(&m, &r, 0xffffff8000005123ull, &gpa));
	assert_int_equal(gpa, 0x7003123);
	r.trace = &trace;
	assert_true(walk_stage1(&m, &r, 0xffffff8000212345ull, &gpa));
	assert_int_equal(trace.n, 2);
	assert_int_equal(trace.step[1].at, 0x2008);
	assert_int_equal(trace.step[1].descriptor, 0x40200001);
	r.trace = NULL;
	assert_int_equal(gpa, 0x40212345);
	assert_false(walk_stage1(&m, &r, 0xffffff8000006000ull, &gpa));
	assert_false(walk_stage1(&m, &r, 0x1000, &gpa));
	/* tables outside RAM, reserved granule */
	r.ttbr1 = 0x100000;
	assert_false(walk_stage1(&m, &r, 0xffffff8000005123ull, &gpa));
	r.tcr = 25 | 25ull << 16;
	assert_false(walk_stage1(&m, &r, 0xffffff8000005123ull, &gpa));
	r.sctlr = 0;
	assert_true(walk_stage1(&m, &r, 0x1234, &gpa));
	assert_int_equal(gpa, 0x1234);
	free(ram);
}

static void put32(uint8_t *ram, uint64_t at, uint32_t value)
{
	memcpy(ram + at, &value, sizeof(value));
}

/* Each kind of short descriptor, and the split by TTBCR.N. */
static void walk_short_descriptors(void **state)
{
	uint8_t *ram = calloc(1, 0x20000);
	struct gmem m = { 0 };
	struct walk_regs r = {
		.sctlr = 1, .tcr = 1, .ttbr0 = 0x2059, .ttbr1 = 0x8059, .narrow = walk_narrow
	};
	uint64_t gpa;

	(void)state;
	assert_true(gmem_add(&m, 0, 0x20000, ram));
	put32(ram, 0x2000 + 0x401 * 4, 0x60100c0e);            /* section */
	put32(ram, 0x2000 + 0x402 * 4, 0x00010401);            /* table at 0x10400 */
	put32(ram, 0x2000 + 0x403 * 4, 0xa1340032 | 1u << 18); /* supersection */
	put32(ram, 0x10400 + 0x12 * 4, 0x70005002);            /* small page */
	put32(ram, 0x10400 + 0x13 * 4, 0x70006003);            /* the same, execute never */
	put32(ram, 0x10400 + 0x20 * 4, 0x70090001);            /* large page */
	put32(ram, 0x8000 + 0x801 * 4, 0x50000002);            /* TTBR1's section */
	assert_true(walk_stage1(&m, &r, 0x40112345, &gpa));
	assert_int_equal(gpa, 0x60112345);
	assert_true(walk_stage1(&m, &r, 0x40212345, &gpa));
	assert_int_equal(gpa, 0x70005345);
	assert_true(walk_stage1(&m, &r, 0x40213345, &gpa));
	assert_int_equal(gpa, 0x70006345);
	assert_true(walk_stage1(&m, &r, 0x40220345, &gpa));
	assert_int_equal(gpa, 0x70090345);
	assert_true(walk_stage1(&m, &r, 0x40312345, &gpa));
	assert_int_equal(gpa, 0x13a1312345ull);
	assert_false(walk_stage1(&m, &r, 0x40214345, &gpa));
	assert_false(walk_stage1(&m, &r, 0x40412345, &gpa));
	assert_true(walk_stage1(&m, &r, 0x80112345, &gpa));
	assert_int_equal(gpa, 0x50012345);
	/* Above 32 bits there is nothing; N = 0: all is TTBR0's. */
	assert_true(walk_stage1(&m, &r, 0x140112345ull, &gpa));
	assert_int_equal(gpa, 0x60112345);
	r.tcr = 0;
	r.ttbr0 = 0x4000;
	assert_false(walk_stage1(&m, &r, 0x80112345, &gpa));
	put32(ram, 0x4000 + 0x801 * 4, 0x00100002);
	assert_true(walk_stage1(&m, &r, 0x80112345, &gpa));
	assert_int_equal(gpa, 0x00112345);
	r.ttbr0 = 0x40000;
	assert_false(walk_stage1(&m, &r, 0x80112345, &gpa));
	r.sctlr = 0;
	assert_true(walk_stage1(&m, &r, 0x80112345, &gpa));
	assert_int_equal(gpa, 0x80112345);
	free(ram);
}

#define EAE (1ull << 31)

/* Long descriptors of AArch32: which table has an address, for each split. */
static void walk_long_descriptors(void **state)
{
	static const struct {
		uint64_t ttbcr;
		uint32_t va;
		int table; /* -1: neither */
	} splits[] = {
		{ 0, 0x00000000, 0 },
		{ 0, 0xffffffff, 0 },
		{ 1, 0x7fffffff, 0 },
		{ 1, 0x80000000, 1 },
		{ 1 << 16, 0x80000000, 1 },
		{ 1 << 16, 0x7fffffff, 0 },
		{ 2 << 16, 0xbfffffff, 0 },
		{ 2 << 16, 0xc0000000, 1 },
		{ 2 | 2 << 16, 0x3fffffff, 0 },
		{ 2 | 2 << 16, 0x40000000, -1 },
		{ 2 | 2 << 16, 0xbfffffff, -1 },
		{ 2 | 2 << 16, 0xc0000000, 1 },
	};
	uint64_t *ram = calloc(1, 0x10000);
	struct gmem m = { 0 };
	uint64_t gpa;

	(void)state;
	assert_true(gmem_add(&m, 0, 0x10000, ram));
	/* First levels of any size: blocks all over, another place for each table. */
	for (unsigned i = 0; i < 512; i++) {
		ram[0x1000 / 8 + i] = 0x1000000001ull;
		ram[0x2000 / 8 + i] = 0x2000000001ull;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(splits); i++) {
		struct walk_regs r = { 1, splits[i].ttbcr | EAE, 0x1000, 0x2000, walk_narrow,
				       NULL };
		bool mapped = walk_stage1(&m, &r, splits[i].va, &gpa);

		assert_int_equal(mapped, splits[i].table >= 0);
		if (mapped)
			assert_int_equal(gpa >> 36, splits[i].table + 1);
	}
	/* Down to a page: level 1 (2 bits), 2, 3. */
	ram[0x3000 / 8 + 2] = 0x4003;
	ram[0x4000 / 8 + 3] = 0x5003;
	ram[0x5000 / 8 + 4] = 0x40000070007003ull;
	{
		struct walk_regs r = { 1, EAE, 0x3000, 0, walk_narrow, NULL };

		assert_true(walk_stage1(&m, &r, 0x80604abc, &gpa));
		assert_int_equal(gpa, 0x70007abc);
		assert_false(walk_stage1(&m, &r, 0x80605abc, &gpa));
	}
	free(ram);
}

static void walk_survives_anything(void **state)
{
	uint64_t *ram = calloc(1, 0x10000);
	struct random rnd = { 11 };
	struct gmem m = { 0 };

	(void)state;
	assert_true(gmem_add(&m, 0, 0x10000, ram));
	for (unsigned i = 0; i < 0x2000; i++)
		ram[i] = random_u64(&rnd) & 0xff3ull;
	for (unsigned i = 0; i < 20000; i++) {
		struct walk_regs r = {
			.sctlr = 1,
			.tcr = random_u64(&rnd),
			.ttbr0 = random_u64(&rnd) & 0xf000,
			.ttbr1 = random_u64(&rnd) & 0xf000,
			.narrow = i & 1 ? walk_narrow : NULL,
		};
		uint64_t gpa;

		(void)walk_stage1(&m, &r, random_u64(&rnd), &gpa);
	}
	free(ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a9_instructions_are_found),
		cmocka_unit_test(a9_registers_keep),
		cmocka_unit_test(gmem_bounds),
		cmocka_unit_test(gmem_agrees_with_a_model),
		cmocka_unit_test(gmem_crosses_regions),
		cmocka_unit_test(bus_routes),
		cmocka_unit_test(bus_of_a_lenient_board),
		cmocka_unit_test(board_tables),
		cmocka_unit_test(bus_refuses_what_is_crooked),
		cmocka_unit_test(image_headers),
		cmocka_unit_test(layouts),
		cmocka_unit_test(zimage_layouts),
		cmocka_unit_test(piece_layouts),
		cmocka_unit_test(psci_versions),
		cmocka_unit_test(psci_cpus),
		cmocka_unit_test(psci_narrow),
		cmocka_unit_test(psci_power),
		cmocka_unit_test(unsaved_features_are_hidden),
		cmocka_unit_test(offered_features_are_capped),
		cmocka_unit_test(filtering_never_adds),
		cmocka_unit_test(trapped_registers),
		cmocka_unit_test(walk_4k),
		cmocka_unit_test(walk_short_descriptors),
		cmocka_unit_test(walk_long_descriptors),
		cmocka_unit_test(walk_survives_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
