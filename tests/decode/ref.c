/*
 * The reference test of vmm/decode: makes random encodings of every class of
 * loads and stores, and compares what an emulator did with them with what the
 * decoder says.
 *
 *	ref gen SET SEED COUNT >CASES	SET: arm, thumb, a64
 *	ref check SET SEED CASES RESULTS	TAP, one test for each class
 */
#include "ref.h"

#include "decode.h"

#include <selvage/vcpu_arch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum set { ARM,
	   THUMB,
	   A64,
	   SETS };
static const char *const set_names[SETS] = { "arm", "thumb", "a64" };

enum {
	REFUSED = 1,    /* to be refused, always */
	PRIVILEGED = 2, /* in a privileged mode; no register as an offset */
	HALF = 4,       /* Thumb: 16 bits */
};

/* Bits from the highest down: 0, 1, c for a condition; all others are random. */
struct class
{
	enum set set;
	const char *name, *pattern;
	unsigned flags;
};

static const struct class classes[] = {
	{ ARM, "ldr/str/ldrb/strb immediate", "cccc010pubwlnnnnttttiiiiiiiiiiii", 0 },
	{ ARM, "ldr/str privileged modes", "cccc010pubwlnnnnttttiiiiiiiiiiii", PRIVILEGED },
	{ ARM, "ldr literal", "cccc01011bw11111ttttiiiiiiiiiiii", 0 },
	{ ARM, "ldrt/strt/ldrbt/strbt", "cccc0100ub1lnnnnttttiiiiiiiiiiii", 0 },
	{ ARM, "ldr/str register", "cccc011pubwlnnnnttttiiiiiss0mmmm", 0 },
	{ ARM, "ldr/str register, shift 0", "cccc011pubwlnnnntttt00000ss0mmmm", 0 },
	{ ARM, "ldrt/strt register", "cccc0110ub1lnnnnttttiiiiiss0mmmm", 0 },
	{ ARM, "ldrh/strh immediate", "cccc000pu1wlnnnnttttiiii1011iiii", 0 },
	{ ARM, "ldrh/strh register", "cccc000pu0wlnnnntttt00001011mmmm", 0 },
	{ ARM, "ldrsb immediate", "cccc000pu1w1nnnnttttiiii1101iiii", 0 },
	{ ARM, "ldrsb register", "cccc000pu0w1nnnntttt00001101mmmm", 0 },
	{ ARM, "ldrsh immediate", "cccc000pu1w1nnnnttttiiii1111iiii", 0 },
	{ ARM, "ldrsh register", "cccc000pu0w1nnnntttt00001111mmmm", 0 },
	{ ARM, "ldrht/ldrsbt/strht", "cccc0000u11lnnnnttttiiii1ss1iiii", 0 },
	{ ARM, "ldrd immediate", "cccc000pu1w0nnnnttt0iiii1101iiii", 0 },
	{ ARM, "ldrd register", "cccc000pu0w0nnnnttt000001101mmmm", 0 },
	{ ARM, "strd immediate", "cccc000pu1w0nnnnttt0iiii1111iiii", 0 },
	{ ARM, "strd register", "cccc000pu0w0nnnnttt000001111mmmm", 0 },
	{ ARM, "ldrd/strd privileged modes", "cccc000pu1w0nnnnttt0iiii11s1iiii", PRIVILEGED },
	{ ARM, "ldm/stm", "cccc100pu0wlnnnnrrrrrrrrrrrrrrrr", 0 },
	{ ARM, "ldm/stm privileged modes", "cccc100pu0wlnnnnrrrrrrrrrrrrrrrr", PRIVILEGED },
	{ ARM, "ldm/stm of user registers", "cccc100pu10lnnnn0rrrrrrrrrrrrrrr", PRIVILEGED },
	{ ARM, "push/pop", "cccc100bubu11101rrrrrrrrrrrrrrrr", 0 },
	{ ARM, "lda", "cccc00011001nnnntttt110010011111", 0 },
	{ ARM, "ldab/ldah", "cccc000111b1nnnntttt110010011111", 0 },
	{ ARM, "stl", "cccc00011000nnnn111111001001tttt", 0 },
	{ ARM, "stlb/stlh", "cccc000111b0nnnn111111001001tttt", 0 },
	{ ARM, "ldrex/ldaex", "cccc00011bb1nnnntttt11101001111i", REFUSED },
	{ ARM, "strex/stlex", "cccc00011bb0nnnndddd11s11001tttt", REFUSED },
	{ ARM, "swp", "cccc00010b00nnnntttt00001001mmmm", REFUSED },
	{ ARM, "vldr/vstr", "cccc1101ud0lnnnnvvvv101siiiiiiii", REFUSED },
	{ ARM, "vldm/vstm", "cccc11001dwlnnnnvvvv101siiiiiiii", REFUSED },
	{ ARM, "vld1-4/vst1-4", "111101000d10nnnnvvvvttttssaammmm", REFUSED },
	{ ARM, "anything single", "cccc01xxxxxxxxxxxxxxxxxxxxxxxxxx", 0 },
	{ ARM, "anything among multiplies", "cccc000xxxxxxxxxxxxxxxxx1xx1xxxx", 0 },
	{ THUMB, "16-bit literal", "01001tttiiiiiiii", HALF },
	{ THUMB, "16-bit register", "0101ooommmnnnttt", HALF },
	{ THUMB, "16-bit word/byte", "011bliiiiinnnttt", HALF },
	{ THUMB, "16-bit halfword", "1000liiiiinnnttt", HALF },
	{ THUMB, "16-bit stack", "1001ltttiiiiiiii", HALF },
	{ THUMB, "push", "1011010mrrrrrrrr", HALF },
	{ THUMB, "pop", "1011110prrrrrrrr", HALF },
	{ THUMB, "16-bit ldm/stm", "1100lnnnrrrrrrrr", HALF },
	{ THUMB, "16-bit privileged modes", "011bliiiiinnnttt", HALF | PRIVILEGED },
	{ THUMB, "ldm", "11101000b0w1nnnnpmrrrrrrrrrrrrrr", 0 },
	{ THUMB, "ldmia/stmia", "1110100010wlnnnn0m0rrrrrrrrrrrrr", 0 },
	{ THUMB, "ldmdb/stmdb", "1110100100wlnnnn0m0rrrrrrrrrrrrr", 0 },
	{ THUMB, "ldm with the PC", "1110100010w1nnnn100rrrrrrrrrrrrr", 0 },
	{ THUMB, "multiple, privileged modes", "1110100100wlnnnn0m0rrrrrrrrrrrrr", PRIVILEGED },
	{ THUMB, "ldrd/strd", "1110100pu1wlnnnnttttuuuuiiiiiiii", 0 },
	{ THUMB, "ldrd literal", "1110100pu1w11111ttttuuuuiiiiiiii", 0 },
	{ THUMB, "immediate, 12 bits", "111110001sslnnnnttttiiiiiiiiiiii", 0 },
	{ THUMB, "immediate, 8 bits", "111110000sslnnnntttt1puwiiiiiiii", 0 },
	{ THUMB, "immediate, privileged modes", "111110000sslnnnntttt1puwiiiiiiii", PRIVILEGED },
	{ THUMB, "register", "111110000sslnnnntttt000000iimmmm", 0 },
	{ THUMB, "literal", "11111000uss11111ttttiiiiiiiiiiii", 0 },
	{ THUMB, "signed immediate, 12 bits", "1111100110s1nnnnttttiiiiiiiiiiii", 0 },
	{ THUMB, "signed immediate, 8 bits", "1111100100s1nnnntttt1puwiiiiiiii", 0 },
	{ THUMB, "signed register", "1111100100s1nnnntttt000000iimmmm", 0 },
	{ THUMB, "signed literal", "11111001u0s11111ttttiiiiiiiiiiii", 0 },
	{ THUMB, "unprivileged", "1111100s0sslnnnntttt1110iiiiiiii", 0 },
	{ THUMB, "lda", "111010001101nnnntttt111110ss1111", 0 },
	{ THUMB, "stl", "111010001100nnnntttt111110ss1111", 0 },
	{ THUMB, "ldrex/strex", "11101000010lnnnnttttddddiiiiiiii", REFUSED },
	{ THUMB, "ldaex/stlex", "11101000110lnnnntttt111111ssdddd", REFUSED },
	{ THUMB, "tbb/tbh", "111010001101nnnn11110000000hmmmm", REFUSED },
	{ THUMB, "vldr/vstr", "11101101ud0lnnnnvvvv101siiiiiiii", REFUSED },
	{ THUMB, "vldm/vstm", "111011001dwlnnnnvvvv101siiiiiiii", REFUSED },
	{ THUMB, "anything but jumps", "010000xxxxxxxxxx", HALF },
	{ THUMB, "anything dual", "1110100xxxxxxxxxxxxxxxxxxxxxxxxx", 0 },
	{ THUMB, "anything single", "1111100xxxxxxxxxxxxxxxxxxxxxxxxx", 0 },
	{ A64, "unsigned immediate", "ss111001ooiiiiiiiiiiiinnnnnttttt", 0 },
	{ A64, "unscaled", "ss111000oo0iiiiiiiii00nnnnnttttt", 0 },
	{ A64, "post-index", "ss111000oo0iiiiiiiii01nnnnnttttt", 0 },
	{ A64, "unprivileged", "ss111000oo0iiiiiiiii10nnnnnttttt", 0 },
	{ A64, "pre-index", "ss111000oo0iiiiiiiii11nnnnnttttt", 0 },
	{ A64, "register", "ss111000oo1mmmmmeeei10nnnnnttttt", 0 },
	{ A64, "literal", "oo011000iiiiiiiiiiiiiiiiiiittttt", 0 },
	{ A64, "ldp/stp", "o0101001xliiiiiiiuuuuunnnnnttttt", 0 },
	{ A64, "ldpsw", "01101001x1iiiiiiiuuuuunnnnnttttt", 0 },
	{ A64, "ldp/stp pre- and post-index", "o01010011liiiiiiiuuuuunnnnnttttt", 0 },
	{ A64, "ldp/stp post-index", "o01010001liiiiiiiuuuuunnnnnttttt", 0 },
	{ A64, "ldpsw post-index", "0110100011iiiiiiiuuuuunnnnnttttt", 0 },
	{ A64, "ldnp/stnp", "o01010000liiiiiiiuuuuunnnnnttttt", 0 },
	{ A64, "ldar/stlr", "ss0010001l011111x11111nnnnnttttt", 0 },
	{ A64, "ldxr/stxr", "ss0010000l0dddddx11111nnnnnttttt", REFUSED },
	{ A64, "ldxp/stxp", "1s0010000l1dddddxuuuuunnnnnttttt", REFUSED },
	{ A64, "cas", "ss0010001l1dddddx11111nnnnnttttt", REFUSED },
	{ A64, "atomics", "ss111000ar1ddddd0ooo00nnnnnttttt", REFUSED },
	{ A64, "SIMD immediate", "ss111101ooiiiiiiiiiiiinnnnnttttt", REFUSED },
	{ A64, "SIMD pair", "00101101xliiiiiiiuuuuunnnnnttttt", REFUSED },
	{ A64, "SIMD structures", "0q0011000l000000oooossnnnnnttttt", REFUSED },
	{ A64, "anything single", "xx11100xxxxxxxxxxxxxxxxxxxxxxxxx", 0 },
	{ A64, "anything else", "xxx0100xxxxxxxxxxxxxxxxxxxxxxxxx", 0 },
};
#define N_CLASSES (sizeof(classes) / sizeof(classes[0]))

static uint64_t seed;

static uint64_t rnd(void)
{
	seed += 0x9e3779b97f4a7c15ull;
	uint64_t z = seed;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* --- cases --- */

static uint32_t encode(const struct class *c)
{
	uint32_t insn = 0;
	unsigned condition = rnd() % 2 ? 14 : (unsigned)(rnd() % 15), n_condition = 0;

	for (const char *p = c->pattern; *p; p++) {
		uint32_t bit = *p == '1' ? 1 : *p == '0' ? 0
							 : (uint32_t)(rnd() >> 40 & 1);

		if (*p == 'c')
			bit = condition >> (3 - n_condition++) & 1;
		insn = insn << 1 | bit;
	}
	return insn;
}

static const struct class *class_of(enum set set, unsigned number)
{
	unsigned n = 0;

	for (unsigned i = 0; i < N_CLASSES; i++)
		n += classes[i].set == set;
	number %= n;
	for (unsigned i = 0;; i++)
		if (classes[i].set == set && number-- == 0)
			return &classes[i];
}

/* An address, aligned as a rule, or a small number. */
static uint64_t value64(void)
{
	switch (rnd() % 8) {
	case 0:
		return rnd() & 0xfff;
	case 1:
		return 0 - (rnd() & 0xff);
	case 2:
		return rnd() >> 26;
	default:
		return rnd() >> 26 & ~7ull;
	}
}

static uint32_t value32(void)
{
	switch (rnd() % 8) {
	case 0:
		return rnd() & 0xfff;
	case 1:
		return 0u - (uint32_t)(rnd() & 0xff);
	case 2:
		return (uint32_t)rnd() | 0x80000000u;
	default:
		return ((uint32_t)rnd() | 0x80000000u) & ~7u;
	}
}

/* Undefined instructions, none like another: a jump ends at each of them. As
 * Thumb the upper half of the words for ARM is a jump to the lower half of one. */
static void undefined(enum set set, uint8_t *code, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i += 4) {
		uint32_t noise = (uint32_t)rnd(), word = noise & 0xffff;

		if (set == ARM)
			word = 0xe7fddef0 | (noise & 0x2000f);
		else if (set == THUMB)
			word = 0xde00de00 | (noise & 0xff00ff);
		memcpy(code + i, &word, 4);
	}
}

/* As it is in memory, for decode(). */
static uint32_t in_memory(enum set set, const struct class *c, uint32_t insn)
{
	return set == THUMB && !(c->flags & HALF) ? insn << 16 | insn >> 16 : insn;
}

static bool loads_pc(const struct decode *d)
{
	for (unsigned i = 0; i < d->n; i++)
		if (!d->write && d->access[i].reg == DECODE_PC)
			return true;
	return false;
}

/* What the architecture leaves open may do anything, and is not compared; a
 * privileged mode could jump into the program itself. */
static void draw(enum set set, const struct class *c, const struct decode_state *s, uint8_t *code)
{
	struct decode d;
	uint32_t insn;

	undefined(set, code, REF_CODE_BYTES);
	do {
		insn = in_memory(set, c, encode(c));
		decode(&d, s, insn, &decode_narrow);
	} while ((d.refused != NULL && strstr(d.refused, "leaves open")) ||
		 ((c->flags & PRIVILEGED) && loads_pc(&d)));
	memcpy(code, &insn, c->flags & HALF ? 2 : 4);
}

static void load32(const struct ref_case32 *k, struct decode_state *s)
{
	memset(s, 0, sizeof(*s));
	s->pc = k->pc;
	s->pstate = k->cpsr;
	s->x[13] = k->usr[0], s->x[14] = k->usr[1];
	for (unsigned i = 0; i < 15; i++)
		s->x[vcpu_r_number(i, k->cpsr)] = k->r[i];
}

static void load64(const struct ref_case64 *k, struct decode_state *s)
{
	*s = (struct decode_state){
		.pc = k->pc,
		.pstate = (uint32_t)k->pstate,
		.big_endian = k->big_endian,
	};
	memcpy(s->x, k->x, sizeof(s->x));
}

static void case32(enum set set, const struct class *c)
{
	static const uint8_t modes[] = { 0x13, 0x12, 0x11, 0x1f };
	struct ref_case32 k = { .pc = 0x20080000 + (0x100 + (uint32_t)rnd() % 0xe00) };
	uint32_t mode = 0x10, it = 0;
	struct decode_state s;

	for (unsigned i = 0; i < 15; i++)
		k.r[i] = value32();
	k.usr[0] = value32(), k.usr[1] = value32();
	if (c->flags & PRIVILEGED)
		mode = modes[rnd() % (strstr(c->name, "user") ? 2 : 4)];
	if (mode == 0x10 || mode == 0x1f)
		k.usr[0] = k.r[13], k.usr[1] = k.r[14];
	if (set == THUMB && rnd() % 3 == 0)
		it = (uint32_t)(rnd() % 14) << 4 | (1 + (uint32_t)(rnd() % 15));
	k.cpsr = mode | 0xc0 | (uint32_t)(rnd() % 16) << 28 | (rnd() % 4 == 0 ? 1u << 9 : 0) |
		 (set == THUMB ? DECODE_PSTATE_THUMB : 0) | (it >> 2) << 10 | (it & 3) << 25;
	k.pc &= set == THUMB ? ~1u : ~3u;
	load32(&k, &s);
	draw(set, c, &s, k.code);
	fwrite(&k, sizeof(k), 1, stdout);
}

static void case64(const struct class *c)
{
	struct ref_case64 k = { .pc = 0x80080000 + (0x100 + rnd() % 0xe00) / 4 * 4 };
	struct decode_state s;

	for (unsigned i = 0; i < 32; i++)
		k.x[i] = value64();
	k.pstate = 0x3c0 | (rnd() % 16) << 28;
	k.big_endian = rnd() % 4 == 0;
	load64(&k, &s);
	draw(A64, c, &s, k.code);
	fwrite(&k, sizeof(k), 1, stdout);
}

static int gen(enum set set, unsigned count)
{
	struct ref_header h = { .count = count };

	for (unsigned i = 0; i < REF_PAGE; i++)
		h.data[i] = (uint8_t)(rnd() >> 32);
	undefined(set, h.code, REF_PAGE);
	fwrite(&h, sizeof(h), 1, stdout);
	for (unsigned i = 0; i < count; i++)
		if (set == A64)
			case64(class_of(set, i));
		else
			case32(set, class_of(set, i));
	return ferror(stdout) ? 1 : 0;
}

/* --- the machine, as the decoder drives it --- */

struct machine {
	enum set set;
	uint8_t data[REF_PAGE], code[REF_PAGE];
	uint64_t pstate;
	bool odd; /* an access was not aligned */
};

enum where { IN_DATA,
	     IN_CODE,
	     NOWHERE };

static enum where place_of(const struct machine *m, uint64_t va)
{
	if (m->set == A64)
		return va >> 39        ? NOWHERE
		       : va >> 30 == 1 ? NOWHERE
		       : va >> 30 == 2 ? IN_CODE
				       : IN_DATA;
	if ((uint32_t)va >> 28 == 4)
		return NOWHERE;
	return (uint32_t)va >= 0x2007e000 && (uint32_t)va < 0x20083000 ? IN_CODE : IN_DATA;
}

static bool machine_bus(void *opaque, const struct decode_access *a, bool write, uint64_t *value)
{
	struct machine *m = opaque;
	uint8_t bytes[8];

	m->odd = m->odd || a->address % a->size != 0;
	memcpy(bytes, value, 8);
	for (unsigned i = 0; i < a->size; i++) {
		uint64_t va = a->address + i;
		enum where where = place_of(m, va);

		if (where == NOWHERE || (where == IN_CODE && write))
			return false;
		if (where == IN_CODE)
			bytes[i] = m->code[va % REF_PAGE];
		else if (write)
			m->data[va % REF_PAGE] = bytes[i];
		else
			bytes[i] = m->data[va % REF_PAGE];
	}
	memcpy(value, bytes, 8);
	return true;
}

/* --- comparison --- */

/* Both widths alike. */
struct outcome {
	uint64_t x[32];
	uint64_t pc;
	uint32_t pstate;
	enum ref_end end;
	unsigned n_changes;
	const struct ref_change *change;
};

struct tally {
	unsigned cases, compared, refused, aborted, failed;
};

static const char *wrong(const struct machine *m, const struct decode_state *s,
			 const struct outcome *o, const uint8_t *before)
{
	static char text[120];
	uint8_t after[REF_PAGE];

	for (unsigned i = 0; i < 32; i++)
		if (s->x[i] != o->x[i]) {
			snprintf(text, sizeof(text), "x%u is %llx, decoder %llx", i,
				 (unsigned long long)o->x[i], (unsigned long long)s->x[i]);
			return text;
		}
	memcpy(after, before, REF_PAGE);
	for (unsigned i = 0; i < o->n_changes && i < REF_MAX_CHANGES; i++)
		memcpy(&after[o->change[i].offset % REF_PAGE], &o->change[i].value, 4);
	if (memcmp(after, m->data, REF_PAGE) != 0)
		return "memory differs";
	if (s->pc != o->pc) {
		snprintf(text, sizeof(text), "pc is %llx, decoder %llx", (unsigned long long)o->pc,
			 (unsigned long long)s->pc);
		return text;
	}
	if (s->pstate != o->pstate) {
		snprintf(text, sizeof(text), "pstate is %x, decoder %x", o->pstate, s->pstate);
		return text;
	}
	return NULL;
}

/* An undefined instruction in an IT block is skipped if its condition fails. */
static void end_of_case(struct decode_state *s)
{
	static const uint8_t pairs[8] = { 30, 29, 31, 28 };

	while (s->pstate & DECODE_PSTATE_THUMB && s->pstate & DECODE_PSTATE_AARCH32) {
		unsigned it = (s->pstate >> 10 & 0x3f) << 2 | (s->pstate >> 25 & 3);
		unsigned cond = it >> 4;
		bool n = s->pstate >> 31 & 1, z = s->pstate >> 30 & 1, c = s->pstate >> 29 & 1,
		     v = s->pstate >> 28 & 1, is;

		if ((it & 15) == 0)
			return;
		if (cond < 8)
			is = s->pstate >> pairs[cond >> 1] & 1;
		else
			is = cond < 10 ? c && !z : cond < 12 ? n == v
					   : cond < 14       ? !z && n == v
							     : true;
		if (is != (cond & 1) || cond == 15)
			return;
		s->pc += 2;
		it = it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
		s->pstate &= ~(0x3fu << 10 | 3u << 25);
		s->pstate |= (it >> 2) << 10 | (it & 3) << 25;
	}
}

/* NULL: as the decoder says. */
static const char *judge(const struct class *c, struct machine *m, struct decode_state *s,
			 uint32_t insn, struct outcome *o, struct tally *t)
{
	const uint64_t at = s->pc;
	uint8_t before[REF_PAGE];
	const struct decode_access *failed;
	struct decode d;
	bool in_it;

	decode(&d, s, insn, &decode_narrow);
	in_it = (d.pstate & (3u << 10 | 3u << 25)) != 0 && (s->pstate & DECODE_PSTATE_THUMB);
	if (c->flags & REFUSED) {
		t->refused += d.refused != NULL;
		return d.refused == NULL ? "to be refused" : NULL;
	}
	if (d.refused != NULL) {
		t->refused++;
		/* What it does not know must not touch memory. */
		if (d.name == NULL && o->end == REF_END_DATA)
			return "an access that the decoder does not know";
		if (d.name == NULL && o->n_changes != 0)
			return "a store that the decoder does not know";
		return NULL;
	}
	memcpy(before, m->data, REF_PAGE);
	m->odd = false;
	if (!decode_run(&d, s, machine_bus, m, &failed) || o->end == REF_END_DATA) {
		bool same = o->end == REF_END_DATA && (m->odd || s->pc == at);

		t->aborted++;
		return same ? NULL : "an abort of one only";
	}
	if (o->end == REF_END_UNDEFINED && o->pc == at)
		return "undefined, and the decoder knows it";
	if (loads_pc(&d)) {
		if (in_it || place_of(m, s->pc) != IN_DATA || (s->pc & 3) == 2) {
			t->refused++;
			return NULL; /* open, or it executes something */
		}
		if (o->end != REF_END_FETCH)
			return "no jump";
	} else {
		end_of_case(s);
	}
	t->compared++;
	return wrong(m, s, o, before);
}

static const char *case_done32(const struct class *c, struct machine *m, const void *kase,
			       const void *result, struct tally *t)
{
	const struct ref_case32 *k = kase;
	const struct ref_result32 *r = result;
	struct decode_state s;
	struct outcome o = {
		.pc = r->pc,
		.pstate = r->cpsr,
		.end = (enum ref_end)r->end,
		.n_changes = r->n_changes,
		.change = r->change,
	};
	uint32_t insn;

	load32(k, &s);
	memcpy(o.x, s.x, sizeof(o.x));
	o.x[13] = r->usr[0], o.x[14] = r->usr[1];
	for (unsigned i = 0; i < 15; i++)
		o.x[vcpu_r_number(i, k->cpsr)] = r->r[i];
	memcpy(&insn, k->code, 4);
	memcpy(&m->code[k->pc % REF_PAGE], k->code, REF_CODE_BYTES);
	return judge(c, m, &s, insn, &o, t);
}

static const char *case_done64(const struct class *c, struct machine *m, const void *kase,
			       const void *result, struct tally *t)
{
	const struct ref_case64 *k = kase;
	const struct ref_result64 *r = result;
	struct decode_state s;
	struct outcome o = {
		.pc = r->pc,
		.pstate = (uint32_t)r->pstate,
		.end = r->esr >> 26 == 0x24 ? REF_END_DATA : REF_END_UNDEFINED,
		.n_changes = (unsigned)r->n_changes,
		.change = r->change,
	};
	uint32_t insn;

	load64(k, &s);
	memcpy(o.x, r->x, sizeof(o.x));
	memcpy(&insn, k->code, 4);
	memcpy(&m->code[k->pc % REF_PAGE], k->code, REF_CODE_BYTES);
	return judge(c, m, &s, insn, &o, t);
}

static unsigned verdict(const struct class *c, const struct tally *t, unsigned number)
{
	const char *what = NULL;

	if (t->failed != 0)
		what = "differs from the emulator";
	else if (c->flags & REFUSED)
		what = t->refused == t->cases ? NULL : "not always refused";
	else if (t->compared * 10 < t->cases && strncmp(c->name, "anything", 8) != 0)
		what = "hardly ever compared";
	printf("%sok %u - %s %s: %u cases, %u compared, %u refused, %u aborted%s%s\n",
	       what ? "not " : "", number, set_names[c->set], c->name, t->cases, t->compared,
	       t->refused, t->aborted, what ? ": " : "", what ? what : "");
	return what != NULL;
}

static void name_case(const struct class *c, enum set set, uint64_t first_seed, unsigned i,
		      const uint8_t *code, const char *what)
{
	printf("# %s %s: bytes %02x %02x %02x %02x (case %u of seed %llu): %s\n", set_names[set],
	       c->name, code[0], code[1], code[2], code[3], i, (unsigned long long)first_seed,
	       what);
}

static int check(enum set set, FILE *cases, FILE *results)
{
	static struct tally tallies[N_CLASSES];
	static struct ref_header h;
	uint64_t first_seed = seed;
	const size_t case_size =
		set == A64 ? sizeof(struct ref_case64) : sizeof(struct ref_case32);
	const size_t result_size =
		set == A64 ? sizeof(struct ref_result64) : sizeof(struct ref_result32);
	unsigned number = 0, failed = 0, compared = 0;

	if (fread(&h, sizeof(h), 1, cases) != 1)
		return 2;
	for (unsigned i = 0; i < h.count; i++) {
		const struct class *c = class_of(set, i);
		struct tally *t = &tallies[c - classes];
		struct machine m = { .set = set };
		uint8_t kase[sizeof(struct ref_case64)], result[sizeof(struct ref_result64)];
		const char *what;

		if (fread(kase, case_size, 1, cases) != 1 ||
		    fread(result, result_size, 1, results) != 1) {
			printf("# the emulator ended before case %u\n", i);
			return 2;
		}
		memcpy(m.data, h.data, REF_PAGE);
		memcpy(m.code, h.code, REF_PAGE);
		t->cases++;
		what = set == A64 ? case_done64(c, &m, kase, result, t)
				  : case_done32(c, &m, kase, result, t);
		if (what != NULL && t->failed++ < 4)
			name_case(c, set, first_seed, i, kase + (set == A64 ? 280 : 72), what);
	}
	for (unsigned i = 0; i < N_CLASSES; i++) {
		if (tallies[i].cases == 0)
			continue;
		failed += verdict(&classes[i], &tallies[i], ++number);
		compared += tallies[i].compared;
	}
	printf("# %s: %u cases, %u compared, seed %llu\n", set_names[set], h.count, compared,
	       (unsigned long long)first_seed);
	printf("1..%u\n", number);
	return failed != 0;
}

int main(int argc, char **argv)
{
	enum set set = 0;

	if (argc < 5)
		return 2;
	while (set < SETS && strcmp(set_names[set], argv[2]) != 0)
		set++;
	seed = strtoull(argv[3], NULL, 0);
	if (set == SETS)
		return 2;
	if (strcmp(argv[1], "gen") == 0)
		return gen(set, (unsigned)strtoul(argv[4], NULL, 0));
	if (argc < 6)
		return 2;
	FILE *cases = fopen(argv[4], "rb"), *results = fopen(argv[5], "rb");

	return cases == NULL || results == NULL ? 2 : check(set, cases, results);
}
