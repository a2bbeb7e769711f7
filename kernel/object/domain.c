/* Domains. There is one; its schedule has an entry and an end marker, and
 * setting either changes nothing that could be seen. */
#include <kernel/invoke.h>

#define MAX_DURATION ((1ull << 56) - 1)

int domain_invoke(struct invocation *inv)
{
	word_t a = inv_arg(inv, 0);

	switch (inv->label) {
	case ABI_INV_DOMAIN_SET_SET:
		if (a == 0 && cap_type(inv_extra(inv, 0)) == CAP_TCB)
			return ABI_OK;
		return inv_invalid_argument(inv, a == 0);
	case ABI_INV_DOMAIN_SET_SCHEDULE_CONFIGURE:
		if (a != 0 || inv_arg(inv, 1) != 0)
			return inv_range(inv, 0, 0);
		/* The only entry is also the start: it cannot be the end marker. */
		return inv_arg(inv, 2) - 1 < MAX_DURATION ? ABI_OK : inv_invalid_argument(inv, 2);
	default: /* ABI_INV_DOMAIN_SET_SCHEDULE_SET_START */
		if (a > 1)
			return inv_range(inv, 0, 1);
		return a == 1 ? inv_invalid_argument(inv, 0) : ABI_OK;
	}
}
