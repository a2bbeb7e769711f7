/* The processors that a description may name, by the machine's board. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct cpu {
	const char *name;
	const char *qemu;   /* for -cpu: the name and the options it needs */
	const char *config; /* the kernel configuration that fits it */
	unsigned pa_bits;   /* what that configuration can address */
	bool narrow;        /* it has AArch32 at EL1: 32-bit guests */
	bool pc;            /* of board `pc`; else of `qemu-virt` */
};

#define CPU_DEFAULT "cortex-a57"
#define CPU_DEFAULT_PC "epyc"

const struct cpu *cpu_find(const char *name);
/* The index-th processor, or NULL. */
const struct cpu *cpu_at(size_t index);
