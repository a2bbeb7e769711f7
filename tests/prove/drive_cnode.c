/* Lookups of capabilities and slots, and the CNode's invocations, with any arguments. */
#include "model.h"

static void lookups(bool with_buffer)
{
	struct lookup_failure f;
	struct invocation inv;
	struct slot *s;
	unsigned left;

	any_invocation(&inv, with_buffer);
	(void)cnode_lookup(inv.thread, any_word(), &f);
	(void)cnode_resolve(any_cap(), any_word(), 1 + any_below(64), &s, &left, &f);
	(void)inv_lookup_slot(&inv, any_bool(), any_cap(), any_word(), any_word(), &s);
	(void)inv_lookup_empty(&inv, any_cap(), any_word(), any_word(), &s);
	inv_result(&inv, any_below(ABI_MSG_MAX_WORDS), any_word());
}

static void method(word_t label, bool with_buffer)
{
	struct invocation inv;

	any_invocation(&inv, with_buffer);
	inv.cap.w0 = CAP_CNODE;
	inv.label = label;
	if (inv_check(&inv) == ABI_OK)
		(void)cnode_invoke(&inv);
}

static void drive(bool with_buffer)
{
	struct invocation inv;

	model_slots(0);
	any_invocation(&inv, with_buffer);
	(void)inv_check(&inv);
	lookups(with_buffer);
	/*@ loop unroll 10; */
	for (word_t label = ABI_INV_CNODE_REVOKE; label <= ABI_INV_CNODE_ROTATE; label++)
		method(label, with_buffer);
}

void drive_cnode(void);

void drive_cnode(void)
{
	drive(false);
	drive(true);
}
