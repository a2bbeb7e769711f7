/* Answers of the control channel to those who watch VMs (docs/control-channel.md):
 * steps of struct control_subject's kind. */
#pragma once

#include "control.h"

bool watch_stats(const struct control_subject *s, unsigned n, char *text, size_t size);
/* The VM of the subject lives. */
bool watch_map(const struct control_subject *s, unsigned n, char *text, size_t size);
/* Of the vCPU `number`. */
bool watch_regs(const struct control_subject *s, unsigned n, char *text, size_t size);
/* `count` bytes at `number`, guest-physical: all in RAM, and not too many. */
bool watch_mem_sound(const struct control_subject *s);
bool watch_mem(const struct control_subject *s, unsigned n, char *text, size_t size);
