/* What the tests of x86-64 alone share. */
#pragma once

#include "../../kt.h"

extern const struct kt_group kt_paging, kt_asid, kt_ports, kt_irq_pc, kt_fault_pc,
	kt_registers_pc, kt_exits_pc;
extern const struct kt_group kt_guest_pc, kt_vmcs;

/* Nothing is mapped in these 512 GiB. */
#define FREE_VADDR 0x28000000000ull
#define RW (ABI_RIGHT_READ | ABI_RIGHT_WRITE)

/* --- one thread whose faults arrive here --- */
struct watched {
	struct kt_thread t;
	cap_t ep, reply;
	msginfo_t info; /* of its last fault */
	uint64_t mr[SEL4_MSG_REGS];
};
struct watched watch(void (*entry)(void *), void *arg);
/* Not started yet. */
struct watched watch_made(cap_t space, void (*entry)(void *), void *arg);
struct watched watch_in(cap_t space, void (*entry)(void *), void *arg);
/* Started or answered it has run until now: whether it has faulted. */
bool watch_faulted(struct watched *w);
void watch_answer(struct watched *w, uint64_t label, unsigned words);
/* A thread of one instruction, behind which the file's s.step is 2. */
#define WATCHED_DOES(name, insn)        \
	static void name(void *arg)     \
	{                               \
		(void)arg;              \
		__asm__ volatile(insn); \
		s.step = 2;             \
		kt_stop();              \
	}
/* Page fault's error code of an access; -1: there was none. */
#define NO_FAULT (~0ull)
uint64_t fault_of_read(uint64_t vaddr);
uint64_t fault_of_write(uint64_t vaddr);
/* Bits of it. */
enum { PF_PRESENT = 1,
       PF_WRITE = 2,
       PF_USER = 4,
       PF_FETCH = 16 };

/* An address space that is ready for use; `image`: with the tests' own pages. */
cap_t make_space(bool image);
int map_small(cap_t frame, cap_t space, uint64_t vaddr);
/* A page of device memory. */
cap_t device_page(uint64_t paddr);
cap_t ports(unsigned first, unsigned last);
/* Waits for a badge, at most 20 ms. */
uint64_t await(cap_t ntfn);
