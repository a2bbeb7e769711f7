/* What the bare guests of a PC share: console, ports, random numbers, attempts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NO_TRAP 0x100u
#define TRAP_DB 1u
#define TRAP_NMI 2u
#define TRAP_UD 6u
#define TRAP_DF 8u
#define TRAP_NP 11u
#define TRAP_GP 13u

/* Each image has one; when it returns the machine is switched off. */
void main(void);

/* Calls f; an exception or interrupt in it ends it: its vector, else NO_TRAP. */
unsigned attempt(void (*f)(uint64_t), uint64_t argument);
extern uint64_t trap_vector, trap_error, trap_rip; /* of the last one */
void idt_fill(void);
extern uint8_t trap_entries[];
extern uint64_t idt[512];

void pc_print(const char *text);
void pc_print_number(uint64_t n);
void pc_print_hex(uint64_t n);
/* A byte that came in, or -1. */
int pc_get(void);
_Noreturn void pc_off(void);
void pc_uart(void);
/* Whether the command line has this word. */
bool pc_told(const char *word);
/* xorshift64*; the same numbers for a seed. */
void pc_seed(uint64_t seed);
uint64_t pc_random(void);

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}
static inline void out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}
static inline uint8_t in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0"
			 : "=a"(v)
			 : "Nd"(port));
	return v;
}
static inline volatile uint32_t *pc_apic(unsigned offset)
{
	return (volatile uint32_t *)(0xfee00000ull + offset);
}
