/* Cases and results of the reference test, as ref32.S and ref64.S have them. */
#pragma once

#include <stdint.h>

#define REF_PAGE 4096u
#define REF_CODE_BYTES 16u
#define REF_MAX_CHANGES 20u

struct ref_header { /* at CASES; the cases follow */
	uint32_t count;
	uint8_t pad[REF_PAGE - 4];
	uint8_t data[REF_PAGE], code[REF_PAGE];
};

struct ref_case32 {
	uint32_t r[15];
	uint32_t scratch;
	uint32_t cpsr, pc;
	uint8_t code[REF_CODE_BYTES];
	uint32_t usr[2]; /* SP and LR of User mode */
	uint32_t pad[8];
};
_Static_assert(sizeof(struct ref_case32) == 128, "ref32.S: CASE_SIZE");

struct ref_change {
	uint32_t offset, value;
};

enum ref_end { REF_END_UNDEFINED = 1,
	       REF_END_FETCH,
	       REF_END_DATA };

struct ref_result32 {
	uint32_t r[15];
	uint32_t cpsr, pc, end;
	uint32_t usr[2];
	uint32_t dfar, dfsr;
	uint32_t n_changes;
	struct ref_change change[REF_MAX_CHANGES];
	uint32_t pad;
};
_Static_assert(sizeof(struct ref_result32) == 256, "ref32.S: RESULT_SIZE");

struct ref_case64 {
	uint64_t x[32]; /* x[31]: SP */
	uint64_t pc, pstate, big_endian;
	uint8_t code[REF_CODE_BYTES];
	uint64_t pad[3];
};
_Static_assert(sizeof(struct ref_case64) == 320, "ref64.S: CASE_SIZE");

struct ref_result64 {
	uint64_t x[32];
	uint64_t pc, pstate, esr, far;
	uint64_t n_changes;
	struct ref_change change[REF_MAX_CHANGES];
	uint64_t pad[7];
};
_Static_assert(sizeof(struct ref_result64) == 512, "ref64.S: RESULT_SIZE");
