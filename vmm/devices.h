/* The PL011 and the console behind it, the PL031 and the wall clock. */
#pragma once

#include "vm.h"

/* Puts the devices of the description on the bus. False: no room there. */
bool devices_init(struct vm *vm);
/* Under the lock: input and room for output may have come. */
void uart_service(struct vm *vm);

/* a9.c: the devices of vexpress-a9. Under the lock: the timer that they share
 * has run out. */
bool a9_init(struct vm *vm);
void a9_expired(struct vm *vm);
/* A debugger had the VM stand, and vm_now() with it. */
void a9_time_goes_on(struct vm *vm);

/* kick.c. kick_take: the guest has kicked; true: a signal of
 * VMM_CAP_KICK_IRQ is owed, else the interrupt is on its way. */
bool kick_init(struct vm *vm);
bool kick_take(struct vm *vm);
