/* What the registers of an x86 in a capture say of its mode and its model. */
#pragma once

#include "capture.h"

/* From CR0, EFER, EFLAGS and CS, as far as they are there: width and mode. */
void x86_state_find(struct capture *capture);

/* "EPYC" for what its CPUID leaf 1 has in EAX; the number as text if it is none that we know. */
void x86_cpu_of_signature(uint32_t signature, char *to, size_t room);
