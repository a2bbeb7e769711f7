/* The record of a fault that nothing handles, and the end of the VM. */
#pragma once

#include "vm.h"

/* ESR_EL2 of an abort: of a walk of the guest's own tables. */
#define REPORT_S1PTW (1u << 7)

/*
 * Under the lock, from vc's handler: writes the record to the log (text, then
 * one line of JSON) and has init take this VM down. Other VMs go on.
 */
_Noreturn void report_stop(struct vm_vcpu *vc, const struct vcpu_exit *e,
			   const char *what);
