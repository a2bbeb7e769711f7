#include "reserve.h"

static struct mem_arena places[SYSDESC_MAX_VMS];
static bool taken[SYSDESC_MAX_VMS];

bool reserve_take(unsigned index, const struct sysdesc_vm *vm)
{
	if (taken[index])
		return true;
	mem_open(&places[index], MEM_CHUNK_BITS);
	taken[index] = true;
	for (uint32_t i = 0; i < vm->n_regions; i++) {
		const uint64_t place = sysdesc_place(&vm->region[i]);

		if (place != 0 && !mem_reserve(&places[index], place, vm->region[i].size)) {
			reserve_give(index);
			return false;
		}
	}
	return true;
}

bool reserve_pages(unsigned index, struct mem_arena *vm, uint64_t paddr, unsigned count,
		   cap_t *slot)
{
	return mem_reserved_pages(vm, &places[index], paddr, count, slot);
}

void reserve_give(unsigned index)
{
	if (taken[index])
		mem_close(&places[index]);
	taken[index] = false;
}
