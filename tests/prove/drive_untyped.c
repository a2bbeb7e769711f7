/* Untyped_Retype with any message on any capability. */
#include "model.h"

static void drive(bool with_buffer)
{
	struct invocation inv;

	model_slots(0);
	any_invocation(&inv, with_buffer);
	inv.cap.w0 = inv.slot->cap.w0 = CAP_UNTYPED;
	inv.label = ABI_INV_UNTYPED_RETYPE;
	if (inv_check(&inv) == ABI_OK)
		(void)untyped_invoke(&inv);
}

void drive_untyped(void);

void drive_untyped(void)
{
	drive(false);
	drive(true);
}
