#include "vectors.h"

#include <stdio.h>
#include <string.h>

#include "insn.h"

#define SCTLR_V (1u << 13)
#define SCTLR_TE (1u << 30)
#define HIGH_VECTORS 0xffff0000u

/* The 32-bit table (DDI 0487 G1.12.1). Offset 0 is taken by a reset from 0 only, 0x14 by a
 * hypervisor only: a table without code there is whole. */
static const struct {
	const char *name;
	bool required;
} vectors32[] = {
	{ "reset", false },
	{ "undefined", true },
	{ "svc", true },
	{ "prefetch-abort", true },
	{ "data-abort", true },
	{ "reserved", false },
	{ "irq", true },
	{ "fiq", false },
};
#define N_VECTORS32 (sizeof(vectors32) / sizeof(vectors32[0]))

/* The 64-bit table (D1.10.2): 16 entries of 128 bytes. What a guest needs are synchronous
 * exceptions and interrupts with the stack pointer that it uses at its own level. */
static const char *const origins64[] = { "el-sp0", "el-spx", "lower-aarch64", "lower-aarch32" };
static const char *const kinds64[] = { "sync", "irq", "fiq", "serror" };
#define ENTRY64_BYTES 0x80u
#define N_VECTORS64 16u

/* A register by its name in this security state, under the names that sources use. */
static const struct capture_reg *find_any(const struct capture *capture, const char *const *names)
{
	char secure[CAPTURE_SHORT];
	const struct capture_reg *reg;

	for (; *names; names++) {
		snprintf(secure, sizeof(secure), "%s_S", *names);
		reg = capture->secure ? capture_find_reg(&capture->system, secure) : NULL;
		if (!reg)
			reg = capture_find_reg(&capture->system, *names);
		if (reg)
			return reg;
	}
	return NULL;
}

static void base_is(struct capture *capture, const struct capture_reg *reg, const char *otherwise)
{
	capture->base_known = reg != NULL;
	capture->base = reg ? reg->value : 0;
	snprintf(capture->base_rule, sizeof(capture->base_rule), "%s", reg ? reg->name : otherwise);
}

static void find_base32(struct capture *capture)
{
	static const char *const sctlr_names[] = { "SCTLR", "SCTLR_EL1", NULL };
	static const char *const vbar_names[] = { "VBAR", "VBAR_EL1", NULL };
	static const char *const hvbar_names[] = { "HVBAR", "VBAR_EL2", NULL };
	static const char *const mvbar_names[] = { "MVBAR", "MVBAR_S", NULL };
	const struct capture_reg *sctlr = find_any(capture, sctlr_names);

	capture->thumb_vectors = sctlr && (sctlr->value & SCTLR_TE);
	if (strcmp(capture->mode, "hyp") == 0) {
		base_is(capture, find_any(capture, hvbar_names), "HVBAR is not known: 0 assumed");
	} else if (strcmp(capture->mode, "mon") == 0) {
		base_is(capture, find_any(capture, mvbar_names), "MVBAR is not known: 0 assumed");
	} else if (sctlr && (sctlr->value & SCTLR_V)) {
		base_is(capture, sctlr, "");
		capture->base = HIGH_VECTORS;
		snprintf(capture->base_rule, sizeof(capture->base_rule), "%s.V is 1", sctlr->name);
	} else {
		base_is(capture, find_any(capture, vbar_names), "VBAR is not known: 0 assumed");
		capture->base_known = capture->base_known && sctlr;
	}
	capture->base &= 0xffffffe0u;
}

static void find_base64(struct capture *capture)
{
	static const char *const el1[] = { "VBAR_EL1", "VBAR", NULL };
	static const char *const el2[] = { "VBAR_EL2", NULL };
	static const char *const el3[] = { "VBAR_EL3", NULL };
	bool at_el2 = strncmp(capture->mode, "el2", 3) == 0;
	bool at_el3 = strncmp(capture->mode, "el3", 3) == 0;

	base_is(capture,
		find_any(capture, at_el3   ? el3
				  : at_el2 ? el2
					   : el1),
		"VBAR is not known: 0 assumed");
	capture->base &= ~0x7ffull;
}

void vectors_find_base(struct capture *capture)
{
	if (capture_is_x86(capture))
		vectors_x86_find_base(capture);
	else if (capture->width == WIDTH_AARCH64)
		find_base64(capture);
	else
		find_base32(capture);
}

static uint32_t word_at(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static enum insn_set set_of(const struct capture *capture, bool thumb)
{
	if (capture_is_x86(capture))
		return INSN_DATA;
	if (capture->width == WIDTH_AARCH64)
		return INSN_A64;
	return thumb ? INSN_THUMB : INSN_ARM;
}

static void read_window(struct capture_window *window, uint64_t address, enum insn_set set,
			const struct guest_memory *memory)
{
	uint8_t bytes[4 * CAPTURE_WORDS] = { 0 };

	window->address = address;
	window->place = memory->read(memory->context, address, bytes, sizeof(bytes),
				     &window->physical, &window->has_physical);
	if (window->place != PLACE_MEMORY)
		return;
	for (unsigned i = 0; i < CAPTURE_WORDS; i++) {
		window->word[i] = word_at(&bytes[4 * i]);
		(void)insn_decode(set, window->word[i], address + 4 * i, window->text[i],
				  sizeof(window->text[i]));
	}
}

/* Whether code could be there; *word is what is. */
static bool can_hold_code(const struct guest_memory *memory, uint64_t address, uint32_t *word)
{
	uint8_t bytes[4];
	uint64_t physical;
	bool known;

	if (memory->read(memory->context, address & ~3ull, bytes, sizeof(bytes), &physical,
			 &known) != PLACE_MEMORY)
		return false;
	*word = word_at(bytes);
	return *word != 0 && *word != UINT32_MAX;
}

static void leads_to(struct capture_vector *v, const struct guest_memory *memory, uint64_t target)
{
	uint32_t word;

	v->has_target = true;
	v->target = target;
	if (can_hold_code(memory, target, &word)) {
		v->state = VECTOR_PLAUSIBLE;
		snprintf(v->reason, sizeof(v->reason), "leads to code at 0x%llx",
			 (unsigned long long)target);
	} else {
		snprintf(v->reason, sizeof(v->reason), "leads to 0x%llx, where no code is",
			 (unsigned long long)target);
	}
}

/* A vector of 4 bytes must leave the table; the last one, and one of 128 bytes, may be the handler
 * itself. */
static void judge_code(struct capture_vector *v, const struct guest_memory *memory,
		       struct insn insn, bool may_stay)
{
	uint32_t literal;

	v->state = VECTOR_NO_CODE;
	switch (insn.kind) {
	case INSN_NONE:
		snprintf(v->reason, sizeof(v->reason), "%s",
			 v->word == 0            ? "zeros"
			 : v->word == UINT32_MAX ? "ones, as in erased flash"
						 : "no instruction that a vector holds");
		break;
	case INSN_JUMP: leads_to(v, memory, insn.target); break;
	case INSN_LITERAL:
		if (can_hold_code(memory, insn.target, &literal))
			leads_to(v, memory, literal);
		else
			snprintf(v->reason, sizeof(v->reason),
				 "loads its target from 0x%llx, "
				 "where none is",
				 (unsigned long long)insn.target);
		break;
	case INSN_REGISTER:
		v->state = VECTOR_PLAUSIBLE;
		snprintf(v->reason, sizeof(v->reason), "leaves through a register");
		break;
	case INSN_PLAIN:
		v->state = may_stay ? VECTOR_PLAUSIBLE : VECTOR_NO_CODE;
		snprintf(v->reason, sizeof(v->reason), "%s",
			 may_stay ? "a handler begins here" : "goes on to the next vector");
		break;
	}
}

static void read_vector(struct capture *capture, struct capture_vector *v,
			const struct guest_memory *memory, bool may_stay)
{
	uint8_t bytes[4] = { 0 };
	uint64_t physical;
	bool known;
	enum capture_place place = memory->read(memory->context, v->address, bytes, sizeof(bytes),
						&physical, &known);

	if (place == PLACE_MEMORY) {
		v->word = word_at(bytes);
		judge_code(v, memory,
			   insn_decode(set_of(capture, capture->thumb_vectors), v->word, v->address,
				       v->text, sizeof(v->text)),
			   may_stay);
		return;
	}
	v->state = place == PLACE_UNKNOWN ? VECTOR_UNKNOWN : VECTOR_UNMAPPED;
	snprintf(v->reason, sizeof(v->reason), "%s",
		 place == PLACE_UNKNOWN  ? "it could not be read"
		 : place == PLACE_DEVICE ? "a device is there"
					 : "nothing is there");
}

static void read_vectors32(struct capture *capture, const struct guest_memory *memory)
{
	for (size_t i = 0; i < N_VECTORS32; i++) {
		struct capture_vector *v = &capture->vector[i];

		snprintf(v->name, sizeof(v->name), "%s", vectors32[i].name);
		v->required = vectors32[i].required;
		v->address = capture->base + 4 * i;
		read_vector(capture, v, memory, i == N_VECTORS32 - 1);
	}
	capture->n_vectors = N_VECTORS32;
}

static bool has_pair(const struct capture *capture, size_t i)
{
	return capture->vector[i].state == VECTOR_PLAUSIBLE &&
	       capture->vector[i + 1].state == VECTOR_PLAUSIBLE;
}

static void read_vectors64(struct capture *capture, const struct guest_memory *memory)
{
	size_t first;

	for (size_t i = 0; i < N_VECTORS64; i++) {
		struct capture_vector *v = &capture->vector[i];

		snprintf(v->name, sizeof(v->name), "%s-%s", origins64[i / 4], kinds64[i % 4]);
		v->address = capture->base + ENTRY64_BYTES * i;
		read_vector(capture, v, memory, true);
	}
	capture->n_vectors = N_VECTORS64;
	/* FreeRTOS runs its tasks on SP_EL0, Linux runs on SP_EL1. */
	first = has_pair(capture, 0) && !has_pair(capture, 4) ? 0 : 4;
	capture->vector[first].required = true;
	capture->vector[first + 1].required = true;
}

void vectors_read(struct capture *capture, const struct guest_memory *memory)
{
	read_window(&capture->vectors, capture->base, set_of(capture, capture->thumb_vectors),
		    memory);
	read_window(&capture->low, 0, set_of(capture, capture->thumb_vectors), memory);
	if (capture_is_x86(capture))
		vectors_x86_read(capture, memory);
	else if (capture->width == WIDTH_AARCH64)
		read_vectors64(capture, memory);
	else
		read_vectors32(capture, memory);
}
