/* Domains. There is one; its schedule has an entry and an end marker, and
 * setting either changes nothing that could be seen. */
#include <kernel/invoke.h>

#define NUM_DOMAINS 1
#define SCHEDULE_LENGTH 2
#define DURATION_BITS 56

static int set(struct invocation *inv)
{
	if (inv_arg(inv, 0) >= NUM_DOMAINS)
		return inv_invalid_argument(inv, 0);
	if (cap_type(inv_extra(inv, 0)) != CAP_TCB)
		return inv_invalid_argument(inv, 1);
	return ABI_OK;
}

static int schedule_configure(struct invocation *inv)
{
	word_t duration;

	if (inv_arg(inv, 0) > SCHEDULE_LENGTH - 2)
		return inv_range(inv, 0, SCHEDULE_LENGTH - 2);
	if (inv_arg(inv, 1) >= NUM_DOMAINS)
		return inv_range(inv, 0, NUM_DOMAINS - 1);
	duration = inv_arg(inv, 2);
	/* The only entry is also the start: it cannot be the end marker. */
	if (duration >> DURATION_BITS || duration == 0)
		return inv_invalid_argument(inv, 2);
	return ABI_OK;
}

static int schedule_set_start(struct invocation *inv)
{
	if (inv_arg(inv, 0) > SCHEDULE_LENGTH - 1)
		return inv_range(inv, 0, SCHEDULE_LENGTH - 1);
	return inv_arg(inv, 0) == SCHEDULE_LENGTH - 1 ? inv_invalid_argument(inv, 0) : ABI_OK;
}

int domain_invoke(struct invocation *inv)
{
	switch (inv->label) {
	case ABI_INV_DOMAIN_SET_SET: return set(inv);
	case ABI_INV_DOMAIN_SET_SCHEDULE_CONFIGURE: return schedule_configure(inv);
	default: /* ABI_INV_DOMAIN_SET_SCHEDULE_SET_START */
		return schedule_set_start(inv);
	}
}
