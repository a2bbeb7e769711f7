/* The handler of one vCPU: waits for its exits, answers them, for ever. */
#pragma once

#include "vm.h"

/* Entry of a handler thread; arg: its struct vm_vcpu. */
_Noreturn void exits_handler(void *arg);
