/* Makes the cases. SDM volume 2, chapter 2: the form of instructions. */
#include "gen.h"

#include "x86.h"

#include <string.h>

#define C(name, n, random, reg, imm, flags, ...)                  \
	{                                                         \
		name, { __VA_ARGS__ }, n, random, reg, imm, flags \
	}

const struct diff_class diff_classes[] = {
	C("mov r/m, r", 1, 3, -1, 0, 0, 0x88),
	C("mov r/m8, imm", 1, 0, 0, 1, 0, 0xc6),
	C("mov r/m, imm", 1, 0, 0, -1, 0, 0xc7),
	C("mov moffs", 1, 3, -1, 0, MOFFS, 0xa0),
	C("mov r/m, sreg", 1, 0, -2, 0, 0, 0x8c),
	C("movzx", 2, 1, -1, 0, 0, 0x0f, 0xb6),
	C("movsx", 2, 1, -1, 0, 0, 0x0f, 0xbe),
	C("movsxd", 1, 0, -1, 0, ONLY_64, 0x63),
	C("movnti", 2, 0, -1, 0, NO_66, 0x0f, 0xc3),
	C("alu r/m, r", 1, 0x3b, -1, 0, LOCKS, 0x00),
	C("alu r/m8, imm", 1, 0, -1, 1, LOCKS, 0x80),
	C("alu r/m, imm", 1, 0, -1, -1, LOCKS, 0x81),
	C("alu r/m, imm8", 1, 0, -1, 1, LOCKS, 0x83),
	C("test r/m, r", 1, 1, -1, 0, 0, 0x84),
	C("test r/m8, imm", 1, 0, 0, 1, 0, 0xf6),
	C("test r/m, imm", 1, 0, 0, -1, 0, 0xf7),
	C("not", 1, 1, 2, 0, LOCKS, 0xf6),
	C("neg", 1, 1, 3, 0, 0, 0xf6),
	C("mul", 1, 1, 4, 0, 0, 0xf6),
	C("imul", 1, 1, 5, 0, 0, 0xf6),
	C("div", 1, 1, 6, 0, DIVIDES, 0xf6),
	C("idiv", 1, 1, 7, 0, DIVIDES, 0xf6),
	C("imul r, r/m", 2, 0, -1, 0, 0, 0x0f, 0xaf),
	C("imul r, r/m, imm", 1, 0, -1, -1, 0, 0x69),
	C("imul r, r/m, imm8", 1, 0, -1, 1, 0, 0x6b),
	C("inc", 1, 1, 0, 0, LOCKS, 0xfe),
	C("dec", 1, 1, 1, 0, LOCKS, 0xfe),
	C("shift by imm", 1, 1, -2, 1, 0, 0xc0),
	C("shift by 1", 1, 1, -2, 0, 0, 0xd0),
	C("shift by cl", 1, 1, -2, 0, 0, 0xd2),
	C("shld, shrd imm", 2, 8, -1, 1, NO_RIP, 0x0f, 0xa4),
	C("shld, shrd cl", 2, 8, -1, 0, 0, 0x0f, 0xa5),
	C("xchg", 1, 1, -1, 0, LOCKS, 0x86),
	C("xadd", 2, 1, -1, 0, LOCKS, 0x0f, 0xc0),
	C("cmpxchg", 2, 1, -1, 0, LOCKS, 0x0f, 0xb0),
	C("cmpxchg8b, 16b", 2, 0, 1, 0, LOCKS | ALIGNED, 0x0f, 0xc7),
	C("bt, bts, btr, btc", 2, 0x18, -1, 0, LOCKS | BITS, 0x0f, 0xa3),
	C("bt imm", 2, 0, 4, 1, 0, 0x0f, 0xba),
	C("bts imm", 2, 0, 5, 1, LOCKS, 0x0f, 0xba),
	C("btr imm", 2, 0, 6, 1, LOCKS, 0x0f, 0xba),
	C("btc imm", 2, 0, 7, 1, LOCKS, 0x0f, 0xba),
	C("bsf, bsr", 2, 1, -1, 0, 0, 0x0f, 0xbc),
	C("tzcnt, lzcnt", 3, 1, -1, 0, 0, 0xf3, 0x0f, 0xbc),
	C("setcc", 2, 15, -1, 0, 0, 0x0f, 0x90),
	C("cmovcc", 2, 15, -1, 0, 0, 0x0f, 0x40),
	C("push r/m", 1, 0, 6, 0, 0, 0xff),
	C("pop r/m", 1, 0, 0, 0, 0, 0x8f),
	C("push r", 1, 7, 0, 0, PLAIN, 0x50),
	C("pop r", 1, 7, 0, 0, PLAIN, 0x58),
	C("push imm", 1, 0, 0, -1, PLAIN, 0x68),
	C("push imm8", 1, 0, 0, 1, PLAIN, 0x6a),
	C("leave", 1, 0, 0, 0, PLAIN, 0xc9),
	C("call r/m", 1, 0, 2, 0, JUMPS, 0xff),
	C("jmp r/m", 1, 0, 4, 0, JUMPS, 0xff),
	C("call rel", 1, 0, 0, -1, PLAIN | JUMPS | NO_66, 0xe8),
	C("ret", 1, 0, 0, 0, PLAIN | JUMPS | NO_66, 0xc3),
	C("ret imm", 1, 0, 0, 2, PLAIN | JUMPS | NO_66, 0xc2),
	C("xlat", 1, 0, 0, 0, XLAT, 0xd7),
	C("movs", 1, 1, 0, 0, STRING, 0xa4),
	C("cmps", 1, 1, 0, 0, STRING, 0xa6),
	C("stos", 1, 1, 0, 0, STRING, 0xaa),
	C("lods", 1, 1, 0, 0, STRING, 0xac),
	C("scas", 1, 1, 0, 0, STRING, 0xae),
	C("movups", 2, 1, -1, 0, VECTOR | NO_66, 0x0f, 0x10),
	C("movupd", 3, 1, -1, 0, VECTOR, 0x66, 0x0f, 0x10),
	C("movss", 3, 1, -1, 0, VECTOR | NO_66, 0xf3, 0x0f, 0x10),
	C("movsd", 3, 1, -1, 0, VECTOR | NO_66, 0xf2, 0x0f, 0x10),
	C("movlps", 2, 1, -1, 0, VECTOR | NO_66, 0x0f, 0x12),
	C("movhps", 2, 1, -1, 0, VECTOR | NO_66, 0x0f, 0x16),
	C("movlpd", 3, 1, -1, 0, VECTOR, 0x66, 0x0f, 0x12),
	C("movhpd", 3, 1, -1, 0, VECTOR, 0x66, 0x0f, 0x16),
	C("movaps", 2, 1, -1, 0, VECTOR | NO_66 | ALIGNED, 0x0f, 0x28),
	C("movapd", 3, 1, -1, 0, VECTOR | ALIGNED, 0x66, 0x0f, 0x28),
	C("movntps", 2, 0, -1, 0, VECTOR | NO_66 | ALIGNED, 0x0f, 0x2b),
	C("movd, movq mm", 2, 1, -1, 0, VECTOR | NO_66, 0x0f, 0x6e),
	C("movd, movq mm store", 2, 1, -1, 0, VECTOR | NO_66, 0x0f, 0x7e),
	C("movntq", 2, 0, -1, 0, VECTOR | NO_66, 0x0f, 0xe7),
	C("movd, movq", 3, 16, -1, 0, VECTOR, 0x66, 0x0f, 0x6e),
	C("movdqa", 3, 16, -1, 0, VECTOR | ALIGNED, 0x66, 0x0f, 0x6f),
	C("movdqu", 3, 16, -1, 0, VECTOR | NO_66, 0xf3, 0x0f, 0x6f),
	C("movq load", 3, 0, -1, 0, VECTOR | NO_66, 0xf3, 0x0f, 0x7e),
	C("movq store", 3, 0, -1, 0, VECTOR, 0x66, 0x0f, 0xd6),
	C("movntdq", 3, 0, -1, 0, VECTOR | ALIGNED, 0x66, 0x0f, 0xe7),
	C("lddqu", 3, 0, -1, 0, VECTOR | NO_66, 0xf2, 0x0f, 0xf0),
	C("movntdqa", 4, 0, -1, 0, VECTOR | ALIGNED, 0x66, 0x0f, 0x38, 0x2a),
};
const unsigned diff_class_count = sizeof(diff_classes) / sizeof(diff_classes[0]);

/* xorshift64* */
uint64_t diff_random(struct diff_case *c)
{
	c->random ^= c->random >> 12;
	c->random ^= c->random << 25;
	c->random ^= c->random >> 27;
	return c->random * 0x2545f4914f6cdd1dull;
}

static unsigned below(struct diff_case *c, unsigned n)
{
	return (unsigned)(diff_random(c) >> 32) % n;
}

static uint64_t interesting(struct diff_case *c)
{
	static const uint64_t values[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff,
					   0x7fffffff, 0x80000000, 0xffffffff,
					   0x7fffffffffffffff, 0x8000000000000000, ~0ull };

	return below(c, 4) ? diff_random(c) : values[below(c, sizeof(values) / sizeof(values[0]))];
}

/* What of the encoding the registers depend on. */
struct form {
	unsigned operand, address; /* bytes */
	unsigned rex, segment;
	bool default_segment;
	unsigned modrm, sib, displacement; /* places of the bytes in it; 0: none */
	unsigned displacement_size;
};

static void byte(struct diff_case *c, uint8_t value)
{
	c->bytes[c->n++] = value;
}

static void bytes(struct diff_case *c, unsigned n)
{
	while (n--)
		byte(c, (uint8_t)diff_random(c));
}

static void prefixes(struct diff_case *c, struct form *f)
{
	static const uint8_t segments[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
	const struct diff_class *class = c->class;
	unsigned mode = c->state.mode;
	uint8_t mandatory = class->opcode[0];
	bool swap;

	f->operand = mode == X86_16 ? 2 : 4;
	f->address = mode;
	f->default_segment = true;
	f->segment = X86_DS;
	/* What 66 does to a near jump of 64-bit code differs between makers. */
	if (!(class->flags & NO_66) && !(class->flags & JUMPS && mode == X86_64) &&
	    mandatory != 0x66 && !below(c, 4)) {
		byte(c, 0x66);
		f->operand = 6 - f->operand;
	}
	swap = !below(c, 6);
	if (swap) {
		byte(c, 0x67);
		f->address = mode == X86_32 ? 2 : 4;
	}
	if (!below(c, 4)) {
		f->segment = below(c, X86_SEGMENTS);
		/* Code that changes itself is another matter. */
		if (mode == X86_16 && f->segment == X86_CS)
			f->segment = X86_DS;
		byte(c, segments[f->segment]);
		f->default_segment = mode == X86_64 && f->segment < X86_FS;
	}
	if (class->flags & LOCKS && !below(c, 4))
		byte(c, 0xf0);
	if (class->flags & STRING && below(c, 3))
		byte(c, below(c, 2) ? 0xf2 : 0xf3);
}

static void opcode(struct diff_case *c, struct form *f)
{
	const struct diff_class *class = c->class;
	unsigned n = 0;
	uint8_t first = class->opcode[0];

	if (class->length > 1 && (first == 0x66 || first == 0xf2 || first == 0xf3))
		byte(c, class->opcode[n++]);
	if (c->state.mode == X86_64 && below(c, 3)) {
		f->rex = 0x40 | below(c, 16);
		/* REX.R means nothing there, but to the emulator. */
		if (class->reg >= 0)
			f->rex &= ~4u;
		byte(c, (uint8_t)f->rex);
		if (f->rex & 8)
			f->operand = 8;
	}
	for (; n < class->length; n++)
		byte(c, class->opcode[n]);
	c->bytes[c->n - 1] ^= (uint8_t)(diff_random(c) & class->random);
}

static void modrm(struct diff_case *c, struct form *f)
{
	unsigned mod = below(c, 3), rm = below(c, 8), reg = below(c, 8);
	uint8_t sib = (uint8_t)diff_random(c);

	if (c->class->reg >= 0)
		reg = (unsigned)c->class->reg;
	else if (c->class->reg == -2)
		reg = c->class->opcode[0] == 0x8c ? reg % 6 : reg == 6 ? 7
								       : reg;
	/* Of these the emulator forgets the immediate when it counts from the next instruction. */
	if (c->class->flags & NO_RIP && rm == 5)
		rm = 3;
	f->modrm = c->n;
	byte(c, (uint8_t)(mod << 6 | reg << 3 | rm));
	f->displacement_size = mod;
	if (f->address == 2) {
		if (mod == 0 && rm == 6)
			f->displacement_size = 2;
	} else {
		if (rm == 4) {
			f->sib = c->n;
			byte(c, sib);
		}
		if (mod == 2 || (mod == 0 && (rm == 5 || (rm == 4 && (sib & 7) == 5))))
			f->displacement_size = 4;
	}
	f->displacement = c->n;
	bytes(c, f->displacement_size);
}

static uint64_t little(const uint8_t *from, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, from, size);
	return size ? (uint64_t)((int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size)) : 0;
}

static void set_register(struct diff_case *c, unsigned reg, unsigned size, uint64_t value)
{
	uint64_t mask = size == 8 ? ~0ull : (1ull << 8 * size) - 1;

	if (c->state.mode != X86_64)
		value &= mask & 0xffffffff;
	if (c->state.mode == X86_64 && size == 4)
		value = (diff_random(c) & ~mask) | (value & mask);
	c->state.reg[reg] = value;
}

/* Chooses base, index or displacement so that the operand is at c->target. */
static void aim(struct diff_case *c, struct form *f)
{
	uint8_t m = c->bytes[f->modrm], sib = f->sib ? c->bytes[f->sib] : 0;
	unsigned mod = m >> 6, rm = m & 7, base = rm | (f->rex & 1) << 3, index = 16;
	uint64_t scale = 1ull << (sib >> 6), need = c->target - c->base[f->segment], part;

	if (f->address == 2) /* any offset is in the window */
		return;
	if (f->sib) {
		base = (sib & 7) | (f->rex & 1) << 3;
		index = (sib >> 3 & 7) | (f->rex & 2) << 2;
		if (index == 4)
			index = 16;
	}
	if (mod == 0 && (f->sib ? (sib & 7) == 5 : rm == 5))
		base = 16;
	if (c->state.mode == X86_64 && mod == 0 && !f->sib && rm == 5)
		need -= c->state.rip + c->n;
	if (base == 16 && index == 16) {
		memcpy(c->bytes + f->displacement, &need, 4);
		return;
	}
	need -= little(c->bytes + f->displacement, f->displacement_size);
	if (f->address == 4)
		need &= 0xffffffff;
	if (base == 16) {
		set_register(c, index, f->address, need / scale);
	} else if (index == 16) {
		set_register(c, base, f->address, need);
	} else if (base == index) {
		set_register(c, base, f->address, need / (1 + scale));
	} else {
		part = interesting(c);
		set_register(c, index, f->address, part);
		set_register(c, base, f->address, need - part * scale);
	}
}

static void default_segment_of(struct diff_case *c, struct form *f)
{
	uint8_t m = c->bytes[f->modrm], sib = f->sib ? c->bytes[f->sib] : 0;
	unsigned mod = m >> 6, rm = m & 7;
	bool stack;

	if (!f->default_segment)
		return;
	if (f->address == 2)
		stack = rm == 2 || rm == 3 || (rm == 6 && mod);
	else if (f->sib)
		stack = ((sib & 7) == 4 || ((sib & 7) == 5 && mod)) && !(f->rex & 1);
	else
		stack = rm == 5 && mod && !(f->rex & 1);
	f->segment = stack ? X86_SS : X86_DS;
}

static void memory_form(struct diff_case *c, struct form *f)
{
	unsigned imm = c->class->imm < 0 ? (f->operand == 2 ? 2 : 4) : (unsigned)c->class->imm;

	modrm(c, f);
	default_segment_of(c, f);
	bytes(c, imm);
	if (c->class->flags & BITS) {
		unsigned reg = (c->bytes[f->modrm] >> 3 & 7) | (f->rex & 4) << 1;

		c->state.reg[reg] = (uint64_t)(int64_t)((int)below(c, 4000) - 2000);
		if (c->state.mode != X86_64)
			c->state.reg[reg] &= 0xffffffff;
	}
	aim(c, f);
}

static void string_form(struct diff_case *c, struct form *f)
{
	unsigned address = f->address;
	uint64_t source = c->target - c->base[f->segment];
	uint64_t to = (c->target ^ (0x40u << below(c, 6))) - c->base[X86_ES];

	if (f->default_segment)
		source = c->target - c->base[X86_DS];
	set_register(c, X86_RSI, address, address == 2 ? diff_random(c) : source);
	set_register(c, X86_RDI, address, address == 2 ? diff_random(c) : to);
	set_register(c, X86_RCX, address, below(c, 12));
}

static void form_of(struct diff_case *c, struct form *f)
{
	uint64_t need;

	if (c->class->flags & STRING) {
		string_form(c, f);
	} else if (c->class->flags & MOFFS) {
		need = c->target - c->base[f->segment];
		memcpy(c->bytes + c->n, &need, f->address);
		c->n += f->address;
	} else if (c->class->flags & XLAT) {
		need = c->target - c->base[f->segment] - (c->state.reg[X86_RAX] & 0xff);
		if (f->address > 2)
			set_register(c, X86_RBX, f->address, need);
	} else if (c->class->flags & PLAIN) {
		bytes(c, c->class->imm < 0 ? f->operand == 2 ? 2 : 4 : (unsigned)c->class->imm);
		/* RET's immediate is unsigned; the emulator takes it as signed. */
		if (c->class->imm == 2)
			c->bytes[c->n - 1] &= 0x7f;
		c->state.reg[X86_RBP] = c->state.reg[X86_RSP] + 64;
	} else {
		memory_form(c, f);
	}
}

static void registers(struct diff_case *c)
{
	unsigned mode = c->state.mode;

	for (unsigned n = 0; n < X86_GPRS; n++)
		c->state.reg[n] = interesting(c) & (mode == X86_64 ? ~0ull : 0xffffffff);
	for (unsigned n = 0; n < 16; n++)
		for (unsigned at = 0; at < 32; at += 8)
			memcpy(c->vector[n] + at, &(uint64_t){ diff_random(c) }, 8);
	for (unsigned n = 0; n < X86_SEGMENTS; n++)
		if (mode == X86_16)
			c->base[n] = 0x10000 + 16 * below(c, 0x1000);
		else if (n >= X86_FS)
			c->base[n] = 16 * below(c, 0x1000);
	if (c->class->flags & DIVIDES && below(c, 4))
		c->state.reg[X86_RDX] = below(c, 2) ? below(c, 64) : 0;
	c->state.reg[X86_RSP] =
		mode == X86_16 ? 0x100 + below(c, 0xfe00) : WINDOW / 2 + below(c, 0x4000);
	c->state.rflags = 2 | (diff_random(c) & 0x8d5) | (below(c, 4) ? 0 : 0x400);
	c->target = (mode == X86_16 ? 0x20000 : WINDOW / 4) + below(c, 0x4000);
	if (c->class->flags & ALIGNED)
		c->target &= ~15ull;
}

void diff_generate(struct diff_case *c, uint64_t number)
{
	static const enum x86_mode modes[] = { X86_64, X86_64, X86_32, X86_16 };
	struct form f = { 0 };

	memset(c, 0, sizeof(*c));
	c->random = (number + 1) * 0x9e3779b97f4a7c15ull;
	diff_random(c);
	c->class = &diff_classes[below(c, diff_class_count)];
	c->state.mode = c->class->flags & ONLY_64 ? X86_64 : modes[below(c, 4)];
	/* The emulator has no SSE in real mode. */
	if (c->class->flags & VECTOR && c->state.mode == X86_16)
		c->state.mode = X86_32;
	c->state.rip = (number % (CODE_BYTES / 32)) * 32;
	registers(c);
	if (c->state.mode == X86_16)
		c->base[X86_CS] = CODE;
	else
		c->state.rip += CODE;
	prefixes(c, &f);
	opcode(c, &f);
	form_of(c, &f);
}
