/* What a build of the kernel may choose (mk/config.mk); these are the defaults. */
#pragma once

#ifndef SELVAGE_EXTENSIONS
#define SELVAGE_EXTENSIONS 1 /* 0: plain seL4, kernel/debug/plain */
#endif
#ifndef SELVAGE_DOMAINS
#define SELVAGE_DOMAINS 1 /* more: kernel/domains instead of object/domain.c */
#endif
#ifndef SELVAGE_BENCHMARK
#define SELVAGE_BENCHMARK 0 /* 1: kernel/debug/benchmark */
#endif
#ifndef SELVAGE_GUEST_TIME_STANDS
#define SELVAGE_GUEST_TIME_STANDS 0 /* of plain: seL4's KernelArmVtimerUpdateVOffset */
#endif
