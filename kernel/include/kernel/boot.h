/*
 * What boot (core/boot.c, arch) uses of the core to create the root task:
 *
 *   cpu_init();                              once, before anything else
 *   slots = memory of the root CNode (zero);
 *   slot_set_root(&slots[n], cap_...(...));  each initial capability
 *   TCB: zeroed, 2 KiB aligned memory
 *   slot_insert_copy(&tcb->slots[TCB_CSPACE], cap, &slots[ABI_ROOT_CNODE]);
 *     the same for VSPACE and IPC_BUFFER (arch_cap_derive'd frame), and
 *     tcb->ipc_buffer = vaddr;
 *   boot_sched_context(sc, bits, us);        zeroed memory: round robin
 *   boot_bind(tcb, sc, priority, mcp);
 *   registers by arch;
 *   sched_start(tcb);                        then restore this_cpu()->current
 */
#pragma once

#include <kernel/cnode.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/irq.h>
#include <kernel/sched.h>
#include <kernel/sched_context.h>
#include <kernel/slot.h>
#include <kernel/tcb.h>
#include <kernel/untyped.h>

static inline struct cap cap_domain(void) { return cap_make(CAP_DOMAIN, 0, 0, 0); }

void cpu_init(void);
void boot_sched_context(struct sched_context *sc, unsigned size_bits, uint64_t budget_us);
void boot_bind(struct tcb *t, struct sched_context *sc, prio_t prio, prio_t mcp);
