/* Scalar domain types and the mapping of physical memory. */
#pragma once

#include <arch/window.h>
#include <kernel/options.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t word_t;  /* a machine word: registers, message words */
typedef uint64_t paddr_t; /* physical address */
typedef uint64_t vptr_t;  /* user virtual or guest-physical address */
typedef uint64_t cptr_t;  /* capability pointer of a user */
typedef uint64_t ticks_t; /* physical counter ticks */
typedef uint8_t prio_t;
typedef uint8_t dom_t;
typedef uint32_t irq_t;
typedef uint16_t asid_t;

#define NUM_PRIORITIES 256

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/* Off the fast path: a function of its own, and one out of its way. */
#define NOINLINE __attribute__((noinline))
#define COLD __attribute__((noinline, cold))

/* All RAM, and the kernel in it, is mapped from ARCH_WINDOW on. */
static inline void *paddr_to_ptr(paddr_t pa) { return (void *)(uintptr_t)(pa + ARCH_WINDOW); }
static inline paddr_t ptr_to_paddr(const void *p) { return (paddr_t)(uintptr_t)p - ARCH_WINDOW; }
