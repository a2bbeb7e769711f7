#include "compare.h"

#include <stdarg.h>
#include <string.h>

#define IMAGE_ID 80

const char *const compare_table_names[4] = { "unknown", "absent", "partial", "present" };
const char *const compare_confidence_names[4] = { "none", "low", "medium", "high" };

const char *compare_verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_BOTH: return "both";
	case VERDICT_ONLY_FIRST: return "only-first";
	case VERDICT_NEITHER: return "neither";
	case VERDICT_ONLY_SECOND: return "only-second";
	default: return "not-comparable";
	}
}

static void __attribute__((format(printf, 2, 3)))
refuse(struct comparison *c, const char *format, ...)
{
	va_list args;

	if (c->n_reasons == COMPARE_REASONS_MAX)
		return;
	va_start(args, format);
	vsnprintf(c->reason[c->n_reasons++], COMPARE_REASON, format, args);
	va_end(args);
}

static void __attribute__((format(printf, 3, 4)))
doubt(struct comparison *c, enum confidence at_most, const char *format, ...)
{
	va_list args;

	if (c->confidence > at_most)
		c->confidence = at_most;
	if (c->n_doubts == COMPARE_REASONS_MAX)
		return;
	va_start(args, format);
	vsnprintf(c->doubt[c->n_doubts++], COMPARE_REASON, format, args);
	va_end(args);
}

/* --- are they comparable? --- */

static const char *or_unknown(const char *text) { return *text ? text : "not known"; }

/* What is not known is not known to be the same. */
static void must_be_same(struct comparison *c, const char *what, const char *a, const char *b,
			 const char *hint)
{
	if (!*a || !*b)
		refuse(c, "%s is not known to be the same: first %.90s, second %.90s; %s", what,
		       or_unknown(a), or_unknown(b), hint);
	else if (strcmp(a, b) != 0)
		refuse(c, "%s differs: first %.90s, second %.90s", what, a, b);
}

static void address_text(char to[24], bool known, uint64_t value)
{
	to[0] = '\0';
	if (known)
		snprintf(to, 24, "0x%llx", (unsigned long long)value);
}

/* SHA-256 where both sides know it, else size and CRC-32: all that a Selvage VM knows by itself. */
static void image_text(char to[IMAGE_ID], const struct capture_image *image,
		       const struct capture_image *other)
{
	to[0] = '\0';
	if (*image->sha256 && *other->sha256)
		snprintf(to, IMAGE_ID, "SHA-256 %s", image->sha256);
	else if (image->has_crc32 && image->bytes)
		snprintf(to, IMAGE_ID, "%llu bytes, CRC-32 %08x", (unsigned long long)image->bytes,
			 image->crc32);
}

static void check_accelerator(struct comparison *c, unsigned side)
{
	const struct capture *k = c->side[side].capture;
	const char *which = side == 0 ? "first" : "second";

	if (!*k->accel_ran || strcmp(k->accel_ran, "unknown") == 0)
		refuse(c, "what ran the %s guest is not known", which);
	else if (*k->accel_claimed && strcmp(k->accel_claimed, k->accel_ran) != 0)
		refuse(c, "the %s capture claims %s, but %s ran it (%s)", which, k->accel_claimed,
		       k->accel_ran, or_unknown(k->accel_evidence));
}

static void check_comparable(struct comparison *c)
{
	const struct capture *a = c->side[0].capture, *b = c->side[1].capture;
	char load[2][24], id[2][IMAGE_ID];

	must_be_same(c, "the register width", a->width ? capture_width_names[a->width] : "",
		     b->width ? capture_width_names[b->width] : "", "the source did not tell");
	must_be_same(c, "the board", a->board, b->board, "the source did not tell");
	image_text(id[0], &a->image, &b->image);
	image_text(id[1], &b->image, &a->image);
	must_be_same(c, "the image", id[0], id[1], "capture again with --image FILE");
	address_text(load[0], a->image.has_load, a->image.load);
	address_text(load[1], b->image.has_load, b->image.load);
	must_be_same(c, "the load address", load[0], load[1], "capture again with --load ADDRESS");
	for (unsigned i = 0; i < 2; i++) {
		check_accelerator(c, i);
		if (c->side[i].table == TABLE_UNKNOWN)
			refuse(c, "the vectors of the %s guest could not be read",
			       i == 0 ? "first" : "second");
	}
}

/* --- what they say --- */

static enum table_state judge_table(const struct capture *k)
{
	unsigned required = 0, plausible = 0;

	for (size_t i = 0; i < k->n_vectors; i++) {
		if (!k->vector[i].required)
			continue;
		if (k->vector[i].state == VECTOR_UNKNOWN)
			return TABLE_UNKNOWN;
		required++;
		plausible += k->vector[i].state == VECTOR_PLAUSIBLE;
	}
	if (required == 0)
		return TABLE_UNKNOWN;
	if (plausible == 0)
		return TABLE_ABSENT;
	return plausible == required ? TABLE_PRESENT : TABLE_PARTIAL;
}

static void find_doubts_of(struct comparison *c, unsigned side)
{
	const struct capture *k = c->side[side].capture;
	const struct capture_reg *pc = capture_pc(k);
	const char *which = side == 0 ? "first" : "second";

	if (!k->base_known)
		doubt(c, CONFIDENCE_LOW, "the %s guest's vector base is assumed: %s", which,
		      k->base_rule);
	if (c->side[side].table == TABLE_PARTIAL)
		doubt(c, CONFIDENCE_LOW,
		      "the %s guest has some of the vectors that it needs, not all", which);
	if (strcmp(k->state, "prelaunch") == 0 ||
	    (pc && k->image.has_entry && pc->value == k->image.entry))
		doubt(c, CONFIDENCE_LOW,
		      "the %s guest had not run yet when it was captured; it may "
		      "install its vectors later",
		      which);
}

static void find_doubts(struct comparison *c)
{
	const struct capture *a = c->side[0].capture, *b = c->side[1].capture;

	if (strcmp(a->cpu, b->cpu) != 0 || !*a->cpu)
		doubt(c, CONFIDENCE_MEDIUM, "the CPU models differ: first %.90s, second %.90s",
		      or_unknown(a->cpu), or_unknown(b->cpu));
	if (a->base != b->base)
		doubt(c, CONFIDENCE_MEDIUM,
		      "the vector bases differ: first 0x%llx (%.60s), second "
		      "0x%llx (%.60s)",
		      (unsigned long long)a->base, a->base_rule, (unsigned long long)b->base,
		      b->base_rule);
	find_doubts_of(c, 0);
	find_doubts_of(c, 1);
}

static enum verdict judge(const struct comparison *c)
{
	bool first = c->side[0].table > TABLE_ABSENT, second = c->side[1].table > TABLE_ABSENT;

	if (first)
		return second ? VERDICT_BOTH : VERDICT_ONLY_FIRST;
	return second ? VERDICT_ONLY_SECOND : VERDICT_NEITHER;
}

void compare_side_name(const struct compare_side *side, char *to, size_t room)
{
	const struct capture *k = side->capture;

	snprintf(to, room, "%s%s%s", k->accel_ran,
		 strcmp(k->accel_ran, k->source) == 0 ? "" : " by ",
		 strcmp(k->accel_ran, k->source) == 0 ? "" : k->source);
}

bool compare_shows(const struct comparison *c, size_t i)
{
	const struct capture *a = c->side[0].capture, *b = c->side[1].capture;

	return capture_shows_vector(a, i) || capture_shows_vector(b, i) ||
	       (i < a->n_vectors && i < b->n_vectors && a->vector[i].state != b->vector[i].state);
}

static void say_one(struct comparison *c, unsigned has)
{
	char with[100], without[100];
	const struct capture *lacks = c->side[1 - has].capture;

	compare_side_name(&c->side[has], with, sizeof(with));
	compare_side_name(&c->side[1 - has], without, sizeof(without));
	snprintf(
		c->text[0], COMPARE_REASON,
		"Only the %s guest (%s) has exception vectors. In the %s (%s) an exception goes to "
		"0x%llx and finds no handler.",
		has == 0 ? "first" : "second", with, has == 0 ? "second" : "first", without,
		(unsigned long long)lacks->base);
	snprintf(c->text[1], COMPARE_REASON,
		 "This shows a difference, not the cause of a particular fault: a wrongly restored "
		 "context, or an image linked for another board, can lead to the same address. %s "
		 "at the fault tell them apart.",
		 capture_is_x86(lacks) ? "RIP, stack and error code" : "PC, LR and SPSR");
}

static void say(struct comparison *c)
{
	switch (c->verdict) {
	case VERDICT_ONLY_FIRST: say_one(c, 0); break;
	case VERDICT_ONLY_SECOND: say_one(c, 1); break;
	case VERDICT_BOTH:
		snprintf(c->text[0], COMPARE_REASON, "Both guests have exception vectors.");
		snprintf(c->text[1], COMPARE_REASON,
			 "If one of them fails, missing vectors are not why.");
		break;
	case VERDICT_NEITHER:
		snprintf(c->text[0], COMPARE_REASON, "Neither guest has exception vectors.");
		snprintf(c->text[1], COMPARE_REASON,
			 "If only one of them fails, missing vectors alone do not explain it.");
		break;
	default: snprintf(c->text[0], COMPARE_REASON, "The captures cannot be compared."); break;
	}
}

void compare_captures(struct comparison *c)
{
	for (unsigned i = 0; i < 2; i++)
		c->side[i].table = judge_table(c->side[i].capture);
	check_comparable(c);
	c->confidence = c->n_reasons ? CONFIDENCE_NONE : CONFIDENCE_HIGH;
	find_doubts(c);
	compare_x86_state(c);
	c->verdict = c->n_reasons ? VERDICT_REFUSED : judge(c);
	say(c);
}
