/* The keyboard controller 8042 (IBM 6183355, "Keyboard Controller") and its keyboard, by ports. */
#include "keys.h"

#include <selvage/log.h>
#include <selvage/procinfo.h>
#include <selvage/sel4.h>

#define DATA 0x60u
#define COMMAND 0x64u
#define TRIES 10000u
#define FLUSH 64u /* bytes that may lie there from before */

enum { STATUS_OUTPUT = 1 << 0,
       STATUS_INPUT = 1 << 1,
       STATUS_AUX = 1 << 5 };
enum { KBD_IRQ = 1 << 0,
       AUX_IRQ = 1 << 1,
       KBD_OFF = 1 << 4,
       AUX_OFF = 1 << 5,
       TRANSLATE = 1 << 6 };
enum { READ_BYTE = 0x20,
       WRITE_BYTE = 0x60,
       DISABLE_AUX = 0xa7,
       DISABLE_KBD = 0xad,
       ENABLE_KBD = 0xae };
enum { SET_LEDS = 0xed,
       SCAN = 0xf4,
       ACK = 0xfa };
#define LED_CAPS 4u

static struct keys keys;
static bool led_asked; /* SET_LEDS is on its way; the byte goes when it is acknowledged */
static bool led_caps;  /* as the keyboard was told last */

static uint8_t status(void)
{
	uint64_t value = 0;

	(void)sel4_io_port_in8(PROC_CAP_COMMAND_PORTS, COMMAND, &value);
	return (uint8_t)value;
}

static uint8_t data(void)
{
	uint64_t value = 0;

	(void)sel4_io_port_in8(PROC_CAP_DEVICE_PORTS, DATA, &value);
	return (uint8_t)value;
}

static bool wait_for(uint8_t mask, uint8_t wanted)
{
	for (unsigned i = 0; i < TRIES; i++)
		if ((status() & mask) == wanted)
			return true;
	return false;
}

static bool command(uint8_t value)
{
	bool ready = wait_for(STATUS_INPUT, 0);

	if (ready)
		(void)sel4_io_port_out8(PROC_CAP_COMMAND_PORTS, COMMAND, value);
	return ready;
}

static bool send(uint8_t value)
{
	bool ready = wait_for(STATUS_INPUT, 0);

	if (ready)
		(void)sel4_io_port_out8(PROC_CAP_DEVICE_PORTS, DATA, value);
	return ready;
}

static bool read_byte(uint8_t *value)
{
	bool ready = command(READ_BYTE) && wait_for(STATUS_OUTPUT, STATUS_OUTPUT);

	if (ready)
		*value = data();
	return ready;
}

static bool set_up(void)
{
	uint8_t byte;

	if (status() == 0xff || !command(DISABLE_KBD) || !command(DISABLE_AUX))
		return false;
	for (unsigned i = 0; i < FLUSH && status() & STATUS_OUTPUT; i++)
		(void)data();
	if (!read_byte(&byte))
		return false;
	byte = (uint8_t)((byte | KBD_IRQ | TRANSLATE | AUX_OFF) & ~(AUX_IRQ | KBD_OFF));
	return command(WRITE_BYTE) && send(byte) && command(ENABLE_KBD) && send(SCAN);
}

bool keyboard_open(void)
{
	keys_init(&keys);
	sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ);
	if (set_up())
		return true;
	log_info("no keyboard");
	return false;
}

/* An edge, which is lost while the pin is masked: first it is opened, then all is taken. */
void keyboard_taken(void) { sel4_irq_handler_ack(PROC_CAP_DEVICE_IRQ); }

static void follow_caps(uint8_t code)
{
	if (led_asked && code == ACK) {
		led_asked = false;
		led_caps = keys.caps;
		(void)send(led_caps ? LED_CAPS : 0);
	} else if (!led_asked && led_caps != keys.caps) {
		led_asked = send(SET_LEDS);
	}
}

bool keyboard_next(struct key *key)
{
	for (unsigned i = 0; i < FLUSH; i++) {
		uint8_t now = status(), code;
		bool made;

		if (now == 0xff || !(now & STATUS_OUTPUT))
			return false;
		code = data();
		made = !(now & STATUS_AUX) && keys_take(&keys, code, key);
		follow_caps(code);
		if (made)
			return true;
	}
	return false;
}
