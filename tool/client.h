/* A connection to a running system, through its broker (broker.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"

/* Connects and sends the first line. -1 with a message if that fails. */
int client_open(const struct options *options, const char *verb, const char *argument);
/* Reads the line "ok" or "error ..."; reports the latter. */
bool client_accepted(int fd);
/* The next line, without its end; empty: there is none. */
void client_read_line(int fd, char *line, size_t size);
bool client_send(int fd, const void *data, size_t size);
/* One request of the control channel; says what is wrong. Lines of the answer go to
 * `line`, which may be NULL. */
bool client_ask(const struct options *options, const char *request, const char *argument,
		void (*line)(void *context, const char *line), void *context);
/* One of those on a connection that was opened with `requests`; its answer is its verdict alone.
 * False, with what is wrong. */
bool client_request_on(int fd, const char *request, char *wrong, size_t size);
/* One whose answer is its verdict alone. */
static inline bool client_request(const struct options *options, const char *request,
				  const char *argument)
{
	return client_ask(options, request, argument, NULL, NULL);
}
