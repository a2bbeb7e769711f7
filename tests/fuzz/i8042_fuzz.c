/* A hostile guest at the keyboard controller. */
#include <dev/pc/i8042.h>

#include "pc_fuzz.h"

static struct i8042 d;

void device_start(void)
{
	i8042_init(&d, &(struct i8042_env){ NULL, set_irq, nothing });
}

enum mmio_outcome device_access(unsigned which, struct mmio *m)
{
	m->offset = which & 4;
	return which == 3 ? i8042_port92_access(&d, m) : i8042_access(&d, m);
}

void device_act(const uint8_t *b)
{
	i8042_key(&d, b[1], b[2] & 1, b[2] & 2);
}

void device_check(void)
{
	/* One buffer: both lines are never up. */
	if ((line[0] && line[1]) || d.keyboard.count > I8042_QUEUE ||
	    ((line[0] || line[1]) && !(d.status & 1)))
		abort();
}
