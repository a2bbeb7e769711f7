/* The check of one VM of a system description, in parts. */
#pragma once

#include "system.h"

struct vm_check {
	struct system *sys;
	yaml_node_t *node;
	const struct conf_vm *conf;
	struct sysdesc_vm *vm;
};

/* Fills in and checks vm->region (system_memory.c). */
bool system_check_memory(const struct vm_check *c);
