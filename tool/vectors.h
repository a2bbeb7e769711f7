/* The exception vectors in force: where they are and whether code is there. */
#pragma once

#include "capture.h"

/* Of one reading; it stays within an aligned piece of that size. */
#define GUEST_MEMORY_BYTES 1024u

/* Reads the guest's memory as its processor would, at virtual addresses. */
struct guest_memory {
	void *context;
	/* `bytes` is filled if it is memory. *physical is set where *known becomes true. */
	enum capture_place (*read)(void *context, uint64_t address, uint8_t *bytes, size_t n,
				   uint64_t *physical, bool *known);
};

/* What vectors_find_base and vectors_read do for an x86: the IDT, and the handlers. */
void vectors_x86_find_base(struct capture *capture);
void vectors_x86_read(struct capture *capture, const struct guest_memory *memory);

/* Derives the base from the capture's registers, whose `width` and `mode` are set. */
void vectors_find_base(struct capture *capture);
/* Fills vectors, vector[] and low. */
void vectors_read(struct capture *capture, const struct guest_memory *memory);
