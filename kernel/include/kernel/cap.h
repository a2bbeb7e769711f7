/*
 * Capabilities: two words. Word 0 has the object's physical address (44 bits),
 * the type and 15 bits that depend
 * on the type; word 1 depends on the type.
 *
 *   w0  43..0 address   48..44 type   63..49 `sub`
 *
 *   type           sub                                   w1
 *   UNTYPED        size bits 0-5, device 6               free offset, bytes
 *   ENDPOINT       rights 0-3 (W R G P)                  badge
 *   NOTIFICATION   rights 0-1 (W R)                      badge
 *   REPLY          rights bit 2 (G)                      -
 *   CNODE          flat 0, radix 1-6, guard size 7-12    guard
 *   TCB            -                                     -
 *   SCHED_CONTEXT  size bits 0-5                         -
 *   SCHED_CONTROL  core 0-9                              -
 *   IRQ_CONTROL    -                                     -
 *   IRQ_HANDLER    -                                     irq
 *   SGI_SIGNAL     irq                                   target
 *   DOMAIN         -                                     -
 *   ZOMBIE         radix 0-5, of a TCB 6, waiting 7      slots left (delete.c)
 *   others: arch/cap_types.h
 */
#pragma once

#include <arch/cap_types.h>
#include <kernel/types.h>

/* clang-format off */
enum cap_type {
	CAP_NULL, CAP_UNTYPED, CAP_ENDPOINT, CAP_NOTIFICATION, CAP_REPLY, CAP_CNODE, CAP_TCB,
	CAP_SCHED_CONTEXT, CAP_SCHED_CONTROL, CAP_IRQ_CONTROL, CAP_IRQ_HANDLER, CAP_SGI_SIGNAL,
	CAP_DOMAIN, CAP_ZOMBIE,
	CAP_ARCH_FIRST, /* the rest belongs to arch/ */
	CAP_BEFORE_ARCH = CAP_ARCH_FIRST - 1, ARCH_CAP_TYPES
	CAP_TYPE_COUNT
};
/* clang-format on */
_Static_assert(CAP_TYPE_COUNT <= 32, "5 bits");

struct cap {
	word_t w0, w1;
};

#define CAP_ADDR_BITS 44
#define CAP_ADDR_MASK ((1ull << CAP_ADDR_BITS) - 1)

static inline struct cap cap_make(enum cap_type t, paddr_t addr, word_t sub, word_t w1)
{
	return (struct cap){ (addr & CAP_ADDR_MASK) | ((word_t)t << 44) | (sub << 49), w1 };
}
static inline struct cap cap_null(void) { return (struct cap){ 0, 0 }; }
static inline enum cap_type cap_type(struct cap c) { return (enum cap_type)((c.w0 >> 44) & 31); }
static inline paddr_t cap_addr(struct cap c) { return c.w0 & CAP_ADDR_MASK; }
static inline void *cap_object(struct cap c) { return paddr_to_ptr(cap_addr(c)); }
static inline word_t cap_sub(struct cap c) { return c.w0 >> 49; }
static inline word_t cap_sub_field(struct cap c, unsigned shift, unsigned bits)
{
	return (c.w0 >> (49 + shift)) & ((1ull << bits) - 1);
}
