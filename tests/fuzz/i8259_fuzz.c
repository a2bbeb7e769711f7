/* A hostile guest at the pair of 8259s. */
#include <dev/pc/i8259.h>

#include "pc_fuzz.h"

static struct i8259 d;

void device_start(void)
{
	i8259_init(&d, &(struct i8259_env){ NULL, set_level });
}

enum mmio_outcome device_access(unsigned which, struct mmio *m)
{
	m->offset &= 1;
	return which & 4 ? i8259_elcr_access(&d, m) : i8259_access(&d, which & 1, m);
}

void device_act(const uint8_t *b)
{
	if (b[1] & 0x80)
		i8259_set_line(&d, b[1] & 31, b[2] & 1);
	else if (i8259_acknowledge(&d) >> 3 != d.chip[0].base >> 3 &&
		 !((d.chip[0].isr >> 2 & 1) || d.chip[0].auto_eoi))
		abort(); /* a vector of the second chip, and the first serves nobody */
}

void device_check(void)
{
	if (line[0] != i8259_intr(&d))
		abort();
}
