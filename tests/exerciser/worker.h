/*
 * Between the supervisor and its workers. Workers share one address space
 * that maps the image read-only; what a worker writes lies in its own pages.
 */
#pragma once

#include <abi/ipcbuf.h>
#include <stdint.h>

#define WORKERS 6u
#define HANDLER (WORKERS - 1) /* the last serves the guest's exits */
#define PAGE 4096u

/* Per worker, at WORKER_BASE + index * WORKER_STRIDE: the page of its state
 * and IPC buffer, then its stack. */
#define WORKER_BASE 0x20000000ull
#define WORKER_PAGES 2u
#define WORKER_STRIDE (16u * PAGE)
#define GUEST_WINDOW 0x28000000ull /* the guest's page as workers see it */
#define GUEST_BASE 0x40000000ull   /* and as the guest sees it */

struct worker {
	uint64_t random;
	uint64_t calls, exits; /* made, answered */
	uint64_t hash;         /* of all that came back */
	uint64_t pad[60];
	struct abi_ipcbuf buffer __attribute__((aligned(1024)));
};
_Static_assert(sizeof(struct worker) <= PAGE, "one page");

static inline struct worker *worker_at(uint64_t base, unsigned index)
{
	return (struct worker *)(uintptr_t)(base + index * (uint64_t)WORKER_STRIDE);
}

/* The round's CNode, for workers: small numbers, no guard. */
#define RADIX 8u
#define SLOTS (1u << RADIX)
enum slot {
	S_NULL,
	S_CNODE,
	S_CNODE2, /* another CSpace with copies of some */
	S_CNODE3,
	S_TCB,
	S_TCB_GUEST = S_TCB + WORKERS,
	S_TCB_SPARE,
	S_SC = S_TCB_SPARE + 1,
	S_SC_GUEST = S_SC + WORKERS,
	S_SC_SPARE,
	S_EP = S_SC_SPARE + 1,
	S_EP_GUEST = S_EP + 6,
	S_NTFN,
	S_REPLY = S_NTFN + 6,
	S_REPLY_GUEST = S_REPLY + 8,
	S_UNTYPED,
	S_FRAME = S_UNTYPED + 8,
	S_LARGE = S_FRAME + 8,
	S_VSPACE,
	S_TABLE = S_VSPACE + 3,
	S_VCPU = S_TABLE + 8,
	S_ASID_POOL = S_VCPU + 2,
	S_ASID_CONTROL,
	S_SCHED_CONTROL,
	S_DOMAIN,
	S_IRQ,
	S_FREE
};

/* Random system calls, or the guest's exits, for ever. */
void worker_main(struct worker *w, uint64_t index);
