/*
 * What the analysis assumes of memory, in place of the kernel's conversions
 * between words and pointers (included before every file it analyses).
 *
 * The analyser cannot follow an address through the bits of a capability or
 * the flags of a link. So the functions that turn words into pointers are
 * replaced by ones that return an object of the right kind: the assumptions
 * are that a capability leads to a live object of its type and size, and a
 * slot's links to slots. The debug build checks both after kernel entries
 * (kernel/debug/invariants.c). What is proved is that nothing goes wrong with
 * any values of everything else.
 *
 * MODEL_TYPED: a capability is its type and its second word; its address and
 * the bits above the type are any at every reading. So a test of the type tells
 * the analyser which object there is, and one that is missing is an alarm.
 */
#pragma once

#define paddr_to_ptr real_paddr_to_ptr
#define ptr_to_paddr real_ptr_to_paddr
#include <kernel/types.h>
#undef paddr_to_ptr
#undef ptr_to_paddr
void *paddr_to_ptr(paddr_t pa);
paddr_t ptr_to_paddr(const void *p);

#define cap_object real_cap_object
#ifdef MODEL_TYPED
#define cap_make real_cap_make
#define cap_type real_cap_type
#define cap_addr real_cap_addr
#define cap_sub real_cap_sub
#define cap_sub_field real_cap_sub_field
#endif
#include <kernel/cap.h>
#undef cap_object
void *cap_object(struct cap c);
#ifdef MODEL_TYPED
#undef cap_make
#undef cap_type
#undef cap_addr
#undef cap_sub
#undef cap_sub_field
#define cap_type(c) ((c).w0)
struct cap cap_make(word_t type, paddr_t addr, word_t sub, word_t w1);
paddr_t cap_addr(struct cap c);
word_t cap_sub(struct cap c);
word_t cap_sub_field(struct cap c, unsigned shift, unsigned bits);
#endif

#define slot_next real_slot_next
#define slot_prev real_slot_prev
#include <kernel/slot.h>
#undef slot_next
#undef slot_prev
struct slot *slot_next(const struct slot *s);
struct slot *slot_prev(const struct slot *s);

#ifdef MODEL_TYPED
/* slot.c is proved by itself. */
/*@ requires \valid(dest) && \valid(src); assigns \nothing; */
void slot_insert_copy(struct slot *dest, struct cap c, struct slot *src);
/*@ requires n >= 1 && \valid(dest + (0 .. n - 1)) && \valid(parent); assigns \nothing; */
void slot_insert_children(struct slot *dest, word_t n, struct cap c, word_t step,
			  struct slot *parent);
/*@ requires \valid(dest) && \valid(src); assigns \nothing; */
void slot_move(struct slot *dest, struct cap c, struct slot *src);
/*@ requires \valid(a) && \valid(b); assigns \nothing; */
void slot_swap(struct slot *a, struct cap into_b, struct slot *b, struct cap into_a);
/*@ requires \valid_read(s); assigns \result \from *s; ensures \result == 0 || \result == 1; */
bool slot_has_children(const struct slot *s);
#endif

#define cap_cnode_radix real_cap_cnode_radix
#include <kernel/cnode.h>
#undef cap_cnode_radix
/*@ ensures 1 <= \result <= 39; */
unsigned cap_cnode_radix(struct cap c);

#include <kernel/endpoint.h>
#include <kernel/invoke.h>
#include <kernel/untyped.h>

/* Greatest radix of a CNode and size of an untyped: of all physical memory. */
#define MODEL_RADIX 39
#define MODEL_BITS 44

/* --- any value --- */
word_t any_word(void);
bool any_bool(void);
unsigned any_below(unsigned n);
struct cap any_cap(void);
/* Two slots, whose neighbours are none, each other, or strange ones, as `kind`
 * says; and the slots in CNodes. First of all a driver calls model_slots. */
#define MODEL_KINDS 81u
void model_slots(unsigned kind);
struct slot *model_slot(unsigned i); /* 0, 1 */
struct tcb *any_thread(void);
const struct endpoint *any_endpoint(void); /* or NULL */
/* An invocation as core/entry.c prepares it. */
void any_invocation(struct invocation *inv, bool with_buffer);
