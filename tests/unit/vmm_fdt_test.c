/* The generated devicetree, read back with libfdt. */
#include "boot/fdt.h"
#include "boot/fdt_pci.h"
#include "boot/fdt_watchdog.h"

#include "unit.h"

#include <libfdt.h>
#include <selvage/base.h>
#include <selvage/sysdesc.h>
#include <string.h>

static uint8_t blob[0x10000];

static struct fdt_params params(void)
{
	struct fdt_params p = {
		.board = &board_virt,
		.model = "linux1",
		.bootargs = "console=ttyAMA0 quiet",
		.n_cpus = 2,
		.gic_version = 3,
		.devices = SYSDESC_DEV_PL011 | SYSDESC_DEV_RTC,
		.initrd_gpa = 0x42000000,
		.initrd_bytes = 0x1234,
		.n_regions = 2,
	};

	p.region[0].gpa = 0x40000000;
	p.region[0].size = 0x10000000;
	p.region[1].gpa = 0x100000000ull;
	p.region[1].size = 0x80000000;
	return p;
}

static int node(const char *path)
{
	int offset = fdt_path_offset(blob, path);

	if (offset < 0)
		fail_msg("%s: %s", path, fdt_strerror(offset));
	return offset;
}

static void check_cells(const char *path, const char *name,
			const uint32_t *want, int n)
{
	int length = 0;
	const uint8_t *have = fdt_getprop(blob, node(path), name, &length);

	assert_non_null(have);
	assert_int_equal(length, n * 4);
	for (int i = 0; i < n; i++)
		assert_int_equal(load_be32(have + i * 4), want[i]);
}
#define CELLS(path, name, ...)                                     \
	check_cells(path, name, (const uint32_t[]){ __VA_ARGS__ }, \
		    sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static const char *string(const char *path, const char *name)
{
	return fdt_getprop(blob, node(path), name, NULL);
}

static void generate(const struct fdt_params *p)
{
	size_t size = fdt_generate(p, blob, sizeof(blob));

	assert_true(size > 0);
	assert_int_equal(fdt_check_full(blob, size), 0);
}

static void gicv3_tree(void **state)
{
	struct fdt_params p = params();

	(void)state;
	generate(&p);
	assert_string_equal(string("/chosen", "bootargs"), p.bootargs);
	assert_string_equal(string("/chosen", "stdout-path"), "/pl011@9000000");
	CELLS("/chosen", "linux,initrd-start", 0, 0x42000000);
	CELLS("/chosen", "linux,initrd-end", 0, 0x42001234);
	assert_null(fdt_getprop(blob, node("/chosen"), "rng-seed", NULL));
	CELLS("/memory@40000000", "reg", 0, 0x40000000, 0, 0x10000000);
	CELLS("/memory@100000000", "reg", 1, 0, 0, 0x80000000);
	CELLS("/cpus/cpu@1", "reg", 1);
	assert_string_equal(string("/cpus/cpu@1", "enable-method"), "psci");
	assert_string_equal(string("/psci", "method"), "hvc");
	assert_string_equal(string("/intc@8000000", "compatible"), "arm,gic-v3");
	CELLS("/intc@8000000", "reg", 0, 0x08000000, 0, 0x10000, 0, 0x080a0000,
	      0, 0x40000);
	CELLS("/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
	CELLS("/pl011@9000000", "interrupts", 0, 1, 4);
	CELLS("/pl031@9010000", "interrupts", 0, 2, 4);
}

static void gicv2_tree(void **state)
{
	struct fdt_params p = params();

	(void)state;
	p.gic_version = 2;
	p.initrd_bytes = 0;
	p.devices = 0;
	p.virtio_slots = 1u << 0 | 1u << 31;
	generate(&p);
	CELLS("/virtio_mmio@a000000", "reg", 0, 0x0a000000, 0, 0x200);
	CELLS("/virtio_mmio@a000000", "interrupts", 0, 16, 4);
	assert_string_equal(string("/virtio_mmio@a000000", "compatible"), "virtio,mmio");
	assert_non_null(fdt_getprop(blob, node("/virtio_mmio@a000000"), "dma-coherent", NULL));
	CELLS("/virtio_mmio@a003e00", "interrupts", 0, 47, 4);
	assert_true(fdt_path_offset(blob, "/virtio_mmio@a000200") < 0);
	CELLS("/intc@8000000", "reg", 0, 0x08000000, 0, 0x1000, 0, 0x08010000,
	      0, 0x2000);
	CELLS("/timer", "interrupts", 1, 13, 0x304, 1, 14, 0x304, 1, 11, 0x304,
	      1, 10, 0x304);
	assert_true(fdt_path_offset(blob, "/pl011@9000000") < 0);
	assert_null(fdt_getprop(blob, node("/chosen"), "linux,initrd-start",
				NULL));
}

static void pci_nodes(void **state)
{
	struct fdt_params p = params();
	const fdt32_t *map;
	int bytes;

	(void)state;
	generate(&p);
	assert_true(fdt_add_pci(blob, sizeof(blob), &board_virt, false, 0));
	assert_int_equal(fdt_check_full(blob, sizeof(blob)), 0);
	assert_string_equal(string("/pcie@3f000000", "compatible"), "pci-host-ecam-generic");
	CELLS("/pcie@3f000000", "reg", 0, 0x3f000000, 0, 0x100000);
	CELLS("/pcie@3f000000", "bus-range", 0, 0);
	CELLS("/pcie@3f000000", "ranges", 0x01000000, 0, 0, 0, 0x3eff0000, 0, 0x10000,
	      0x02000000, 0, 0x10000000, 0, 0x10000000, 0, 0x1000000,
	      0x02000000, 0, 0x11000000, 0, 0x11000000, 0, 0x2dff0000);
	CELLS("/pcie@3f000000", "msi-map", 0, 3, 0, 0x10000);
	CELLS("/pcie@3f000000", "interrupt-map-mask", 0xb800, 0, 0, 7);
	map = fdt_getprop(blob, node("/pcie@3f000000"), "interrupt-map", &bytes);
	assert_int_equal(bytes, (8 * 4 + 7) * 10 * 4);
	/* INTA# of device 3 is the fourth line. */
	assert_int_equal(fdt32_to_cpu(map[12 * 10]), 3 << 11);
	assert_int_equal(fdt32_to_cpu(map[12 * 10 + 3]), 1);
	assert_int_equal(fdt32_to_cpu(map[12 * 10 + 8]), 6);
	/* Device 16 has a line of its own, edge-triggered. */
	assert_int_equal(fdt32_to_cpu(map[32 * 10]), 16 << 11);
	assert_int_equal(fdt32_to_cpu(map[32 * 10 + 8]), 9);
	assert_int_equal(fdt32_to_cpu(map[32 * 10 + 9]), 1);
	assert_string_equal(string("/intc@8000000/v2m@8020000", "compatible"), "arm,gic-v2m-frame");
	CELLS("/intc@8000000/v2m@8020000", "reg", 0, 0x08020000, 0, 0x1000);
	generate(&p);
	assert_true(fdt_add_pci(blob, sizeof(blob), &board_virt, true, 1u << 9));
	assert_int_equal(fdt_check_full(blob, sizeof(blob)), 0);
	assert_string_equal(string("/intc@8000000/its@8080000", "compatible"), "arm,gic-v3-its");
	CELLS("/intc@8000000/its@8080000", "reg", 0, 0x08080000, 0, 0x20000);
	CELLS("/intc@8000000/its@8080000", "#msi-cells", 1);
	CELLS("/intc@8000000/its@8080000", "phandle", 3);
	/* The pool of a function: slot 9's, as fdt_generate has it. */
	CELLS("/pcie@3f000000/virtio@9", "reg", 9 << 11, 0, 0, 0, 0);
	CELLS("/pcie@3f000000/virtio@9", "memory-region", FDT_PHANDLE_POOL + 9);
	assert_true(fdt_path_offset(blob, "/pcie@3f000000/virtio@8") < 0);
	assert_true(fdt_path_offset(blob, "/intc@8000000/v2m@8020000") < 0);
	/* There is no room; there is no tree. */
	generate(&p);
	assert_false(fdt_add_pci(blob, (size_t)fdt_totalsize(blob) + 64, &board_virt, false, 0));
	memset(blob, 0, sizeof(blob));
	assert_false(fdt_add_pci(blob, sizeof(blob), &board_virt, false, 0));
}

static void watchdog_node(void **state)
{
	struct fdt_params p = params();

	(void)state;
	generate(&p);
	assert_true(fdt_add_pci(blob, sizeof(blob), &board_virt, true, 0));
	assert_true(fdt_add_watchdog(blob, sizeof(blob), &board_virt));
	assert_int_equal(fdt_check_full(blob, sizeof(blob)), 0);
	assert_string_equal(string("/watchdog@90c0000", "compatible"), "arm,sp805");
	CELLS("/watchdog@90c0000", "reg", 0, 0x090c0000, 0, 0x1000);
	CELLS("/watchdog@90c0000", "interrupts", 0, 0, 4);
	CELLS("/watchdog@90c0000", "clocks", 0x40, 0x40);
	CELLS("/watchdog-clk", "phandle", 0x40);
	CELLS("/watchdog-clk", "clock-frequency", 1000000);
	generate(&p);
	assert_false(fdt_add_watchdog(blob, (size_t)fdt_totalsize(blob) + 64, &board_virt));
	memset(blob, 0, sizeof(blob));
	assert_false(fdt_add_watchdog(blob, sizeof(blob), &board_virt));
}

static void narrow_tree(void **state)
{
	struct fdt_params p = params();

	(void)state;
	p.width = 32;
	generate(&p);
	assert_string_equal(fdt_getprop(blob, node("/cpus/cpu@0"), "compatible", NULL),
			    "arm,cortex-a15");
	assert_string_equal(fdt_getprop(blob, node("/timer"), "compatible", NULL),
			    "arm,armv7-timer");
}

static void seeds(void **state)
{
	struct fdt_params p = params();
	uint8_t seed[FDT_SEED_BYTES];
	int length;
	const void *have;

	(void)state;
	for (unsigned i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)(i + 1);
	p.seed = seed;
	generate(&p);
	have = fdt_getprop(blob, node("/chosen"), "kaslr-seed", &length);
	assert_int_equal(length, 8);
	assert_memory_equal(have, seed, 8);
	have = fdt_getprop(blob, node("/chosen"), "rng-seed", &length);
	assert_int_equal(length, 56);
	assert_memory_equal(have, seed + 8, 56);
}

static void bad_parameters(void **state)
{
	struct fdt_params p = params();

	(void)state;
	assert_int_equal(fdt_generate(&p, blob, 512), 0);
	assert_int_equal(fdt_generate(&p, blob, 0), 0);
	p.n_cpus = 0;
	assert_int_equal(fdt_generate(&p, blob, sizeof(blob)), 0);
	p = params();
	p.n_regions = FDT_MAX_REGIONS + 1;
	assert_int_equal(fdt_generate(&p, blob, sizeof(blob)), 0);
	p = params();
	p.gic_version = 4;
	assert_int_equal(fdt_generate(&p, blob, sizeof(blob)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gicv3_tree),
		cmocka_unit_test(gicv2_tree),
		cmocka_unit_test(narrow_tree),
		cmocka_unit_test(pci_nodes),
		cmocka_unit_test(watchdog_node),
		cmocka_unit_test(seeds),
		cmocka_unit_test(bad_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
