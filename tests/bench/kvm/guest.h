/* The two guests that this monitor runs, each on its part of QEMU's `virt`. */
#pragma once

#define GUEST_RAM 0x40000000ull

/* guests/micro, to its end. */
void guest_run_micro(void);
/* The kernel /linux with /initrd and the devicetree /bench.dtb, to its end. */
void guest_run_linux(void);
