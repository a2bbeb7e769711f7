/* What the local APIC's files share. */
#pragma once

#include <dev/pc/lapic.h>

/* LVT entries, in the order of their registers from 0x320 on. */
enum { LVT_TIMER,
       LVT_THERMAL,
       LVT_PERFORMANCE,
       LVT_LINT0,
       LVT_LINT1,
       LVT_ERROR };

#define LVT_VECTOR 0xffu
#define LVT_LEVEL (1u << 15)
#define LVT_REMOTE_IRR (1u << 14)
#define LVT_MASKED (1u << 16)
#define LVT_TIMER_MODE (3u << 17)
#define LVT_TIMER_PERIODIC (1u << 17)
#define LVT_TIMER_DEADLINE (2u << 17)
#define SVR_ENABLE (1u << 8)
#define SVR_NO_BROADCAST (1u << 12)
/* ESR, 11.5.3. */
#define ESR_SEND_VECTOR (1u << 5)
#define ESR_RECEIVE_VECTOR (1u << 6)
#define ESR_REGISTER (1u << 7)
#define BASE_BSP (1ull << 8)
#define BASE_X2APIC (1ull << 10)
#define BASE_ENABLE (1ull << 11)

/* lapic.c: delivery. */
void lapic_update(struct lapic *l);
void lapic_error(struct lapic *l, uint32_t error);
void lapic_local(struct lapic *l, unsigned lvt);
void lapic_command(struct lapic *l, uint64_t icr);
void lapic_end(struct lapic *l);
bool lapic_is_x2apic(const struct lapic *l);
/* lapic_timer.c */
uint32_t lapic_timer_current(struct lapic *l);
void lapic_timer_set_initial(struct lapic *l, uint32_t value);
void lapic_timer_set_divide(struct lapic *l, uint32_t value);
void lapic_timer_set_lvt(struct lapic *l, uint32_t value);
uint64_t lapic_timer_deadline_msr(struct lapic *l);
void lapic_timer_set_deadline(struct lapic *l, uint64_t value);
void lapic_timer_stop(struct lapic *l);
