/* What the parts of the invariant check share. */
#pragma once

#include <kernel/panic.h>
#include <kernel/sched_context.h>
#include <kernel/slot.h>
#include <kernel/tcb.h>

struct cpu;
struct endpoint;
struct notification;

/* A broken invariant, by name, and the object that breaks it. */
#define INVARIANT(name, object, cond) \
	((cond) ? (void)0 : invariant_broken(name, object, #cond))

static inline void invariant_broken(const char *name, const void *object, const char *what)
{
	panic("invariant broken: %s: %p (%s)", name, object, what);
}

/* --- a set of things seen in this pass (set.c) --- */
enum set_kind {
	SET_SLOT = 1, /* slots met in derivation lists */
	SET_IDENTITY, /* objects: the run of their capabilities has begun */
	SET_OBJECT,   /* objects by address, what they are */
	SET_AREA,     /* arrays of slots */
	SET_MAPPING,  /* arch: (asid, address) that a frame capability vouches for */
	SET_TABLE,    /* arch: page tables in use */
};
void set_clear(void);
/* Whether it is new. A full set takes nothing more, and set_full() is true. */
bool set_add(enum set_kind kind, word_t key);
bool set_has(enum set_kind kind, word_t key);
bool set_full(void);
/* Key of the object of a capability: type and address. */
static inline word_t object_key(enum cap_type type, const void *object)
{
	return (word_t)type << CAP_ADDR_BITS | ptr_to_paddr(object);
}

/* --- objects (objects.c) --- */
void check_tcb(const struct tcb *t);
void check_sched_context(const struct sched_context *sc);
void check_endpoint(const struct endpoint *ep);
void check_object(struct cap c);

/* --- the scheduler (scheduler.c): after each entry --- */
void check_scheduler(const struct cpu *c);

/* --- the architecture --- */
/* After each entry: registers, live vCPU, FPU. */
void check_arch_entry(const struct cpu *c);
/* In a whole pass: each capability once, then all together. */
void check_arch_begin(void);
void check_arch_cap(const struct slot *s);
void check_arch_end(void);
/* Damages what invariant_damage names, before a check: for tests. */
void damage_arch(void);
