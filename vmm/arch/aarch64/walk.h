/* The guest's stage 1 translation, walked in software for reports. */
#pragma once

#include "gmem.h"

#include <stdbool.h>
#include <stdint.h>

#define WALK_MAX_STEPS 5u

/* The descriptors that were read, and where. */
struct walk_trace {
	unsigned n;
	struct {
		gpa_t at;
		uint64_t descriptor;
	} step[WALK_MAX_STEPS];
};

struct walk_regs;
typedef bool (*walk_narrow_fn)(const struct gmem *m, const struct walk_regs *r, uint32_t va,
			       gpa_t *gpa);

struct walk_regs {
	uint64_t sctlr, tcr, ttbr0, ttbr1; /* _EL1, or AArch32's with TTBCR as tcr */
	walk_narrow_fn narrow;             /* walk_narrow: they are AArch32's */
	struct walk_trace *trace;          /* NULL: none */
};

/* Guest-virtual to guest-physical. False: not mapped, or the tables are not
 * in RAM. Permissions are not looked at. At most 5 table reads. */
bool walk_stage1(const struct gmem *m, const struct walk_regs *r, uint64_t va,
		 gpa_t *gpa);
/* The tables of AArch32, for walk_regs.narrow only. */
bool walk_narrow(const struct gmem *m, const struct walk_regs *r, uint32_t va, gpa_t *gpa);

/* --- What walk.c and walk_narrow.c share --- */

struct walk_regime {
	uint64_t base;
	unsigned granule_bits;
	unsigned va_bits;
};
/* Of TTBR0 or TTBR1: `base`. */
void walk_take_base(const struct walk_regs *r, bool high, struct walk_regime *out);
void walk_note(const struct walk_regs *r, gpa_t at, uint64_t descriptor);
/* With long descriptors. */
bool walk_long(const struct gmem *m, const struct walk_regs *r, const struct walk_regime *g,
	       uint64_t va, gpa_t *gpa);
