/* `info registers` of an x86, under the names that GDB has for them. */
#include "hmp_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x86_state.h"

#define NAME_MAX 8

struct names {
	const char *hmp, *ours;
};

/* What a processor has beside its sixteen or eight. */
static const struct names general[] = {
	{ "RIP", "rip" },
	{ "EIP", "eip" },
	{ "RFL", "eflags" },
	{ "EFL", "eflags" },
};
static const struct names control[] = {
	{ "CR0", "cr0" },
	{ "CR2", "cr2" },
	{ "CR3", "cr3" },
	{ "CR4", "cr4" },
	{ "EFER", "efer" },
	{ "DR0", "dr0" },
	{ "DR1", "dr1" },
	{ "DR2", "dr2" },
	{ "DR3", "dr3" },
	{ "DR6", "dr6" },
	{ "DR7", "dr7" },
};
#define N(list) (sizeof(list) / sizeof((list)[0]))

static const char *look_up(const struct names *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].hmp, name) == 0)
			return list[i].ours;
	}
	return NULL;
}

/* RAX, EAX, R8, R15. */
static bool is_general(const char *name, size_t n)
{
	if (n == 3 && (name[0] == 'R' || name[0] == 'E') &&
	    (name[2] == 'X' || name[2] == 'I' || name[2] == 'P'))
		return true;
	return (n == 2 || n == 3) && name[0] == 'R' && isdigit((unsigned char)name[1]) &&
	       (n == 2 || isdigit((unsigned char)name[2]));
}

static bool is_segment(const char *name, size_t n)
{
	return n == 2 && name[1] == 'S' && strchr("CDEFGS", name[0]);
}

static void lower(char to[NAME_MAX], const char *name)
{
	size_t i = 0;

	for (; name[i]; i++)
		to[i] = (char)tolower((unsigned char)name[i]);
	to[i] = '\0';
}

/* The next hexadecimal number before `end`; *digits of it. */
static bool number(const char **at, const char *end, uint64_t *value, unsigned *digits)
{
	const char *p = *at;
	char *after;

	while (p < end && *p == ' ')
		p++;
	if (p == end || !isxdigit((unsigned char)*p))
		return false;
	*value = strtoull(p, &after, 16);
	if (after > end)
		return false;
	*digits = (unsigned)(after - p);
	*at = after;
	return true;
}

static unsigned bits_of(unsigned digits) { return digits > 8 ? 64 : 32; }

/* "CS =f000 000f0000 0000ffff 00009b00": selector, base, limit, flags. */
static void take_segment(struct capture *c, const char *name, const char *at, const char *end)
{
	char base_name[NAME_MAX + 8];
	uint64_t selector, base;
	unsigned digits;

	if (!number(&at, end, &selector, &digits) || !number(&at, end, &base, &digits))
		return;
	(void)capture_add_reg(strcmp(name, "ldtr") == 0 || strcmp(name, "tr") == 0 ? &c->system
										   : &c->general,
			      name, (uint32_t)selector, 32);
	snprintf(base_name, sizeof(base_name), "%s_base", name);
	(void)capture_add_reg(&c->system, base_name, base, bits_of(digits));
}

/* "IDT=     00000000 000003ff": base, limit. */
static void take_table(struct capture *c, const char *name, const char *at, const char *end)
{
	char to[NAME_MAX + 8];
	uint64_t base, limit;
	unsigned digits, ignored;

	if (!number(&at, end, &base, &digits) || !number(&at, end, &limit, &ignored))
		return;
	snprintf(to, sizeof(to), "%s_base", name);
	(void)capture_add_reg(&c->system, to, base, bits_of(digits));
	snprintf(to, sizeof(to), "%s_limit", name);
	(void)capture_add_reg(&c->system, to, (uint32_t)limit, 32);
}

static void take(struct capture *c, const char *name, size_t n, const char *at, const char *end)
{
	const char *ours = look_up(general, N(general), name);
	struct capture_regs *regs = &c->general;
	char small[NAME_MAX];
	uint64_t value;
	unsigned digits;

	lower(small, name);
	if (strcmp(name, "LDT") == 0 || strcmp(name, "TR") == 0 || is_segment(name, n)) {
		take_segment(c, name[0] == 'L' ? "ldtr" : small, at, end);
	} else if (strcmp(name, "GDT") == 0 || strcmp(name, "IDT") == 0) {
		take_table(c, small, at, end);
	} else if (number(&at, end, &value, &digits)) {
		if (!ours && is_general(name, n))
			ours = small;
		if (!ours) {
			ours = look_up(control, N(control), name);
			regs = &c->system;
		}
		if (ours)
			(void)capture_add_reg(regs, ours, value, bits_of(digits));
	}
}

/* Of one processor: a name that comes again is the next one's, and is not taken. */
static void take_line(struct capture *c, const char *line, const char *end)
{
	const char *p = line;

	for (const char *equal; (equal = memchr(p, '=', (size_t)(end - p))); p = equal + 1) {
		char name[NAME_MAX];
		const char *last = equal, *first;
		size_t n;

		while (last > p && last[-1] == ' ')
			last--;
		for (first = last; first > p && isalnum((unsigned char)first[-1]); first--)
			;
		n = (size_t)(last - first);
		if (n == 0 || n >= sizeof(name))
			continue;
		memcpy(name, first, n);
		name[n] = '\0';
		take(c, name, n, equal + 1, end);
	}
}

bool hmp_registers_x86(const char *text, struct capture *c)
{
	if (!strstr(text, "EAX=") && !strstr(text, "RAX="))
		return false;
	while (*text) {
		const char *end = strchrnul(text, '\n');

		take_line(c, text, end);
		text = *end ? end + 1 : end;
	}
	x86_state_find(c);
	return capture_pc(c) && capture_find_reg(&c->system, "cr0");
}
