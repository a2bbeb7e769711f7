/* Any state of memory that the assumptions of model.h allow. */
#include "model.h"

#include <kernel/endpoint.h>
#include <kernel/notification.h>
#include <kernel/reply.h>
#include <kernel/sched_context.h>
#include <kernel/tcb.h>

#include "__fc_builtin.h"

/* Their contents are unknown at every read (volatile is what Eva calls it). */
static struct slot table[1ull << MODEL_RADIX];
static struct slot some[4];
static struct slot *next_of[4], *prev_of[4];
static struct tcb current, other;
static struct endpoint endpoint;
static struct notification notification;
static struct reply reply;
static word_t context[128];
static char memory[1ull << MODEL_BITS];
static struct abi_ipcbuf buffers[4];

word_t any_word(void) { return Frama_C_unsigned_long_interval(0, ~0ull); }
bool any_bool(void) { return Frama_C_interval(0, 1); }
unsigned any_below(unsigned n) { return Frama_C_unsigned_int_interval(0, n - 1); }

struct cap any_cap(void)
{
#ifdef MODEL_TYPED
	return (struct cap){ any_below(CAP_TYPE_COUNT), any_word() };
#else
	return (struct cap){ any_word(), any_word() };
#endif
}

#ifdef MODEL_TYPED
struct cap cap_make(word_t type, paddr_t addr, word_t sub, word_t w1)
{
	(void)addr;
	(void)sub;
	return (struct cap){ type, w1 };
}

paddr_t cap_addr(struct cap c)
{
	(void)c;
	return Frama_C_unsigned_long_interval(0, CAP_ADDR_MASK);
}

word_t cap_sub(struct cap c)
{
	(void)c;
	return any_below(1u << 15);
}

word_t cap_sub_field(struct cap c, unsigned shift, unsigned bits)
{
	(void)c;
	(void)shift;
	return any_below(1u << bits);
}
#endif

/* The ternary digits of `kind` say which neighbours the two slots have. */
void model_slots(unsigned kind)
{
	struct slot *of_first[3] = { NULL, &some[1], &some[2] };
	struct slot *of_second[3] = { NULL, &some[0], &some[3] };

	for (unsigned i = 0; i < 4; i++) {
		some[i].cap = any_cap();
		some[i].next = any_word();
		some[i].prev = any_word();
	}
	next_of[0] = of_first[kind % 3];
	prev_of[0] = of_first[kind / 3 % 3];
	next_of[1] = of_second[kind / 9 % 3];
	prev_of[1] = of_second[kind / 27 % 3];
	next_of[2] = prev_of[2] = &some[0];
	next_of[3] = prev_of[3] = &some[1];
	Frama_C_make_unknown((char *)table, sizeof(table));
	Frama_C_make_unknown((char *)buffers, sizeof(buffers));
	Frama_C_make_unknown((char *)&endpoint, sizeof(endpoint));
	Frama_C_make_unknown((char *)&notification, sizeof(notification));
	Frama_C_make_unknown((char *)&reply, sizeof(reply));
	Frama_C_make_unknown((char *)context, sizeof(context));
	Frama_C_make_unknown(memory, sizeof(memory));
}

struct slot *model_slot(unsigned i) { return &some[i]; }

static void make_thread(struct tcb *t)
{
	Frama_C_make_unknown((char *)t, sizeof(*t));
	t->fault.word[2] = any_below(5); /* of a failed lookup: its kind */
	t->buffer = &buffers[0];
	t->blocked_on = any_bool() ? (void *)&endpoint : (void *)&notification;
	t->reply = any_bool() ? &reply : NULL;
	t->sc = any_bool() ? (struct sched_context *)context : NULL;
	t->yield_to = any_bool() ? (struct sched_context *)context : NULL;
	t->bound_ntfn = any_bool() ? &notification : NULL;
	t->sched_next = t->sched_prev = t->ipc_next = t->ipc_prev = NULL;
}

struct tcb *any_thread(void)
{
	make_thread(&current);
	make_thread(&other);
	return any_bool() ? &current : &other;
}

void *cap_object(struct cap c)
{
	switch (cap_type(c)) {
	case CAP_CNODE:
		return table;
	case CAP_TCB:
		return any_thread();
	case CAP_ENDPOINT:
		return &endpoint;
	case CAP_NOTIFICATION:
		return &notification;
	case CAP_REPLY:
		return &reply;
	case CAP_SCHED_CONTEXT:
		return context;
	case CAP_UNTYPED:
		return memory;
	default:
		return NULL;
	}
}

unsigned cap_cnode_radix(struct cap c)
{
	(void)c;
	return Frama_C_unsigned_int_interval(1, MODEL_RADIX);
}

struct slot *slot_next(const struct slot *s)
{
	for (unsigned i = 0; i < 4; i++)
		if (s == &some[i])
			return next_of[i];
	return any_bool() ? &some[2] : NULL;
}

struct slot *slot_prev(const struct slot *s)
{
	for (unsigned i = 0; i < 4; i++)
		if (s == &some[i])
			return prev_of[i];
	return any_bool() ? &some[2] : NULL;
}

paddr_t ptr_to_paddr(const void *p)
{
	(void)p;
	return any_word();
}

void *paddr_to_ptr(paddr_t pa)
{
	(void)pa;
	return &memory[Frama_C_unsigned_long_interval(0, (1ull << MODEL_BITS) - 1)];
}

void any_invocation(struct invocation *inv, bool with_buffer)
{
	Frama_C_make_unknown((char *)inv, sizeof(*inv));
	inv->thread = any_thread();
	inv->slot = &some[0];
	inv->cap = inv->slot->cap;
	inv->call = any_bool();
	inv->blocking = any_bool();
	inv->first_phase = any_bool();
	inv->reply_length = 0;
	if (with_buffer) {
		inv->buffer = &buffers[0];
		inv->length = any_below(ABI_MSG_MAX_WORDS + 1);
		inv->extra_count = any_below(ABI_MSG_MAX_CAPS + 1);
	} else {
		inv->buffer = NULL;
		inv->length = any_below(ABI_MSG_REGS + 1);
		inv->extra_count = 0;
	}
	for (unsigned i = 0; i < ABI_MSG_MAX_CAPS; i++)
		inv->extra[i] = any_bool() ? &some[1] : &table[0];
}

const struct endpoint *any_endpoint(void) { return any_bool() ? &endpoint : NULL; }

/* --- the architecture: any answer that its contract (kernel/arch.h) allows --- */

word_t arch_msg_reg(const struct tcb *t, unsigned i)
{
	/*@ assert register_index: i < ABI_MSG_REGS; */
	(void)t;
	return any_word();
}

int arch_cap_derive(struct cap c, struct cap *out)
{
	*out = any_bool() ? c : any_cap();
	return (int)any_below(11);
}

struct cap arch_cap_mask_rights(struct cap c, word_t rights)
{
	(void)rights;
	return any_bool() ? c : any_cap();
}

struct cap arch_cap_update_data(struct cap c, word_t data, bool preserve)
{
	(void)data;
	(void)preserve;
	return any_bool() ? c : any_cap();
}

bool arch_cap_same_object(struct cap a, struct cap b)
{
	(void)a;
	(void)b;
	return any_bool();
}

word_t arch_cap_size_bits(struct cap c)
{
	(void)c;
	return any_below(MODEL_BITS + 1);
}

void arch_set_msg_reg(struct tcb *t, unsigned i, word_t v)
{
	/*@ assert register_index: i < ABI_MSG_REGS; */
	(void)t;
	(void)v;
}

word_t arch_msginfo_reg(const struct tcb *t)
{
	(void)t;
	return any_word();
}

void arch_set_msginfo_reg(struct tcb *t, word_t v)
{
	(void)t;
	(void)v;
}

void arch_set_badge_reg(struct tcb *t, word_t v)
{
	(void)t;
	(void)v;
}

word_t arch_restart_pc(const struct tcb *t)
{
	(void)t;
	return any_word();
}

void arch_context_set(struct tcb *t, unsigned i, word_t v)
{
	/*@ assert context_index: i < ABI_CTX_COUNT; */
	(void)t;
	(void)v;
}

void *arch_ipc_buffer(struct cap c, vptr_t vaddr, bool write)
{
	(void)c;
	(void)vaddr;
	if (any_bool())
		return NULL;
	return &buffers[write];
}

unsigned arch_fault_message(const struct tcb *t, struct tcb *to, struct abi_ipcbuf *buffer)
{
	(void)t;
	(void)to;
	for (unsigned i = ABI_MSG_REGS; i < ABI_MSG_MAX_WORDS; i++)
		buffer->msg[i] = any_word();
	return any_below(ABI_MSG_MAX_WORDS + 1);
}

bool arch_fault_reply(struct tcb *t, word_t label, const struct tcb *from,
		      const struct abi_ipcbuf *buffer, unsigned count)
{
	(void)t;
	(void)label;
	(void)from;
	for (unsigned i = ABI_MSG_REGS; i < count; i++) {
		word_t v = buffer->msg[i];

		(void)v;
	}
	return any_bool();
}

word_t arch_exit_message(const struct tcb *t, struct tcb *to)
{
	(void)t;
	(void)to;
	return any_word();
}

bool arch_exit_reply(struct tcb *t, const struct tcb *from, word_t label, unsigned count)
{
	(void)t;
	(void)from;
	(void)label;
	/*@ assert message_length: count <= ABI_MSG_MAX_WORDS; */
	(void)count;
	return any_bool();
}

bool arch_object_type_ok(word_t type) { return type > ABI_OBJ_REPLY && type < ABI_OBJ_COUNT; }

unsigned arch_object_bits(word_t type)
{
	(void)type;
	return 12 + any_below(19);
}

bool arch_cap_shrink(struct cap c)
{
	(void)c;
	return false;
}

bool arch_object_is_frame(word_t type)
{
	(void)type;
	return any_bool();
}

struct cap arch_object_create(word_t type, paddr_t addr, bool device)
{
	(void)type;
	(void)addr;
	(void)device;
	return any_cap();
}

bool arch_irq_pending(void) { return any_bool(); }

/*@ requires in_object: bytes == 0 || \valid((char *)p + (0 .. bytes - 1));
  @ assigns \nothing; */
void arch_clear_memory(void *p, word_t bytes);

/* --- the rest of the kernel, proved or tested elsewhere --- */

int slot_delete(struct slot *s)
{
	/*@ assert slot: \valid(s); */
	(void)s;
	return (int)any_below(2) - 1;
}

int slot_revoke(struct slot *s)
{
	/*@ assert slot: \valid(s); */
	(void)s;
	return (int)any_below(2) - 1;
}

int ep_cancel_badged(struct endpoint *ep, word_t badge)
{
	(void)ep;
	(void)badge;
	return (int)any_below(2) - 1;
}

uint64_t sc_take_consumed(struct sched_context *sc)
{
	(void)sc;
	return any_word();
}

void tcb_set_state(struct tcb *t, enum thread_state state)
{
	/*@ assert thread: \valid(t); */
	(void)t;
	(void)state;
}

void ep_send(struct cap c, struct tcb *sender, bool blocking, bool call, bool donate)
{
	/*@ assert endpoint: c.w0 == CAP_ENDPOINT && \valid(sender); */
	(void)c;
	(void)sender;
	(void)blocking;
	(void)call;
	(void)donate;
}
