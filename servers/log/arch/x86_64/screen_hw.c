/* VGA in text mode 3: cells at 0xb8000, the cursor in the CRT controller (IBM PS/2
 * Hardware Interface Technical Reference, "Video Subsystem"). */
#include "screen_hw.h"

#include <selvage/procinfo.h>
#include <selvage/sel4.h>
#include <selvage/servers.h>

#define CRTC 0x3d4u

enum crtc_reg {
	CURSOR_START = 0x0a, /* and bit 5: none */
	CURSOR_END = 0x0b,
	START_HIGH = 0x0c,
	START_LOW = 0x0d,
	CURSOR_HIGH = 0x0e,
	CURSOR_LOW = 0x0f,
};

static volatile uint16_t *const cells = (volatile uint16_t *)(uintptr_t)PROC_SCREEN;

static void write_reg(enum crtc_reg reg, unsigned value)
{
	(void)sel4_io_port_out8(PROC_CAP_DEVICE_PORTS, CRTC, reg);
	(void)sel4_io_port_out8(PROC_CAP_DEVICE_PORTS, CRTC + 1, value & 0xff);
}

static void put_cell(unsigned at, uint16_t value) { cells[at] = value; }

/* Behind the last cell none is drawn. */
static void put_cursor(unsigned at)
{
	write_reg(CURSOR_HIGH, at >> 8);
	write_reg(CURSOR_LOW, at);
}

/* An underline, and the first cell at the top. */
const struct screen_out *screen_hw_open(void)
{
	static const struct screen_out out = { put_cell, put_cursor };

	write_reg(START_HIGH, 0);
	write_reg(START_LOW, 0);
	write_reg(CURSOR_START, 13);
	write_reg(CURSOR_END, 14);
	return &out;
}
