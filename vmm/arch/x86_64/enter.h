/* The state that a boot protocol hands over, into the registers of a vCPU. */
#pragma once

#include "../../boot/pc/entry.h"

#include <selvage/vcpu.h>

/* Over those of a reset, which come first (vcpu_reset). */
void vcpu_enter(struct vcpu *v, const struct pc_entry *e);
