/*
 * What the timers below (SP804, SP805, the A9's) reach the world by. After
 * each access and each call of …_expired the owner asks …_deadline() when to
 * call …_expired() next; early or late is fine, the device looks at the clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct timer_env {
	void *opaque;
	/* A clock that does not run backwards. */
	uint64_t (*now_ns)(void *opaque);
	/* One of the device's interrupt lines, numbered from 0; called on a
	 * change only. */
	void (*set_irq)(void *opaque, unsigned line, bool level);
	/* A watchdog has run out a second time: the board is to be reset. */
	void (*reset)(void *opaque);
};
