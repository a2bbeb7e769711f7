/* The devices of board vexpress-a9 of one VM, and the timer that they share. */
#pragma once

#include "board/board.h"

#include <dev/a9mp.h>
#include <dev/pl011.h>
#include <dev/pl310.h>
#include <dev/sp804.h>
#include <dev/sp805.h>
#include <dev/vexpress.h>
#include <stdint.h>

struct a9_devices {
	struct a9mp mp;
	struct vexpress sysregs;
	struct pl310 l2;
	struct sp805 watchdog;
	/* Devices with a line of their own say here which that is. */
	struct a9_sp804 {
		struct vm *vm;
		uint32_t irq;
		struct sp804 dev;
	} sp804[BOARD_SP804S];
	/* Nothing is at their other end. */
	struct a9_uart {
		struct vm *vm;
		uint32_t irq;
		struct pl011 dev;
	} uart[BOARD_MORE_UARTS];
	uint64_t armed_ns; /* what the time server knows, COUNTDOWN_NEVER: nothing */
};
