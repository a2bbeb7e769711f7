/*
 * What local APICs, I/O APICs and message-signalled interrupts tell each other
 * (Intel SDM volume 3, 11.6, 11.11), and the bus that carries it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define APIC_BROADCAST UINT32_MAX
#define APIC_MAX_CORES 32u

/* Delivery modes, as in every register that has them. */
enum apic_mode {
	APIC_FIXED = 0,
	APIC_LOWEST = 1,
	APIC_SMI = 2,
	APIC_NMI = 4,
	APIC_INIT = 5,
	APIC_STARTUP = 6,
	APIC_EXTINT = 7,
};

/* As in the interrupt command register. */
enum apic_shorthand { APIC_TO_DESTINATION,
		      APIC_TO_SELF,
		      APIC_TO_ALL,
		      APIC_TO_OTHERS };

struct apic_message {
	/* An ID, or a set of logical ones; of eight bits where the sender has no
	 * more. APIC_BROADCAST: everyone. */
	uint32_t destination;
	bool logical;
	enum apic_mode mode;
	uint8_t vector;
	bool level;    /* trigger mode */
	bool deassert; /* of INIT: nobody listens */
	enum apic_shorthand shorthand;
};

/* A write to 0xfeexxxxx as a device sends it (11.11). False: it is no message. */
bool apic_message_of_msi(uint64_t address, uint32_t data, struct apic_message *msg);

struct lapic;

struct apic_bus {
	struct lapic *core[APIC_MAX_CORES]; /* the first NULL ends them */
};

/* Delivers to each local APIC that is meant. `sender`: who sends by shorthand,
 * or NULL. Returns to how many it came. */
unsigned apic_bus_send(struct apic_bus *bus, const struct lapic *sender,
		       const struct apic_message *msg);
