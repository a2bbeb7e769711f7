/* No monitor is built for PCs yet: there are no VMs on them. */
#include "vm_make.h"

#include "board.h"

void vm_make_init(const struct machine *m) { (void)m; }

const char *vm_monitor(const struct sysdesc_vm *vm)
{
	(void)vm;
	return NULL;
}

bool vm_make(struct process *p, unsigned index, const struct sysdesc_vm *vm, const char *monitor)
{
	(void)p;
	(void)index;
	(void)vm;
	(void)monitor;
	return false;
}

void vm_make_quiet(const struct process *p, const struct sysdesc_vm *vm)
{
	(void)p;
	(void)vm;
}

cap_t vm_make_frame(const struct process *p, const struct sysdesc_vm *vm, uint64_t gpa,
		    unsigned *bits, uint64_t *offset)
{
	(void)p;
	(void)vm;
	(void)gpa;
	(void)bits;
	(void)offset;
	return 0;
}

bool board_vcpu_register(const struct process *p, uint64_t vcpu, const uint64_t *context,
			 unsigned i, const char **name, uint64_t *value)
{
	(void)p;
	(void)vcpu;
	(void)context;
	(void)i;
	(void)name;
	(void)value;
	return false;
}

bool board_skip_time(const struct process *p, unsigned vcpus, uint64_t ticks)
{
	(void)p;
	(void)vcpus;
	(void)ticks;
	return true;
}
