/* The kernel's trace ring, and what init itself adds: starts and ends of VMs. Nothing of
 * it costs anything while it is off. */
#pragma once

#include "control.h"
#include "process.h"

/* 1: begins anew, 0: ends; what came in between can be read from then on. NULL, or
 * why not. */
const char *trace_switch(uint64_t on);
/* A process that came; its threads get their numbers. */
void trace_process(const struct process *p);
/* A VM: static text. */
void trace_vm(const char *vm, const char *what);
/* Answer: with `number` 0 what there is, then at most TRACE_A_REQUEST events from
 * `number` on. */
bool trace_events(const struct control_subject *s, unsigned n, char *text, size_t size);
/* A VM was started: its monitor writes down what it does, if a trace is under way. */
void trace_monitor(unsigned vm);
