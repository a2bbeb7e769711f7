/* The processors of the machine `qemu-virt` that a description may name. */
#pragma once

#include <stddef.h>

struct cpu {
	const char *name;
	const char *qemu;   /* for -cpu: the name and the options it needs */
	const char *config; /* the kernel configuration that fits it */
	unsigned pa_bits;   /* what that configuration can address */
};

#define CPU_DEFAULT "cortex-a57"

const struct cpu *cpu_find(const char *name);
/* The index-th processor, or NULL. */
const struct cpu *cpu_at(size_t index);
