/*
 * What a kernel without extensions (make EXTENSIONS=0) does as seL4 does and
 * ours would do otherwise. It is there to show that the userland boots on a
 * kernel that keeps the contract and no more.
 */
#pragma once

#include <kernel/types.h>

struct boot_machine;
struct vcpu;

/* No SMC capability; the memory set aside for VMs comes as device memory. */
void plain_boot(struct boot_machine *m);
/* What natives read as virtual counter has the offset of the guest that ran
 * last. With SELVAGE_GUEST_TIME_STANDS the time that it does not run is added. */
void plain_vcpu_enter(struct vcpu *v);
void plain_vcpu_leave(struct vcpu *v);
/* HVC with a system call's number in x7 is one. */
bool plain_is_call(word_t nr);
