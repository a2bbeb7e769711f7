/* An instruction that the monitor has to carry out, decoded by vmm/decode/x86. */
#include "arch.h"
#include "walk.h"

#include <selvage/base.h>
#include <string.h>

#define PAGE 0x1000u
#define CPL3 3u
#define RFLAGS_VM (1u << 17)
#define CR0_PE 1u
#define EFER_LMA (1u << 10)
#define TYPE_CODE 8u
#define TYPE_EXPAND_DOWN 4u
#define TYPE_WRITABLE 2u /* of code: readable */

/* In the order of X86_ES. */
static const struct {
	uint8_t segment, base;
} segments[X86_SEGMENTS] = {
	[X86_ES] = { VCPU_ES, VCPU_ES_BASE },
	[X86_CS] = { VCPU_CS, VCPU_CS_BASE },
	[X86_SS] = { VCPU_SS, VCPU_SS_BASE },
	[X86_DS] = { VCPU_DS, VCPU_DS_BASE },
	[X86_FS] = { VCPU_FS, VCPU_FS_BASE },
	[X86_GS] = { VCPU_GS, VCPU_GS_BASE },
};

struct context {
	struct vm_vcpu *vc;
	const struct bus_region *device; /* that it has accessed, or NULL */
	struct walk_x86 walk;
};

static uint64_t get(struct vm_vcpu *vc, unsigned reg) { return vcpu_get(&vc->cpu.cpu, reg); }

static unsigned attributes(struct vm_vcpu *vc, unsigned reg)
{
	return VCPU_SEG_ATTRIBUTES(get(vc, reg));
}

static enum x86_mode mode_of(struct vm_vcpu *vc)
{
	const unsigned code = attributes(vc, VCPU_CS);

	if ((get(vc, VCPU_EFER) & EFER_LMA) && (code & VCPU_ATTR_LONG))
		return X86_64;
	return code & VCPU_ATTR_DB ? X86_32 : X86_16;
}

/* Real mode is level 0, virtual-8086 mode level 3. In 64-bit mode CS says it too, which
 * came along; in others it may not have been loaded since real mode. */
static bool is_user(struct vm_vcpu *vc, enum x86_mode mode)
{
	if (mode == X86_64)
		return (VCPU_SEG_SELECTOR(get(vc, VCPU_CS)) & 3u) == CPL3;
	if (!(get(vc, VCPU_CR0) & CR0_PE))
		return false;
	if (get(vc, VCPU_RFLAGS) & RFLAGS_VM)
		return true;
	return (attributes(vc, VCPU_SS) >> VCPU_ATTR_DPL_SHIFT & 3u) == CPL3;
}

static struct walk_x86 walk_of(struct vm_vcpu *vc, enum x86_mode mode)
{
	return (struct walk_x86){ .cr0 = get(vc, VCPU_CR0),
				  .cr3 = get(vc, VCPU_CR3),
				  .cr4 = get(vc, VCPU_CR4),
				  .efer = get(vc, VCPU_EFER),
				  .user = is_user(vc, mode) };
}

static unsigned fetch(struct vm_vcpu *vc, const struct walk_x86 *walk, enum x86_mode mode,
		      uint8_t *bytes, unsigned n)
{
	uint64_t linear = get(vc, VCPU_RIP);
	unsigned done = 0;

	if (mode != X86_64)
		linear = (uint32_t)(linear + get(vc, VCPU_CS_BASE));
	while (done < n) {
		const unsigned part = (unsigned)min_u64(n - done, PAGE - (linear + done) % PAGE);
		const void *from = NULL;
		uint64_t gpa;
		uint32_t code;

		if (walk_x86(&vc->vm->mem, walk, linear + done, false, &gpa, &code))
			from = gmem_span(&vc->vm->mem, gpa, part);
		if (from == NULL)
			break;
		memcpy(bytes + done, from, part);
		done += part;
	}
	return done;
}

unsigned emulate_fetch(struct vm_vcpu *vc, uint8_t *bytes, unsigned n)
{
	const enum x86_mode mode = mode_of(vc);
	const struct walk_x86 walk = walk_of(vc, mode);

	return fetch(vc, &walk, mode, bytes, n);
}

unsigned emulate_mode(struct vm_vcpu *vc) { return 8 * (unsigned)mode_of(vc); }

bool emulate_translate(struct vm_vcpu *vc, uint64_t linear, uint64_t *gpa)
{
	struct walk_x86 walk = walk_of(vc, mode_of(vc));
	uint32_t code;

	walk.user = false;
	return walk_x86(&vc->vm->mem, &walk, linear, false, gpa, &code);
}

/* --- What the decoder asks for ----------------------------------------------------- */

static bool translate(void *opaque, uint64_t linear, bool write, uint64_t *gpa, uint32_t *code)
{
	struct context *c = opaque;

	return walk_x86(&c->vc->vm->mem, &c->walk, linear, write, gpa, code);
}

__attribute__((cold, noinline)) static void misused(struct context *c, struct mmio *m,
						    enum mmio_outcome outcome)
{
	if (outcome == MMIO_FAULT && !m->write)
		m->value = mmio_mask(m); /* nobody answers */
	vm_misuse(c->vc, c->device->name, c->device, m);
}

static bool access_device(struct context *c, uint64_t gpa, struct mmio *m)
{
	const struct bus_region *r = pc_device(c->vc->vm, gpa);
	enum mmio_outcome outcome;

	if (r == NULL)
		return false;
	c->device = r;
	outcome = bus_access(r, gpa, c->vc->index, m);
	if (outcome != MMIO_HANDLED)
		misused(c, m, outcome);
	return true;
}

static bool read_gpa(void *opaque, uint64_t gpa, unsigned size, uint64_t *value)
{
	struct context *c = opaque;
	struct mmio m = { .size = (uint8_t)size };

	*value = 0;
	if (!access_device(c, gpa, &m))
		return gmem_read(&c->vc->vm->mem, gpa, value, size);
	*value = m.value;
	return true;
}

static bool write_gpa(void *opaque, uint64_t gpa, unsigned size, uint64_t value)
{
	struct context *c = opaque;
	struct mmio m = { .size = (uint8_t)size, .write = true, .value = value };

	return access_device(c, gpa, &m) || gmem_write(&c->vc->vm->mem, gpa, &value, size);
}

static void segment(void *opaque, unsigned number, struct x86_segment *out)
{
	struct vm_vcpu *vc = ((struct context *)opaque)->vc;
	const uint64_t s = get(vc, segments[number].segment);
	const unsigned a = VCPU_SEG_ATTRIBUTES(s);
	const bool code = a & TYPE_CODE;

	*out = (struct x86_segment){
		.base = get(vc, segments[number].base),
		.limit = VCPU_SEG_LIMIT(s),
		.selector = VCPU_SEG_SELECTOR(s),
		.readable = !code || (a & TYPE_WRITABLE),
		.writable = !code && (a & TYPE_WRITABLE),
		.expand_down = !code && (a & TYPE_EXPAND_DOWN),
		.big = a & VCPU_ATTR_DB,
	};
}

static bool port(void *opaque, uint16_t number, unsigned size, bool write, uint32_t *value)
{
	struct context *c = opaque;
	struct mmio m = { .size = (uint8_t)size, .write = write, .value = *value };

	pc_port(c->vc->vm, number, &m);
	if (m.reason != NULL)
		port_misuse(c->vc, number, &m);
	if (!write)
		*value = (uint32_t)m.value;
	return true;
}

/* Guests have no AVX: the upper half of a register is none. */
static bool vector(void *opaque, enum x86_operand_kind kind, unsigned reg, bool write,
		   uint8_t value[32])
{
	struct vcpu_sel4 *v = &((struct context *)opaque)->vc->cpu;
	uint64_t word[4] = { 0 };
	bool done;

	if (write)
		memcpy(word, value, sizeof(word));
	if (kind == X86_MMX)
		done = write ? vcpu_sel4_set_mmx(v, reg, word[0]) : vcpu_sel4_get_mmx(v, reg, word);
	else
		done = write ? vcpu_sel4_set_xmm(v, reg, word) : vcpu_sel4_get_xmm(v, reg, word);
	if (!write)
		memcpy(value, word, kind == X86_MMX ? sizeof(word[0]) : sizeof(word));
	return done;
}

/* --- The instruction ---------------------------------------------------------------- */

static void get_state(struct vm_vcpu *vc, enum x86_mode mode, struct x86_state *s)
{
	s->rip = get(vc, VCPU_RIP);
	s->rflags = get(vc, VCPU_RFLAGS);
	s->mode = mode;
	memcpy(s->reg, vcpu_get_first(&vc->cpu.cpu, X86_GPRS), sizeof(s->reg));
	s->stack32 = mode != X86_64 && (attributes(vc, VCPU_SS) & VCPU_ATTR_DB);
}

static void put(struct vm_vcpu *vc, unsigned reg, uint64_t value)
{
	if (get(vc, reg) != value)
		vcpu_set(&vc->cpu.cpu, reg, value);
}

static void put_state(struct vm_vcpu *vc, const struct x86_state *s)
{
	const uint64_t *old = vcpu_get_first(&vc->cpu.cpu, X86_GPRS);

#pragma GCC unroll 16
	for (unsigned i = 0; i < X86_GPRS; i++)
		if (old[i] != s->reg[i])
			vcpu_set(&vc->cpu.cpu, VCPU_RAX + i, s->reg[i]);
	put(vc, VCPU_RFLAGS, s->rflags);
	if (get(vc, VCPU_RIP) == s->rip)
		return;
	vcpu_set(&vc->cpu.cpu, VCPU_RIP, s->rip);
	vcpu_set(&vc->cpu.cpu, VCPU_SHADOW, 0);
}

static void raise(struct vm_vcpu *vc, const struct x86_outcome *o)
{
	if (o->vector == X86_PF)
		vcpu_set(&vc->cpu.cpu, VCPU_CR2, o->cr2);
	vcpu_inject_exception(&vc->cpu.cpu, o->vector, o->has_error_code, o->error_code);
}

/*
 * The processor was at the event's gate, descriptors or stack, not at the instruction. Not
 * asked for before each access: an instruction that has nothing to do with a device comes soon.
 */
static bool delivers(const struct context *c, const struct vcpu_exit *e)
{
	return e->reason == VCPU_EXIT_MMIO_OPAQUE && !c->device &&
	       (get(c->vc, VCPU_EVENT) & ABI_VCPU_EVENT_VALID);
}

static const char *run(struct context *c, const struct x86_insn *insn, struct x86_state *s,
		       const struct vcpu_exit *e)
{
	const struct x86_env env = {
		.opaque = c,
		.translate = translate,
		.read = read_gpa,
		.write = write_gpa,
		.segment = segment,
		.vector = vector,
		.port = port,
		.known = e->reason == VCPU_EXIT_MMIO_OPAQUE,
		.known_write = e->write,
		.known_gpa = e->gpa,
	};
	struct x86_outcome o = { 0 };
	const enum x86_result result = x86_run(insn, s, &env, &o);

	if (delivers(c, e))
		return "an event's delivery through device memory";
	if (result == X86_REFUSED)
		return o.why;
	put_state(c->vc, s);
	if (result == X86_EXCEPTION)
		raise(c->vc, &o);
	else if (o.single_step && is_stepped(c->vc))
		vcpu_inject_step(&c->vc->cpu.cpu);
	return NULL;
}

/* Those that a decoded instruction of 16 or 32 bits needs, beside what came along. */
#define SEGMENT_REGS                                                                     \
	(vcpu_bit(VCPU_ES) | vcpu_bit(VCPU_SS) | vcpu_bit(VCPU_DS) | vcpu_bit(VCPU_FS) | \
	 vcpu_bit(VCPU_GS) | vcpu_bit(VCPU_CS_BASE) | vcpu_bit(VCPU_ES_BASE) |           \
	 vcpu_bit(VCPU_SS_BASE) | vcpu_bit(VCPU_DS_BASE) | vcpu_bit(VCPU_FS_BASE) |      \
	 vcpu_bit(VCPU_GS_BASE))

const char *emulate(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	uint8_t bytes[X86_BUFFER] = { 0 };
	enum x86_result result = X86_REFUSED;
	struct x86_outcome o = { .why = "its instruction is not in memory" };
	struct context c = { .vc = vc };
	const enum x86_mode mode = mode_of(vc);
	const struct x86_insn *insn;
	struct x86_state s;
	unsigned n;

	if (mode != X86_64)
		arch_fetch(vc, SEGMENT_REGS);
	c.walk = walk_of(vc, mode);
	get_state(vc, mode, &s);
	n = fetch(vc, &c.walk, mode, bytes, X86_MAX_BYTES);
	if (n == 0)
		return o.why;
	insn = x86_decode_cached(&vc->insn, &s, bytes, n, &result, &o);
	if (insn != NULL)
		return run(&c, insn, &s, e);
	if (delivers(&c, e))
		return "an event's delivery through device memory";
	if (result != X86_EXCEPTION)
		return o.why;
	raise(vc, &o);
	return NULL;
}
