#include "request.h"

#include <selvage/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* What each word behind the verb is. */
static const struct {
	const char *word;
	const char *arguments; /* n: a name, k: a key, d, c: a number, b: bytes in base64 */
} verbs[VERBS] = {
	[VERB_PS] = { "ps", "" },
	[VERB_CAPS] = { "caps", "" },
	[VERB_ACCOUNTING] = { "accounting", "" },
	[VERB_STATS] = { "stats", "" },
	[VERB_POWEROFF] = { "poweroff", "" },
	[VERB_START] = { "start", "n" },
	[VERB_STOP] = { "stop", "n" },
	[VERB_KILL] = { "kill", "n" },
	[VERB_REBOOT] = { "reboot", "n" },
	[VERB_PAUSE] = { "pause", "n" },
	[VERB_RESUME] = { "resume", "n" },
	[VERB_CRASH] = { "crash", "n" },
	[VERB_DESTROY] = { "destroy", "n" },
	[VERB_MAP] = { "map", "n" },
	[VERB_REGS] = { "regs", "nd" },
	[VERB_MEM] = { "mem", "ndc" },
	[VERB_TRACE] = { "trace", "d" },
	[VERB_EVENTS] = { "events", "d" },
	[VERB_LOG] = { "log", "nd" },
	[VERB_SET] = { "set", "nkd" },
	[VERB_CREATE] = { "create", "d" },
	[VERB_PUT] = { "put", "db" },
	[VERB_COMMIT] = { "commit", "d" },
};

const char *request_verb(enum verb verb) { return verbs[verb].word; }

/* Cuts the first word off; NULL: there is none. */
static char *take_word(char **line)
{
	char *word = *line, *end;

	if (*word == '\0')
		return NULL;
	end = strchr(word, ' ');
	if (end == NULL) {
		*line = word + strlen(word);
	} else {
		*end = '\0';
		*line = end + 1;
	}
	return word;
}

/* Of processes too: vmm:linux1. */
static bool name_sound(const char *name)
{
	size_t n = 0;

	for (; name[n] != '\0'; n++) {
		char c = name[n];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		      c == ':'))
			return false;
	}
	return n > 0 && n < CONTROL_NAME;
}

/* Decimal, up to 19 digits. */
static bool take_number(const char *word, uint64_t *number)
{
	size_t n = 0;

	*number = 0;
	for (; word[n] >= '0' && word[n] <= '9' && n < 19; n++)
		*number = *number * 10 + (uint64_t)(word[n] - '0');
	return n > 0 && word[n] == '\0';
}

/* Value of a digit (RFC 4648, 4); -1: none. */
static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63
					: -1;
}

/* In place: there are fewer bytes than digits. Groups of four; only the last one
 * may end in one or two `=`. */
static bool take_bytes(char *word, struct request *r)
{
	size_t n = strlen(word);
	uint8_t *out = (uint8_t *)word;
	uint32_t bits = 0;

	r->bytes = out;
	r->n_bytes = n / 4 * 3;
	if (n == 0 || n % 4 != 0)
		return false;
	for (unsigned i = 0; i < 2 && word[n - 1] == '='; i++, r->n_bytes--)
		word[--n] = '\0';
	for (size_t i = 0; i < n; i++) {
		int digit = base64_digit(word[i]);

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 != 0)
			*out++ = (uint8_t)(bits >> (6 - i % 4 * 2));
	}
	return true;
}

static bool take_key(const char *word, enum control_key *key)
{
	static const char *const names[CONTROL_KEYS] = CONTROL_KEY_NAMES;
	unsigned i = 0;

	while (i < CONTROL_KEYS && strcmp(names[i], word) != 0)
		i++;
	*key = (enum control_key)i;
	return i < CONTROL_KEYS;
}

static const char *take_argument(char kind, char *word, struct request *r)
{
	if (kind == 'd')
		return take_number(word, &r->number) ? NULL : "that is no number";
	if (kind == 'c')
		return take_number(word, &r->count) ? NULL : "that is no number";
	if (kind == 'k')
		return take_key(word, &r->key) ? NULL : "no such key can be changed";
	if (kind == 'b')
		return take_bytes(word, r) ? NULL : "that is no base64";
	if (!name_sound(word))
		return "that is no name";
	r->name = word;
	return NULL;
}

const char *request_parse(char *line, struct request *request)
{
	const char *word = take_word(&line), *wrong = NULL;

	*request = (struct request){ .verb = VERBS };
	for (unsigned i = 0; word != NULL && i < VERBS; i++)
		if (strcmp(verbs[i].word, word) == 0)
			request->verb = (enum verb)i;
	if (request->verb == VERBS)
		return "unknown request";
	for (const char *kind = verbs[request->verb].arguments; *kind != '\0' && !wrong; kind++) {
		char *argument = take_word(&line);

		wrong = argument == NULL ? "a word is missing"
					 : take_argument(*kind, argument, request);
	}
	if (wrong == NULL && *line != '\0')
		wrong = "too many words";
	return wrong;
}
