/* Queues of threads blocked on an endpoint or notification: by priority,
 * first come first served within one. */
#pragma once

#include <kernel/tcb.h>

/* Inserts `t`; bounded by the threads in the queue. */
void tcb_queue_insert(struct tcb **head, struct tcb **tail, struct tcb *t);
void tcb_queue_remove(struct tcb **head, struct tcb **tail, struct tcb *t);
