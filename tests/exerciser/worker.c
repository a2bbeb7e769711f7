/*
 * What a worker does: random system calls with arguments that are mostly
 * plausible, so that most get past the first checks. No global is written and
 * no thread-local storage used: the image is read-only here.
 */
#include "worker.h"

#include <abi/ext.h>
#include <abi/fault.h>
#include <abi/invocation.h>
#include <abi/object.h>
#include <abi/regs.h>
#include <abi/syscall.h>
#include <stdbool.h>

struct call {
	uint64_t x[9];
};

static uint64_t next(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

static unsigned below(struct worker *w, unsigned n) { return (unsigned)(next(w) >> 20) % n; }

/*
 * An exception whose vector cannot be fetched for reasons of stage 1 is taken
 * again, without an instruction executed: under icount no time passes and the
 * emulator never comes out. So the MMU stays off, the vectors low and the
 * timer within reach. What any MSR does is tests/kernel/hostile.c's subject.
 */
static uint64_t harmless(uint64_t field, uint64_t value)
{
	switch (field) {
	case ABI_VCPU_SCTLR_EL1: return value & ~1ull;
	case ABI_VCPU_VBAR_EL1: return value & 0x0fffffff; /* nothing is there */
	case ABI_VCPU_CNTV_CVAL:
	case ABI_VCPU_CNTVOFF: return value & 0xffffffffff;
	default: return value;
	}
}

static bool writes_register(uint32_t word) { return (word & 0xffe00000) == 0xd5000000; }

static void trap(struct worker *w, struct call *c, int64_t number)
{
	if (c->x[1] >> ABI_MSGINFO_LABEL_SHIFT == ABI_INV_ARM_VCPU_WRITE_REGS)
		c->x[3] = harmless(c->x[2], c->x[3]);
	register uint64_t x0 __asm__("x0") = c->x[0];
	register uint64_t x1 __asm__("x1") = c->x[1];
	register uint64_t x2 __asm__("x2") = c->x[2];
	register uint64_t x3 __asm__("x3") = c->x[3];
	register uint64_t x4 __asm__("x4") = c->x[4];
	register uint64_t x5 __asm__("x5") = c->x[5];
	register uint64_t x6 __asm__("x6") = c->x[6];
	register uint64_t x7 __asm__("x7") = (uint64_t)number;
	register uint64_t x8 __asm__("x8") = c->x[8];

	w->calls++;
	__asm__ volatile("svc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6),
			   "+r"(x7), "+r"(x8)
			 :
			 : "memory");
	c->x[0] = x0, c->x[1] = x1, c->x[2] = x2, c->x[3] = x3, c->x[4] = x4, c->x[5] = x5;
	w->hash = (w->hash ^ x0 ^ x1 << 8 ^ x2 << 16) * 0x9e3779b97f4a7c15ull + w->calls;
}

/* --- arguments --- */

/* Around what methods check for. */
static uint64_t odd(struct worker *w)
{
	static const uint64_t values[] = { 0, 1, 2, 3, 4, 7, 12, 20, 27, 63, 64, 65, 127, 255, 256,
					   0xfff, PAGE, 1ull << 21, 1ull << 30, 1ull << 40,
					   (1ull << 44) - 1, 1ull << 44, 1ull << 63, ~0ull };

	switch (below(w, 4)) {
	case 0: return next(w);
	case 1: return 1ull << below(w, 64);
	default: return values[below(w, sizeof(values) / sizeof(values[0]))];
	}
}

static uint64_t slot_of(struct worker *w, unsigned first, unsigned n)
{
	return below(w, 12) ? first + below(w, n) : below(w, SLOTS);
}

/* A capability pointer of a class. */
static uint64_t cptr(struct worker *w, char kind)
{
	switch (kind) {
	case 'N': return S_CNODE + (below(w, 4) ? 0 : below(w, 3));
	case 'T': return slot_of(w, S_TCB, WORKERS + 2);
	case 'S': return slot_of(w, S_SC, WORKERS + 2);
	case 'E': return slot_of(w, S_EP, 7);
	case 'O': return slot_of(w, S_NTFN, 6);
	case 'R': return slot_of(w, S_REPLY, 9);
	case 'U': return slot_of(w, S_UNTYPED, 8);
	case 'F': return slot_of(w, S_FRAME, 9);
	case 'V': return slot_of(w, S_VSPACE, 3);
	case 'P': return slot_of(w, S_TABLE, 8);
	case 'K': return slot_of(w, S_VCPU, 2);
	case 'A': return slot_of(w, S_ASID_POOL, 1);
	case 'C': return slot_of(w, S_ASID_CONTROL, 1);
	case 'M': return slot_of(w, S_SCHED_CONTROL, 1);
	case 'D': return slot_of(w, S_DOMAIN, 1);
	case 'H': return slot_of(w, S_IRQ, 1);
	case '0': return below(w, 2) ? S_NULL : cptr(w, 'E'); /* perhaps none */
	default: return below(w, SLOTS);
	}
}

static uint64_t argument(struct worker *w, char kind)
{
	static const uint8_t types[] = { ABI_OBJ_UNTYPED, ABI_OBJ_TCB, ABI_OBJ_ENDPOINT,
					 ABI_OBJ_NOTIFICATION, ABI_OBJ_CNODE,
					 ABI_OBJ_SCHED_CONTEXT, ABI_OBJ_REPLY, ABI_OBJ_SMALL_PAGE,
					 ABI_OBJ_PAGE_TABLE, ABI_OBJ_VSPACE, ABI_OBJ_VCPU };

	if (below(w, 24) == 0)
		return odd(w);
	switch (kind) {
	case 'i': return below(w, 3) ? S_FREE + below(w, SLOTS - S_FREE) : below(w, SLOTS);
	case 's': return below(w, SLOTS); /* a source */
	case 'd': return 64;
	case 'z': return 0;
	case 't': return types[below(w, sizeof(types))];
	case 'y': return 4 + below(w, 10);
	case 'c': return 1 + below(w, below(w, 4) ? 2 : 40);
	case 'p': return below(w, 4) ? 20 + below(w, 100) : below(w, 256);
	case 'u': return 20 + below(w, 400);
	case 'U': return 400 + below(w, 3000);
	case 'r': return below(w, 2) ? 15 : below(w, 16);
	case 'b': return below(w, 4) ? below(w, 5) : next(w);
	case 'g': return below(w, 3) ? 0 : below(w, 64) | (uint64_t)below(w, 4) << 6;
	case 'v': return GUEST_BASE + (uint64_t)below(w, 16) * PAGE;
	case 'V': return (uint64_t)below(w, 4) << (12 + 9 * below(w, 4));
	case 'a': return below(w, 8);
	case 'f': return below(w, 4);
	case 'l': return (uint64_t)below(w, 1200) | (uint64_t)below(w, 34) << 16 |
			 (uint64_t)below(w, 3) << 24 | (uint64_t)below(w, 6) << 32;
	case 'e': return below(w, 4) ? below(w, 0x1a) : 0x100 + below(w, 0xc0);
	case 'x': return below(w, 2) ? odd(w) : GUEST_BASE + below(w, PAGE);
	case 'm': return ABI_PPI_VTIMER;
	case 'B': return WORKER_BASE + below(w, WORKERS) * (uint64_t)WORKER_STRIDE + 1024;
	default: return below(w, 8);
	}
}

/* Label; class of the object; of the capabilities; of the words; weight. */
static const struct method {
	uint32_t label;
	char object, weight;
	const char *caps, *words;
} methods[] = {
	{ ABI_INV_UNTYPED_RETYPE, 'U', 6, "N", "tyzzic" },
	{ ABI_INV_TCB_READ_REGISTERS, 'T', 1, "", "fc" },
	{ ABI_INV_TCB_WRITE_REGISTERS, 'T', 1, "", "fcxxxx" },
	{ ABI_INV_TCB_COPY_REGISTERS, 'T', 1, "T", "a" },
	{ ABI_INV_TCB_CONFIGURE, 'T', 1, "NVF", "gzB" },
	{ ABI_INV_TCB_SET_PRIORITY, 'T', 3, "T", "p" },
	{ ABI_INV_TCB_SET_MC_PRIORITY, 'T', 1, "T", "p" },
	{ ABI_INV_TCB_SET_SCHED_PARAMS, 'T', 3, "TS0", "pp" },
	{ ABI_INV_TCB_SET_TIMEOUT_ENDPOINT, 'T', 2, "0", "" },
	{ ABI_INV_TCB_SET_IPC_BUFFER, 'T', 1, "F", "B" },
	{ ABI_INV_TCB_SET_SPACE, 'T', 1, "0NV", "gz" },
	{ ABI_INV_TCB_SUSPEND, 'T', 2, "", "" },
	{ ABI_INV_TCB_RESUME, 'T', 3, "", "" },
	{ ABI_INV_TCB_BIND_NOTIFICATION, 'T', 3, "O", "" },
	{ ABI_INV_TCB_UNBIND_NOTIFICATION, 'T', 2, "", "" },
	{ ABI_INV_TCB_SET_TLS_BASE, 'T', 1, "", "x" },
	{ ABI_INV_TCB_SET_FLAGS, 'T', 1, "", "ff" },
	{ ABI_INV_CNODE_REVOKE, 'N', 1, "", "sd" },
	{ ABI_INV_CNODE_DELETE, 'N', 3, "", "id" },
	{ ABI_INV_CNODE_CANCEL_BADGED_SENDS, 'N', 2, "", "sd" },
	{ ABI_INV_CNODE_COPY, 'N', 6, "N", "idsdr" },
	{ ABI_INV_CNODE_MINT, 'N', 6, "N", "idsdrb" },
	{ ABI_INV_CNODE_MOVE, 'N', 3, "N", "idid" },
	{ ABI_INV_CNODE_MUTATE, 'N', 2, "N", "ididb" },
	{ ABI_INV_CNODE_ROTATE, 'N', 3, "NN", "idbidbid" },
	{ ABI_INV_CNODE_MOVE, 'N', 1, "N", "sdsd" },
	{ ABI_INV_IRQ_HANDLER_ACK, 'H', 1, "", "" },
	{ ABI_INV_IRQ_HANDLER_SET_NOTIFICATION, 'H', 2, "O", "" },
	{ ABI_INV_IRQ_HANDLER_CLEAR, 'H', 1, "", "" },
	{ ABI_INV_DOMAIN_SET_SET, 'D', 1, "T", "f" },
	{ ABI_INV_DOMAIN_SET_SCHEDULE_CONFIGURE, 'D', 1, "", "ffU" },
	{ ABI_INV_DOMAIN_SET_SCHEDULE_SET_START, 'D', 1, "", "f" },
	{ ABI_INV_SCHED_CONTROL_CONFIGURE_FLAGS, 'M', 4, "S", "uUabf" },
	{ ABI_INV_SCHED_CONTEXT_BIND, 'S', 3, "T", "" },
	{ ABI_INV_SCHED_CONTEXT_BIND, 'S', 2, "O", "" },
	{ ABI_INV_SCHED_CONTEXT_UNBIND, 'S', 2, "", "" },
	{ ABI_INV_SCHED_CONTEXT_UNBIND_OBJECT, 'S', 2, "T", "" },
	{ ABI_INV_SCHED_CONTEXT_CONSUMED, 'S', 2, "", "" },
	{ ABI_INV_SCHED_CONTEXT_YIELD_TO, 'S', 3, "", "" },
	{ ABI_INV_ARM_VSPACE_CLEAN_DATA, 'V', 1, "", "vv" },
	{ ABI_INV_ARM_VSPACE_UNIFY_INSTRUCTION, 'V', 1, "", "vv" },
	{ ABI_INV_ARM_PAGE_TABLE_MAP, 'P', 4, "V", "Va" },
	{ ABI_INV_ARM_PAGE_TABLE_UNMAP, 'P', 2, "", "" },
	{ ABI_INV_ARM_PAGE_MAP, 'F', 6, "V", "Vra" },
	{ ABI_INV_ARM_PAGE_UNMAP, 'F', 3, "", "" },
	{ ABI_INV_ARM_PAGE_CLEAN_DATA, 'F', 1, "", "ax" },
	{ ABI_INV_ARM_PAGE_CLEAN_INVALIDATE_DATA, 'F', 1, "", "zx" },
	{ ABI_INV_ARM_PAGE_UNIFY_INSTRUCTION, 'F', 1, "", "zx" },
	{ ABI_INV_ARM_PAGE_GET_ADDRESS, 'F', 1, "", "" },
	{ ABI_INV_ARM_ASID_CONTROL_MAKE_POOL, 'C', 1, "UN", "id" },
	{ ABI_INV_ARM_ASID_POOL_ASSIGN, 'A', 2, "V", "" },
	{ ABI_INV_ARM_VCPU_SET_TCB, 'K', 2, "T", "" },
	{ ABI_INV_ARM_VCPU_INJECT_IRQ, 'K', 3, "", "l" },
	{ ABI_INV_ARM_VCPU_READ_REGS, 'K', 2, "", "e" },
	{ ABI_INV_ARM_VCPU_WRITE_REGS, 'K', 3, "", "ex" },
	{ ABI_INV_ARM_VCPU_ACK_VPPI, 'K', 2, "", "m" },
	{ ABI_EXT_QUERY, 'T', 1, "", "" },
	{ ABI_EXT_TCB_ENABLE_TIMER, 'T', 1, "H", "" },
	{ ABI_EXT_TCB_SET_SYSCALL_FAULT, 'T', 1, "", "f" },
	{ ABI_EXT_VCPU_SET_TRAPS, 'K', 1, "", "x" },
	{ ABI_EXT_VCPU_SET_EXIT_MESSAGE, 'K', 2, "", "f" },
	{ ABI_EXT_VCPU_SET_WIDTH, 'K', 1, "", "y" },
	{ ABI_EXT_VCPU_SET_DEBUG, 'K', 1, "", "f" },
};
#define METHODS (sizeof(methods) / sizeof(methods[0]))

static const struct method *pick(struct worker *w)
{
	for (;;) {
		const struct method *m = &methods[below(w, METHODS)];

		if (below(w, 6) < (unsigned)m->weight)
			return m;
	}
}

static uint64_t info(uint64_t label, uint64_t caps, uint64_t words)
{
	return label << ABI_MSGINFO_LABEL_SHIFT | caps << ABI_MSGINFO_CAPS_SHIFT | words;
}

static void set_word(struct worker *w, struct call *c, unsigned i, uint64_t v)
{
	if (i < ABI_MSG_REGS)
		c->x[2 + i] = v;
	else
		w->buffer.msg[i] = v;
}

static void receive_slot(struct worker *w)
{
	w->buffer.receive_cnode = cptr(w, 'N');
	w->buffer.receive_index = argument(w, 'i');
	w->buffer.receive_depth = 64;
}

static void invocation(struct worker *w, struct call *c)
{
	const struct method *m = pick(w);
	unsigned words = 0, caps = 0;

	for (; m->words[words]; words++)
		set_word(w, c, words, argument(w, m->words[words]));
	for (; m->caps[caps]; caps++)
		w->buffer.caps_or_badges[caps] = cptr(w, below(w, 20) ? m->caps[caps] : '*');
	if (below(w, 16) == 0)
		words = below(w, 2) ? below(w, 10) : below(w, 128);
	if (below(w, 24) == 0)
		caps = below(w, 4);
	c->x[0] = cptr(w, m->object);
	c->x[1] = info(below(w, 40) ? m->label : below(w, 70), caps, words);
	trap(w, c, below(w, 12) ? ABI_SYS_CALL : ABI_SYS_SEND);
}

/* --- messages --- */

static void message(struct worker *w, struct call *c)
{
	static const int8_t numbers[] = { ABI_SYS_CALL, ABI_SYS_CALL, ABI_SYS_RECV, ABI_SYS_RECV,
					  ABI_SYS_REPLY_RECV, ABI_SYS_REPLY_RECV,
					  ABI_SYS_REPLY_RECV, ABI_SYS_NB_SEND_RECV,
					  ABI_SYS_NB_SEND_WAIT, ABI_SYS_SEND, ABI_SYS_NB_SEND,
					  ABI_SYS_NB_RECV, ABI_SYS_NB_WAIT, ABI_SYS_WAIT,
					  ABI_SYS_NB_RECV, ABI_SYS_NB_SEND };
	int64_t number = numbers[below(w, sizeof(numbers))];
	bool to_reply = number == ABI_SYS_SEND || number == ABI_SYS_NB_SEND;
	unsigned words = below(w, 4) ? below(w, 6) : below(w, 121);
	unsigned caps = below(w, 4) ? 0 : below(w, 4);

	c->x[0] = cptr(w, below(w, 5) ? 'E' : to_reply && below(w, 2) ? 'R'
								      : 'O');
	c->x[1] = info(below(w, 3), caps, words);
	c->x[6] = cptr(w, number == ABI_SYS_NB_SEND_WAIT ? 'O' : 'R');
	c->x[8] = cptr(w, below(w, 2) ? 'E' : 'O');
	for (unsigned i = 0; i < 6; i++)
		set_word(w, c, i, next(w));
	for (unsigned i = 0; i < ABI_MSG_MAX_CAPS; i++)
		w->buffer.caps_or_badges[i] = cptr(w, below(w, 3) ? 'E' : '*');
	receive_slot(w);
	trap(w, c, number);
}

static void anything(struct worker *w, struct call *c)
{
	for (unsigned i = 0; i < 9; i++)
		c->x[i] = below(w, 2) ? below(w, SLOTS) : odd(w);
	/* Debug calls would print; Halt would end the run. */
	trap(w, c, below(w, 20) ? -1 - (int64_t)below(w, 11) : (int64_t)below(w, 4));
}

/* Faults: an address where nothing is, an undefined instruction, the FPU. */
static void fault(struct worker *w)
{
	w->calls++;
	switch (below(w, 4)) {
	case 0:
		(void)*(volatile uint64_t *)(uintptr_t)(0x7000000000ull + below(w, PAGE) * 8);
		break;
	case 1:
		__asm__ volatile("udf #0");
		break;
	case 2:
		__asm__ volatile("brk #1");
		break;
	default:
		__asm__ volatile(".arch_extension fp\n\tfmov d0, xzr\n\tfmov d8, x30" ::
					 : "memory");
	}
}

/* --- the guest's handler --- */

static uint32_t guest_word(struct worker *w)
{
	static const uint32_t likely[] = {
		0xd4000002, 0xd4000022, 0xd4000003, 0xd503207f, 0xd503205f, /* hvc smc wfi wfe */
		0xb9400001, 0xb9000041, 0x79400083, 0x39000064, 0xf94000a6, /* loads, stores */
		0xd4000001, 0xd69f03e0, 0xd4200000, 0xd53be040, 0xd53be322, /* svc eret brk timer */
		0xd53be343, 0xd5381000, 0xd5384100, 0xd5380400, 0xd5184106, /* sctlr id sp */
		0xd538cc00, 0xd518cc21, 0xd5184600, 0xd518cce1, 0xd503201f, /* gic nop */
		0xd5033fdf, 0xd508871f, 0x14000002, 0xd28000e7, 0xd5180201, /* isb tlbi mdscr */
	};

	uint32_t word = (uint32_t)next(w);

	switch (below(w, 8)) {
	case 0: return 0xd5200000 | (word & 0x1fffff); /* MRS */
	case 1: return writes_register(word) ? 0xd4000002 : word;
	default: return likely[below(w, sizeof(likely) / sizeof(likely[0]))];
	}
}

static void new_code(struct worker *w)
{
	volatile uint32_t *code = (volatile uint32_t *)(uintptr_t)GUEST_WINDOW;
	unsigned at = below(w, PAGE / 4 - 32);

	for (unsigned i = 0; i < 24; i++)
		code[at + i] = guest_word(w);
}

static void change_vcpu(struct worker *w, struct call *c)
{
	static const char kinds[] = "lexmf";

	for (unsigned i = 0; i < 4; i++)
		c->x[2 + i] = argument(w, kinds[below(w, 5)]);
	switch (below(w, 6)) {
	case 0:
		c->x[2] = argument(w, 'l');
		c->x[1] = info(ABI_INV_ARM_VCPU_INJECT_IRQ, 0, 1);
		break;
	case 1:
	case 2:
		c->x[2] = argument(w, 'e');
		c->x[1] = info(ABI_INV_ARM_VCPU_WRITE_REGS, 0, 2);
		break;
	case 3:
		c->x[2] = argument(w, 'e');
		c->x[1] = info(ABI_INV_ARM_VCPU_READ_REGS, 0, 1);
		break;
	case 4:
		c->x[2] = ABI_PPI_VTIMER;
		c->x[1] = info(ABI_INV_ARM_VCPU_ACK_VPPI, 0, 1);
		break;
	default:
		c->x[2] = below(w, 2);
		c->x[1] = info(ABI_EXT_VCPU_SET_EXIT_MESSAGE, 0, 1);
	}
	c->x[0] = S_VCPU;
	trap(w, c, ABI_SYS_CALL);
}

/* Somewhere else in its page, with registers that are addresses. */
static void move_guest(struct worker *w, struct call *c)
{
	c->x[0] = S_TCB_GUEST;
	c->x[1] = info(ABI_INV_TCB_WRITE_REGISTERS, 0, 2 + 12);
	set_word(w, c, 0, 0);
	set_word(w, c, 1, 12);
	set_word(w, c, 2, GUEST_BASE + below(w, PAGE / 4) * 4);
	set_word(w, c, 3, argument(w, 'x'));
	set_word(w, c, 4, below(w, 4) ? 0x3c5 : next(w) & 0xffffffff);
	for (unsigned i = 5; i < 14; i++) {
		uint64_t near = GUEST_BASE + (uint64_t)below(w, 1 << 20) * 8;

		set_word(w, c, i, below(w, 2) ? near : argument(w, 'x'));
	}
	trap(w, c, ABI_SYS_CALL);
}

/* The answer to an exit; the message is in `c`, words 4 and on in the buffer. */
static void answer(struct worker *w, struct call *c)
{
	uint64_t label = c->x[1] >> ABI_MSGINFO_LABEL_SHIFT;
	unsigned words = below(w, 14);

	if (label == ABI_EXT_FAULT_EXIT) {
		c->x[2] = below(w, 16) ? 1 | below(w, 8) : next(w);
		c->x[3] = argument(w, 'x');
	} else if (label == ABI_FAULT_UNKNOWN_SYSCALL) {
		w->buffer.msg[ABI_SYSFAULT_IP] = GUEST_BASE + below(w, PAGE / 4) * 4;
		words = ABI_SYSFAULT_REPLY_WORDS;
	} else if (below(w, 3)) {
		move_guest(w, c);
	}
	c->x[1] = info(below(w, 50) == 0, 0, words);
}

static void handle_exits(struct worker *w)
{
	struct call c = { .x = { S_EP_GUEST, 0, 0, 0, 0, 0, S_REPLY_GUEST } };

	trap(w, &c, ABI_SYS_RECV);
	for (;;) {
		w->exits++;
		if (below(w, 8) == 0)
			new_code(w);
		if (below(w, 6) == 0) {
			struct call other = { { 0 } };

			change_vcpu(w, &other);
		}
		answer(w, &c);
		c.x[0] = S_EP_GUEST;
		c.x[6] = S_REPLY_GUEST;
		trap(w, &c, ABI_SYS_REPLY_RECV);
	}
}

void worker_main(struct worker *w, uint64_t index)
{
	if (index == HANDLER)
		handle_exits(w);
	for (;;) {
		struct call c = { { 0 } };
		unsigned kind = below(w, 100);

		if (kind < 50)
			invocation(w, &c);
		else if (kind < 90)
			message(w, &c);
		else if (kind < 97)
			anything(w, &c);
		else if (kind < 99)
			trap(w, &c, ABI_SYS_YIELD);
		else
			fault(w);
	}
}
