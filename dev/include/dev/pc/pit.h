/*
 * Interval timer 8254 (Intel 231164) as it stands in a PC: channel 0 drives
 * IRQ0, channel 2 the loudspeaker, whose port 0x61 has its gate and its output.
 *
 * Nothing ticks: counts are worked out from a clock when somebody asks. A count
 * written in modes 2 and 3 takes effect at the end of the period that runs (the
 * chip: in mode 3 at the end of the half). Mode 0 counts N clocks, not N + 1.
 * If several periods of channel 0 pass before pit_expired(), as when the VM had no processor,
 * the last PIT_LATE of them tick one after the other, a quarter of a period apart: a guest that
 * counts ticks keeps its time, and Linux's test of the line finds it at work.
 */
#pragma once

#include <dev/mmio.h>
#include <dev/timer_env.h>
#include <stdbool.h>
#include <stdint.h>

#define PIT_HZ 1193182u
#define PIT_CHANNELS 3u
#define PIT_LATE 16u

/* Private to the model; here so that the owner can embed it. Times are counts
 * of PIT_HZ. */
struct pit {
	struct timer_env env; /* line 0 is channel 0's output; no reset */
	struct pit_channel {
		uint8_t mode, access; /* 0 to 5; 1 low, 2 high, 3 both */
		bool bcd, gate;
		bool loaded;  /* has a count */
		bool running; /* it changes with the clock */
		uint64_t at;  /* running: when it began; else: how far it had come */
		uint32_t count;
		uint32_t next_count; /* from next_at on; 0: none */
		uint64_t next_at;
		uint64_t seen;    /* rising edges of the output that were noticed */
		uint64_t seen_at; /* the last of them */
		uint8_t low;      /* written first of two bytes */
		bool second_write, second_read;
		bool status_latched;
		uint8_t status;
		uint8_t latched; /* bytes of latch that were not read */
		uint16_t latch;
	} channel[PIT_CHANNELS];
	uint8_t port61; /* bits 0 to 3 as written */
	bool irq;
};

/* Reset state: nothing counts; `env` is copied and not called. */
void pit_init(struct pit *p, const struct timer_env *env);
/* Lowers the line if it was up. */
void pit_reset(struct pit *p);
/* Four ports (0x40). */
enum mmio_outcome pit_access(struct pit *p, struct mmio *m);
/* One port (0x61). */
enum mmio_outcome pit_port61_access(struct pit *p, struct mmio *m);
void pit_expired(struct pit *p);
/* In the clock of env.now_ns: when channel 0's output rises; TICKS_NEVER. */
uint64_t pit_deadline(const struct pit *p);
