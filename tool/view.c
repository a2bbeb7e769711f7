#include "view.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 4096

static void print_line(FILE *out, const char *name, const struct buffer *line)
{
	if (!out)
		return;
	if (*name)
		fprintf(out, "%s| ", name);
	fwrite(line->data, 1, line->size, out);
	fputc('\n', out);
	fflush(out);
}

static void end_line(struct view *view, const char *name, struct buffer *line)
{
	/* The carriage returns of a terminal's line ends. */
	while (line->size > 0 && line->data[line->size - 1] == '\r')
		line->size--;
	print_line(view->lines, name, line);
	print_line(view->raw_log ? NULL : view->log, name, line);
	line->size = 0;
}

static void add_to_lines(struct view *view, const char *name,
			 struct buffer *line, const struct buffer *data)
{
	for (size_t i = 0; i < data->size; i++) {
		uint8_t byte = data->data[i];

		if (byte != '\n' && byte != '\0')
			buffer_append(line, &byte, 1);
		if (byte == '\n' || line->size >= LINE_MAX_BYTES)
			end_line(view, name, line);
	}
}

const struct buffer *view_data(struct view *view, unsigned channel,
			       const void *data, size_t size)
{
	struct view_channel *c = &view->channel[channel];

	view->scratch.size = 0;
	if (channel == MUX_CH_LOG)
		symbolise(&view->log_symbols, data, size, &view->scratch);
	else
		buffer_append(&view->scratch, data, size);
	scroll_add(&c->scroll, view->scratch.data, view->scratch.size);
	add_to_lines(view, c->name, &c->line, &view->scratch);
	return &view->scratch;
}

/* Half a frame may be among it. */
static void make_readable(struct buffer *text)
{
	for (size_t i = 0; i < text->size; i++) {
		uint8_t byte = text->data[i];

		if ((byte < ' ' && !strchr("\t\n\r\033", byte)) || byte >= 0x7f)
			text->data[i] = '?';
	}
}

const struct buffer *view_text(struct view *view, const void *data,
			       size_t size)
{
	/* The control channel has no view of its own; its line buffer takes
	 * the text, which names its source itself. */
	struct buffer *line = &view->channel[MUX_CH_CONTROL].line;

	view->scratch.size = 0;
	symbolise(&view->text_symbols, data, size, &view->scratch);
	make_readable(&view->scratch);
	scroll_add(&view->channel[MUX_CH_LOG].scroll, view->scratch.data,
		   view->scratch.size);
	add_to_lines(view, "", line, &view->scratch);
	return &view->scratch;
}

void view_end_line(struct view *view, unsigned channel)
{
	struct view_channel *c = &view->channel[channel];
	const char *name = channel == MUX_CH_CONTROL ? "" : c->name;

	if (c->line.size > 0)
		end_line(view, name, &c->line);
}

void view_finish(struct view *view)
{
	for (unsigned i = 0; i < MUX_CHANNELS; i++)
		view_end_line(view, i);
}

void view_free(struct view *view)
{
	for (unsigned i = 0; i < MUX_CHANNELS; i++) {
		buffer_free(&view->channel[i].scroll.data);
		buffer_free(&view->channel[i].line);
	}
	symboliser_free(&view->log_symbols);
	symboliser_free(&view->text_symbols);
	buffer_free(&view->scratch);
}
