/* Breakpoints at the instructions of a9_regs.h: hooks of struct vm_hooks. */
#pragma once

#include "vm.h"

void a9_sites_set(struct vm *vm);
bool a9_site_event(struct vm_vcpu *vc, const struct vcpu_exit *e);
