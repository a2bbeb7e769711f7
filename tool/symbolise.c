#include "symbolise.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcheck.h"
#include "files.h"

#define START "sym("
#define TOKEN_MAX 64 /* longer than any sym(PROGRAM,0x...) */

/* Whether `byte` may follow what is held. The end is not told apart here. */
static bool may_follow(const struct buffer *held, uint8_t byte)
{
	size_t n = held->size;

	if (n < strlen(START))
		return byte == (uint8_t)START[n];
	return n < TOKEN_MAX &&
	       (isalnum(byte) || byte == '-' || byte == '_' || byte == ',');
}

static bool parse_token(const struct buffer *held, char *program,
			uint64_t *address)
{
	char text[TOKEN_MAX + 1];
	unsigned long long value;
	int end = 0;

	memcpy(text, held->data, held->size);
	text[held->size] = '\0';
	if (sscanf(text, START "%31[a-z0-9_-],0x%16llx%n", program, &value,
		   &end) != 2 ||
	    (size_t)end != held->size)
		return false;
	*address = value;
	return true;
}

static void replace(struct symboliser *s, struct buffer *out)
{
	char program[32];
	char name[160];
	uint64_t address;
	char *path;

	if (!parse_token(&s->held, program, &address)) {
		buffer_append(&s->held, ")", 1);
		symbolise_flush(s, out);
		return;
	}
	path = strcmp(program, "kernel") == 0
		       ? files_text("%s/kernel.elf", s->folder)
		       : files_text("%s/bin/%s.elf", s->folder, program);
	elfcheck_symbol(path, address, name, sizeof(name));
	free(path);
	buffer_text(out, "%s", name);
	s->held.size = 0;
}

void symbolise(struct symboliser *s, const void *data, size_t size,
	       struct buffer *out)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++) {
		if (p[i] == ')' && s->held.size >= strlen(START)) {
			replace(s, out);
			continue;
		}
		if (!may_follow(&s->held, p[i])) {
			symbolise_flush(s, out);
			if (p[i] != (uint8_t)START[0]) {
				buffer_append(out, &p[i], 1);
				continue;
			}
		}
		buffer_append(&s->held, &p[i], 1);
	}
}

void symbolise_flush(struct symboliser *s, struct buffer *out)
{
	buffer_append(out, s->held.data, s->held.size);
	s->held.size = 0;
}

void symboliser_free(struct symboliser *s)
{
	free(s->folder);
	buffer_free(&s->held);
}
