/* Message transfer, capability transfer, faults as messages. */
#include <kernel/ipc.h>

#include <abi/error.h>
#include <abi/ext.h>
#include <kernel/arch.h>
#include <kernel/cnode.h>
#include <kernel/endpoint.h>
#include <kernel/printk.h>
#include <kernel/sched.h>

struct abi_ipcbuf *ipc_buffer(const struct tcb *t, bool write)
{
	struct abi_ipcbuf *quick = ipc_quick_buffer(t);

	if (quick || !t->ipc_buffer)
		return quick;
	return arch_ipc_buffer(t->slots[TCB_IPC_BUFFER].cap, t->ipc_buffer, write);
}

void ipc_set_buffer(struct tcb *t, vptr_t vaddr)
{
	struct cap c = t->slots[TCB_IPC_BUFFER].cap;

	t->ipc_buffer = vaddr;
	t->buffer = vaddr ? arch_ipc_buffer(c, vaddr, true) : NULL;
	t->buffer_cap = c.w0;
}

int ipc_lookup_extra(const struct tcb *t, const struct abi_ipcbuf *buffer, word_t msginfo,
		     struct slot **slots, cptr_t *failed, struct lookup_failure *f)
{
	unsigned n = buffer ? msginfo_caps(msginfo) : 0;

	for (unsigned i = 0; i < n; i++) {
		*failed = buffer->caps_or_badges[i];
		slots[i] = cnode_lookup(t, *failed, f);
		if (!slots[i])
			return -1;
	}
	return (int)n;
}

/* The empty slot that the receiver has set aside for a capability, or NULL. */
static struct slot *receive_slot(const struct tcb *t)
{
	const struct abi_ipcbuf *buffer = ipc_buffer(t, false);
	struct lookup_failure f;
	struct slot *root, *s;
	unsigned left;
	word_t depth;

	root = buffer ? cnode_lookup(t, buffer->receive_cnode, &f) : NULL;
	if (!root)
		return NULL;
	depth = buffer->receive_depth;
	if (depth < 1 || depth > 64 ||
	    !cnode_resolve(root->cap, buffer->receive_index, (unsigned)depth, &s, &left, &f))
		return NULL;
	return left == 0 && slot_is_empty(s) ? s : NULL;
}

static bool is_cap_to(struct cap c, const struct endpoint *ep)
{
	return ep && cap_type(c) == CAP_ENDPOINT && cap_object(c) == ep;
}

struct caps_moved {
	word_t count, unwrapped;
};

/* A capability to the endpoint itself arrives as its badge; of the others one
 * is put into the receiver's slot. Stops at the first without a place. */
static struct caps_moved transfer_caps(struct slot **src, unsigned n, const struct tcb *to,
				       struct abi_ipcbuf *buffer, const struct endpoint *ep)
{
	struct caps_moved moved = { 0, 0 };
	struct slot *dest = receive_slot(to);

	for (unsigned i = 0; i < n; i++) {
		struct cap c = src[i]->cap;

		if (is_cap_to(c, ep)) {
			buffer->caps_or_badges[i] = cap_badge(c);
			moved.unwrapped |= 1ull << i;
		} else {
			if (!dest || cap_derive(src[i], c, &c) != ABI_OK || cap_type(c) == CAP_NULL)
				break;
			slot_insert_copy(dest, c, src[i]);
			dest = NULL;
		}
		moved.count++;
	}
	return moved;
}

static void transfer_message(struct tcb *from, struct tcb *to, const struct endpoint *ep,
			     bool grant)
{
	word_t info = arch_msginfo_reg(from);
	unsigned length = msginfo_length(info);
	struct caps_moved moved = { 0, 0 };

	for (unsigned i = 0; i < length && i < ABI_MSG_REGS; i++)
		arch_set_msg_reg(to, i, arch_msg_reg(from, i));
	if (length > ABI_MSG_REGS || msginfo_caps(info)) {
		struct abi_ipcbuf *in = ipc_buffer(from, false);
		struct abi_ipcbuf *out = ipc_buffer(to, true);

		if ((!in || !out) && length > ABI_MSG_REGS)
			length = ABI_MSG_REGS;
		for (unsigned i = ABI_MSG_REGS; i < length; i++)
			out->msg[i] = in->msg[i];
		if (grant && in && out) {
			struct slot *slots[ABI_MSG_MAX_CAPS];
			struct lookup_failure f;
			cptr_t failed;
			int n = ipc_lookup_extra(from, in, info, slots, &failed, &f);

			if (n > 0)
				moved = transfer_caps(slots, (unsigned)n, to, out, ep);
		}
	}
	arch_set_msginfo_reg(to, msginfo_make(msginfo_label(info), moved.unwrapped,
					      moved.count, length));
}

/* --- faults --- */

static unsigned cap_fault_message(const struct tcb *t, struct tcb *to, struct abi_ipcbuf *buffer)
{
	/* Words of detail per lookup failure: abi/error.h. */
	static const unsigned char details[] = { 0, 0, 1, 2, 3 };
	const struct fault *f = &t->fault;
	unsigned n = details[f->word[2]];

	ipc_put(to, buffer, ABI_CAPFAULT_IP, arch_restart_pc(t));
	for (unsigned i = 0; i < 3 + n; i++)
		ipc_put(to, buffer, ABI_CAPFAULT_ADDR + i, f->word[i]);
	return ABI_CAPFAULT_DETAIL0 + n;
}

static unsigned fault_message(struct tcb *t, struct tcb *to, struct abi_ipcbuf *buffer)
{
	switch (t->fault.kind) {
	case ABI_FAULT_CAP: return cap_fault_message(t, to, buffer);
	case ABI_FAULT_TIMEOUT:
		ipc_put(to, buffer, ABI_TIMEOUT_DATA, t->fault.word[0]);
		if (!t->sc)
			return 1;
		ipc_put(to, buffer, ABI_TIMEOUT_CONSUMED, sc_take_consumed(t->sc));
		return 2;
	default: return arch_fault_message(t, to, buffer);
	}
}

void ipc_transfer_fault(struct tcb *from, struct tcb *to)
{
	static struct abi_ipcbuf nobodys; /* in place of a buffer that is not there */
	struct abi_ipcbuf *buffer;
	unsigned length;

	if (from->fault.kind == ABI_EXT_FAULT_EXIT) {
		arch_set_msginfo_reg(to, msginfo_make(arch_exit_message(from, to), 0, 0,
						      ABI_EXIT_WORDS));
		return;
	}
	buffer = ipc_buffer(to, true);
	length = fault_message(from, to, buffer ? buffer : &nobodys);
	if (!buffer && length > ABI_MSG_REGS)
		length = ABI_MSG_REGS;
	arch_set_msginfo_reg(to, msginfo_make(from->fault.kind, 0, 0, length));
}

void ipc_transfer(struct tcb *from, struct tcb *to, const struct endpoint *ep,
		  word_t badge, bool grant)
{
	if (from->fault.kind)
		ipc_transfer_fault(from, to);
	else
		transfer_message(from, to, ep, grant);
	arch_set_badge_reg(to, badge);
}

static bool timeout_reply(struct tcb *t, word_t label, const struct tcb *from,
			  const struct abi_ipcbuf *buffer, unsigned n)
{
	for (unsigned i = 0; i < n && i < ABI_TIMEOUT_REPLY_WORDS; i++)
		arch_context_set(t, i, ipc_get(from, buffer, i));
	return label == 0;
}

bool ipc_fault_reply(struct tcb *from, struct tcb *to)
{
	word_t info = arch_msginfo_reg(from), label = msginfo_label(info);
	const struct abi_ipcbuf *buffer = NULL;
	unsigned n = msginfo_length(info);
	bool resume;

	if (to->fault.kind == ABI_EXT_FAULT_EXIT) {
		to->fault.kind = ABI_FAULT_NULL;
		return arch_exit_reply(to, from, label, n);
	}
	if (n > ABI_MSG_REGS) {
		buffer = ipc_buffer(from, false);
		if (!buffer)
			n = ABI_MSG_REGS;
	}
	if (to->fault.kind == ABI_FAULT_CAP)
		resume = true;
	else if (to->fault.kind == ABI_FAULT_TIMEOUT)
		resume = timeout_reply(to, label, from, buffer, n);
	else
		resume = arch_fault_reply(to, label, from, buffer, n);
	to->fault.kind = ABI_FAULT_NULL;
	return resume;
}

bool ipc_handler_ok(struct cap c)
{
	word_t rights = cap_rights(c);

	return cap_type(c) == CAP_NULL ||
	       (cap_type(c) == CAP_ENDPOINT && (rights & ABI_RIGHT_WRITE) &&
		(rights & (ABI_RIGHT_GRANT | ABI_RIGHT_GRANT_REPLY)));
}

void ipc_fault_send(struct tcb *t, const struct fault *f)
{
	struct cap c = t->slots[TCB_FAULT_HANDLER].cap;

	t->fault = *f;
	if (cap_type(c) == CAP_ENDPOINT) {
		ep_send(c, t, true, false, t->sc != NULL);
	} else {
		printk("%s: fault %u without a handler, pc %lx, %lx %lx %lx\n", t->name,
		       f->kind, (unsigned long)arch_restart_pc(t), (unsigned long)f->word[0],
		       (unsigned long)f->word[1], (unsigned long)f->word[2]);
		t->fault.kind = ABI_FAULT_NULL;
		tcb_set_state(t, THREAD_INACTIVE);
	}
}

void ipc_timeout_fault(struct tcb *t)
{
	t->fault = (struct fault){ ABI_FAULT_TIMEOUT, { t->sc->badge } };
	ep_send(t->slots[TCB_TIMEOUT_HANDLER].cap, t, true, false, false);
}
