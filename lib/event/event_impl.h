/* What the parts of lib/event share. */
#pragma once

#include <selvage/event.h>

void event_timers_init(struct event_loop *loop);
/* Fires what is due at `now`. */
void event_timers_fire(struct event_loop *loop, uint64_t now);
