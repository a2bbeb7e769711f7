/* Doorbells: OUTs of a guest that signal a notification, and nothing else. */
#include <arch/vcpu.h>

#include <kernel/invoke.h>

void hidden_slot_set(struct slot *s, struct cap c, struct slot *src)
{
	if (!slot_is_empty(s))
		slot_delete_short(s);
	if (cap_type(c) != CAP_NULL)
		slot_insert_copy(s, c, src);
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
