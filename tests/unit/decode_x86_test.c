/*
 * vmm/decode/x86: what the emulator of tests/decode/x86 cannot say: accesses,
 * exceptions, restarts, AVX; and ten thousand random encodings against it.
 */
#include "unit.h"

#include "diff.h"
#include "internal.h"

#include <string.h>

#define GPA 0xfe000000u /* linear addresses are at this gpa */

struct logged {
	bool write;
	uint64_t gpa;
	unsigned size;
	uint64_t value;
};

static struct {
	uint8_t memory[0x4000]; /* linear 0x1000 to 0x4fff */
	struct logged log[64];
	unsigned accesses, walks;
	uint64_t missing, read_only; /* pages */
	struct x86_segment segment[X86_SEGMENTS];
	uint8_t vector[16][32];
	uint64_t broken; /* gpa where nothing answers */
} m;
static struct x86_state s;
static struct x86_env env;
static struct x86_outcome out;
static struct x86_insn insn;

static bool translate(void *opaque, uint64_t linear, bool write, uint64_t *gpa, uint32_t *error)
{
	(void)opaque;
	m.walks++;
	*gpa = GPA + linear;
	*error = (uint32_t)write << 1;
	return linear >> 12 != m.missing && !(write && linear >> 12 == m.read_only);
}

static bool bus(bool write, uint64_t gpa, unsigned size, uint64_t *value)
{
	uint64_t at = gpa - GPA - 0x1000;

	assert_true(size == 1 || size == 2 || size == 4 || size == 8);
	assert_true(gpa % 0x1000 + size <= 0x1000);
	assert_true(at <= sizeof(m.memory) - size);
	if (gpa == m.broken)
		return false;
	if (write)
		memcpy(m.memory + at, value, size);
	else
		memcpy(value, m.memory + at, size);
	if (m.accesses < 64)
		m.log[m.accesses] = (struct logged){ write, gpa - GPA, size, *value };
	m.accesses++;
	return true;
}

static bool read_bus(void *opaque, uint64_t gpa, unsigned size, uint64_t *value)
{
	(void)opaque;
	*value = 0;
	return bus(false, gpa, size, value);
}

static bool write_bus(void *opaque, uint64_t gpa, unsigned size, uint64_t value)
{
	(void)opaque;
	assert_int_equal(value & ~x86_mask(size), 0);
	return bus(true, gpa, size, &value);
}

static void segment(void *opaque, unsigned n, struct x86_segment *segment_out)
{
	(void)opaque;
	*segment_out = m.segment[n];
}

static bool vector(void *opaque, enum x86_operand_kind kind, unsigned reg, bool write,
		   uint8_t value[32])
{
	(void)opaque, (void)kind;
	if (write)
		memcpy(m.vector[reg], value, 32);
	else
		memcpy(value, m.vector[reg], 32);
	return true;
}

static int setup(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	for (unsigned n = 0; n < sizeof(m.memory); n++)
		m.memory[n] = (uint8_t)(n * 7 + 1);
	for (unsigned n = 0; n < X86_SEGMENTS; n++)
		m.segment[n] = (struct x86_segment){
			.limit = ~0u, .readable = true, .writable = true
		};
	memset(m.vector, 0xee, sizeof(m.vector));
	s = (struct x86_state){ .rip = 0x400000, .rflags = 2, .mode = X86_64, .stack32 = true };
	s.reg[X86_RSP] = 0x4800;
	env = (struct x86_env){ .translate = translate,
				.read = read_bus,
				.write = write_bus,
				.segment = segment,
				.vector = vector };
	return 0;
}

static enum x86_result decode_bytes(const char *bytes, size_t n)
{
	uint8_t buffer[X86_BUFFER] = { 0 };

	memcpy(buffer, bytes, n);
	return x86_decode(&insn, s.mode, buffer, n, &out);
}

static enum x86_result run_bytes(const char *bytes, size_t n)
{
	enum x86_result result = decode_bytes(bytes, n);

	return result == X86_DONE ? x86_run(&insn, &s, &env, &out) : result;
}
#define RUN(bytes) run_bytes(bytes, sizeof(bytes) - 1)
#define DONE(bytes)                                                \
	do {                                                       \
		uint64_t rip_ = s.rip;                             \
		assert_int_equal(RUN(bytes), X86_DONE);            \
		assert_int_equal(s.rip, rip_ + sizeof(bytes) - 1); \
	} while (0)

static uint64_t memory(uint64_t linear, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, m.memory + linear - 0x1000, size);
	return value;
}

static void was(unsigned n, bool write, uint64_t at, unsigned size)
{
	assert_true(n < m.accesses);
	assert_int_equal(m.log[n].write, write);
	assert_int_equal(m.log[n].gpa, at);
	assert_int_equal(m.log[n].size, size);
}

static void widths(void **state)
{
	(void)state;
	s.reg[X86_RBX] = 0x2000;
	DONE("\x8a\x03");
	DONE("\x66\x8b\x03");
	DONE("\x8b\x03");
	DONE("\x48\x8b\x03");
	DONE("\x0f\xb7\x03");
	assert_int_equal(m.accesses, 5);
	was(0, false, 0x2000, 1);
	was(1, false, 0x2000, 2);
	was(2, false, 0x2000, 4);
	was(3, false, 0x2000, 8);
	was(4, false, 0x2000, 2);
	m.accesses = 0;
	DONE("\xf0\x83\x0b\x01"); /* lock or dword [rbx], 1 */
	assert_int_equal(m.accesses, 2);
	was(0, false, 0x2000, 4);
	was(1, true, 0x2000, 4);
	m.accesses = 0;
	DONE("\xf3\x0f\x6f\x03"); /* movdqu xmm0, [rbx] */
	assert_int_equal(m.accesses, 2);
	was(0, false, 0x2000, 8);
	was(1, false, 0x2008, 8);
}

static void across_pages(void **state)
{
	uint64_t value = 0x8877665544332211;

	(void)state;
	s.reg[X86_RBX] = 0x2ffd;
	s.reg[X86_RAX] = value;
	DONE("\x48\x89\x03");
	assert_int_equal(memory(0x2ffd, 8), value);
	assert_int_equal(m.accesses, 4);
	was(0, true, 0x2ffd, 2);
	was(1, true, 0x2fff, 1);
	was(2, true, 0x3000, 4);
	was(3, true, 0x3004, 1);
	s.reg[X86_RCX] = 0;
	DONE("\x48\x8b\x0b");
	assert_int_equal(s.reg[X86_RCX], value);
	m.accesses = 0;
	m.missing = 3;
	assert_int_equal(RUN("\x48\x89\x03"), X86_EXCEPTION);
	assert_int_equal(out.vector, X86_PF);
	assert_true(out.has_error_code);
	assert_int_equal(out.error_code, 2);
	assert_int_equal(out.cr2, 0x3000);
	assert_int_equal(m.accesses, 0);
}

static void the_exit_says_where(void **state)
{
	(void)state;
	env.known = true;
	env.known_gpa = GPA + 0x2004;
	s.reg[X86_RBX] = 0x7004;
	DONE("\x8b\x03");
	assert_int_equal(m.walks, 0);
	was(0, false, 0x2004, 4);
	/* A read said so; whether it may be written is for the walk. */
	s.reg[X86_RBX] = 0x2004;
	m.read_only = 2;
	assert_int_equal(RUN("\x01\x03"), X86_EXCEPTION);
	assert_int_equal(out.cr2, 0x2004);
	env.known_write = true;
	DONE("\x01\x03");
	assert_int_equal(m.walks, 1);
	/* Either access may have been meant. */
	s.reg[X86_RSI] = 0x3004, s.reg[X86_RDI] = 0x4004;
	DONE("\xa5");
	assert_int_equal(m.walks, 3);
	assert_int_equal(memory(0x4004, 4), memory(0x3004, 4));
	DONE("\xff\x33"); /* push [rbx] */
	assert_int_equal(memory(0x47f8, 8), memory(0x2004, 8));
}

static void restarts(void **state)
{
	(void)state;
	s.reg[X86_RDI] = 0x2000, s.reg[X86_RCX] = 150, s.reg[X86_RAX] = 0x5a;
	assert_int_equal(RUN("\xf3\xaa"), X86_AGAIN);
	assert_int_equal(s.rip, 0x400000);
	assert_int_equal(s.reg[X86_RCX], 150 - 64);
	assert_int_equal(RUN("\xf3\xaa"), X86_AGAIN);
	DONE("\xf3\xaa");
	assert_int_equal(s.reg[X86_RCX], 0);
	assert_int_equal(s.reg[X86_RDI], 0x2000 + 150);
	assert_int_equal(m.accesses, 150);
	assert_int_equal(memory(0x2000 + 149, 1), 0x5a);
	assert_int_not_equal(memory(0x2000 + 150, 1), 0x5a);
	/* A page that is not there, in the fourth iteration. */
	s.reg[X86_RSI] = 0x2000, s.reg[X86_RDI] = 0x3ff4, s.reg[X86_RCX] = 9;
	m.missing = 4;
	assert_int_equal(RUN("\xf3\xa5"), X86_EXCEPTION);
	assert_int_equal(out.cr2, 0x4000);
	assert_int_equal(s.reg[X86_RCX], 6);
	assert_int_equal(s.reg[X86_RSI], 0x200c);
	env.iterations = 1;
	m.missing = 0;
	assert_int_equal(RUN("\xf3\xa5"), X86_AGAIN);
	assert_int_equal(s.reg[X86_RCX], 5);
}

static bool port(void *opaque, uint16_t number, unsigned size, bool write, uint32_t *value)
{
	(void)opaque;
	assert_int_equal(number, 0x3f8);
	assert_int_equal(size, 2);
	if (!write)
		*value = 0x1234;
	return true;
}

static void ports(void **state)
{
	(void)state;
	s.reg[X86_RDI] = 0x2000, s.reg[X86_RCX] = 3, s.reg[X86_RDX] = 0x3f8;
	assert_int_equal(RUN("\x66\xf3\x6d"), X86_REFUSED);
	assert_int_equal(decode_bytes("\x66\xf3\x6d", 3), X86_DONE);
	assert_int_equal(insn.op, OP_STRING);
	assert_int_equal(insn.sub, STRING_INS);
	assert_int_equal(insn.size, 2);
	assert_true(insn.repeat);
	env.port = port;
	DONE("\x66\xf3\x6d");
	assert_int_equal(memory(0x2000, 6), 0x123412341234);
}

static void exceptions(void **state)
{
	struct x86_state before;

	(void)state;
	s.reg[X86_RBX] = 0x2000;
	m.memory[0x1000] = 0;
	before = s;
	assert_int_equal(RUN("\xf6\x33"), X86_EXCEPTION); /* div byte [rbx] */
	assert_int_equal(out.vector, X86_DE);
	assert_false(out.has_error_code);
	assert_memory_equal(&s, &before, sizeof(s));
	assert_int_equal(RUN("\xf0\x89\x03"), X86_EXCEPTION); /* lock mov */
	assert_int_equal(out.vector, X86_UD);
	assert_int_equal(RUN("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x8b"),
			 X86_EXCEPTION);
	assert_int_equal(out.vector, X86_GP);
	s.reg[X86_RBX] = 0x0000800000000000;
	assert_int_equal(RUN("\x8b\x03"), X86_EXCEPTION);
	assert_int_equal(out.vector, X86_GP);
	assert_int_equal(out.error_code, 0);
	s.reg[X86_RBP] = s.reg[X86_RBX];
	assert_int_equal(RUN("\x8b\x45\x00"), X86_EXCEPTION);
	assert_int_equal(out.vector, X86_SS_FAULT);
	s.reg[X86_RBX] = 0x2008;
	assert_int_equal(RUN("\x66\x0f\x6f\x03"), X86_EXCEPTION); /* movdqa */
	assert_int_equal(RUN("\x48\x0f\xc7\x0b"), X86_EXCEPTION); /* cmpxchg16b */
	/* jmp [rbx] to where no address is */
	memset(m.memory + 0x1008, 0x77, 8);
	assert_int_equal(RUN("\xff\x23"), X86_EXCEPTION);
	assert_int_equal(out.vector, X86_GP);
}

static void limits(void **state)
{
	(void)state;
	s.mode = X86_32;
	s.reg[X86_RBX] = 0x2ffc;
	m.segment[X86_DS].limit = 0x2fff;
	DONE("\x8b\x03");
	s.reg[X86_RBX]++;
	assert_int_equal(RUN("\x8b\x03"), X86_EXCEPTION);
	assert_int_equal(out.vector, X86_GP);
	m.segment[X86_DS].expand_down = m.segment[X86_DS].big = true;
	assert_int_equal(RUN("\x8b\x03"), X86_EXCEPTION);
	s.reg[X86_RBX] = 0x3000;
	DONE("\x8b\x03");
	m.segment[X86_DS].writable = false;
	assert_int_equal(RUN("\x89\x03"), X86_EXCEPTION);
	m.segment[X86_SS].limit = 0x1fff;
	assert_int_equal(RUN("\x50"), X86_EXCEPTION);
	assert_int_equal(out.vector, X86_SS_FAULT);
	m.segment[X86_GS].base = 0x1000;
	s.reg[X86_RBX] = 0x1000;
	DONE("\x65\x8b\x03");
	assert_int_equal(s.reg[X86_RAX], memory(0x2000, 4));
	s.mode = X86_64;
	DONE("\x65\x8b\x03");
}

static void refusals(void **state)
{
	struct x86_state before;

	(void)state;
	s.reg[X86_RBX] = 0x2000;
	before = s;
	assert_int_equal(decode_bytes("\x48\x8b", 2), X86_REFUSED);
	assert_string_equal(out.why, "bytes of the instruction are missing");
	assert_int_equal(RUN("\xd9\x03"), X86_REFUSED); /* fld */
	assert_string_equal(out.why, "an instruction that is not carried out on a device");
	assert_int_equal(RUN("\x0f\xae\x03"), X86_REFUSED); /* fxsave */
	assert_int_equal(RUN("\xff\x1b"), X86_REFUSED);     /* call far */
	assert_int_equal(RUN("\x8e\x1b"), X86_REFUSED);     /* mov ds, [rbx] */
	assert_int_equal(RUN("\xff\xff"), X86_REFUSED);
	assert_string_equal(out.why, "bytes that the decoder does not know");
	env.vector = NULL;
	assert_int_equal(RUN("\x0f\x10\x03"), X86_REFUSED);
	m.broken = GPA + 0x2000;
	assert_int_equal(RUN("\x01\x03"), X86_REFUSED);
	assert_int_equal(RUN("\x8f\x03"), X86_REFUSED); /* pop [rbx] */
	assert_string_equal(out.why, "nothing answers the access");
	assert_memory_equal(&s, &before, sizeof(s));
}

static void avx(void **state)
{
	uint8_t want[32];

	(void)state;
	s.reg[X86_RBX] = 0x2000;
	memcpy(want, m.memory + 0x1000, 32);
	DONE("\xc5\xfe\x6f\x03"); /* vmovdqu ymm0, [rbx] */
	assert_memory_equal(m.vector[0], want, 32);
	assert_int_equal(m.accesses, 4);
	DONE("\xc5\xfe\x7f\x43\x40"); /* vmovdqu [rbx + 64], ymm0 */
	assert_memory_equal(m.memory + 0x1040, want, 32);
	memset(want + 16, 0, 16);
	DONE("\xc5\xf8\x28\x0b"); /* vmovaps xmm1, [rbx] */
	assert_memory_equal(m.vector[1], want, 32);
	memset(want + 16, 0xee, 16);
	DONE("\x0f\x28\x13"); /* movaps xmm2, [rbx] */
	assert_memory_equal(m.vector[2], want, 32);
	memset(want, 0xee, 16);
	memcpy(want + 8, m.memory + 0x1000, 8);
	memset(want + 16, 0, 16);
	DONE("\xc5\xd8\x16\x1b"); /* vmovhps xmm3, xmm4, [rbx] */
	assert_memory_equal(m.vector[3], want, 32);
	memset(want, 0, 32);
	memcpy(want, m.memory + 0x1000, 4);
	DONE("\xc5\xfa\x10\x2b"); /* vmovss xmm5, [rbx] */
	assert_memory_equal(m.vector[5], want, 32);
	s.reg[X86_RBX] += 16;
	assert_int_equal(RUN("\xc5\xfd\x6f\x03"), X86_EXCEPTION); /* vmovdqa ymm0 */
	DONE("\xc5\xf9\x6f\x03");
}

/* What the emulator does not have, or has otherwise than the manual. */
static void not_in_the_emulator(void **state)
{
	(void)state;
	s.reg[X86_RBX] = 0x2000;
	memcpy(m.memory + 0x1000, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	DONE("\x0f\x38\xf0\x03"); /* movbe eax, [rbx] */
	assert_int_equal(s.reg[X86_RAX], 0x88776655);
	DONE("\x48\x0f\x38\xf0\x03");
	assert_int_equal(s.reg[X86_RAX], 0x8877665544332211);
	DONE("\x66\x0f\x38\xf1\x43\x10");
	assert_int_equal(memory(0x2010, 2), 0x1122);
	s.rflags |= CF | OF | SF;
	DONE("\xf3\x0f\xb8\x0b"); /* popcnt ecx, [rbx] */
	assert_int_equal(s.reg[X86_RCX], 2 + 6 + 4 + 4);
	assert_int_equal(s.rflags, 2);
	DONE("\x44\xc7\x03\x78\x56\x34\x12"); /* mov dword [rbx], imm, with REX.R */
	assert_int_equal(memory(0x2000, 4), 0x12345678);
	DONE("\xf0\xf6\x1b"); /* lock neg byte [rbx] */
	assert_int_equal(memory(0x2000, 1), 0x88);
	assert_int_equal(s.rflags, 2 | CF | SF | PF | AF);
	s.reg[X86_RAX] = 0xffffffff;
	s.rip = 0x1f00 - 8;
	assert_int_equal(RUN("\x0f\xa4\x05\x00\x01\x00\x00\x04"), X86_DONE); /* shld [rip + 256] */
	was(m.accesses - 1, true, 0x2000, 4);
	assert_int_equal(memory(0x2000, 4), 0x2345688f);
	memcpy(m.memory + 0x3800, "\x00\x10\x00\x00\x00\x00\x00\x00", 8);
	assert_int_equal(RUN("\xc2\x00\x80"), X86_DONE); /* ret 8000h */
	assert_int_equal(s.rip, 0x1000);
	assert_int_equal(s.reg[X86_RSP], 0x4808 + 0x8000);
	/* Zydis takes R13 for the base. */
	s.reg[13] = 0x777, s.rip = 0x400000;
	DONE("\x67\x41\x8b\x04\x25\x00\x20\x00\x00");
	assert_int_equal(s.reg[X86_RAX], memory(0x2000, 4));
}

static void steps(void **state)
{
	(void)state;
	s.reg[X86_RBX] = 0x2000;
	s.rflags |= TF | RF;
	DONE("\x8b\x03");
	assert_true(out.single_step);
	assert_int_equal(s.rflags & RF, 0);
	s.rflags &= ~(uint64_t)TF;
	DONE("\x8b\x03");
	assert_false(out.single_step);
}

static void cache(void **state)
{
	static struct x86_cache c;
	static const uint8_t long_one[X86_BUFFER] =
		"\x48\xc7\x84\xc8\x78\x56\x34\x12\x44\x33\x22\x11";
	uint8_t bytes[X86_BUFFER] = "\x8b\x03\x90";
	const struct x86_insn *first, *again;
	enum x86_result result;

	(void)state;
	first = x86_decode_cached(&c, &s, bytes, 15, &result, &out);
	assert_non_null(first);
	bytes[2] = 0xcc; /* the next instruction */
	again = x86_decode_cached(&c, &s, bytes, 15, &result, &out);
	assert_ptr_equal(first, again);
	bytes[1] = 0x0b;
	again = x86_decode_cached(&c, &s, bytes, 15, &result, &out);
	assert_int_equal(again->operand[0].reg, X86_RCX);
	s.mode = X86_32;
	bytes[0] = 0x40, bytes[1] = 0xff, bytes[2] = 0x00;
	again = x86_decode_cached(&c, &s, bytes, 15, &result, &out);
	assert_int_equal(again->bytes, 1); /* inc eax */
	s.mode = X86_64;
	again = x86_decode_cached(&c, &s, bytes, 15, &result, &out);
	assert_int_equal(again->bytes, 3); /* inc dword [rax], with a REX prefix */
	again = x86_decode_cached(&c, &s, bytes, 2, &result, &out);
	assert_null(again);
	assert_int_equal(result, X86_REFUSED);
	again = x86_decode_cached(&c, &s, long_one, 12, &result, &out);
	assert_int_equal(again->bytes, 12);
	assert_ptr_equal(x86_decode_cached(&c, &s, long_one, 12, &result, &out), again);
	assert_null(x86_decode_cached(&c, &s, long_one, 11, &result, &out));
}

/* Every name of the table is found: it is in the order of the numbers. */
static void table(void **state)
{
	unsigned found = 0;

	(void)state;
	for (unsigned n = 0; n < 0x2000; n++)
		found += x86_op_of(n) != NULL;
	assert_int_equal(found, x86_op_count);
}

static void random_encodings(void **state)
{
	struct diff_result r = { 0 };

	(void)state;
	diff_run(0, 10000, &r, stderr);
	assert_int_equal(r.differing, 0);
	assert_true(r.compared > 9000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(widths, setup),
		cmocka_unit_test_setup(across_pages, setup),
		cmocka_unit_test_setup(the_exit_says_where, setup),
		cmocka_unit_test_setup(restarts, setup),
		cmocka_unit_test_setup(ports, setup),
		cmocka_unit_test_setup(exceptions, setup),
		cmocka_unit_test_setup(limits, setup),
		cmocka_unit_test_setup(refusals, setup),
		cmocka_unit_test_setup(avx, setup),
		cmocka_unit_test_setup(not_in_the_emulator, setup),
		cmocka_unit_test_setup(steps, setup),
		cmocka_unit_test_setup(cache, setup),
		cmocka_unit_test_setup(table, setup),
		cmocka_unit_test_setup(random_encodings, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
