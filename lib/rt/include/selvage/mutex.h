/*
 * A lock between threads of one process: one atomic word and a notification
 * on which the others wait. Uncontended, it costs no system call. Not
 * recursive, not fair.
 */
#pragma once

#include <selvage/sel4.h>
#include <stdint.h>

enum mutex_state { MUTEX_FREE = 0,
		   MUTEX_HELD = 1,
		   MUTEX_CONTENDED = 2 };

struct mutex {
	uint32_t state; /* enum mutex_state */
	cap_t waiters;  /* notification; write and read right */
};

static inline void mutex_init(struct mutex *m, cap_t notification)
{
	m->state = MUTEX_FREE;
	m->waiters = notification;
}

static inline int mutex_try_lock(struct mutex *m)
{
	uint32_t expected = MUTEX_FREE;

	return __atomic_compare_exchange_n(&m->state, &expected, MUTEX_HELD, 0,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* A waiter marks the lock contended, so its holder signals; a signal that
 * comes before the wait stays pending in the notification. */
static inline void mutex_lock(struct mutex *m)
{
	if (mutex_try_lock(m))
		return;
	while (__atomic_exchange_n(&m->state, MUTEX_CONTENDED,
				   __ATOMIC_ACQUIRE) != MUTEX_FREE)
		(void)sel4_wait(m->waiters);
}

static inline void mutex_unlock(struct mutex *m)
{
	if (__atomic_exchange_n(&m->state, MUTEX_FREE, __ATOMIC_RELEASE) ==
	    MUTEX_CONTENDED)
		sel4_signal(m->waiters);
}
