/* What the control registers of two x86 guests say differently, by the names of their bits. */
#include <stdio.h>
#include <string.h>

#include "compare.h"

/* What a guest turns on only where CPUID offers it. */
#define OFFERED (1ull << 16 | 1ull << 17 | 1ull << 18 | 1ull << 20 | 1ull << 21 | 1ull << 22 | \
		 1ull << 11 | 1ull << 12)

/* Intel SDM volume 3, 2.5 and 2.2.1; AMD APM volume 2, 3.1.7. */
/* clang-format off */
static const struct {
	const char *reg;
	uint64_t offered;
	const char *bit[32];
} controls[] = {
	{ "cr0", 0,
	  { [0] = "PE", "MP", "EM", "TS", "ET", "NE", [16] = "WP", [18] = "AM", [29] = "NW", "CD",
	    "PG" } },
	{ "cr4", OFFERED,
	  { [0] = "VME", "PVI", "TSD", "DE", "PSE", "PAE", "MCE", "PGE", "PCE", "OSFXSR",
	    "OSXMMEXCPT", "UMIP", "LA57", "VMXE", "SMXE", [16] = "FSGSBASE", "PCIDE", "OSXSAVE",
	    [20] = "SMEP", "SMAP", "PKE", "CET", "PKS" } },
	{ "efer", 0,
	  { [0] = "SCE", [8] = "LME", [10] = "LMA", "NXE", "SVME", "LMSLE", "FFXSR" } },
};
/* clang-format on */

/* " WP PG", or the number of a bit that has no name. */
static void name_bits(const char *const names[32], uint64_t bits, char *to, size_t room)
{
	size_t n = 0;

	to[0] = '\0';
	for (unsigned i = 0; i < 64 && n < room; i++) {
		if (!(bits >> i & 1))
			continue;
		if (i < 32 && names[i])
			n += (size_t)snprintf(to + n, room - n, " %s", names[i]);
		else
			n += (size_t)snprintf(to + n, room - n, " bit %u", i);
	}
}

static void say_side(char *to, size_t room, const char *which, const char *bits)
{
	size_t n = strlen(to);

	if (*bits)
		snprintf(to + n, room - n, "; only the %s has%.120s", which, bits);
}

void compare_x86_state(struct comparison *c)
{
	const struct capture *a = c->side[0].capture, *b = c->side[1].capture;

	if (!capture_is_x86(a) || !capture_is_x86(b))
		return;
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		const struct capture_reg *first = capture_find_reg(&a->system, controls[i].reg);
		const struct capture_reg *second = capture_find_reg(&b->system, controls[i].reg);
		char bits[2][400], *to = c->difference[c->n_differences];
		uint64_t changed;

		if (!first || !second || first->value == second->value)
			continue;
		changed = first->value ^ second->value;
		name_bits(controls[i].bit, first->value & changed, bits[0], sizeof(bits[0]));
		name_bits(controls[i].bit, second->value & changed, bits[1], sizeof(bits[1]));
		snprintf(to, COMPARE_REASON, "%s: first 0x%llx, second 0x%llx", controls[i].reg,
			 (unsigned long long)first->value, (unsigned long long)second->value);
		say_side(to, COMPARE_REASON, "first", bits[0]);
		say_side(to, COMPARE_REASON, "second", bits[1]);
		if (changed & controls[i].offered)
			strncat(to, "; guests turn on what CPUID offers",
				COMPARE_REASON - strlen(to) - 1);
		c->n_differences++;
	}
}
