/* Injection into a 32-bit EL1, which inject.c turns to for narrow vCPUs. */
#pragma once

#include <selvage/vcpu.h>

void inject32_undefined(struct vcpu *v);
void inject32_break(struct vcpu *v);
void inject32_abort(struct vcpu *v, uint32_t address, bool fetch);
