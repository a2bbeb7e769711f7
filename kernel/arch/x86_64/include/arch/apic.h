/* LAPIC and IOAPIC (Intel SDM 3, chapter 11; 82093AA datasheet). */
#pragma once

#include <kernel/types.h>

enum lapic_reg {
	LAPIC_ID = 0x20,
	LAPIC_TPR = 0x80,
	LAPIC_EOI = 0xb0,
	LAPIC_SPURIOUS = 0xf0,
	LAPIC_ISR = 0x100,
	LAPIC_IRR = 0x200,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360,
	LAPIC_LVT_ERROR = 0x370,
	LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
};
#define LVT_MASKED (1u << 16)
#define LVT_TSC_DEADLINE (2u << 17)

uint32_t lapic_read(enum lapic_reg r);
void lapic_write(enum lapic_reg r, uint32_t v);
void lapic_eoi(void);
/* Whether it came from a device and has not ended. */
bool lapic_in_service(unsigned vector);

unsigned ioapic_count(void);
unsigned ioapic_pins(unsigned ioapic);
/* The interrupt comes from this pin, which is masked; or by a message. */
void irq_set_pin(irq_t irq, unsigned ioapic, unsigned pin, bool level, bool low);
void irq_set_message(irq_t irq);
