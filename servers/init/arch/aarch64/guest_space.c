#include "guest_space.h"

/* Where a guest of board `virt` finds its GICv2 CPU interface. */
#define GUEST_GICC 0x08010000ull
#define GUEST_GICC_PAGES 2

cap_t guest_space_new(struct process *p)
{
	cap_t guest = mem_object(&p->mem, ABI_OBJ_VSPACE);

	return guest != 0 && sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, guest) == ABI_OK ? guest : 0;
}

int guest_space_map(struct mem_arena *arena, cap_t guest, cap_t frame, uint64_t gpa,
		    unsigned attributes)
{
	return map_page(arena, guest, frame, gpa, MAP_RW, attributes);
}

/* A GICv2 guest uses the hardware's virtual CPU interface directly. */
static bool map_gicv(struct process *p, cap_t guest, const struct machine *machine)
{
	const struct grant grant = {
		.holder = (uint8_t)(p->number | GRANT_GUEST),
		.rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE,
		.slot = GRANT_MAPPED,
		.object = (uint32_t)mem_device_frame(machine->gicv_paddr),
		.type = "Device",
		.what = "interrupts' virtual interface",
		.at = machine->gicv_paddr,
	};

	for (uint64_t i = 0; i < GUEST_GICC_PAGES; i++) {
		cap_t frame = mem_device_frame(machine->gicv_paddr + i * 4096);
		cap_t copy = frame == 0 ? 0 : mem_copy(&p->mem, frame, ABI_RIGHTS_ALL);

		if (copy == 0 || map_page(&p->mem, guest, copy, GUEST_GICC + i * 4096, MAP_RW,
					  MAP_DEVICE) != ABI_OK)
			return false;
	}
	return process_note(p, &grant);
}

bool guest_space_add_board(struct process *p, cap_t guest, const struct sysdesc_vm *vm,
			   const struct machine *machine)
{
	return machine->gic_version != 2 || vm->board != SYSDESC_BOARD_VIRT ||
	       map_gicv(p, guest, machine);
}

bool guest_space_give(struct process *p, cap_t guest, cap_t tcb, cap_t empty_cnode)
{
	(void)p;
	return sel4_tcb_configure(tcb, empty_cnode, guest, 0, sel4_cnode_data(0, 63), 0, 0) ==
	       ABI_OK;
}
