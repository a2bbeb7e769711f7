#include "shell.h"

#include "answer.h"

#include <selvage/base.h>
#include <selvage/fmt.h>
#include <string.h>

#define PROMPT "debug> "
#define WORDS 5u
#define VALUE 80u

typedef unsigned long long ull;

struct words {
	unsigned n;
	char *word[WORDS];
};

struct command {
	const char *name, *arguments, *help;
	unsigned min, max; /* words behind the name */
	void (*run)(struct shell *s, const struct words *w);
};

static const struct command *find_command(const char *name);

/* --- Output ------------------------------------------------------------------------ */

FMT_PRINTF(2, 3)
static void say(struct shell *s, const char *format, ...)
{
	char text[256];
	va_list args;
	size_t n;

	va_start(args, format);
	n = fmt_printv(text, sizeof(text), format, args);
	va_end(args);
	s->env.write(s->env.opaque, text, min_u64(n, sizeof(text) - 1));
}

/* A verdict that is not ok is said. */
static bool is_verdict(struct shell *s, const char *line)
{
	char text[VALUE * 2];

	if (!answer_get(line, "ok", text, sizeof(text)))
		return false;
	if (strcmp(text, "true") != 0)
		say(s, "error: %s\r\n",
		    answer_get(line, "error", text, sizeof(text)) ? text : "it was refused");
	return true;
}

/* Any line: its members. */
static void show_members(void *context, char *line)
{
	struct shell *s = context;
	char key[32], value[VALUE];
	const char *at = line;

	if (is_verdict(s, line))
		return;
	while (answer_next(&at, key, sizeof(key), value, sizeof(value)))
		say(s, "%s %s  ", key, value);
	say(s, "\r\n");
}

static void ask(struct shell *s, const char *request, void (*take)(void *context, char *line))
{
	s->env.ask(s->env.opaque, request, take, s);
}

/* --- Commands ----------------------------------------------------------------------- */

static const char *member(const char *line, const char *key, char value[VALUE])
{
	return answer_get(line, key, value, VALUE) ? value : "-";
}

static void show_row(void *context, char *line)
{
	struct shell *s = context;
	char kind[VALUE], name[VALUE], state[VALUE], a[VALUE], b[VALUE], c[VALUE];

	if (is_verdict(s, line))
		return;
	member(line, "kind", kind);
	if (strcmp(kind, "memory") == 0) {
		say(s, "memory: %s bytes free of %s\r\n", member(line, "free_bytes", a),
		    member(line, "total_bytes", b));
		return;
	}
	say(s, "%-16s %-8s %-8s started %s, cpu ms %s, exits %s\r\n", member(line, "name", name),
	    kind, member(line, "state", state), member(line, "starts", a),
	    member(line, "cpu_ms", b), member(line, "exits", c));
}

static void list(struct shell *s, const struct words *w)
{
	(void)w;
	ask(s, "ps", show_row);
}

static void vm_verb(struct shell *s, const struct words *w)
{
	char request[EDIT_LINE];

	fmt_print(request, sizeof(request), "%s %s", w->word[0], w->word[1]);
	ask(s, request, show_members);
}

/* Those of which the shell has the name in word[1], or all. */
struct chosen {
	struct shell *shell;
	const char *key, *name;
};

static void show_chosen(void *context, char *line)
{
	const struct chosen *c = context;
	char value[VALUE], number[VALUE], key[32];
	const char *at = line;

	if (is_verdict(c->shell, line) ||
	    (c->name != NULL && strcmp(member(line, c->key, value), c->name) != 0))
		return;
	while (answer_next(&at, key, sizeof(key), number, sizeof(number))) {
		if (strcmp(number, "0") != 0 && strcmp(key, c->key) != 0)
			say(c->shell, "%s %s  ", key, number);
	}
	say(c->shell, "\r\n");
}

static void choose(struct shell *s, const char *request, const char *key, const char *name)
{
	struct chosen c = { s, key, name };

	s->env.ask(s->env.opaque, request, show_chosen, &c);
}

static void caps(struct shell *s, const struct words *w)
{
	choose(s, "caps", w->n > 1 ? "holder" : "", w->n > 1 ? w->word[1] : NULL);
}

static void counters(struct shell *s, const struct words *w)
{
	choose(s, "stats", "vm", w->word[1]);
}

static void regs(struct shell *s, const struct words *w)
{
	char request[EDIT_LINE];

	fmt_print(request, sizeof(request), "regs %s %s", w->word[1], w->n > 2 ? w->word[2] : "0");
	ask(s, request, show_members);
}

/* Decimal, or hexadecimal behind 0x. */
static bool parse_number(const char *text, uint64_t *number)
{
	static const char digits[] = "0123456789abcdef";
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned n = 0;

	text += hex ? 2 : 0;
	for (*number = 0; *text != '\0' && n < (hex ? 15u : 18u); text++, n++) {
		const char *at = strchr(digits, *text >= 'A' ? *text | 0x20 : *text);

		if (at == NULL || at - digits >= (hex ? 16 : 10))
			return false;
		*number = *number * (hex ? 16 : 10) + (uint64_t)(at - digits);
	}
	return n > 0 && *text == '\0';
}

static void show_memory(void *context, char *line)
{
	struct shell *s = context;
	char hex[VALUE], at[VALUE];

	if (is_verdict(s, line))
		return;
	member(line, "hex", hex);
	say(s, "%16s ", member(line, "at", at));
	for (const char *p = hex; p[0] != '\0' && p[1] != '\0'; p += 2)
		say(s, "%s%c%c", (p - hex) % 8 == 0 ? " " : "", p[0], p[1]);
	say(s, "\r\n");
}

static void mem(struct shell *s, const struct words *w)
{
	char request[EDIT_LINE];
	uint64_t at, bytes = 64;

	if (!parse_number(w->word[2], &at) || (w->n > 3 && !parse_number(w->word[3], &bytes))) {
		say(s, "error: that is no number\r\n");
		return;
	}
	fmt_print(request, sizeof(request), "mem %s %llu %llu", w->word[1], (ull)at, (ull)bytes);
	ask(s, request, show_memory);
}

static void set_log(struct shell *s, const struct words *w)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	char request[EDIT_LINE];

	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcmp(levels[i], w->word[2]) != 0)
			continue;
		fmt_print(request, sizeof(request), "log %s %u", w->word[1], i);
		ask(s, request, show_members);
		return;
	}
	say(s, "error: a level is error, warning, info or debug\r\n");
}

static void help(struct shell *s, const struct words *w);

static const struct command commands[] = {
	{ "help", "[COMMAND]", "what there is", 0, 1, help },
	{ "list", "", "VMs, services and memory", 0, 0, list },
	{ "start", "VM", "starts a VM that is off", 1, 1, vm_verb },
	{ "stop", "VM", "switches a VM off", 1, 1, vm_verb },
	{ "kill", "NAME", "takes a VM or a service down at once", 1, 1, vm_verb },
	{ "reboot", "VM", "starts a VM again from its images", 1, 1, vm_verb },
	{ "pause", "VM", "holds a VM where it is", 1, 1, vm_verb },
	{ "resume", "VM", "lets a paused VM go on", 1, 1, vm_verb },
	{ "counters", "VM", "exits by reason, their time, interrupts, faults", 1, 1, counters },
	{ "map", "VM", "the guest's memory map", 1, 1, vm_verb },
	{ "regs", "VM [VCPU]", "registers of a vCPU", 1, 2, regs },
	{ "mem", "VM ADDRESS [BYTES]", "guest-physical memory", 2, 3, mem },
	{ "caps", "[HOLDER]", "who holds which capability", 0, 1, caps },
	{ "log", "NAME LEVEL", "drops what a VM's monitor or a service logs above the level", 2,
	  2, set_log },
};

static void help(struct shell *s, const struct words *w)
{
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		if (w->n > 1 && strcmp(w->word[1], c->name) != 0)
			continue;
		say(s, "  %-8s %-20s %s\r\n", c->name, c->arguments, c->help);
	}
}

static const struct command *find_command(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* --- A line -------------------------------------------------------------------------- */

/* False: too many. */
static bool split(char *line, struct words *w)
{
	for (w->n = 0; *line != '\0';) {
		if (*line == ' ') {
			*line++ = '\0';
			continue;
		}
		if (w->n == WORDS)
			return false;
		w->word[w->n++] = line;
		while (*line != '\0' && *line != ' ')
			line++;
	}
	return true;
}

static void execute(struct shell *s, char *line)
{
	const struct command *c;
	struct words w;
	bool fits = split(line, &w);

	if (w.n == 0)
		return;
	c = find_command(w.word[0]);
	if (c == NULL)
		say(s, "error: no such command; `help` lists them\r\n");
	else if (!fits || w.n - 1 < c->min || w.n - 1 > c->max)
		say(s, "usage: %s %s\r\n", c->name, c->arguments);
	else
		c->run(s, &w);
}

/* --- Completion ---------------------------------------------------------------------- */

static void take_name(void *context, char *line)
{
	struct shell *s = context;

	if (s->n_names < SHELL_NAMES &&
	    answer_get(line, "name", s->name[s->n_names], CONTROL_NAME))
		s->n_names++;
}

/* What several that begin with `word` have in common behind it. */
struct common {
	const char *word;
	size_t length;
	unsigned n;
	char rest[CONTROL_NAME];
};

static void consider(struct common *c, const char *name)
{
	size_t i = 0;

	if (strncmp(name, c->word, c->length) != 0)
		return;
	name += c->length;
	if (c->n++ == 0) {
		fmt_print(c->rest, sizeof(c->rest), "%s", name);
		return;
	}
	while (c->rest[i] != '\0' && c->rest[i] == name[i])
		i++;
	c->rest[i] = '\0';
}

static void each_candidate(struct shell *s, bool first, struct common *c, bool show)
{
	unsigned n = first ? ARRAY_SIZE(commands) : s->n_names;

	for (unsigned i = 0; i < n; i++) {
		const char *name = first ? commands[i].name : s->name[i];

		if (!show)
			consider(c, name);
		else if (strncmp(name, c->word, c->length) == 0)
			say(s, "%s  ", name);
	}
}

static void complete(struct shell *s)
{
	struct edit *e = &s->edit;
	struct common c = { 0 };
	char word[EDIT_LINE];
	unsigned at = e->cursor;

	while (at > 0 && e->line[at - 1] != ' ')
		at--;
	fmt_print(word, sizeof(word), "%.*s", (int)(e->cursor - at), e->line + at);
	c.word = word;
	c.length = strlen(word);
	if (at != 0) {
		s->n_names = 0;
		ask(s, "ps", take_name);
	}
	each_candidate(s, at == 0, &c, false);
	edit_insert(e, c.rest);
	if (c.n == 1)
		edit_insert(e, " ");
	if (c.n < 2 || c.rest[0] != '\0')
		return;
	say(s, "\r\n");
	each_candidate(s, at == 0, &c, true);
	say(s, "\r\n" PROMPT);
	edit_redraw(e);
}

void shell_init(struct shell *s, const struct shell_env *env)
{
	memset(s, 0, sizeof(*s));
	s->env = *env;
	edit_init(&s->edit, env->write, env->opaque);
}

void shell_begin(struct shell *s)
{
	if (s->begun)
		return;
	s->begun = true;
	edit_begin(&s->edit);
	say(s, PROMPT);
}

void shell_key(struct shell *s, uint8_t byte)
{
	enum edit_event event;

	shell_begin(s);
	event = edit_key(&s->edit, byte);
	if (event == EDIT_TAB)
		complete(s);
	if (event == EDIT_DONE)
		execute(s, s->edit.line);
	if (event == EDIT_DONE || event == EDIT_CANCEL) {
		edit_begin(&s->edit);
		say(s, PROMPT);
	}
}
