/*
 * The vectors of an x86: gates in the IDT, in real mode far pointers (Intel SDM volume 3, 6.10 to
 * 6.14 and 20.1.4), and what is where they lead.
 */
#include "vectors.h"

#include <selvage/base.h>
#include <stdio.h>
#include <string.h>

#include "insn.h"

#define N_VECTORS 256u
#define INVALID_OPCODE 6u
#define PROTECTION 13u
#define PAGE_FAULT 14u
#define CR0_PAGING (1u << 31)
/* Of real mode, as a BIOS and the 8259 at its reset have it. */
#define REAL_TIMER 8u

#define GATE_PRESENT (1u << 15) /* of a gate's second word */
#define GATE_TYPE(word) ((word) >> 8 & 0x1f)
enum { GATE_TASK = 5,
       GATE_INTERRUPT_16 = 6,
       GATE_TRAP_16 = 7,
       GATE_INTERRUPT = 14,
       GATE_TRAP = 15 };
#define SELECTOR_LOCAL 4u
#define CODE_WORD 0x9800u /* present, of code or data, code */
#define CODE_LONG (1u << 21)
#define CODE_32 (1u << 22)

static const char *const exceptions[CAPTURE_EXCEPTIONS] = {
	"divide-error", "debug", "nmi", "breakpoint", "overflow", "bound-range",
	"invalid-opcode", "device-not-available", "double-fault", "coprocessor-overrun",
	"invalid-tss", "segment-not-present", "stack-fault", "general-protection", "page-fault",
	[16] = "x87", "alignment-check", "machine-check", "simd", "virtualization",
	"control-protection", [28] = "hypervisor-injection", "vmm-communication", "security"
};

/* Reading in pieces that are kept: handlers stand close together. */
#define PIECES 8u
struct view {
	const struct capture *capture;
	const struct guest_memory *memory;
	unsigned next, used;
	struct piece {
		uint64_t at;
		enum capture_place place;
		uint8_t bytes[GUEST_MEMORY_BYTES];
	} piece[PIECES];
};

static const struct piece *piece_of(struct view *v, uint64_t address)
{
	const uint64_t at = address & ~(uint64_t)(GUEST_MEMORY_BYTES - 1);
	struct piece *p = &v->piece[v->next];
	uint64_t physical;
	bool known;

	for (unsigned i = 0; i < v->used; i++) {
		if (v->piece[i].at == at)
			return &v->piece[i];
	}
	v->next = (v->next + 1) % PIECES;
	v->used = v->used < PIECES ? v->used + 1 : PIECES;
	p->at = at;
	p->place = v->memory->read(v->memory->context, at, p->bytes, sizeof(p->bytes), &physical,
				   &known);
	return p;
}

/* What is not memory reads as zeros behind what is. */
static enum capture_place fetch(struct view *v, uint64_t address, uint8_t *to, size_t n)
{
	enum capture_place first = PLACE_UNKNOWN;

	memset(to, 0, n);
	for (size_t i = 0; i < n; i++) {
		const struct piece *p = piece_of(v, address + i);

		if (i == 0)
			first = p->place;
		if (p->place != PLACE_MEMORY)
			return first;
		to[i] = p->bytes[(address + i) % GUEST_MEMORY_BYTES];
	}
	return first;
}

static uint64_t system_reg(const struct capture *c, const char *name)
{
	const struct capture_reg *reg = capture_find_reg(&c->system, name);

	return reg ? reg->value : 0;
}

void vectors_x86_find_base(struct capture *c)
{
	c->base_known = capture_find_reg(&c->system, "idt_base");
	c->base = system_reg(c, "idt_base");
	snprintf(c->base_rule, sizeof(c->base_rule), "%s",
		 c->base_known ? "IDTR" : "IDTR is not known: 0 assumed");
}

static void judge(struct capture_vector *v, enum vector_state state, const char *why)
{
	v->state = state;
	snprintf(v->reason, sizeof(v->reason), "%s", why);
}

/* --- where a gate leads --- */

struct target {
	uint64_t address;
	enum insn_set set;
};

/* The code is there: at its beginning, and where a jump there leads to. */
static void judge_code(struct view *view, struct capture_vector *v, const struct target *t)
{
	uint8_t bytes[INSN_X86_BYTES];
	char ignored[CAPTURE_TEXT];
	struct insn insn = { .kind = INSN_NONE };
	enum capture_place place = fetch(view, t->address, bytes, sizeof(bytes));

	v->has_target = true;
	v->target = t->address;
	if (place == PLACE_MEMORY)
		insn = insn_decode_x86(t->set, bytes, t->address, v->text, sizeof(v->text));
	if (insn.kind == INSN_JUMP) {
		place = fetch(view, insn.target, bytes, sizeof(bytes));
		if (place == PLACE_MEMORY)
			insn = insn_decode_x86(t->set, bytes, insn.target, ignored,
					       sizeof(ignored));
	}
	if (place == PLACE_UNKNOWN)
		judge(v, VECTOR_UNKNOWN, "what it leads to could not be read");
	else if (place == PLACE_MEMORY && insn.kind != INSN_NONE)
		v->state = VECTOR_PLAUSIBLE;
	else
		v->state = VECTOR_NO_CODE;
	if (place != PLACE_UNKNOWN)
		snprintf(v->reason, sizeof(v->reason), "leads to %s0x%llx%s",
			 v->state == VECTOR_PLAUSIBLE ? "code at " : "",
			 (unsigned long long)t->address,
			 v->state == VECTOR_PLAUSIBLE ? "" : ", where no code is");
}

/* The segment that the selector names: its base, and how its code reads. False, with a judgement:
 * it is none of code. */
static bool find_segment(struct view *view, struct capture_vector *v, unsigned selector,
			 struct target *t)
{
	const struct capture *c = view->capture;
	const uint32_t at = selector & ~7u;
	uint8_t bytes[8];
	enum capture_place place;
	uint32_t high;

	if (selector & SELECTOR_LOCAL || at == 0 || at + 7 > system_reg(c, "gdt_limit")) {
		judge(v, VECTOR_NO_CODE, "its selector is none of the GDT");
		return false;
	}
	place = fetch(view, system_reg(c, "gdt_base") + at, bytes, sizeof(bytes));
	if (place == PLACE_UNKNOWN) {
		judge(v, VECTOR_UNKNOWN, "the GDT could not be read");
		return false;
	}
	high = load_le32(bytes + 4);
	if ((high & CODE_WORD) != CODE_WORD) {
		judge(v, VECTOR_NO_CODE, "its segment is none of code");
		return false;
	}
	if (c->width == WIDTH_X86_64 && !(high & CODE_LONG)) {
		judge(v, VECTOR_NO_CODE, "its segment is none of 64-bit code");
		return false;
	}
	t->set = c->width == WIDTH_X86_64 ? INSN_X86_64 : high & CODE_32 ? INSN_X86_32
									 : INSN_X86_16;
	if (c->width != WIDTH_X86_64)
		t->address = (uint32_t)(t->address + (load_le32(bytes) >> 16) +
					((high & 0xff) << 16) + (high & 0xff000000));
	return true;
}

static void judge_gate(struct view *view, struct capture_vector *v, const uint8_t *gate)
{
	const bool wide = view->capture->width == WIDTH_X86_64;
	const uint32_t low = load_le32(gate), high = load_le32(gate + 4);
	const unsigned type = GATE_TYPE(high);
	struct target t = { .address = (low & 0xffff) | (high & 0xffff0000) };

	v->word = high;
	if (!(high & GATE_PRESENT)) {
		judge(v, VECTOR_NO_CODE,
		      low == 0 && high == 0 ? "zeros" : "a gate that is not present");
		return;
	}
	if (type == GATE_TASK && !wide) {
		judge(v, VECTOR_PLAUSIBLE, "leads to a task");
		return;
	}
	if (!wide && (type == GATE_INTERRUPT_16 || type == GATE_TRAP_16))
		t.address &= 0xffff;
	else if (type != GATE_INTERRUPT && type != GATE_TRAP) {
		judge(v, VECTOR_NO_CODE, "no gate that an interrupt takes");
		return;
	}
	if (wide)
		t.address |= (uint64_t)load_le32(gate + 8) << 32;
	if (find_segment(view, v, low >> 16, &t))
		judge_code(view, v, &t);
}

static void judge_pointer(struct view *view, struct capture_vector *v, const uint8_t *pointer)
{
	const uint32_t word = load_le32(pointer);
	const struct target t = { ((word >> 16) << 4) + (word & 0xffff), INSN_X86_16 };

	v->word = word;
	if (word == 0 || word == UINT32_MAX)
		judge(v, VECTOR_NO_CODE, word == 0 ? "zeros" : "ones, as in erased flash");
	else
		judge_code(view, v, &t);
}

/* --- the table --- */

static unsigned gate_bytes(const struct capture *c)
{
	return c->width == WIDTH_X86_64 ? 16 : c->width == WIDTH_X86_32 ? 8
									: 4;
}

static void read_vector(struct view *view, struct capture_vector *v, unsigned i)
{
	const struct capture *c = view->capture;
	const unsigned n = gate_bytes(c);
	uint8_t bytes[16];
	enum capture_place place;

	v->address = c->base + (uint64_t)i * n;
	if (i * n + n - 1 > system_reg(c, "idt_limit") && c->base_known) {
		judge(v, VECTOR_UNMAPPED, "beyond the table's limit");
		return;
	}
	place = fetch(view, v->address, bytes, n);
	if (place == PLACE_MEMORY && c->width == WIDTH_X86_16)
		judge_pointer(view, v, bytes);
	else if (place == PLACE_MEMORY)
		judge_gate(view, v, bytes);
	else if (place == PLACE_UNKNOWN)
		judge(v, VECTOR_UNKNOWN, "it could not be read");
	else
		judge(v, VECTOR_UNMAPPED,
		      place == PLACE_DEVICE ? "a device is there" : "nothing is there");
}

/* Any interrupt: which one a guest uses it decides itself. */
static void require_an_interrupt(struct capture *c)
{
	unsigned i = CAPTURE_EXCEPTIONS;

	while (i < N_VECTORS && c->vector[i].state != VECTOR_PLAUSIBLE)
		i++;
	c->vector[i < N_VECTORS ? i : CAPTURE_EXCEPTIONS].required = true;
}

static void require(struct capture *c)
{
	c->vector[INVALID_OPCODE].required = true;
	if (c->width == WIDTH_X86_16) {
		c->vector[REAL_TIMER].required = true;
		return;
	}
	c->vector[PROTECTION].required = true;
	c->vector[PAGE_FAULT].required = system_reg(c, "cr0") & CR0_PAGING;
	require_an_interrupt(c);
}

void vectors_x86_read(struct capture *c, const struct guest_memory *memory)
{
	static struct view view;

	view = (struct view){ .capture = c, .memory = memory };
	for (unsigned i = 0; i < N_VECTORS; i++) {
		struct capture_vector *v = &c->vector[i];

		if (i < CAPTURE_EXCEPTIONS && exceptions[i])
			snprintf(v->name, sizeof(v->name), "%s", exceptions[i]);
		else
			snprintf(v->name, sizeof(v->name), "%s-%u",
				 i < CAPTURE_EXCEPTIONS ? "reserved" : "interrupt", i);
		read_vector(&view, v, i);
	}
	c->n_vectors = N_VECTORS;
	require(c);
}
