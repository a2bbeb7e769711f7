/*
 * A world of objects of every type in known states, for calls with wrong
 * arguments: made afresh for a case, noted before the call, compared after.
 */
#pragma once

#include "kt.h"

/* Slots, one after the other. */
enum kt_world {
	W_EMPTY,
	W_EMPTY2,
	W_EP,
	W_EP_READ,
	W_EP_WRITE,
	W_EP_BADGED,
	W_NTFN,
	W_NTFN_READ,
	W_NTFN_WRITE,
	W_NTFN_BOUND, /* to W_TCB_BOUND */
	W_TCB,
	W_TCB2,
	W_TCB_BOUND, /* to W_SC_BOUND */
	W_SC,        /* 256 bytes, configured */
	W_SC_NEW,    /* 128 bytes, not configured */
	W_SC_BOUND,
	W_REPLY,
	W_CNODE,      /* radix 4; slot 0: W_EP */
	W_CNODE_NEW,  /* radix 4, empty */
	W_CNODE_FULL, /* radix 1, two of W_EP */
	W_UNTYPED,    /* 4 KiB, unused */
	W_UNTYPED_USED,
	W_UNTYPED_FULL,
	W_UNTYPED_TINY, /* 16 bytes */
	W_UNTYPED_DEVICE,
	W_FRAME,
	W_FRAME_READ,
	W_FRAME_MAPPED,
	W_FRAME_DEVICE,
	W_PT,
	W_PT_TOP, /* mapped, on the way to W_FRAME_MAPPED */
	W_PT_MIDDLE,
	W_PT_LOW,
	W_VSPACE,
	W_VSPACE_NEW,  /* without an ASID */
	W_VSPACE_DEAD, /* its ASID pool is gone */
	W_POOL,
	W_POOL_DEAD, /* the slot only */
	W_VCPU,
	W_IRQ, /* handler of KT_IRQ */
	W_SLOTS,
	/* Not slots of the world: */
	W_SCHED_CONTROL = W_SLOTS,
	W_IRQ_LINES, /* how many interrupts the board has */
	W_IRQ_LAST,
};

#define KT_IRQ 100
#define KT_IRQ_FREE 101
#define KT_MAPPED 0x40000000ull /* W_FRAME_MAPPED in W_VSPACE */

/* A member of the world as argument of a call. */
#define AT_TAG 0xa1100000ull
#define AT(member) (AT_TAG << 32 | W_##member)

struct kt_call {
	const char *name;
	uint64_t target;
	uint64_t label;
	uint8_t words, caps, details;
	uint64_t cap[4];  /* from 1 on, as the error messages count them */
	uint64_t word[9]; /* from 1 on */
	uint64_t error;
	uint64_t detail[6]; /* from 1 on */
};
#define KT_COUNT(...) (sizeof((uint64_t[]){ 0, __VA_ARGS__ }) / 8 - 1)
#define CAPS(...) .caps = KT_COUNT(__VA_ARGS__), .cap = { 0, __VA_ARGS__ }
#define WORDS(...) .words = KT_COUNT(__VA_ARGS__), .word = { 0, __VA_ARGS__ }
#define FAILS(code, ...)                                       \
	.error = ABI_##code, .details = KT_COUNT(__VA_ARGS__), \
	.detail = { 0, __VA_ARGS__ }

void kt_world_make(void);
/* `member` may also be a plain capability address or word. */
uint64_t kt_at(uint64_t member);
/* Makes the call and keeps its answer. */
void kt_call_make(const struct kt_call *c);
/* The answer is exactly what the call says. */
void kt_call_check(const struct kt_call *c);
/* A note of all that can be seen of the world, and its comparison. */
void kt_world_note(void);
void kt_world_check(void);
/* The answer of the last call. */
extern msginfo_t kt_answer;
extern uint64_t kt_answer_word[ABI_MSG_MAX_WORDS];
