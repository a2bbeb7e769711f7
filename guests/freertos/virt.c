/* Board `virt`: ticks and clock are the generic timer's, by its virtual view. */
#include "board.h"
#include "cpu.h"

const unsigned board_tick_irq = 27; /* PPI 11 */

static uint64_t interval, due;

uint64_t board_clock(void)
{
	return cpu_counter();
}

uint32_t board_clock_hz(void)
{
	return cpu_counter_hz();
}

void board_tick_start(unsigned rate)
{
	interval = board_clock_hz() / rate;
	due = cpu_counter() + interval;
	cpu_timer_set(due);
}

uint32_t board_tick_late(void)
{
	return (uint32_t)(cpu_counter() - due);
}

/* The next one follows from the last: a late tick delays none after it. */
void board_tick_clear(void)
{
	due += interval;
	cpu_timer_set(due);
}

bool board_check(void)
{
	return true;
}

#define PSCI_SYSTEM_OFF 0x84000008u

void board_off(void)
{
	cpu_hvc(PSCI_SYSTEM_OFF);
}
