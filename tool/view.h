/*
 * What the channels of a running system have said, and the copy of it that
 * goes to a terminal-less standard output and to the log file: lines
 * "name| text".
 */
#pragma once

#include <selvage/mux.h>
#include <stdbool.h>
#include <stdio.h>

#include "link.h"
#include "scroll.h"
#include "symbolise.h"

struct view_channel {
	struct scroll scroll;
	struct buffer line; /* unfinished, for the lines */
	char name[LINK_NAME];
};

struct view {
	struct view_channel channel[MUX_CHANNELS];
	struct symboliser log_symbols;  /* of the log channel */
	struct symboliser text_symbols; /* of bytes outside of frames */
	struct buffer scratch;
	FILE *lines;  /* where the lines go, or NULL */
	FILE *log;    /* the log file, or NULL */
	bool raw_log; /* the log file gets bytes as they came */
};

/* Bytes of a channel; returns what is to be shown of them (in `scratch`,
 * good until the next call). */
const struct buffer *view_data(struct view *view, unsigned channel,
			       const void *data, size_t size);
/* Bytes outside of frames: they join the log. */
const struct buffer *view_text(struct view *view, const void *data,
			       size_t size);
/* Ends the channel's line if it is unfinished. */
void view_end_line(struct view *view, unsigned channel);
/* Ends unfinished lines. */
void view_finish(struct view *view);
void view_free(struct view *view);
