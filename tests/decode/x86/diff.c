/* Both sides of a case, and the comparison. */
#include "diff.h"

#include "gen.h"
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unicorn/unicorn.h>

#define NO_EXCEPTION 256
#define MACHINES 3

static uint8_t ours[WINDOW], theirs[WINDOW];

struct machine {
	uc_engine *uc;
	int exception;
};
static struct machine machines[MACHINES];

static void die(const char *what, uc_err error)
{
	fprintf(stderr, "unicorn: %s: %s\n", what, uc_strerror(error));
	exit(2);
}

static void try(const char *what, uc_err error)
{
	if (error != UC_ERR_OK)
		die(what, error);
}

/* --- the emulator ------------------------------------------------------- */

static const int general[X86_GPRS] = {
	UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
	UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI,
	UC_X86_REG_R8, UC_X86_REG_R9, UC_X86_REG_R10, UC_X86_REG_R11,
	UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15
};
static const int general32[8] = { UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX,
				  UC_X86_REG_ESP, UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI };
static const int selectors[X86_SEGMENTS] = { UC_X86_REG_ES, UC_X86_REG_CS, UC_X86_REG_SS,
					     UC_X86_REG_DS, UC_X86_REG_FS, UC_X86_REG_GS };

static void on_interrupt(uc_engine *uc, uint32_t number, void *data)
{
	struct machine *m = data;

	m->exception = (int)number;
	uc_emu_stop(uc);
}

/* NOPs wherever a jump may land: the emulator looks ahead, and some bytes end it. */
static const uint8_t nops[CODE_BYTES + 0x1000] = { [0 ... CODE_BYTES + 0xfff] = 0x90 };

static struct machine *machine_of(unsigned mode)
{
	struct machine *m = &machines[mode == X86_64 ? 0 : mode == X86_32 ? 1
									  : 2];
	static const uc_mode modes[MACHINES] = { UC_MODE_64, UC_MODE_32, UC_MODE_16 };
	uc_hook hook;

	if (m->uc)
		return m;
	/* The emulator asks for huge pages for its code, and then touches one for each case. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	try("open", uc_open(UC_ARCH_X86, modes[m - machines], &m->uc));
	try("cpu", uc_ctl_set_cpu_model(m->uc, UC_CPU_X86_HASWELL));
	try("window", uc_mem_map_ptr(m->uc, 0, WINDOW, UC_PROT_ALL, theirs));
	try("code", uc_mem_map(m->uc, CODE, CODE_BYTES + 0x1000, UC_PROT_ALL));
	try("nops", uc_mem_write(m->uc, CODE, nops, sizeof(nops)));
	try("tables", uc_mem_map(m->uc, TABLES, 0x1000, UC_PROT_ALL));
	try("hook", uc_hook_add(m->uc, &hook, UC_HOOK_INTR, (void *)on_interrupt, m, 1, 0));
	return m;
}

/* Protected mode: flat segments, and FS and GS with bases of their own. */
static void descriptors(uc_engine *uc, const struct diff_case *c)
{
	static const uint8_t order[X86_SEGMENTS] = { 2, 1, 2, 2, 3, 4 };
	uc_x86_mmr gdtr = { .base = TABLES, .limit = 5 * 8 - 1 };
	uint64_t table[5] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0, 0 };

	for (unsigned n = X86_FS; n < X86_SEGMENTS; n++)
		table[order[n]] = table[2] | (c->base[n] & 0xffffff) << 16;
	try("table", uc_mem_write(uc, TABLES, table, sizeof(table)));
	try("gdtr", uc_reg_write(uc, UC_X86_REG_GDTR, &gdtr));
	for (unsigned n = 0; n < X86_SEGMENTS; n++)
		if (n != X86_CS)
			try("selector",
			    uc_reg_write(uc, selectors[n], &(uint64_t){ order[n] * 8 }));
}

static void set_segments(uc_engine *uc, const struct diff_case *c)
{
	if (c->state.mode == X86_64) {
		try("fs", uc_reg_write(uc, UC_X86_REG_FS_BASE, &c->base[X86_FS]));
		try("gs", uc_reg_write(uc, UC_X86_REG_GS_BASE, &c->base[X86_GS]));
	} else if (c->state.mode == X86_32) {
		descriptors(uc, c);
	} else {
		for (unsigned n = 0; n < X86_SEGMENTS; n++)
			try("segment",
			    uc_reg_write(uc, selectors[n], &(uint64_t){ c->base[n] >> 4 }));
	}
}

static void set_machine(struct machine *m, const struct diff_case *c)
{
	unsigned n = c->state.mode == X86_64 ? X86_GPRS : 8;
	const int *names = n == 8 ? general32 : general;

	m->exception = NO_EXCEPTION;
	for (unsigned k = 0; k < n; k++)
		try("register", uc_reg_write(m->uc, names[k], &c->state.reg[k]));
	try("flags", uc_reg_write(m->uc, UC_X86_REG_EFLAGS, &c->state.rflags));
	set_segments(m->uc, c);
	for (unsigned k = 0; c->class->flags & VECTOR && k < 16; k++) {
		try("xmm", uc_reg_write(m->uc, UC_X86_REG_XMM0 + (int)k, c->vector[k]));
		if (k < 8)
			try("mm", uc_reg_write(m->uc, UC_X86_REG_FP0 + (int)k, c->vector[k]));
	}
}

static void get_machine(struct machine *m, struct diff_case *c)
{
	unsigned n = c->state.mode == X86_64 ? X86_GPRS : 8;
	const int *names = n == 8 ? general32 : general;

	for (unsigned k = 0; k < n; k++) {
		c->state.reg[k] = 0;
		uc_reg_read(m->uc, names[k], &c->state.reg[k]);
	}
	uc_reg_read(m->uc, n == 8 ? UC_X86_REG_EIP : UC_X86_REG_RIP, &c->state.rip);
	/* In real mode the emulator's answer is a linear address. */
	if (c->state.mode == X86_16)
		c->state.rip -= CODE;
	uc_reg_read(m->uc, UC_X86_REG_EFLAGS, &c->state.rflags);
	for (unsigned k = 0; c->class->flags & VECTOR && k < 16; k++)
		uc_reg_read(m->uc, UC_X86_REG_XMM0 + (int)k, c->vector[k]);
}

/* What MMX registers are afterwards; the emulator keeps them apart. */
static void get_mmx(struct machine *m, uint64_t mm[8])
{
	for (int k = 0; k < 8; k++) {
		uint8_t whole[10] = { 0 };

		uc_reg_read(m->uc, UC_X86_REG_FP0 + k, whole);
		memcpy(&mm[k], whole, 8);
	}
}

/* The vector of an exception, NO_EXCEPTION, or -1 for an access outside of memory. */
static int emulate(struct machine *m, const struct diff_case *c)
{
	uint64_t at = c->state.rip + c->base[X86_CS] * (c->state.mode == X86_16);
	uint64_t rip = at;
	uc_err error = UC_ERR_OK;

	/* What it made of the code that was here before. */
	uc_ctl_remove_cache(m->uc, at, at + X86_BUFFER);
	try("code", uc_mem_write(m->uc, at, c->bytes, X86_BUFFER));
	/* Of a string operation it executes an iteration at a time. */
	for (unsigned n = 0; n < 16 && rip == at && error == UC_ERR_OK; n++) {
		error = uc_emu_start(m->uc, at, ~0ull, 0, 1);
		if (!(c->class->flags & STRING))
			break;
		uc_reg_read(m->uc, c->state.mode == X86_64 ? UC_X86_REG_RIP : UC_X86_REG_EIP, &rip);
	}
	try("code", uc_mem_write(m->uc, at, nops, X86_BUFFER));
	if (m->exception != NO_EXCEPTION)
		return m->exception;
	/* Behind a jump there is no code. */
	if (error == UC_ERR_OK || (error == UC_ERR_FETCH_UNMAPPED && c->class->flags & JUMPS))
		return NO_EXCEPTION;
	return error == UC_ERR_INSN_INVALID ? X86_UD : error == UC_ERR_EXCEPTION ? X86_GP
										 : -1;
}

/* --- ours --------------------------------------------------------------- */

static bool translate(void *opaque, uint64_t linear, bool write, uint64_t *gpa, uint32_t *error)
{
	(void)opaque, (void)write, (void)error;
	*gpa = linear;
	return true;
}

static bool bus_read(void *opaque, uint64_t gpa, unsigned size, uint64_t *value)
{
	(void)opaque;
	if (gpa > WINDOW - size)
		return false;
	*value = 0;
	memcpy(value, ours + gpa, size);
	return true;
}

static bool bus_write(void *opaque, uint64_t gpa, unsigned size, uint64_t value)
{
	(void)opaque;
	if (gpa > WINDOW - size)
		return false;
	memcpy(ours + gpa, &value, size);
	return true;
}

/* As the emulator has it. */
static uint16_t selector_of(unsigned mode, unsigned n)
{
	uint64_t value = 0;

	uc_reg_read(machine_of(mode)->uc, selectors[n], &value);
	return (uint16_t)value;
}

static void segment(void *opaque, unsigned n, struct x86_segment *out)
{
	const struct diff_case *c = opaque;

	*out = (struct x86_segment){ .base = c->base[n],
				     .limit = c->state.mode == X86_16 ? 0xffff : 0xffffffff,
				     .selector = selector_of(c->state.mode, n),
				     .readable = true,
				     .writable = true };
}

static bool vector(void *opaque, enum x86_operand_kind kind, unsigned reg, bool write,
		   uint8_t value[32])
{
	struct diff_case *c = opaque;
	(void)kind;

	if (write)
		memcpy(c->vector[reg], value, 32);
	else
		memcpy(value, c->vector[reg], 32);
	return true;
}

struct ours_result {
	enum x86_result result;
	struct x86_outcome out;
	struct x86_insn insn;
};

static void execute(struct diff_case *c, struct ours_result *o)
{
	const struct x86_env env = { .opaque = c,
				     .translate = translate,
				     .read = bus_read,
				     .write = bus_write,
				     .segment = segment,
				     .vector = vector };

	struct x86_state s = { .rip = c->state.rip,
			       .rflags = c->state.rflags,
			       .mode = (enum x86_mode)c->state.mode,
			       .stack32 = c->state.mode == X86_32 };

	memcpy(s.reg, c->state.reg, sizeof(s.reg));
	o->out = (struct x86_outcome){ 0 };
	o->result = x86_decode(&o->insn, s.mode, c->bytes, X86_MAX_BYTES, &o->out);
	if (o->result == X86_DONE)
		o->result = x86_run(&o->insn, &s, &env, &o->out);
	memcpy(c->state.reg, s.reg, sizeof(s.reg));
	c->state.rip = s.rip;
	c->state.rflags = s.rflags;
}

/* --- the comparison ----------------------------------------------------- */

/* Flags that the manual leaves open ("undefined", SDM volume 2). */
static uint64_t open_of_shift(const struct x86_insn *i, const struct diff_state *before, bool *any)
{
	const struct x86_operand *by = &i->operand[i->op == OP_DOUBLE_SHIFT ? 2 : 1];
	unsigned size = i->operand[0].size;
	uint64_t count = by->kind == X86_IMMEDIATE ? i->imm : before->reg[X86_RCX], open = 0;

	count &= size == 8 ? 63 : 31;
	*any = i->op == OP_DOUBLE_SHIFT && count > 8u * size;
	if (!count)
		return 0;
	if (count != 1)
		open |= OF;
	if (i->op == OP_DOUBLE_SHIFT)
		return open | AF;
	if (i->sub < SHIFT_SHL)
		return open;
	return open | AF | (i->sub != SHIFT_SAR && count >= 8u * size ? CF : 0);
}

static uint64_t open_flags(const struct x86_insn *i, const struct diff_state *before, bool *any)
{
	*any = false;
	switch (i->op) {
	case OP_ALU:
		return i->sub == ALU_OR || i->sub == ALU_AND || i->sub == ALU_XOR ||
				       i->sub == ALU_TEST
			       ? AF
			       : 0;
	case OP_SHIFT:
	case OP_DOUBLE_SHIFT: return open_of_shift(i, before, any);
	case OP_MULTIPLY: return SF | ZF | AF | PF;
	case OP_DIVIDE: return ARITHMETIC;
	case OP_BIT: return OF | SF | AF | PF;
	case OP_SCAN:
		if (i->sub == SCAN_POPCNT)
			return 0;
		return OF | SF | AF | PF | (i->sub <= SCAN_BSR ? CF : 0);
	default: return 0;
	}
}

/* BSF and BSR leave the destination open if there is no bit. CMPXCHG of 32 bits that succeeds
 * leaves RAX alone; the emulator clears its upper half. */
static bool is_open(unsigned reg, const struct x86_insn *i, const struct diff_state *ours_after,
		    const struct diff_state *theirs_after)
{
	if (i->op == OP_CMPXCHG)
		return reg == X86_RAX && i->operand[0].size == 4 && ours_after->rflags & ZF &&
		       (uint32_t)ours_after->reg[reg] == theirs_after->reg[reg];
	return i->op == OP_SCAN && i->sub <= SCAN_BSR && ours_after->rflags & ZF &&
	       i->operand[0].reg == reg;
}

static void show(FILE *out, uint64_t number, const struct diff_case *c, const char *what)
{
	fprintf(out, "# case %llu: %s, mode %u:", (unsigned long long)number, c->class->name,
		8u * c->state.mode);
	for (unsigned n = 0; n < c->n; n++)
		fprintf(out, " %02x", c->bytes[n]);
	fprintf(out, ": %s\n", what);
}

static bool same_vectors(struct machine *m, const struct diff_case *a, const struct diff_case *b,
			 const struct x86_insn *i)
{
	uint64_t mm[8];

	if (i->operand[0].kind == X86_MMX) {
		get_mmx(m, mm);
		return !memcmp(&mm[i->operand[0].reg], a->vector[i->operand[0].reg], 8);
	}
	for (unsigned n = 0; n < (a->state.mode == X86_64 ? 16 : 8); n++)
		if (memcmp(a->vector[n], b->vector[n], 16))
			return false;
	return true;
}

static bool same_memory(char *what, size_t room)
{
	unsigned at = 0;

	if (!memcmp(ours, theirs, WINDOW))
		return true;
	while (ours[at] == theirs[at])
		at++;
	snprintf(what, room, "memory at %x: %02x %02x %02x %02x, emulator %02x %02x %02x %02x", at,
		 ours[at], ours[at + 1], ours[at + 2], ours[at + 3], theirs[at], theirs[at + 1],
		 theirs[at + 2], theirs[at + 3]);
	return false;
}

static bool same(struct machine *m, const struct diff_case *a, const struct diff_case *b,
		 const struct diff_case *before, const struct x86_insn *i, char *what, size_t room)
{
	bool any;
	uint64_t care = (ARITHMETIC | DF) & ~open_flags(i, &before->state, &any);

	if (any) {
		memcpy(ours, theirs, WINDOW);
		return true;
	}
	for (unsigned n = 0; n < (a->state.mode == X86_64 ? X86_GPRS : 8); n++)
		if (a->state.reg[n] != b->state.reg[n] && !is_open(n, i, &a->state, &b->state))
			return snprintf(what, room, "register %u: %llx, emulator %llx, was %llx", n,
					(unsigned long long)a->state.reg[n],
					(unsigned long long)b->state.reg[n],
					(unsigned long long)before->state.reg[n]),
			       false;
	if (a->state.rip != b->state.rip)
		return snprintf(what, room, "rip %llx, emulator %llx",
				(unsigned long long)a->state.rip,
				(unsigned long long)b->state.rip),
		       false;
	if ((a->state.rflags ^ b->state.rflags) & care)
		return snprintf(what, room, "flags %llx, emulator %llx, was %llx",
				(unsigned long long)a->state.rflags,
				(unsigned long long)b->state.rflags,
				(unsigned long long)before->state.rflags),
		       false;
	if (a->class->flags & VECTOR && !same_vectors(m, a, b, i))
		return snprintf(what, room, "a vector register"), false;
	return same_memory(what, room);
}

/* Memory around the operand: now and then new, now and then with runs of one value. */
static void refill(struct diff_case *c)
{
	uint64_t at = (c->target & ~63ull) - 64, value = diff_random(c);
	uint64_t kind = diff_random(c) % 4;

	for (unsigned n = 0; n < 256; n += 8) {
		uint64_t word = diff_random(c);

		if (kind == 0)
			word = value % 256 * 0x0101010101010101ull;
		else if (kind == 1)
			word >>= diff_random(c) % 64;
		if (c->class->flags & JUMPS && c->state.mode == X86_64)
			word &= 0x7fffffffffffull >> (value & 8);
		memcpy(ours + at + n, &word, 8);
	}
	memcpy(theirs + at, ours + at, 256);
}

/* The emulator has no interrupt table, and says so, or nothing, of an exception of its own. */
static bool divided_badly(const struct ours_result *o, int exception)
{
	return o->result == X86_EXCEPTION && o->out.vector == X86_DE &&
	       (exception == X86_DE || exception == 8 || exception == NO_EXCEPTION);
}

static bool unchecked(const struct ours_result *o, int exception)
{
	if (o->result == X86_REFUSED)
		return exception == -1 || exception == X86_UD;
	return o->result == X86_EXCEPTION &&
	       (o->out.vector == X86_GP || o->out.vector == X86_SS_FAULT);
}

static bool unchanged(const struct diff_case *a, const struct diff_case *b)
{
	for (unsigned n = 0; n < (a->state.mode == X86_64 ? X86_GPRS : 8); n++)
		if (a->state.reg[n] != b->state.reg[n])
			return false;
	return true;
}

static void one(uint64_t number, struct diff_result *result, FILE *out)
{
	struct diff_case c, mine, other;
	char what[160] = "an exception that changes registers";
	struct ours_result o;
	struct machine *m;
	int exception;

	diff_generate(&c, number);
	m = machine_of(c.state.mode);
	refill(&c);
	mine = other = c;
	set_machine(m, &c);
	execute(&mine, &o);
	/* The emulator falls over a LOCK prefix that does not belong there. */
	if (o.result == X86_EXCEPTION && o.out.vector == X86_UD) {
		result->skipped++;
		return;
	}
	exception = emulate(m, &c);
	get_machine(m, &other);
	if (o.result == X86_DONE && exception == NO_EXCEPTION) {
		result->compared++;
		if (same(m, &mine, &other, &c, &o.insn, what, sizeof(what)))
			return;
	} else if (divided_badly(&o, exception)) {
		result->exceptions++;
		if (unchanged(&mine, &other) && !memcmp(ours, theirs, WINDOW))
			return;
	} else if (unchecked(&o, exception)) {
		memcpy(ours, theirs, WINDOW);
		result->skipped++; /* limits, alignment, canonical addresses */
		return;
	} else {
		snprintf(what, sizeof(what), "result %d (%s), vector %d; emulator %d", o.result,
			 o.out.why ? o.out.why : "", o.out.vector, exception);
	}
	show(out, number, &c, what);
	memcpy(ours, theirs, WINDOW);
	result->differing++;
}

void diff_run(uint64_t first, uint64_t count, struct diff_result *result, FILE *out)
{
	/* What memory holds does not depend on the cases before. */
	for (uint64_t n = 0; n < count; n++) {
		if (n % 4096 == 0) {
			memset(ours, 0x5a, WINDOW);
			memset(theirs, 0x5a, WINDOW);
		}
		one(first + n, result, out);
	}
}
