#include "standin.h"

#include "self.h"
#include "service.h"

#include <selvage/base.h>
#include <selvage/rt.h>
#include <selvage/servers.h>

#define STANDIN_PRIORITY 220 /* above every server */
#define STANDIN_BUDGET_US 1000
#define STANDIN_PERIOD_US 10000
#define STANDIN_RELIEVED 1 /* request of the main thread to a stand-in */

static struct standin {
	struct process *process;
	cap_t fault_ep, reply, signal;
	struct standin_crash crash;
	bool crashed; /* and the main thread does not know yet */
} standins[PROCESS_FIRST_VMM];

static void refuse(cap_t reply)
{
	const uint64_t mr[SEL4_MSG_REGS] = { 0 };

	sel4_send(reply, msginfo(SERVER_DIED, 0, 0), mr);
}

/* Until the main thread relieves it. Receiving with the reply object of the
 * fault makes the kernel forget the fault: the dead thread stays stopped. */
static void answer_for(struct standin *s)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	uint64_t badge;
	msginfo_t info;

	do {
		info = sel4_recv(s->process->service_ep, &badge, mr, s->reply);
		refuse(s->reply);
	} while (badge != SERVER_BADGE_INIT || msginfo_label(info) != STANDIN_RELIEVED);
}

static void stand_in(void *arg)
{
	struct standin *s = arg;
	uint64_t badge;

	for (;;) {
		s->crash.info = sel4_recv(s->fault_ep, &badge, s->crash.mr, s->reply);
		__atomic_store_n(&s->process->state, PROCESS_CRASHED, __ATOMIC_RELAXED);
		__atomic_store_n(&s->crashed, true, __ATOMIC_RELEASE);
		sel4_signal(s->signal);
		refuse(s->process->reply);
		answer_for(s);
	}
}

cap_t standin_prepare(struct process *p, cap_t ntfn)
{
	struct standin *s = &standins[p - processes];

	s->process = p;
	s->fault_ep = mem_object(&init_arena, ABI_OBJ_ENDPOINT);
	s->reply = mem_object(&init_arena, ABI_OBJ_REPLY);
	s->signal = mem_mint(&init_arena, ntfn, ABI_RIGHT_WRITE, INIT_NTFN_SERVICE);
	return s->reply == 0 || s->signal == 0 ? 0 : s->fault_ep;
}

/* A thread in init's own spaces; its fault, a bug, has no handler. */
static bool configure(cap_t tcb, cap_t buffer, const void *buffer_at, uint64_t badge)
{
	cap_t sc = mem_object_sized(&init_arena, ABI_OBJ_SCHED_CONTEXT, 8);

	return sc != 0 &&
	       sel4_sched_control_configure(init_sched_control, sc, STANDIN_BUDGET_US,
					    STANDIN_PERIOD_US, 6, badge, 0) == ABI_OK &&
	       sel4_tcb_configure(tcb, ABI_ROOT_CNODE, ABI_ROOT_VSPACE, buffer,
				  sel4_cnode_data(0, CSPACE_DEPTH - CSPACE_BITS), 0,
				  (uint64_t)buffer_at) == ABI_OK &&
	       sel4_tcb_set_sched_params(tcb, ABI_ROOT_TCB, sc, 0, STANDIN_PRIORITY,
					 STANDIN_PRIORITY) == ABI_OK;
}

bool standin_start(struct process *p)
{
	struct standin *s = &standins[p - processes];
	uint64_t regs[ABI_CTX_COUNT];
	cap_t tcb = mem_object(&init_arena, ABI_OBJ_TCB);
	cap_t frames[2];
	uint8_t *pages = self_new_pages(ARRAY_SIZE(frames), frames);
	uint8_t *buffer;

	if (tcb == 0 || pages == NULL)
		return false;
	buffer = pages + 4096; /* the stack grows down, away from it */
	rt_thread_prepare(regs, buffer, buffer, stand_in, s);
	return configure(tcb, frames[1], buffer, p->number) &&
	       sel4_tcb_write_registers(tcb, 1, ABI_CTX_COUNT, regs) == ABI_OK;
}

bool standin_crashed(struct process *p, struct standin_crash *crash)
{
	struct standin *s = &standins[p - processes];

	if (!__atomic_exchange_n(&s->crashed, false, __ATOMIC_ACQUIRE))
		return false;
	*crash = s->crash;
	return true;
}

void standin_relieve(struct process *p)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	(void)sel4_call(p->service_call, msginfo(STANDIN_RELIEVED, 0, 0), mr);
}
