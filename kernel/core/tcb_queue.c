#include <kernel/tcb_queue.h>

void tcb_queue_insert(struct tcb **head, struct tcb **tail, struct tcb *t)
{
	struct tcb *before = *tail, *after;

	while (before && before->priority < t->priority)
		before = before->ipc_prev;
	after = before ? before->ipc_next : *head;
	t->ipc_prev = before;
	t->ipc_next = after;
	*(before ? &before->ipc_next : head) = t;
	*(after ? &after->ipc_prev : tail) = t;
}

void tcb_queue_remove(struct tcb **head, struct tcb **tail, struct tcb *t)
{
	*(t->ipc_prev ? &t->ipc_prev->ipc_next : head) = t->ipc_next;
	*(t->ipc_next ? &t->ipc_next->ipc_prev : tail) = t->ipc_prev;
	t->ipc_next = t->ipc_prev = NULL;
}
