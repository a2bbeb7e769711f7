/* What a Versatile Express with a CoreTile Express A9x4 has besides what
 * board.h tells. */
#pragma once

#include "board.h"

#define BOARD_SP804S 3u
#define BOARD_MORE_UARTS 3u
struct board_timer {
	struct board_range range;
	uint32_t irq;
};
struct board_a9 {
	uint32_t periph_hz, sp804_hz, sp805_hz;
	uint32_t global_irq, private_irq, watchdog_irq;
	struct board_range sysregs, pl310;
	struct board_timer sp805, sp804[BOARD_SP804S], uart[BOARD_MORE_UARTS];
};

extern const struct board board_vexpress_a9; /* cbar: PERIPHBASE */
extern const struct board_a9 board_a9;
