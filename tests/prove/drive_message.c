/* Messages, capabilities in them, faults and their replies, with any contents. */
#include "model.h"

#include <kernel/endpoint.h>
#include <kernel/ipc.h>

static void drive(void)
{
	struct slot *slots[ABI_MSG_MAX_CAPS];
	struct tcb *from = any_thread(), *to = any_thread();
	struct lookup_failure f;
	cptr_t failed;

	model_slots(0);
	(void)ipc_lookup_extra(from, ipc_buffer(from, false), any_word(), slots, &failed, &f);
	ipc_transfer(from, to, any_endpoint(), any_word(), any_bool());
	(void)ipc_fault_reply(from, to);
	(void)ipc_handler_ok(any_cap());
}

void drive_message(void);

void drive_message(void)
{
	drive();
}
