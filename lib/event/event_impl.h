/* What the parts of lib/event share. */
#pragma once

#include <selvage/event.h>

void event_timers_init(struct event_loop *loop);
