/* A connection to a monitor or a debugger's stub, read with patience. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

#define WIRE_IN_MAX (16u << 20)
#define WIRE_HOST_MAX 256

struct wire {
	int fd;
	struct buffer in; /* what came and was not taken yet */
};

/*
 * "PORT", "HOST:PORT", "unix:PATH", or a path, which has a '/'. False, with a message, if it is
 * none of these or nobody answers.
 */
bool wire_open(struct wire *wire, const char *address);
/* The former alone. */
bool wire_check_address(const char *address);
void wire_close(struct wire *wire);
/* The host of such an address, "127.0.0.1" for a bare port; empty for a socket in the file
 * system. */
void wire_host(const char *address, char host[WIRE_HOST_MAX]);

bool wire_send(struct wire *wire, const void *data, size_t size);
enum wire_event { WIRE_DATA,
		  WIRE_SILENT,
		  WIRE_CLOSED,
		  WIRE_INTERRUPTED };
/* Waits for more bytes in `in`. */
enum wire_event wire_wait(struct wire *wire, unsigned patience_ms);

/* From now on SIGINT and SIGTERM make wire_wait return WIRE_INTERRUPTED, so that a stopped guest
 * can be let go; with `off` waiting goes on in spite of them. */
void wire_catch_signals(void);
void wire_ignore_interrupts(bool off);
/* The signal that came, or 0; whether one came that is not to be ignored. */
int wire_signal(void);
bool wire_interrupted(void);
