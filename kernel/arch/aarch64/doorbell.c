/* Doorbells (docs/decisions/0015): stores of a guest that signal. */
#include <arch/sysreg.h>
#include <arch/types.h>
#include <arch/vcpu.h>
#include <kernel/endpoint.h>
#include <kernel/invoke.h>
#include <kernel/notification.h>
#include <kernel/sched.h>

bool doorbell_cap_ok(struct cap c, word_t right)
{
	return cap_type(c) == CAP_NOTIFICATION && (cap_rights(c) & right);
}

void doorbell_set_slot(struct slot *s, struct cap c, struct slot *src)
{
	if (!slot_is_empty(s) && slot_is_final(s))
		ntfn_destroy(cap_object(s->cap)); /* nothing else is in it */
	if (!slot_is_empty(s))
		slot_clear(s);
	if (cap_type(c) != CAP_NULL)
		slot_insert_copy(s, c, src);
}

static bool rings(const struct doorbell *b, word_t ipa, unsigned bytes, word_t value)
{
	word_t want = b->how & ~(word_t)ABI_DOORBELL_MATCH;

	return b->gpa == ipa && !slot_is_empty(&b->ntfn) && (!want || want == bytes) &&
	       (b->how == want || b->value == value);
}

bool doorbell_ring(struct vcpu *v, struct arch_context *c, word_t esr, word_t ipa)
{
	unsigned bytes = 1u << ISS_SAS(esr), rt = ISS_SRT(esr);
	word_t value;

	if ((esr & (ISS_ISV | ISS_WNR | ISS_S1PTW)) != (ISS_ISV | ISS_WNR) || v->debug ||
	    FSC_TYPE(esr) != FSC_TRANSLATION || c->spsr & SPSR_AARCH32_USER)
		return false;
	value = (rt == REG_ZERO ? 0 : c->x[rt]) & ~0ull >> (64 - 8 * bytes);
	if (v->direct.sgir && ipa == v->direct.sgir && bytes == 4) {
		c->fault_ip = c->elr += 4;
		direct_sgir(v, value);
		return true;
	}
	for (struct doorbell *b = v->bell; b < v->bell + v->n_bells; b++)
		if (rings(b, ipa, bytes, value)) {
			c->fault_ip = c->elr += 4;
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
		doorbell_set_slot(&v->bell[i].ntfn, cap_null(), NULL);
}

/* Index, address, size and whether to match, value; notification or none. */
int doorbell_invoke(struct invocation *inv, struct vcpu *v)
{
	struct cap c = inv->extra_count ? inv_extra(inv, 0) : cap_null();
	struct doorbell *b;
	word_t size;

	if (inv_arg(inv, 0) >= ABI_DOORBELLS)
		return inv_range(inv, 0, ABI_DOORBELLS - 1);
	size = inv_arg(inv, 2) & ~(word_t)ABI_DOORBELL_MATCH;
	if (size > 8 || (size & (size - 1)))
		return inv_invalid_argument(inv, 2);
	if (size && (inv_arg(inv, 1) & (size - 1)))
		return ABI_ALIGNMENT_ERROR;
	if (inv->extra_count && !doorbell_cap_ok(c, ABI_RIGHT_WRITE))
		return inv_invalid_cap(inv, 1);
	b = &v->bell[inv_arg(inv, 0)];
	doorbell_set_slot(&b->ntfn, c, inv->extra[0]);
	b->gpa = inv_arg(inv, 1);
	b->how = inv_arg(inv, 2);
	b->value = inv_arg(inv, 3);
	if (v->n_bells <= inv_arg(inv, 0))
		v->n_bells = (unsigned)inv_arg(inv, 0) + 1;
	return ABI_OK;
}
