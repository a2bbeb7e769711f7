/* A client of QEMU's monitor, whether it speaks to people (HMP) or to programs (QMP). */
#pragma once

#include "wire.h"

struct monitor {
	struct wire wire;
	bool qmp;
	bool owes;   /* an answer in HMP that we did not wait for to its end */
	unsigned id; /* of the last QMP command */
};

/* Connects and finds out which of the two it is. False with a message. */
bool monitor_open(struct monitor *monitor, const char *address);
void monitor_close(struct monitor *monitor);
/* What the monitor answers to a line of HMP; the caller frees. NULL with a message. */
char *monitor_ask(struct monitor *monitor, const char *line);

/*
 * The answer of HMP in what came so far: echo, prompt and carriage returns are taken off. NULL as
 * long as the next prompt is not there. The caller frees.
 */
char *monitor_hmp_answer(const char *data, size_t n);

enum qmp_kind {
	QMP_OTHER, /* an event, or an answer to something else */
	QMP_GREETING,
	QMP_RETURN,
	QMP_ERROR
};
/* One line of QMP. The text of a QMP_RETURN or QMP_ERROR of command `id` goes to *text, which the
 * caller frees; NULL otherwise. */
enum qmp_kind monitor_qmp_line(const char *line, size_t n, unsigned id, char **text);
