/* The answer to `caps`: who was given what, and whether that is what is there. */
#pragma once

#include "control.h"

/* Writes the n-th line, or nothing; false: there are no more. */
bool caps_line(const struct control_subject *subject, unsigned n, char *text, size_t size);
