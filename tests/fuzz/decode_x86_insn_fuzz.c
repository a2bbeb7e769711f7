/* Any bytes in any state: accesses have a device's widths and stay on a page, and what is
 * not done leaves the state as it was. */
#include "x86.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	uint8_t bytes[X86_BUFFER];
	uint8_t mode, n, walks, accesses, flags, iterations;
	struct x86_segment segment[X86_SEGMENTS];
	struct x86_state state;
};
static struct input in;

static bool translate(void *opaque, uint64_t linear, bool write, uint64_t *gpa, uint32_t *error)
{
	(void)opaque;
	*gpa = linear ^ 0x123456000;
	*error = write;
	return in.walks-- != 0;
}

static void check(uint64_t gpa, unsigned size)
{
	if (size == 0 || size > 8 || size & (size - 1) || (gpa & 0xfff) + size > 0x1000)
		abort();
}

static bool read_bus(void *opaque, uint64_t gpa, unsigned size, uint64_t *value)
{
	(void)opaque;
	check(gpa, size);
	*value = gpa * 0x9e3779b97f4a7c15;
	return in.accesses-- != 0;
}

static bool write_bus(void *opaque, uint64_t gpa, unsigned size, uint64_t value)
{
	(void)opaque;
	check(gpa, size);
	if (size < 8 && value >> 8 * size)
		abort();
	return in.accesses-- != 0;
}

static void segment(void *opaque, unsigned n, struct x86_segment *out)
{
	(void)opaque;
	if (n >= X86_SEGMENTS)
		abort();
	*out = in.segment[n];
}

static bool vector(void *opaque, enum x86_operand_kind kind, unsigned reg, bool write,
		   uint8_t value[32])
{
	(void)opaque;
	if (reg >= (kind == X86_MMX ? 8 : 16))
		abort();
	if (!write)
		memset(value, 0x5a, 32);
	return true;
}

static bool port(void *opaque, uint16_t number, unsigned size, bool write, uint32_t *value)
{
	(void)opaque, (void)number;
	if ((size != 1 && size != 2 && size != 4) || (write && size < 4 && *value >> 8 * size))
		abort();
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum x86_mode modes[] = { X86_16, X86_32, X86_64, X86_64 };
	static struct x86_cache cache;
	struct x86_env env = { .translate = translate,
			       .read = read_bus,
			       .write = write_bus,
			       .segment = segment };
	struct x86_outcome out = { 0 };
	const struct x86_insn *insn;
	struct x86_state before;
	enum x86_result result;
	bool is_string;

	memset(&in, 0, sizeof(in));
	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	/* A boolean is 0 or 1. */
	for (unsigned n = 0; n < X86_SEGMENTS; n++) {
		uint8_t bits = in.n >> 4;

		in.segment[n].readable = true, in.segment[n].writable = bits & 1;
		in.segment[n].expand_down = bits >> 1 & 1, in.segment[n].big = bits >> 2 & 1;
	}
	in.state.mode = modes[in.mode & 3];
	in.state.stack32 = in.mode >> 2 & 1;
	env.vector = in.flags & 1 ? vector : NULL;
	env.port = in.flags & 2 ? port : NULL;
	env.known = in.flags & 4;
	env.known_write = in.flags & 8;
	env.known_gpa = in.state.rip * 3;
	env.iterations = in.iterations;
	insn = x86_decode_cached(&cache, &in.state, in.bytes, (in.n & 15), &result, &out);
	if (!insn) {
		if (result == X86_DONE || (result == X86_REFUSED && !out.why))
			abort();
		return 0;
	}
	if (!insn->bytes || insn->bytes > (in.n & 15))
		abort();
	before = in.state;
	is_string = insn->repeat || insn->until_equal;
	result = x86_run(insn, &in.state, &env, &out);
	if (result == X86_AGAIN && !is_string)
		abort();
	if (result != X86_DONE && in.state.rip != before.rip)
		abort();
	if ((result == X86_REFUSED || result == X86_EXCEPTION) && !is_string &&
	    (memcmp(in.state.reg, before.reg, sizeof(before.reg)) != 0 ||
	     in.state.rflags != before.rflags))
		abort();
	return 0;
}
