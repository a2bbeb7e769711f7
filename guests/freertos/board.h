/*
 * What the application needs of a board: a UART, a free-running clock, the
 * tick, and a way to switch off. Two boards: virt.c and vexpress.c.
 */
#pragma once

#if defined(BOARD_VIRT)
/* QEMU's `virt`, KVM's and Selvage's. */
#define BOARD_NAME "virt"
#define BOARD_GICD 0x08000000
#define BOARD_GICC 0x08010000
#define BOARD_UART 0x09000000
#define BOARD_UART_IRQ 33
#elif defined(BOARD_VEXPRESS)
/* Versatile Express with a CoreTile Express A9x4. */
#define BOARD_NAME "vexpress-a9"
#define BOARD_GICD 0x1e001000
#define BOARD_GICC 0x1e000100
#define BOARD_UART 0x10009000
#define BOARD_UART_IRQ 37
#else
#error "which board?"
#endif

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stdint.h>

/* A clock other than the one that makes the ticks, where the board has one. */
uint64_t board_clock(void);
uint32_t board_clock_hz(void);

extern const unsigned board_tick_irq;
/* The tick: the interrupt follows each `rate`-th part of a second. */
void board_tick_start(unsigned rate);
/* In the interrupt's handler: how long ago it was due, in board_clock's ticks. */
uint32_t board_tick_late(void);
void board_tick_clear(void);

/* More that this board can check of itself; false: it said what is wrong. */
bool board_check(void);
void board_off(void);

static inline uint32_t mmio_read(uintptr_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void mmio_write(uintptr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}
#endif
