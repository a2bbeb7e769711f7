/* Brings the images into guest RAM. */
#pragma once

#include "../vm.h"

struct boot_entry {
	uint64_t pc;   /* bit 0 of a 32-bit one: Thumb */
	uint64_t load; /* where the image's first part is */
	uint64_t x[4];
};

/* NULL and where to enter, or what is wrong with the images. */
const char *boot_load(struct vm *vm, struct boot_entry *entry);

/* For vm->hooks.load: into guest memory. NULL, or why not. */
const char *boot_copy(struct vm *vm, uint64_t gpa, uint64_t vaddr, uint64_t bytes);
