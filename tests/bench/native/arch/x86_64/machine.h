/* The rows of x86-64, by file. */
#pragma once

#include "../../bench.h"

void measure_irq(void);   /* irq.c */
void measure_guest(void); /* guest.c */
