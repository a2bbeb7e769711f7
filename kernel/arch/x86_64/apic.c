/* Interrupts of users: pins of the IOAPICs, and messages. */
#include <arch/apic.h>

#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <kernel/arch.h>
#include <kernel/panic.h>
#include <selvage/base.h>

#define IOAPIC_VERSION 1
#define IOAPIC_PIN(n) (0x10u + 2 * (n))
#define IOAPIC_PINS 120u /* registers have numbers of 8 bits */
#define PIN_LOW (1u << 13)
#define PIN_LEVEL (1u << 15)
#define PIN_MASKED (1u << 16)
#define SPURIOUS_ENABLE (1u << 8)
#define FEATURE_X2APIC (1u << 21) /* CPUID 1 ECX */
#define MSR_X2APIC 0x800u
#define APIC_BASE_X2APIC 0xc00u
#define APIC_ID_ALL 0xffu /* IOAPICs know eight bits of them */

static paddr_t lapic;
static bool x2apic; /* its registers are MSRs (SDM 3, 11.12) */
static unsigned ioapics;
static struct ioapic {
	volatile uint32_t *at;
	unsigned pins;
} ioapic[MACHINE_IOAPICS];
static struct source {
	bool pin;
	uint8_t ioapic, number;
	uint32_t how; /* low word of the pin's entry, not masked */
} sources[ARCH_IRQ_COUNT];

uint32_t lapic_read(enum lapic_reg r)
{
	return x2apic ? (uint32_t)msr_read(MSR_X2APIC + r / 16)
		      : *(volatile uint32_t *)paddr_to_ptr(lapic + r);
}

void lapic_write(enum lapic_reg r, uint32_t v)
{
	if (!x2apic) {
		*(volatile uint32_t *)paddr_to_ptr(lapic + r) = v;
		return;
	}
	/* Not before what was stored, as to an IOAPIC's pin (SDM 3, 11.12.3). */
	/* clang-format off */
	__asm__ volatile("mfence\n\tlfence" : : : "memory");
	/* clang-format on */
	msr_write(MSR_X2APIC + r / 16, v);
}

void lapic_eoi(void) { lapic_write(LAPIC_EOI, 0); }

bool lapic_in_service(unsigned vector)
{
	return lapic_read(LAPIC_ISR + vector / 32 * 0x10) >> vector % 32 & 1;
}

static uint32_t ioapic_read(const struct ioapic *io, unsigned r)
{
	io->at[0] = r;
	return io->at[4];
}

static void ioapic_write(const struct ioapic *io, unsigned r, uint32_t v)
{
	io->at[0] = r;
	io->at[4] = v;
}

static void ioapic_init(struct ioapic *io, paddr_t at)
{
	io->at = paddr_to_ptr(at);
	uint32_t last = ioapic_read(io, IOAPIC_VERSION) >> 16 & 0xff;
	io->pins = (unsigned)min_u64(last + 1, IOAPIC_PINS);
	for (unsigned i = 0; i < io->pins; i++)
		ioapic_write(io, IOAPIC_PIN(i), PIN_MASKED);
}

void apic_init(const struct machine_interrupts *at)
{
	lapic = at->lapic;
	x2apic = cpuid(1, 0).c & FEATURE_X2APIC;
	if (x2apic)
		msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	if (x2apic && lapic_read(LAPIC_ID) >= APIC_ID_ALL)
		panic("this processor's APIC takes interrupts of an IOMMU alone");
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	for (; ioapics < at->ioapics; ioapics++)
		ioapic_init(&ioapic[ioapics], at->ioapic[ioapics]);
}

unsigned ioapic_count(void) { return ioapics; }
unsigned ioapic_pins(unsigned n) { return ioapic[n].pins; }

void irq_set_pin(irq_t irq, unsigned n, unsigned pin, bool level, bool low)
{
	uint32_t how = (IRQ_VECTOR + irq) | (level ? PIN_LEVEL : 0) | (low ? PIN_LOW : 0);

	sources[irq] = (struct source){ true, (uint8_t)n, (uint8_t)pin, how };
	ioapic_write(&ioapic[n], IOAPIC_PIN(pin) + 1, lapic_read(LAPIC_ID) << (x2apic ? 24 : 0));
	ioapic_write(&ioapic[n], IOAPIC_PIN(pin), how | PIN_MASKED);
}

void irq_set_message(irq_t irq) { sources[irq].pin = false; }

/* --- for the core --- */
unsigned arch_irq_count(void) { return ARCH_IRQ_COUNT; }
bool arch_irq_valid(word_t irq) { return irq < ARCH_IRQ_COUNT; }

static void write_pin(irq_t irq, uint32_t masked)
{
	if (sources[irq].pin)
		ioapic_write(&ioapic[sources[irq].ioapic], IOAPIC_PIN(sources[irq].number),
			     sources[irq].how | masked);
}

void arch_irq_mask(irq_t irq) { write_pin(irq, PIN_MASKED); }
void arch_irq_unmask(irq_t irq) { write_pin(irq, 0); }

void arch_irq_ack(irq_t irq) { (void)irq, lapic_eoi(); }

bool arch_irq_pending(void)
{
	/* Vectors 32 to 159: the others are nobody's. */
	for (unsigned i = 1; i < 5; i++)
		if (lapic_read(LAPIC_IRR + 0x10 * i))
			return true;
	return false;
}

void arch_sgi_send(struct cap c) { (void)c; } /* there are no such capabilities */
