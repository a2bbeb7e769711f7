/* A hostile guest at a 16550. */
#include <dev/pc/uart16550.h>

#include "pc_fuzz.h"

static struct uart16550 d;
static bool room;

static bool transmit(void *opaque, uint8_t byte)
{
	(void)opaque;
	(void)byte;
	return room;
}

void device_start(void)
{
	uart16550_init(&d, &(struct uart16550_env){ NULL, transmit, set_level });
}

enum mmio_outcome device_access(unsigned which, struct mmio *m)
{
	(void)which;
	m->offset &= 7;
	return uart16550_access(&d, m);
}

void device_act(const uint8_t *b)
{
	bool taken = uart16550_receive_room(&d) != 0;

	room = b[1] & 1;
	if (b[1] & 2)
		uart16550_transmit_ready(&d);
	else if (uart16550_receive(&d, b[2]) != taken)
		abort();
}

void device_check(void)
{
	if (line[0] != uart16550_irq(&d) || d.rx.count > 16 || d.tx.count > 16)
		abort();
}
