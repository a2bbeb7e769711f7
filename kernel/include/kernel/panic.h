/* A broken invariant: prints where, dumps, and stops. Never for user errors. */
#pragma once

_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#if SELVAGE_DEBUG
#define KASSERT(cond) \
	((cond) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #cond))
#else
#define KASSERT(cond) ((void)0)
#endif
