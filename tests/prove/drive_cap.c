/* Every function of cap.c and slot.c with any capability. */
#include "model.h"

#include <abi/error.h>

static void drive(unsigned kind)
{
	struct cap c = any_cap(), d = any_cap(), out;
	struct slot *a = model_slot(0), *b = model_slot(1);
	paddr_t base;
	unsigned bits;

	model_slots(kind);
	(void)cap_derive(a, c, &out);
	(void)cap_mask_rights(c, any_word());
	(void)cap_update_data(c, any_word(), any_bool());
	(void)cap_same_object(c, d);
	(void)cap_region(c, &base, &bits);
	(void)slot_is_parent_of(a, b);
	(void)slot_has_children(a);
	(void)slot_is_final(a);
	(void)slot_delete_is_long(a);
	switch (any_below(6)) {
	case 0:
		slot_set_root(a, c);
		break;
	case 1:
		slot_insert_copy(a, c, b);
		break;
	case 2:
		slot_insert_child(a, c, b);
		break;
	case 3:
		slot_move(a, c, b);
		break;
	case 4:
		slot_swap(a, c, b, d);
		break;
	default:
		slot_clear(a);
		break;
	}
}

void drive_cap(void);

void drive_cap(void)
{
	/*@ loop unroll 81; */
	for (unsigned kind = 0; kind < MODEL_KINDS; kind++)
		drive(kind);
}
