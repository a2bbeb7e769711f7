#include "logabout.h"

#include <stdio.h>
#include <string.h>

#include "logline.h"

#define MONITOR "vmm:"

/* What is behind the word, or NULL. */
static const char *behind(const char *text, const char *word)
{
	const size_t n = strlen(word);

	return text && strncmp(text, word, n) == 0 ? text + n : NULL;
}

/* `word NAME end` or, of a VM's monitor, `word vmm:NAME end`. */
static bool speaks_of(const char *text, const char *word, const char *name, const char *end)
{
	const char *p = behind(text, word), *after = behind(p, name);

	if (!after)
		after = behind(behind(p, MONITOR), name);
	return after && strncmp(after, end, strlen(end)) == 0;
}

static const char *without_level(const char *text)
{
	static const char *const levels[] = { "error: ", "warning: ", "debug: " };

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (behind(text, levels[i]))
			return behind(text, levels[i]);
	return text;
}

static bool init_speaks_of(struct logabout *about, const char *line)
{
	const char *text = without_level(line);

	if (about->in_record && text != line && behind(text, "  "))
		return true;
	about->in_record = speaks_of(text, "process ", about->name, " crashed");
	return about->in_record || speaks_of(text, "vm ", about->name, ": ") ||
	       speaks_of(text, "service ", about->name, ": ") ||
	       speaks_of(text, "control: injecting a fault into ", about->name, "");
}

/* A serial server that was started again speaks plainly at first; and a line may lack its
 * start. */
static const char *without_mark(const char *line)
{
	const char *p = behind(line, "log| ");

	if (!p)
		p = behind(line, "... ");
	return p ? p : line;
}

bool logabout_line(struct logabout *about, const char *line)
{
	char own[80], monitor[80];
	struct logline l;

	snprintf(own, sizeof(own), "%.60s: ", about->name);
	snprintf(monitor, sizeof(monitor), MONITOR "%.60s", about->name);
	/* What is no line of the log server's are last words. */
	if (!logline_parse(&l, without_mark(line)))
		return behind(line, own) != NULL;
	if (logline_is_from(&l, about->name) || logline_is_from(&l, monitor))
		return true;
	return logline_is_from(&l, "init") && init_speaks_of(about, l.text);
}
