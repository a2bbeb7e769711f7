/*
 * Devicetree generation. Bindings: devicetree specification 0.3, Linux
 * Documentation/devicetree/bindings (arm/psci, arm/cpus, timer/arm,arch_timer,
 * interrupt-controller/arm,gic and gic-v3, serial/pl011, rtc/arm,pl031).
 */
#include "fdt.h"

#include <libfdt.h>
#include <selvage/base.h>
#include <selvage/fmt.h>
#include <selvage/sysdesc.h>
#include <string.h>

#define PHANDLE_CLOCK 2
#define GIC_SPI 0
#define GIC_PPI 1
#define IRQ_LEVEL_HIGH 4

/* One tree being written; the first error sticks. */
struct writer {
	void *fdt;
	int error;
};

static void note(struct writer *w, int result)
{
	if (w->error == 0)
		w->error = result;
}

static void begin(struct writer *w, const char *name)
{
	note(w, fdt_begin_node(w->fdt, name));
}

static void begin_at(struct writer *w, const char *name, uint64_t unit)
{
	char full[48];

	fmt_print(full, sizeof(full), "%s@%llx", name,
		  (unsigned long long)unit);
	begin(w, full);
}

static void end(struct writer *w)
{
	note(w, fdt_end_node(w->fdt));
}

static void prop_u32(struct writer *w, const char *name, uint32_t value)
{
	note(w, fdt_property_u32(w->fdt, name, value));
}

static void prop_string(struct writer *w, const char *name, const char *value)
{
	note(w, fdt_property(w->fdt, name, value, (int)strlen(value) + 1));
}

static void prop_empty(struct writer *w, const char *name)
{
	note(w, fdt_property(w->fdt, name, NULL, 0));
}

/* `size` counts the NULs between the strings of the list. */
static void prop_list(struct writer *w, const char *name, const char *strings,
		      int size)
{
	note(w, fdt_property(w->fdt, name, strings, size));
}
#define PROP_LIST(w, name, strings) \
	prop_list(w, name, strings, (int)sizeof(strings))

static void prop_cells(struct writer *w, const char *name,
		       const uint32_t *cells, unsigned n)
{
	uint32_t big[16];

	if (n > ARRAY_SIZE(big)) {
		note(w, -FDT_ERR_INTERNAL);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		store_be32(&big[i], cells[i]);
	note(w, fdt_property(w->fdt, name, big,
			     (int)n * (int)sizeof(big[0])));
}

/* Pairs of address and size, two cells each. */
static void prop_reg(struct writer *w, const struct board_range *range,
		     unsigned n)
{
	uint32_t cells[16];

	for (unsigned i = 0; i < n && i < 4; i++) {
		cells[i * 4] = (uint32_t)(range[i].base >> 32);
		cells[i * 4 + 1] = (uint32_t)range[i].base;
		cells[i * 4 + 2] = (uint32_t)(range[i].size >> 32);
		cells[i * 4 + 3] = (uint32_t)range[i].size;
	}
	prop_cells(w, "reg", cells, n * 4);
}

static void write_chosen(struct writer *w, const struct fdt_params *p)
{
	char path[32];

	begin(w, "chosen");
	prop_string(w, "bootargs", p->bootargs);
	if (p->devices & SYSDESC_DEV_PL011) {
		fmt_print(path, sizeof(path), "/pl011@%llx",
			  (unsigned long long)p->board->uart.base);
		prop_string(w, "stdout-path", path);
	}
	if (p->seed != NULL) {
		note(w, fdt_property(w->fdt, "kaslr-seed", p->seed, FDT_KASLR_BYTES));
		note(w, fdt_property(w->fdt, "rng-seed", p->seed + FDT_KASLR_BYTES,
				     FDT_SEED_BYTES - FDT_KASLR_BYTES));
	}
	if (p->initrd_bytes != 0) {
		note(w, fdt_property_u64(w->fdt, "linux,initrd-start",
					 p->initrd_gpa));
		note(w, fdt_property_u64(w->fdt, "linux,initrd-end",
					 p->initrd_gpa + p->initrd_bytes));
	}
	end(w);
}

static void write_memory(struct writer *w, const struct fdt_params *p)
{
	for (unsigned i = 0; i < p->n_regions; i++) {
		struct board_range range = {
			p->region[i].gpa, p->region[i].size
		};

		begin_at(w, "memory", range.base);
		prop_string(w, "device_type", "memory");
		prop_reg(w, &range, 1);
		end(w);
	}
}

static void write_cpus(struct writer *w, const struct fdt_params *p)
{
	begin(w, "cpus");
	prop_u32(w, "#address-cells", 1);
	prop_u32(w, "#size-cells", 0);
	for (unsigned i = 0; i < p->n_cpus; i++) {
		begin_at(w, "cpu", i);
		prop_string(w, "device_type", "cpu");
		prop_string(w, "compatible", p->width == 32 ? "arm,cortex-a15" : "arm,armv8");
		prop_string(w, "enable-method", "psci");
		prop_u32(w, "reg", i); /* MPIDR affinity */
		end(w);
	}
	end(w);
	begin(w, "psci");
	PROP_LIST(w, "compatible", "arm,psci-1.0\0arm,psci-0.2");
	prop_string(w, "method", "hvc");
	end(w);
}

static void write_timer(struct writer *w, const struct fdt_params *p)
{
	/* GICv2's third cell carries the PPI's CPU mask in bits 15:8. */
	uint32_t flags = IRQ_LEVEL_HIGH;
	uint32_t cells[12];

	if (p->gic_version == 2)
		flags |= ((1u << p->n_cpus) - 1) << 8;
	for (unsigned i = 0; i < 4; i++) {
		cells[i * 3] = GIC_PPI;
		cells[i * 3 + 1] = p->board->timer_irq[i] - 16;
		cells[i * 3 + 2] = flags;
	}
	begin(w, "timer");
	prop_string(w, "compatible", p->width == 32 ? "arm,armv7-timer" : "arm,armv8-timer");
	prop_cells(w, "interrupts", cells, 12);
	prop_empty(w, "always-on"); /* it wakes a vCPU from WFI */
	end(w);
}

static void write_gic(struct writer *w, const struct fdt_params *p)
{
	struct board_range ranges[2] = { p->board->gicd_v2, p->board->gicc };

	if (p->gic_version == 3) {
		ranges[0] = p->board->gicd_v3;
		ranges[1] = p->board->gicr;
		ranges[1].size *= p->n_cpus;
	}
	begin_at(w, "intc", ranges[0].base);
	prop_string(w, "compatible", p->gic_version == 3 ? "arm,gic-v3" : "arm,cortex-a15-gic");
	prop_empty(w, "interrupt-controller");
	prop_u32(w, "#interrupt-cells", 3);
	prop_u32(w, "#address-cells", 2);
	prop_u32(w, "#size-cells", 2);
	prop_empty(w, "ranges");
	prop_reg(w, ranges, 2);
	if (p->gic_version == 3)
		prop_u32(w, "#redistributor-regions", 1);
	prop_u32(w, "phandle", FDT_PHANDLE_GIC);
	end(w);
}

static void write_place(struct writer *w, const struct board_range *range,
			uint32_t irq)
{
	const uint32_t interrupt[3] = { GIC_SPI, irq - 32, IRQ_LEVEL_HIGH };

	prop_reg(w, range, 1);
	prop_cells(w, "interrupts", interrupt, 3);
}

static void write_devices(struct writer *w, const struct fdt_params *p)
{
	const uint32_t clocks[2] = { PHANDLE_CLOCK, PHANDLE_CLOCK };

	begin(w, "apb-pclk");
	prop_string(w, "compatible", "fixed-clock");
	prop_u32(w, "#clock-cells", 0);
	prop_u32(w, "clock-frequency", p->board->uart_clock_hz);
	prop_string(w, "clock-output-names", "clk24mhz");
	prop_u32(w, "phandle", PHANDLE_CLOCK);
	end(w);
	if (p->devices & SYSDESC_DEV_PL011) {
		begin_at(w, "pl011", p->board->uart.base);
		PROP_LIST(w, "compatible", "arm,pl011\0arm,primecell");
		write_place(w, &p->board->uart, p->board->uart_irq);
		prop_cells(w, "clocks", clocks, 2);
		PROP_LIST(w, "clock-names", "uartclk\0apb_pclk");
		end(w);
	}
	if (p->devices & SYSDESC_DEV_RTC) {
		begin_at(w, "pl031", p->board->rtc.base);
		PROP_LIST(w, "compatible", "arm,pl031\0arm,primecell");
		write_place(w, &p->board->rtc, p->board->rtc_irq);
		prop_cells(w, "clocks", clocks, 1);
		prop_string(w, "clock-names", "apb_pclk");
		end(w);
	}
}

/* Binding virtio/mmio. All memory of a VM is coherent with its devices. */
static void write_virtio(struct writer *w, const struct fdt_params *p)
{
	for (uint32_t slot = 0; slot < BOARD_VIRTIO_SLOTS; slot++) {
		const struct board_range range = {
			p->board->virtio.base + slot * BOARD_VIRTIO_BYTES, BOARD_VIRTIO_BYTES
		};

		if (!(p->virtio_slots >> slot & 1))
			continue;
		begin_at(w, "virtio_mmio", range.base);
		prop_string(w, "compatible", "virtio,mmio");
		write_place(w, &range, p->board->virtio_irq + slot);
		prop_empty(w, "dma-coherent");
		if (p->pool[slot].size != 0)
			prop_u32(w, "memory-region", FDT_PHANDLE_POOL + slot);
		end(w);
	}
}

/* Binding reserved-memory/shared-dma-pool: with it the kernel keeps the device's
 * rings and buffers there, if it knows how. */
static void write_pools(struct writer *w, const struct fdt_params *p)
{
	begin(w, "reserved-memory");
	prop_u32(w, "#address-cells", 2);
	prop_u32(w, "#size-cells", 2);
	prop_empty(w, "ranges");
	for (uint32_t slot = 0; slot < BOARD_VIRTIO_SLOTS; slot++) {
		if (p->pool[slot].size == 0)
			continue;
		begin_at(w, "pool", p->pool[slot].base);
		prop_string(w, "compatible", "restricted-dma-pool");
		prop_reg(w, &p->pool[slot], 1);
		prop_u32(w, "phandle", FDT_PHANDLE_POOL + slot);
		end(w);
	}
	end(w);
}

static bool acceptable(const struct fdt_params *p)
{
	return p->n_cpus >= 1 && p->n_cpus <= SYSDESC_MAX_VCPUS &&
	       (p->gic_version == 2 || p->gic_version == 3) &&
	       p->n_regions >= 1 && p->n_regions <= FDT_MAX_REGIONS;
}

static void write_root(struct writer *w, const struct fdt_params *p)
{
	begin(w, "");
	prop_u32(w, "interrupt-parent", FDT_PHANDLE_GIC);
	prop_u32(w, "#address-cells", 2);
	prop_u32(w, "#size-cells", 2);
	prop_string(w, "model", p->model);
	prop_string(w, "compatible", "linux,dummy-virt");
	write_chosen(w, p);
	write_memory(w, p);
	write_pools(w, p);
	write_cpus(w, p);
	write_timer(w, p);
	write_gic(w, p);
	write_devices(w, p);
	write_virtio(w, p);
	end(w);
}

size_t fdt_generate(const struct fdt_params *p, void *buffer, size_t size)
{
	struct writer w = { .fdt = buffer };

	if (!acceptable(p) || size > INT32_MAX)
		return 0;
	note(&w, fdt_create(buffer, (int)size));
	note(&w, fdt_finish_reservemap(buffer));
	if (w.error != 0)
		return 0;
	write_root(&w, p);
	note(&w, fdt_finish(buffer));
	return w.error == 0 ? fdt_totalsize(buffer) : 0;
}
