/*
 * Local APIC of one core (Intel SDM volume 3, chapter 11): as xAPIC by a frame
 * and as x2APIC by MSRs, both on one state. Version 0x14, six LVT entries,
 * directed EOI.
 *
 * The core asks lapic_request() before it enters the guest, and takes what is
 * due by lapic_acknowledge(). The timer runs at 1 GHz before its divider; it
 * asks for lapic_expired() like the other timers (timer_env.h).
 */
#pragma once

#include <dev/countdown.h>
#include <dev/mmio.h>
#include <dev/pc/apic.h>
#include <stdbool.h>
#include <stdint.h>

#define LAPIC_FRAME_BYTES 0x1000u
#define LAPIC_FRAME 0xfee00000u
#define LAPIC_TIMER_HZ 1000000000u
#define LAPIC_MSR_BASE 0x1bu /* IA32_APIC_BASE */
#define LAPIC_MSR_TSC_DEADLINE 0x6e0u
#define LAPIC_MSR_FIRST 0x800u /* x2APIC: to 0x8ff */
#define LAPIC_LVTS 6u

enum lapic_signal { LAPIC_INIT,
		    LAPIC_STARTUP,
		    LAPIC_NMI,
		    LAPIC_SMI };

struct lapic_env {
	void *opaque;
	/* A clock that does not run backwards, and the guest's TSC. */
	uint64_t (*now_ns)(void *opaque);
	uint64_t (*tsc)(void *opaque);
	/* lapic_request() is no longer, or is now, LAPIC_NOTHING; on a change. */
	void (*set_intr)(void *opaque, bool level);
	/* The core gets one of these; the vector is STARTUP's page. With INIT the
	 * registers below have been reset. */
	void (*signal)(void *opaque, enum lapic_signal signal, uint8_t vector);
	/* Interrupts for others: as a rule apic_bus_send(). */
	void (*send)(void *opaque, const struct apic_message *msg);
	/* The end of an interrupt that came by level, for ioapic_eoi(). */
	void (*eoi)(void *opaque, uint8_t vector);
	/* INTA cycles for an external interrupt: i8259_acknowledge(). */
	uint8_t (*acknowledge)(void *opaque);
};

/* Private to the model; here so that the owner can embed it. */
struct lapic {
	struct lapic_env env;
	uint64_t tsc_hz;
	uint32_t id;
	uint64_t base; /* IA32_APIC_BASE */
	bool bsp;
	struct lapic_set {
		uint32_t word[8];
		uint8_t used; /* words that are not zero, a bit each */
	} irr, isr, tmr;
	uint32_t tpr, ldr, dfr, svr, esr, errors;
	uint64_t icr;
	uint32_t lvt[LAPIC_LVTS];
	uint32_t initial, divide;
	struct countdown count;
	uint64_t tsc_deadline; /* 0: none */
	bool lint[2];
	bool extint; /* an external interrupt came as a message */
	bool intr;
};

enum lapic_request { LAPIC_NOTHING,
		     LAPIC_VECTOR,
		     LAPIC_EXTINT };

/* Reset state; `env` is copied and not called. `bsp`: of the first core. */
void lapic_init(struct lapic *l, const struct lapic_env *env, uint32_t id, bool bsp,
		uint64_t tsc_hz);
/* As by INIT, and IA32_APIC_BASE too. */
void lapic_reset(struct lapic *l);
/* What a PC's firmware leaves on the first core: enabled, LINT0 passes the
 * 8259s through, LINT1 is NMI. */
void lapic_virtual_wire(struct lapic *l);

/* The frame; the owner asks lapic_frame() whether and where it is. */
enum mmio_outcome lapic_access(struct lapic *l, struct mmio *m);
/* Where the frame is; UINT64_MAX: nowhere (disabled, or x2APIC). */
uint64_t lapic_frame(const struct lapic *l);
/* MSRs: 0x1b, 0x6e0 and 0x800 to 0x8ff. False: #GP(0). */
bool lapic_msr_read(struct lapic *l, uint32_t msr, uint64_t *value);
bool lapic_msr_write(struct lapic *l, uint32_t msr, uint64_t value);
/* CR8 is the task priority's upper half. */
unsigned lapic_cr8(const struct lapic *l);
void lapic_set_cr8(struct lapic *l, unsigned value);

/* What the core would take now if it has interrupts enabled. */
enum lapic_request lapic_request(const struct lapic *l);
/* The same as the last call of env.set_intr: whether there is any. */
static inline bool lapic_intr(const struct lapic *l) { return l->intr; }
/* The vector that lapic_acknowledge() would take; 0: none, or that of an 8259. */
uint8_t lapic_vector(const struct lapic *l);
/* Takes it: the vector; the spurious one if nothing is due any more. */
uint8_t lapic_acknowledge(struct lapic *l);

void lapic_set_lint(struct lapic *l, unsigned pin, bool level);
/* A message that is meant for this core. */
void lapic_deliver(struct lapic *l, const struct apic_message *msg);
bool lapic_matches(const struct lapic *l, const struct apic_message *msg);
/* Whether it takes interrupts by vector. */
bool lapic_enabled(const struct lapic *l);
/* Processor priority, for lowest-priority delivery. */
unsigned lapic_priority(const struct lapic *l);

void lapic_expired(struct lapic *l);
/* In the clock of env.now_ns; COUNTDOWN_NEVER: none. */
uint64_t lapic_deadline(const struct lapic *l);
