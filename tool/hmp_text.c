#include "hmp_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next line: its begin in *line and its length; false at the end. */
static bool next_line(const char **text, const char **line, size_t *n)
{
	if (!**text)
		return false;
	*line = *text;
	*n = strcspn(*text, "\n");
	*text += *n + ((*text)[*n] == '\n');
	return true;
}

/* Where `what` is in the line, or NULL. */
static const char *in_line(const char *line, size_t n, const char *what)
{
	return memmem(line, n, what, strlen(what));
}

bool hmp_status(const char *text, char *state, size_t room)
{
	const char *p = strstr(text, "VM status: ");
	const char *open;
	size_t n;

	if (!p)
		return false;
	p += strlen("VM status: ");
	n = strcspn(p, " \n");
	open = p[n] == ' ' && p[n + 1] == '(' ? p + n + 2 : NULL;
	if (open && strncmp(open, "single step", 11) != 0) {
		p = open;
		n = strcspn(p, ")\n");
	}
	capture_set_text(state, room, p, n);
	return n > 0;
}

/* --- registers --- */

static bool is_general(const char *name, size_t n)
{
	if (n == 2 && (!strncmp(name, "PC", 2) || !strncmp(name, "SP", 2)))
		return true;
	return n == 3 && (name[0] == 'X' || name[0] == 'R') && isdigit((unsigned char)name[1]) &&
	       isdigit((unsigned char)name[2]);
}

/* X07 as x7, R15 as pc: one register, one name. */
static void general_name(char to[8], const char *name, size_t n)
{
	unsigned number;

	if (n == 2) {
		snprintf(to, 8, "%s", name[0] == 'P' ? "pc" : "sp");
		return;
	}
	number = (unsigned)(name[1] - '0') * 10 + (unsigned)(name[2] - '0');
	if (name[0] == 'R' && number >= 13)
		snprintf(to, 8, "%s", number == 13 ? "sp" : number == 14 ? "lr"
									 : "pc");
	else
		snprintf(to, 8, "%c%u", name[0] == 'R' ? 'r' : 'x', number);
}

/* "svc32", "EL1h": the last words of the line. */
static void state_words(struct capture *c, const char *line, size_t n)
{
	const char *p = line, *end = line + n;

	while (p < end) {
		size_t word = strcspn(p, " \n");

		if (word > (size_t)(end - p))
			word = (size_t)(end - p);
		if (word == 1 && *p == 'S')
			c->secure = true;
		else if (word == 4 && !strncmp(p, "EL", 2))
			snprintf(c->mode, sizeof(c->mode), "el%.2s", p + 2);
		else if (word == 5 && p[3] == '3' && p[4] == '2')
			snprintf(c->mode, sizeof(c->mode), "%.3s", p);
		p += word + 1;
	}
}

static void take_register(struct capture *c, const char *name, size_t n, uint64_t value,
			  unsigned digits)
{
	char to[8];

	if (n == 3 && !strncmp(name, "PSR", 3)) {
		c->width = WIDTH_AARCH32;
		(void)capture_add_reg(&c->general, "cpsr", value, 32);
	} else if (n == 6 && !strncmp(name, "PSTATE", 6)) {
		c->width = WIDTH_AARCH64;
		(void)capture_add_reg(&c->general, "pstate", value, 32);
	} else if (is_general(name, n)) {
		general_name(to, name, n);
		(void)capture_add_reg(&c->general, to, value, digits > 8 ? 64 : 32);
	}
}

bool hmp_registers(const char *text, struct capture *c)
{
	const char *line;
	size_t n;

	while (next_line(&text, &line, &n) && c->width == WIDTH_UNKNOWN) {
		const char *p = line, *end = line + n;

		for (const char *equal; (equal = memchr(p, '=', (size_t)(end - p)));) {
			const char *name = equal;
			char *after;
			uint64_t value = strtoull(equal + 1, &after, 16);

			while (name > line && isalnum((unsigned char)name[-1]))
				name--;
			if (after > end || after == equal + 1)
				break;
			take_register(c, name, (size_t)(equal - name), value,
				      (unsigned)(after - equal - 1));
			p = after;
		}
		if (c->width != WIDTH_UNKNOWN)
			state_words(c, p, (size_t)(end - p));
	}
	return c->width != WIDTH_UNKNOWN && capture_find_reg(&c->general, "pc");
}

/* --- memory --- */

/* "  0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0" */
static bool parse_region(const char *line, size_t n, struct capture_region *region)
{
	const char *kind = in_line(line, n, ", "), *close = in_line(line, n, "): ");
	const char *end = line + n;
	char *after;

	*region = (struct capture_region){ 0 };
	if (n < 3 || line[0] != ' ' || line[1] != ' ' || !kind || !close || close < kind)
		return false;
	region->first = strtoull(line, &after, 16);
	if (after >= end || *after != '-')
		return false;
	region->last = strtoull(after + 1, &after, 16);
	if (after >= end || region->last < region->first)
		return false;
	capture_set_text(region->kind, sizeof(region->kind), kind + 2, (size_t)(close - kind - 2));
	capture_set_text(region->name, sizeof(region->name), close + 3, (size_t)(end - close - 3));
	return true;
}

bool hmp_memory_map(const char *text, const char *space, struct capture *c)
{
	char heading[64];
	const char *line;
	size_t n, before = c->n_regions;
	bool here = false;

	snprintf(heading, sizeof(heading), " AS \"%s\", ", space);
	while (next_line(&text, &line, &n)) {
		struct capture_region region;

		if (n >= 8 && !strncmp(line, "FlatView", 8)) {
			if (here)
				break;
		} else if (in_line(line, n, heading)) {
			here = true;
		} else if (here && parse_region(line, n, &region)) {
			(void)capture_add_region(c, &region);
		}
	}
	return c->n_regions > before;
}

bool hmp_physical(const char *text, uint64_t *physical)
{
	const char *p = strstr(text, "gpa: ");
	char *after;

	if (!p || !isxdigit((unsigned char)p[5]))
		return false;
	*physical = strtoull(p + 5, &after, 16);
	return true;
}

bool hmp_words(const char *text, uint32_t *word, size_t n)
{
	const char *line;
	size_t length, found = 0;

	while (next_line(&text, &line, &length)) {
		const char *colon = memchr(line, ':', length), *p = colon ? colon + 1 : NULL;

		while (p && p < line + length && found < n) {
			char *after;
			uint64_t value = strtoull(p, &after, 16);

			if (after == p || after > line + length || value > UINT32_MAX)
				break;
			word[found++] = (uint32_t)value;
			p = after;
		}
	}
	return found == n;
}

/* --- names --- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* QEMU names a blob by its file as given, an ELF file's by file and segment. */
static bool is_rom_of(const char *rom, size_t n, const char *file)
{
	const char *base = base_name(file);
	size_t length = strlen(base);
	const char *last = memrchr(rom, '/', n);
	const char *its_base = last ? last + 1 : rom;
	size_t its_length = n - (size_t)(its_base - rom);

	return length > 0 && its_length >= length && !memcmp(its_base, base, length) &&
	       (its_length == length || its_base[length] == ' ');
}

bool hmp_rom(const char *text, const char *name, uint64_t *address)
{
	const char *line;
	size_t n;
	bool found = false;

	while (next_line(&text, &line, &n)) {
		const char *at = in_line(line, n, "addr="), *quoted = in_line(line, n, "name=\"");
		const char *end = quoted ? memchr(quoted + 6, '"', (size_t)(line + n - quoted - 6))
					 : NULL;
		uint64_t value;

		if (!at || !end || !is_rom_of(quoted + 6, (size_t)(end - quoted - 6), name))
			continue;
		value = strtoull(at + 5, NULL, 16);
		if (!found || value < *address)
			*address = value;
		found = true;
	}
	return found;
}

bool hmp_string(const char *text, char *to, size_t room)
{
	size_t n;

	if (*text != '"')
		return false;
	n = strcspn(++text, "\"\n");
	if (text[n] != '"')
		return false;
	capture_set_text(to, room, text, n);
	return true;
}

bool hmp_child(const char *text, const char *type, unsigned number, char *to, size_t room)
{
	char suffix[80];
	const char *line;
	size_t n;

	snprintf(suffix, sizeof(suffix), " (child<%s>)", type);
	while (next_line(&text, &line, &n)) {
		const char *at = in_line(line, n, suffix);

		if (!at || number--)
			continue;
		capture_set_text(to, room, line, (size_t)(at - line));
		return true;
	}
	return false;
}

bool hmp_gdb_server(const char *text, char *to, size_t room, bool *busy)
{
	static const char heading[] = "gdb: filename=", free_mark[] = "disconnected:";
	const char *line;
	size_t n;

	while (next_line(&text, &line, &n)) {
		const char *p = line + sizeof(heading) - 1;

		if (n < sizeof(heading) || strncmp(line, heading, sizeof(heading) - 1) != 0)
			continue;
		*busy = strncmp(p, free_mark, sizeof(free_mark) - 1) != 0;
		if (!*busy)
			p += sizeof(free_mark) - 1;
		if (!strncmp(p, "tcp:", 4))
			p += 4;
		capture_set_text(to, room, p, strcspn(p, ", \n"));
		return true;
	}
	return false;
}

void hmp_board(const char *type, char *to, size_t room)
{
	size_t n = strlen(type);
	const char *digit = type;

	if (n > 8 && !strcmp(type + n - 8, "-machine"))
		n -= 8;
	/* A version at the end: "-7.2". */
	while ((digit = strchr(digit, '-')) && digit < type + n) {
		digit++;
		if (strspn(digit, "0123456789.") >= (size_t)(type + n - digit) &&
		    digit < type + n) {
			n = (size_t)(digit - 1 - type);
			break;
		}
	}
	/* Chipsets of a PC. */
	if (n > 3 && strncmp(type, "pc-", 3) == 0)
		n = 2;
	capture_set_text(to, room, type, n);
}

bool hmp_cpu(const char *type, char *to, size_t room)
{
	static const char *const ends[] = { "-arm-cpu", "-x86_64-cpu", "-i386-cpu" };
	size_t n = strlen(type);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const size_t length = strlen(ends[i]);
		const char *version;

		if (n <= length || strcmp(type + n - length, ends[i]) != 0)
			continue;
		n -= length;
		version = memrchr(type, '-', n);
		if (version && n - (size_t)(version - type) > 2 && version[1] == 'v' &&
		    strspn(version + 2, "0123456789") == n - (size_t)(version - type) - 2)
			n = (size_t)(version - type);
		capture_set_text(to, room, type, n);
		return true;
	}
	return false;
}
