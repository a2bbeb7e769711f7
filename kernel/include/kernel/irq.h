/* Interrupts as notifications. arch/types.h defines ARCH_IRQ_COUNT. */
#pragma once

#include <kernel/arch.h>
#include <kernel/slot.h>

static inline struct cap cap_irq_control(void) { return cap_make(CAP_IRQ_CONTROL, 0, 0, 0); }
static inline struct cap cap_irq_handler(irq_t irq) { return cap_make(CAP_IRQ_HANDLER, 0, 0, irq); }
static inline irq_t cap_irq(struct cap c) { return (irq_t)c.w1; }

/* Whether a handler capability for it exists. */
/*
 * The common part of IRQControl's methods: checks irq and destination slot
 * (extra cap 0 = root); then, what the architecture has to set being set, the
 * capability goes into its slot and the interrupt is unmasked.
 */
struct invocation;
int irq_check(struct invocation *inv, word_t irq, word_t index, word_t depth, struct slot **dest);
void irq_issue(struct invocation *inv, word_t irq, struct slot *dest);
/* Masks and ends it: the notification of its handler, or null. */
struct cap irq_take(irq_t irq);
/* The last capability of a handler goes: masks the interrupt; returns the slot
 * with its notification, which goes too. */
struct slot *irq_release(irq_t irq);
