/* The PL011 and the console behind it, the PL031 and the wall clock. */
#pragma once

#include "vm.h"

/* Puts the devices of the description on the bus. False: no room there. */
bool devices_init(struct vm *vm);
/* Under the lock: input and room for output may have come. */
void uart_service(struct vm *vm);
