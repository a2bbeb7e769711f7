/* UART 16550, PIT (8254), RTC (MC146818), local APIC, 8259s: as little as it takes. */
#include "pc.h"

#include "app.h"

#define COM1 0x3f8u
#define PIT_HZ 1193182u
#define APIC 0xfee00000u
#define RTC_RESTARTS 0x50u

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1"
			 :
			 : "a"(value), "Nd"(port));
}

static void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1"
			 :
			 : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0"
			 : "=a"(value)
			 : "Nd"(port));
	return value;
}

static volatile uint32_t *apic(unsigned offset)
{
	return (volatile uint32_t *)(uintptr_t)(APIC + offset);
}

void uart_init(void)
{
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 0x83);
	out8(COM1, 1);
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 3);
	out8(COM1 + 2, 7);
	out8(COM1 + 4, 3);
}

void uart_put(char c)
{
	while (!(in8(COM1 + 5) & 0x20))
		;
	out8(COM1, (uint8_t)c);
}

int uart_get(void)
{
	return in8(COM1 + 5) & 1 ? in8(COM1) : -1;
}

void pc_mask_8259(void)
{
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
}

/* Channel 2, of which the gate and the output are at port 0x61: 10 ms. */
static uint32_t measure_once(void)
{
	uint16_t count = PIT_HZ / 100;
	uint32_t left;

	*apic(0xf0) = 0x1ff;
	*apic(0x320) = 0x10000;
	*apic(0x3e0) = 3;
	out8(0x61, (uint8_t)((in8(0x61) & 0xfc) | 1));
	out8(0x43, 0xb0);
	out8(0x42, (uint8_t)count);
	*apic(0x380) = UINT32_MAX;
	out8(0x42, (uint8_t)(count >> 8));
	while (!(in8(0x61) & 0x20))
		;
	left = *apic(0x390);
	*apic(0x380) = 0;
	return UINT32_MAX - left;
}

/* Who is held up finds too much: the least is right. */
unsigned long pc_measure_apic(void)
{
	uint32_t least = UINT32_MAX;

	for (unsigned i = 0; i < 5; i++) {
		uint32_t counted = measure_once();

		if (counted < least)
			least = counted;
	}
	return least * 100ul * 16ul;
}

void pc_start_tick(void)
{
	*apic(0x380) = *apic(0x380);
}

static uint8_t rtc_read(uint8_t index)
{
	out8(0x70, index);
	return in8(0x71);
}

unsigned rtc_second(void)
{
	return rtc_read(0);
}

unsigned restart_count(void)
{
	uint8_t count = (uint8_t)(rtc_read(RTC_RESTARTS) + 1);

	out8(0x70, RTC_RESTARTS);
	out8(0x71, count);
	return count;
}

void pc_restart(void)
{
	out8(0xcf9, 6);
}

/* SLP_TYP 0 is off for QEMU, 5 for Selvage; SLP_EN. */
void pc_off(void)
{
	out16(0x604, 0x2000);
	out16(0x604, 0x3400);
}
