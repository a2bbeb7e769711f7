#include <dev/pc/i8042.h>

#include <dev/pc/isa.h>
#include <dev/pc/keyboard_set1.h>

#define STATUS_OUTPUT (1u << 0)
#define STATUS_SYSTEM (1u << 2)
#define STATUS_COMMAND (1u << 3)
#define STATUS_UNLOCKED (1u << 4)
#define STATUS_AUX (1u << 5)
#define STATUS_TIMEOUT (1u << 6)
/* Command byte. */
#define CMD_KBD_IRQ (1u << 0)
#define CMD_AUX_IRQ (1u << 1)
#define CMD_SYSTEM (1u << 2)
#define CMD_KBD_OFF (1u << 4)
#define CMD_AUX_OFF (1u << 5)
#define CMD_TRANSLATE (1u << 6)
/* Output port. */
#define OUT_NOT_RESET (1u << 0)
#define OUT_A20 (1u << 1)

#define ACK 0xfau
#define RESEND 0xfeu
#define BREAK 0xf0u

/* --- Output buffer ---------------------------------------------------------------------- */

static void update(struct i8042 *k)
{
	for (unsigned line = 0; line < 2; line++) {
		unsigned aux = k->status & STATUS_AUX ? 1 : 0;
		bool level = (k->status & STATUS_OUTPUT) && aux == line &&
			     (k->ram[0] & (line ? CMD_AUX_IRQ : CMD_KBD_IRQ));

		if (level == k->irq[line])
			continue;
		k->irq[line] = level;
		k->env.set_irq(k->env.opaque, line, level);
	}
}

static void put(struct i8042 *k, uint8_t byte, unsigned from)
{
	k->data = byte;
	k->status = (uint8_t)((k->status & ~(STATUS_AUX | STATUS_TIMEOUT)) | STATUS_OUTPUT | from);
	update(k);
}

/* The keyboard's next byte, if the controller takes one. */
static void fetch(struct i8042 *k)
{
	while (k->keyboard.count != 0 && !(k->status & STATUS_OUTPUT) &&
	       !(k->ram[0] & CMD_KBD_OFF)) {
		uint8_t byte = k->keyboard.data[k->keyboard.head];

		k->keyboard.head = (k->keyboard.head + 1u) % I8042_QUEUE;
		k->keyboard.count--;
		if ((k->ram[0] & CMD_TRANSLATE) && byte == BREAK) {
			k->breaks = true;
			continue;
		}
		if (k->ram[0] & CMD_TRANSLATE)
			byte = keyboard_set1(byte);
		put(k, (uint8_t)(byte | (k->breaks ? 0x80 : 0)), 0);
		k->breaks = false;
	}
}

/* --- Keyboard --------------------------------------------------------------------------- */

static void say(struct i8042 *k, uint8_t byte)
{
	struct i8042_queue *q = &k->keyboard;

	if (q->count == I8042_QUEUE)
		return;
	q->data[(q->head + q->count++) % I8042_QUEUE] = byte;
	k->kbd.last = byte;
}

static void keyboard_defaults(struct i8042 *k)
{
	k->kbd.scanning = true;
	k->kbd.parameter_of = 0;
	k->kbd.set = 2;
}

static void keyboard_parameter(struct i8042 *k, uint8_t value)
{
	uint8_t command = k->kbd.parameter_of;

	k->kbd.parameter_of = 0;
	say(k, ACK);
	if (command == 0xed)
		k->kbd.leds = value & 7;
	else if (command == 0xf0 && value == 0)
		say(k, k->kbd.set);
	else if (command == 0xf0 && value <= 3)
		k->kbd.set = value;
}

static void keyboard_command(struct i8042 *k, uint8_t command)
{
	switch (command) {
	case 0xed: /* LEDs */
	case 0xf0: /* scan code set */
	case 0xf3: /* rate: keys do not repeat here */
		k->kbd.parameter_of = command;
		break;
	case 0xee: say(k, 0xee); return; /* echo */
	case 0xf2:                       /* identity */
		say(k, ACK);
		say(k, 0xab);
		say(k, 0x83);
		return;
	case 0xf4: k->kbd.scanning = true; break;
	case 0xf5:
		keyboard_defaults(k);
		k->kbd.scanning = false;
		break;
	case 0xf6: keyboard_defaults(k); break;
	case 0xfe: say(k, k->kbd.last); return;
	case 0xff: /* reset and self test */
		k->keyboard.count = 0;
		k->breaks = false;
		k->kbd.leds = 0;
		keyboard_defaults(k);
		say(k, ACK);
		say(k, 0xaa);
		return;
	default: say(k, RESEND); return;
	}
	say(k, ACK);
}

static void keyboard_write(struct i8042 *k, uint8_t value)
{
	/* A command in a parameter's place is a command. */
	if (k->kbd.parameter_of != 0 && value < 0xed) {
		keyboard_parameter(k, value);
		return;
	}
	k->kbd.parameter_of = 0;
	keyboard_command(k, value);
}

bool i8042_key(struct i8042 *k, uint8_t code, bool extended, bool down)
{
	/* Whole sequences only, and room for an answer. */
	if (!k->kbd.scanning || k->keyboard.count + 6u > I8042_QUEUE)
		return false;
	if (extended)
		say(k, 0xe0);
	/* The keyboard's own set 1 (sets 3 and 1 are seldom asked for). */
	if (k->kbd.set == 1) {
		say(k, (uint8_t)(keyboard_set1(code) | (down ? 0 : 0x80)));
	} else {
		if (!down)
			say(k, BREAK);
		say(k, code);
	}
	fetch(k);
	return true;
}

uint8_t i8042_leds(const struct i8042 *k)
{
	return k->kbd.leds;
}

/* --- Controller ------------------------------------------------------------------------- */

bool i8042_a20(const struct i8042 *k)
{
	return k->outport & OUT_A20;
}

static void set_outport(struct i8042 *k, uint8_t value)
{
	k->outport = value;
	if (!(value & OUT_NOT_RESET)) {
		k->outport |= OUT_NOT_RESET;
		k->env.reset(k->env.opaque);
	}
}

static uint8_t outport(const struct i8042 *k)
{
	unsigned full = k->status & STATUS_OUTPUT;
	unsigned which = full && (k->status & STATUS_AUX) ? 1u << 5 : full << 4;

	return (uint8_t)((k->outport & ~0x30u) | which);
}

static void set_command_byte(struct i8042 *k, uint8_t value)
{
	k->ram[0] = value;
	k->status = (uint8_t)((k->status & ~STATUS_SYSTEM) | (value & CMD_SYSTEM));
	update(k);
}

static void command(struct i8042 *k, uint8_t value)
{
	switch (value) {
	case 0xa7: set_command_byte(k, k->ram[0] | CMD_AUX_OFF); break;
	case 0xa8: set_command_byte(k, k->ram[0] & (uint8_t)~CMD_AUX_OFF); break;
	case 0xa9: /* tests of the lines: fine */
	case 0xab: put(k, 0, 0); break;
	case 0xaa: /* self test */
		k->status |= STATUS_SYSTEM;
		put(k, 0x55, 0);
		break;
	case 0xad: set_command_byte(k, k->ram[0] | CMD_KBD_OFF); break;
	case 0xae: set_command_byte(k, k->ram[0] & (uint8_t)~CMD_KBD_OFF); break;
	case 0xc0: put(k, 0x80, 0); break; /* input port: not locked */
	case 0xd0: put(k, outport(k), 0); break;
	case 0xd1:
	case 0xd2:
	case 0xd3:
	case 0xd4: k->parameter_of = value; break;
	case 0xdd: k->outport &= (uint8_t)~OUT_A20; break;
	case 0xdf: k->outport |= OUT_A20; break;
	default:
		if (value >= 0x20 && value < 0x40)
			put(k, k->ram[value & 0x1f], 0);
		else if (value >= 0x60 && value < 0x80)
			k->parameter_of = value;
		else if (value >= 0xf0 && !(value & 1)) /* pulses bit 0 of the port */
			k->env.reset(k->env.opaque);
		break;
	}
}

static void parameter(struct i8042 *k, uint8_t value)
{
	uint8_t of = k->parameter_of;

	k->parameter_of = 0;
	switch (of) {
	case 0xd1: set_outport(k, value); break;
	case 0xd2: put(k, value, 0); break;
	case 0xd3: put(k, value, STATUS_AUX); break;
	case 0xd4: put(k, RESEND, STATUS_AUX | STATUS_TIMEOUT); break; /* nobody there */
	case 0x60: set_command_byte(k, value); break;
	default: k->ram[of & 0x1f] = value; break;
	}
}

static uint8_t read(void *device, unsigned port)
{
	struct i8042 *k = device;
	uint8_t byte = k->data;

	if (port == 4)
		return k->status;
	if (port != 0)
		return 0xff;
	k->status &= (uint8_t) ~(STATUS_OUTPUT | STATUS_AUX | STATUS_TIMEOUT);
	update(k); /* the line falls between two bytes */
	fetch(k);
	return byte;
}

static void write(void *device, unsigned port, uint8_t value)
{
	struct i8042 *k = device;

	if (port == 4) {
		k->status |= STATUS_COMMAND;
		k->parameter_of = 0;
		command(k, value);
	} else if (port == 0) {
		k->status &= (uint8_t)~STATUS_COMMAND;
		if (k->parameter_of != 0)
			parameter(k, value);
		else {
			k->ram[0] &= (uint8_t)~CMD_KBD_OFF; /* sending turns it on */
			keyboard_write(k, value);
		}
	}
	fetch(k);
}

enum mmio_outcome i8042_access(struct i8042 *k, struct mmio *m)
{
	static const struct isa_class class = { read, write };

	if (m->size != 1)
		return mmio_ignore(m, "access size");
	return isa_access(&class, k, m);
}

enum mmio_outcome i8042_port92_access(struct i8042 *k, struct mmio *m)
{
	if (m->size != 1 || m->offset != 0)
		return mmio_ignore(m, "access size");
	if (!m->write)
		return mmio_done(m, k->outport & OUT_A20);
	k->outport = (uint8_t)((k->outport & ~OUT_A20) | (m->value & OUT_A20));
	if (m->value & 1)
		k->env.reset(k->env.opaque);
	return MMIO_HANDLED;
}

static void reset_state(struct i8042 *k)
{
	struct i8042 fresh = { .env = k->env, .irq = { k->irq[0], k->irq[1] } };

	*k = fresh;
	k->ram[0] = CMD_KBD_IRQ | CMD_SYSTEM | CMD_TRANSLATE; /* as firmware leaves it */
	k->status = STATUS_SYSTEM | STATUS_UNLOCKED;
	k->outport = 0xcc | OUT_A20 | OUT_NOT_RESET;
	keyboard_defaults(k);
}

void i8042_reset(struct i8042 *k)
{
	reset_state(k);
	update(k);
}

void i8042_init(struct i8042 *k, const struct i8042_env *env)
{
	*k = (struct i8042){ .env = *env };
	reset_state(k);
}
