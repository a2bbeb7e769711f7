/* What init reads and changes of a guest: registers, its time-stamp counter. */
#include "board.h"

#include <abi/vcpu.h>
#include <selvage/base.h>

bool board_vcpu_register(const struct process *p, uint64_t vcpu, const uint64_t *context,
			 unsigned i, const char **name, uint64_t *value)
{
	static const char *const names[] = {
#define X(name) #name,
		ABI_VCPU_REGS(X)
#undef X
	};
	uint64_t regs[ABI_VCPU_REG_COUNT] = { 0 };

	(void)context;
	if (i >= ARRAY_SIZE(names))
		return false;
	*name = names[i];
	(void)sel4_vcpu_read_set(p->vcpu[vcpu], bit_u64(i), regs);
	*value = regs[i];
	return true;
}

bool board_skip_time(const struct process *p, unsigned vcpus, uint64_t ticks)
{
	const uint64_t tsc = bit_u64(ABI_VCPU_TSC_OFFSET);
	uint64_t regs[ABI_VCPU_REG_COUNT];

	for (unsigned i = 0; i < vcpus; i++) {
		if (sel4_vcpu_read_set(p->vcpu[i], tsc, regs) != ABI_OK)
			return false;
		regs[ABI_VCPU_TSC_OFFSET] -= ticks;
		if (sel4_vcpu_write_set(p->vcpu[i], tsc, regs) != ABI_OK)
			return false;
	}
	return true;
}
