/* Two captures of one guest, side by side: who has exception vectors, and how sure that is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "capture.h"

/* Also the exit codes of `selvage compare`: apart from each other and from errors. */
enum verdict {
	VERDICT_BOTH = 0,
	VERDICT_ONLY_FIRST = 10,
	VERDICT_NEITHER = 11,
	VERDICT_ONLY_SECOND = 12,
	VERDICT_REFUSED = 20, /* the captures cannot be compared */
};

enum table_state {
	TABLE_UNKNOWN,
	TABLE_ABSENT,
	TABLE_PARTIAL, /* counts as there, and lowers the confidence */
	TABLE_PRESENT
};

enum confidence { CONFIDENCE_NONE,
		  CONFIDENCE_LOW,
		  CONFIDENCE_MEDIUM,
		  CONFIDENCE_HIGH };

#define COMPARE_REASONS_MAX 12
#define COMPARE_REASON 400
#define COMPARE_DIFFERENCES_MAX 3

struct compare_side {
	const char *file;
	char sha256[65]; /* of that file */
	const struct capture *capture;
	enum table_state table;
};

struct comparison {
	struct compare_side side[2];
	enum verdict verdict;
	enum confidence confidence;
	char reason[COMPARE_REASONS_MAX][COMPARE_REASON]; /* of a refusal */
	size_t n_reasons;
	char doubt[COMPARE_REASONS_MAX][COMPARE_REASON]; /* what lowers the confidence */
	size_t n_doubts;
	/* What does not bear on the verdict: control registers of x86 guests. */
	char difference[COMPARE_DIFFERENCES_MAX][COMPARE_REASON];
	size_t n_differences;
	char text[2][COMPARE_REASON]; /* the verdict in a sentence, and what it does not show */
};

extern const char *const compare_table_names[4];
extern const char *const compare_confidence_names[4];
const char *compare_verdict_name(enum verdict verdict);

/* Fills the differences of two x86 guests. */
void compare_x86_state(struct comparison *c);
/* side[].file and .capture are set; fills the rest. */
void compare_captures(struct comparison *c);

/* What a reader wants to see of a side: accelerator and source. */
void compare_side_name(const struct compare_side *side, char *to, size_t room);
void compare_print_text(const struct comparison *c, FILE *out);
void compare_print_json(const struct comparison *c, FILE *out);
/* Whether the i-th vector is worth a line: all are that stand alone, and those that differ. */
bool compare_shows(const struct comparison *c, size_t i);
/* One page without anything from outside. */
void compare_print_html(const struct comparison *c, FILE *out);
