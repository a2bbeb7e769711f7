/*
 * Keyboard controller 8042 of the PC/AT (IBM 6183355, "Keyboard Controller")
 * with a keyboard (scan code sets 2 and 1, the latter by the controller's
 * translation), and port 0x92. Nothing is plugged into the auxiliary port: what
 * is sent there comes back as an error.
 *
 * The owner feeds keys as codes of set 2; keyboard_us.h turns characters into
 * such. Address line 20 is a state to ask for; nothing is masked by it.
 */
#pragma once

#include <dev/mmio.h>
#include <stdbool.h>
#include <stdint.h>

#define I8042_QUEUE 32u

struct i8042_env {
	void *opaque;
	/* Output buffer full: line 0 for the keyboard (IRQ1), 1 for the auxiliary
	 * port (IRQ12); called on a change only. */
	void (*set_irq)(void *opaque, unsigned line, bool level);
	/* The guest pulses the reset line. */
	void (*reset)(void *opaque);
};

struct i8042_queue {
	uint8_t data[I8042_QUEUE];
	uint8_t head, count;
};

/* Private to the model; here so that the owner can embed it. */
struct i8042 {
	struct i8042_env env;
	uint8_t ram[32]; /* [0]: the command byte */
	uint8_t outport, status, data;
	uint8_t parameter_of; /* a command that waits for its byte; 0: none */
	bool irq[2];
	struct i8042_queue keyboard; /* from the keyboard to the controller, set 2 */
	bool breaks;                 /* 0xf0 has come by and waits for its code */
	struct {
		bool scanning;
		uint8_t parameter_of; /* as above, of the keyboard */
		uint8_t set, leds, last;
	} kbd;
};

/* State after the self test; `env` is copied and not called. */
void i8042_init(struct i8042 *k, const struct i8042_env *env);
/* Lowers the lines if they were up. */
void i8042_reset(struct i8042 *k);
/* Ports 0x60 (offset 0) and 0x64 (offset 4). */
enum mmio_outcome i8042_access(struct i8042 *k, struct mmio *m);
/* Port 0x92. */
enum mmio_outcome i8042_port92_access(struct i8042 *k, struct mmio *m);
/* A key, by its code of set 2, with the prefix 0xe0 or not. False: the
 * keyboard's buffer has no room, or the guest does not listen; it is lost. */
bool i8042_key(struct i8042 *k, uint8_t code, bool extended, bool down);
bool i8042_a20(const struct i8042 *k);
/* LEDs as the guest set them: scroll lock, num lock, caps lock. */
uint8_t i8042_leds(const struct i8042 *k);
