/*
 * Whether the machine's screen is in VGA's text mode 3, as a BIOS leaves it, by the registers of
 * the adapter (IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem"); where
 * there is none, or it shows graphics, as UEFI has it, they say otherwise.
 */
#include "board.h"
#include "device.h"
#include "ports.h"

#define MISC_READ 0x3cc
#define GRAPHICS 0x3ce
#define CRTC 0x3d4
#define CELLS 0xb8000ull

#define MISC_COLOUR 1u /* registers at 0x3dx */
#define MISC_RAM 2u
#define GRAPHICS_MISC 6
#define GRAPHICS_MAP 0x0du /* text, at 0xb8000, 32 KiB */
#define GRAPHICS_TEXT 0x0cu
#define CRTC_WIDTH 1
#define CRTC_OVERFLOW 7
#define CRTC_CELL 9
#define CRTC_HEIGHT 0x12
#define COLUMNS 80u
#define ROWS 25u

static cap_t crtc;

static unsigned in(cap_t ports, uint64_t at)
{
	uint64_t value = 0xff;

	(void)sel4_io_port_in8(ports, at, &value);
	return (unsigned)value & 0xff;
}

static unsigned indexed(cap_t ports, uint64_t at, unsigned reg)
{
	(void)sel4_io_port_out8(ports, at, reg);
	return in(ports, at + 1);
}

/* Bits 8 and 9 of the height are in the overflow register; rows that are drawn twice
 * count once. */
static unsigned rows(void)
{
	unsigned overflow = indexed(crtc, CRTC, CRTC_OVERFLOW);
	unsigned cell = indexed(crtc, CRTC, CRTC_CELL);
	unsigned height = indexed(crtc, CRTC, CRTC_HEIGHT) + 1;

	height += (overflow & 2u) << 7 | (overflow & 0x40u) << 3;
	return height / ((cell & 0x1f) + 1) / (cell & 0x80 ? 2 : 1);
}

enum screen_kind board_screen(void)
{
	cap_t misc = ports_issue(MISC_READ, 1), graphics = ports_issue(GRAPHICS, 2);
	unsigned mode;

	crtc = ports_issue(CRTC, 2);
	if (misc == 0 || graphics == 0 || crtc == 0)
		return SCREEN_NO_TEXT;
	mode = in(misc, MISC_READ);
	if (mode == 0xff || !(mode & MISC_COLOUR) || !(mode & MISC_RAM) ||
	    (indexed(graphics, GRAPHICS, GRAPHICS_MISC) & GRAPHICS_MAP) != GRAPHICS_TEXT)
		return SCREEN_NO_TEXT;
	return indexed(crtc, CRTC, CRTC_WIDTH) + 1 == COLUMNS && rows() == ROWS ? SCREEN_TEXT
										: SCREEN_NO_TEXT;
}

bool board_give_screen(struct process *log)
{
	return device_map(log, CELLS, PROC_SCREEN, "screen") &&
	       ports_give(log, PROC_CAP_DEVICE_PORTS, crtc, CRTC, "screen's cursor");
}
