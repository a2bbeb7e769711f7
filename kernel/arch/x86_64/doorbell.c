/* Doorbells: OUTs of a guest that signal a notification, and nothing else. */
#include <arch/vcpu.h>

#include <kernel/endpoint.h>
#include <kernel/invoke.h>
#include <kernel/sched.h>

#define IOIO_PORT(info) ((info) >> 16 & 0xffff)
#define IOIO_BYTES(info) ((info) >> 4 & 7)
#define IOIO_IN_OR_STRING 5ull

void hidden_slot_set(struct slot *s, struct cap c, struct slot *src)
{
	if (!slot_is_empty(s))
		slot_delete_short(s);
	if (cap_type(c) != CAP_NULL)
		slot_insert_copy(s, c, src);
}

static bool rings(const struct doorbell *b, word_t port, word_t bytes, word_t value)
{
	word_t size = b->how & 15;

	return b->port == port && !slot_is_empty(&b->ntfn) && (!size || size == bytes) &&
	       (!(b->how & ABI_DOORBELL_MATCH) || b->value == value);
}

bool doorbell_ring(struct vcpu *v)
{
	struct vmcb *c = &v->vmcb;
	word_t info = c->exit_info1, bytes = IOIO_BYTES(info);
	word_t value = c->rax & ~0ull >> (64 - 8 * (bytes ? bytes : 1));

	if (info & IOIO_IN_OR_STRING)
		return false;
	for (struct doorbell *b = v->bell; b < v->bell + v->n_bells; b++)
		if (rings(b, IOIO_PORT(info), bytes, value)) {
			c->rip = c->exit_info2;
			c->shadow = 0;
			sched_time_enter();
			ntfn_signal(cap_object(b->ntfn.cap), cap_badge(b->ntfn.cap));
			(void)sched_check_budget();
			sched_finish();
			return true;
		}
	return false;
}

void doorbell_destroy(struct vcpu *v)
{
	for (unsigned i = 0; i < ABI_DOORBELLS; i++)
		hidden_slot_set(&v->bell[i].ntfn, cap_null(), NULL);
}

/* Index, port, how, value; notification or none. */
int doorbell_invoke(struct invocation *inv, struct vcpu *v)
{
	word_t how = inv_arg(inv, 2), size = how & 15;

	if (inv_arg(inv, 0) >= ABI_DOORBELLS)
		return inv_range(inv, 0, ABI_DOORBELLS - 1);
	if (inv_arg(inv, 1) > 0xffff)
		return inv_invalid_argument(inv, 1);
	if (!(how & ABI_DOORBELL_PORT) || how & ~(ABI_DOORBELL_PORT | ABI_DOORBELL_MATCH | 15ull) ||
	    size > 4 || size & (size - 1))
		return inv_invalid_argument(inv, 2);
	if (inv->extra_count && (cap_type(inv_extra(inv, 0)) != CAP_NOTIFICATION ||
				 !(cap_rights(inv_extra(inv, 0)) & ABI_RIGHT_WRITE)))
		return inv_invalid_cap(inv, 1);
	struct doorbell *b = &v->bell[inv_arg(inv, 0)];
	hidden_slot_set(&b->ntfn, inv->extra_count ? inv_extra(inv, 0) : cap_null(), inv->extra[0]);
	b->port = inv_arg(inv, 1);
	b->how = how;
	b->value = inv_arg(inv, 3);
	if (v->n_bells <= inv_arg(inv, 0))
		v->n_bells = (unsigned)inv_arg(inv, 0) + 1;
	return ABI_OK;
}
