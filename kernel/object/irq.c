/* Interrupts as notifications. */
#include <kernel/irq.h>

#include <kernel/endpoint.h>
#include <kernel/invoke.h>
#include <kernel/notification.h>

/* One per interrupt: whether a handler exists, and its notification. */
static struct irq_state {
	bool issued;
	struct slot ntfn;
} irqs[ARCH_IRQ_COUNT];

int irq_check(struct invocation *inv, word_t irq, word_t index, word_t depth, struct slot **dest)
{
	if (irq >= arch_irq_count())
		return inv_range(inv, 0, arch_irq_count() - 1);
	if (!arch_irq_valid(irq) || irqs[irq].issued)
		return ABI_REVOKE_FIRST;
	return inv_lookup_empty(inv, inv_extra(inv, 0), index, depth, dest);
}

void irq_issue(struct invocation *inv, word_t irq, struct slot *dest)
{
	irqs[irq].issued = true;
	arch_irq_unmask((irq_t)irq); /* as in seL4: no first Ack is needed */
	slot_insert_child(dest, cap_irq_handler((irq_t)irq), inv->slot);
}

struct cap irq_take(irq_t irq)
{
	/* Masked until the handler acknowledges it; without one, for good. */
	arch_irq_mask(irq);
	arch_irq_ack(irq);
	return irq < ARCH_IRQ_COUNT ? irqs[irq].ntfn.cap : cap_null();
}

struct slot *irq_release(irq_t irq)
{
	arch_irq_mask(irq);
	irqs[irq].issued = false;
	return &irqs[irq].ntfn;
}

static int set_notification(struct invocation *inv, irq_t irq)
{
	struct cap c;

	c = inv_extra(inv, 0);
	if (cap_type(c) != CAP_NOTIFICATION || !(cap_rights(c) & ABI_RIGHT_WRITE))
		return inv_invalid_cap(inv, 0);
	slot_delete_short(&irqs[irq].ntfn);
	slot_insert_copy(&irqs[irq].ntfn, c, inv->extra[0]);
	return ABI_OK;
}

int irq_handler_invoke(struct invocation *inv)
{
	irq_t irq = cap_irq(inv->cap);

	switch (inv->label) {
	case ABI_INV_IRQ_HANDLER_ACK:
		arch_irq_unmask(irq);
		return ABI_OK;
	case ABI_INV_IRQ_HANDLER_SET_NOTIFICATION: return set_notification(inv, irq);
	default: /* ABI_INV_IRQ_HANDLER_CLEAR */
		slot_delete_short(&irqs[irq].ntfn);
		return ABI_OK;
	}
}
