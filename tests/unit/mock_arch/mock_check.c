/* The mocked architecture has no invariants of its own. */
#include "check.h"

void check_arch_entry(const struct cpu *c) { (void)c; }
void check_arch_begin(void) {}
void check_arch_cap(const struct slot *s) { (void)s; }
void check_arch_end(void) {}
void damage_arch(void) {}
