/*
 * Native processes: an arena, an address space with an ELF image in it, a
 * CNode and a main thread. Everything a process holds was granted here and
 * is written down, so that "who holds what" has an answer.
 */
#pragma once

#include "images.h"

#include <selvage/logring.h>
#include <selvage/procinfo.h>
#include <selvage/sysdesc.h>

enum process_state { PROCESS_NONE = 0,
		     PROCESS_RUNNING,
		     PROCESS_CRASHED };

/*
 * One capability that went into a process's CNode, or memory that was mapped where
 * others have it too. With `selvage audit` the host compares these rows with what the
 * description foretells (tool/topology_model.c): a new one needs its like there.
 */
struct grant {
	uint8_t holder; /* process number, and GRANT_GUEST */
	uint8_t rights;
	uint16_t slot;    /* GRANT_MAPPED: none, mapped */
	uint32_t object;  /* init's slot of it: the same for all who have it */
	const char *type; /* of the object, for people */
	const char *what; /* its purpose */
	uint64_t at;      /* of a device: its address, or its interrupt */
	uint64_t bytes;   /* of memory */
};
#define GRANT_GUEST 0x80u /* the guest of that monitor */
#define GRANT_MAPPED 0xffffu

/* A scheduling context of the process, with which of two threads it is: a
 * vCPU's is its guest's, or its handler's during an exit. */
struct process_time {
	cap_t sc;     /* 0: none */
	cap_t tcb[2]; /* who may have it */
	cap_t frozen; /* who had it when the process was frozen */
	uint64_t budget_us, period_us, badge;
};

/* Those of one process, and those others got because of it. */
#define PROCESS_GRANTS 192
#define PROCESS_THREADS (2 + SYSDESC_MAX_VCPUS)

struct process {
	enum process_state state;
	enum proc_kind kind;
	uint8_t number; /* index in the process table */
	uint8_t cnode_bits;
	char name[PROC_NAME];
	const struct process_image *image;
	struct mem_arena mem;
	struct mem_arena data; /* what the program may write: new at a restart */
	cap_t cnode, vspace, ntfn;
	cap_t tcb[PROCESS_THREADS]; /* main thread, then a VMM's handlers, debug stub */
	struct process_time time[PROCESS_THREADS];
	cap_t vcpu[SYSDESC_MAX_VCPUS]; /* VCPU objects */
	cap_t guest;                   /* a VMM's: the guest's address space */
	cap_t info;                    /* the page that tells it what it is */
	cap_t stats;                   /* a VMM's: what its VM did, to be read */
	cap_t ram_table[8];            /* a VMM's whose VM may be debugged: pages with the
	                                * slots of its RAM's frames (vm_make_frame) */
	unsigned ram_frames;
	cap_t poke;    /* a VMM's: VMM_NTFN_INIT */
	bool debugged; /* a VMM with a debug channel */
	uint64_t heap_bytes, stack_bytes;
	cap_t fault_ep;     /* on which init hears of its faults */
	cap_t reply;        /* of the main thread */
	cap_t service_ep;   /* on which it receives */
	cap_t service_call; /* init's own way to call it */
	cap_t log_frames[LOGRING_BYTES / 4096];
	unsigned n_irqs; /* of the machine, given to it */
	unsigned n_grants;
	struct grant grants[PROCESS_GRANTS];
};

#define PROCESS_MAX 72
#define PROCESS_FIRST_VMM 8 /* after init and the services */
extern struct process processes[PROCESS_MAX];

/* Badges of what reaches init's endpoint: process number + 1, thread above. */
#define PROCESS_BADGE(number, thread) ((uint64_t)(number) + 1 + ((uint64_t)(thread) << 16))
#define PROCESS_OF_BADGE(badge) ((unsigned)((badge)&0xffff) - 1)
#define THREAD_OF_BADGE(badge) ((unsigned)((badge) >> 16) & 0xff)

struct process_spec {
	enum proc_kind kind;
	const char *name;
	const char *image; /* payload name */
	unsigned cnode_bits;
	unsigned priority;
	uint64_t budget_us, period_us;
	uint64_t heap_bytes, stack_bytes; /* multiples of 4096 */
	const void *detail;               /* kind-specific part of procinfo */
	size_t detail_bytes;
	cap_t fault_ep; /* who hears of its faults; 0: init_endpoint */
};

/* The endpoint on which init hears everyone. */
extern cap_t init_endpoint;
/* To configure scheduling contexts. */
extern cap_t init_sched_control;
/* CNTFRQ_EL0, set at start. */
extern uint64_t process_counter_hz;
extern uint32_t process_log_level;

/*
 * Makes the process; it does not run yet. False if memory or slots run out
 * (nothing is left behind) or the image is unknown.
 */
bool process_create(struct process *p, unsigned number, const struct process_spec *spec);
/* Starts the main thread at the image's entry. */
bool process_start(struct process *p);
/*
 * Puts a process whose main thread does not run back to before its start: its
 * capabilities and what it shares with others stay, what it wrote does not.
 */
bool process_reset(struct process *p);
/*
 * Gives a thread's scheduling context its parameters. Threads (numbers as in
 * tcb[]) whose contexts came by this can be frozen.
 */
bool process_set_time(struct process *p, unsigned thread, uint64_t budget_us,
		      uint64_t period_us);
/*
 * Takes all threads' time away, wherever they are, and gives it back: in between
 * nothing of the process or its guest executes. Each goes on with a whole budget.
 */
bool process_freeze(struct process *p);
bool process_thaw(struct process *p);
/* Time that it has used since the last question, microseconds. */
uint64_t process_consumed_us(struct process *p);
/* Changes what the process was told at its start (of detail[], in bytes). */
bool process_tell(struct process *p, size_t offset, const void *bytes, size_t size);
/* What it logs from now on. */
bool process_set_log_level(struct process *p, uint32_t level);
/* Memory of the process, its VM's included. */
uint64_t process_held_bytes(const struct process *p);
/* Takes the process and all it had away. */
void process_destroy(struct process *p);

/*
 * Gives `holder` a copy of `src` in its slot, because of `p` (whose end takes
 * it back: `src` must be of p's arena, or the copy is revoked otherwise).
 */
bool process_grant(struct process *p, struct process *holder, unsigned slot,
		   cap_t src, uint64_t rights, uint64_t badge, const char *type,
		   const char *what);

/*
 * Fresh zeroed pages of the arena at `vaddr`, data, read-write; their slots
 * go to frames[] unless it is NULL.
 */
bool process_map_new(struct mem_arena *arena, cap_t vspace, uint64_t vaddr,
		     unsigned count, cap_t *frames);
/* Copies of frames into another process; the copies are p's. `what` it has them for. */
bool process_share_frames(struct process *p, struct process *with, const cap_t *frames,
			  unsigned count, uint64_t vaddr, const char *what);
/* Drops what is written down of an object that is about to end, because of p. */
void process_forget(struct process *p, cap_t object);
/* Writes down what was mapped for a holder because of p; false: too many rows. */
bool process_note(struct process *p, const struct grant *grant);
/* The same of small pages that begin with `frame`, for p itself, read-write. */
bool process_note_pages(struct process *p, cap_t frame, unsigned count, const char *what);
/* A TCB of p's arena with its spaces, IPC buffer and fault badge set. */
bool process_thread(struct process *p, cap_t tcb, unsigned thread, unsigned priority,
		    cap_t sched_context);
