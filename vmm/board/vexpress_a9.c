/*
 * Versatile Express: motherboard V2M-P1 (DUI 0447J, legacy map) with a CoreTile
 * Express A9x4 (DUI 0448I), as QEMU's machine `vexpress-a9` has it. Rates are
 * QEMU's too: the A9 at 200 MHz, and so its timers at 100 MHz.
 */
#include "vexpress_a9.h"

#include <selvage/sysdesc.h>

static const struct board_stub stubs[] = {
	{ "pl041", { 0x10004000, 0x1000 }, 0x29041041 },
	{ "pl181", { 0x10005000, 0x1000 }, 0x00041181 },
	{ "pl050 keyboard", { 0x10006000, 0x1000 }, 0x00041050 },
	{ "pl050 mouse", { 0x10007000, 0x1000 }, 0x00041050 },
	{ "pl111", { 0x1001f000, 0x1000 }, 0x00241111 },
	{ "pl111 tile", { 0x10020000, 0x1000 }, 0x00241111 },
};

const struct board_a9 board_a9 = {
	.periph_hz = 100000000,
	.sp804_hz = 1000000,
	.sp805_hz = 32768,
	.global_irq = BOARD_PPI(11),
	.private_irq = BOARD_PPI(13),
	.watchdog_irq = BOARD_PPI(14),
	.sysregs = { 0x10000000, 0x1000 },
	.pl310 = { 0x1e00a000, 0x1000 },
	.sp805 = { { 0x1000f000, 0x1000 }, BOARD_SPI(0) },
	.sp804 = { { { 0x10011000, 0x1000 }, BOARD_SPI(2) },
		   { { 0x10012000, 0x1000 }, BOARD_SPI(3) },
		   { { 0x100e4000, 0x1000 }, BOARD_SPI(48) } },
	.uart = { { { 0x1000a000, 0x1000 }, BOARD_SPI(6) },
		  { { 0x1000b000, 0x1000 }, BOARD_SPI(7) },
		  { { 0x1000c000, 0x1000 }, BOARD_SPI(8) } },
};

const struct board board_vexpress_a9 = {
	.number = SYSDESC_BOARD_VEXPRESS_A9,
	.name = "vexpress-a9",
	.gicd_v2 = { 0x1e001000, 0x1000 },
	.gicc = { 0x1e000100, 0x100 },
	.uart = { 0x10009000, 0x1000 },
	.rtc = { 0x10017000, 0x1000 },
	.uart_irq = BOARD_SPI(5),
	.rtc_irq = BOARD_SPI(4),
	.uart_clock_hz = 24000000,
	.arm_machine = 0x8e0,
	.n_stubs = sizeof(stubs) / sizeof(stubs[0]),
	.stubs = stubs,
	.lenient = true,
	.midr = 0x410fc090,
	.cbar = 0x1e000000,
};
