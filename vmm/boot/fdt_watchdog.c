#include "fdt_watchdog.h"

#include <libfdt.h>
#include <selvage/base.h>
#include <selvage/fmt.h>

#define PHANDLE_CLOCK 0x40u /* above those of fdt.h */
#define GIC_SPI 0
#define IRQ_LEVEL_HIGH 4

/* A node whose first property is `compatible`; below 0: an error. */
static int add(void *fdt, const char *name, const char *compatible, int bytes)
{
	const int node = fdt_add_subnode(fdt, 0, name);

	return node < 0 || fdt_setprop(fdt, node, "compatible", compatible, bytes) != 0 ? -1 : node;
}

static bool cells(void *fdt, int node, const char *name, const uint32_t *cell, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fdt_appendprop_u32(fdt, node, name, cell[i]) != 0)
			return false;
	return true;
}

static bool add_clock(void *fdt)
{
	static const char fixed[] = "fixed-clock";
	const int node = add(fdt, "watchdog-clk", fixed, sizeof(fixed));

	return node >= 0 && fdt_setprop_u32(fdt, node, "#clock-cells", 0) == 0 &&
	       fdt_setprop_u32(fdt, node, "clock-frequency", BOARD_WATCHDOG_HZ) == 0 &&
	       fdt_setprop_u32(fdt, node, "phandle", PHANDLE_CLOCK) == 0;
}

static bool add_device(void *fdt, const struct board *b)
{
	static const char what[] = "arm,sp805\0arm,primecell", clocks[] = "wdog_clk\0apb_pclk";
	const uint32_t reg[4] = { 0, (uint32_t)b->watchdog.base, 0, (uint32_t)b->watchdog.size };
	const uint32_t interrupt[3] = { GIC_SPI, b->watchdog_irq - 32, IRQ_LEVEL_HIGH };
	const uint32_t clock[2] = { PHANDLE_CLOCK, PHANDLE_CLOCK };
	char name[32];
	int node;

	fmt_print(name, sizeof(name), "watchdog@%llx", (unsigned long long)b->watchdog.base);
	node = add(fdt, name, what, sizeof(what));
	return node >= 0 && cells(fdt, node, "reg", reg, ARRAY_SIZE(reg)) &&
	       cells(fdt, node, "interrupts", interrupt, ARRAY_SIZE(interrupt)) &&
	       cells(fdt, node, "clocks", clock, ARRAY_SIZE(clock)) &&
	       fdt_setprop(fdt, node, "clock-names", clocks, sizeof(clocks)) == 0;
}

bool fdt_add_watchdog(void *fdt, size_t size, const struct board *board)
{
	return fdt_open_into(fdt, fdt, (int)size) == 0 && add_clock(fdt) &&
	       add_device(fdt, board) && fdt_pack(fdt) == 0;
}
