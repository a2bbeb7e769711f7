/*
 * A virtio device as the guests of `make bench` drive it: over MMIO, in one of board
 * `virt`'s slots; or, if the boot arguments say `by-pci`, over PCI as QEMU's `virt` has
 * it without high memory, with a message of its own for each queue through the ITS.
 */
#pragma once

#include <stdint.h>

/* Without write-back, which no hypervisor is told the details of. */
#define VDEV_ACCESS(bits, suffix, w)                                         \
	static inline uint64_t vdev_read##bits(uint64_t at)                  \
	{                                                                    \
		uint64_t value;                                              \
                                                                             \
		__asm__ volatile("ldr" suffix " %" w "0, [%1]"               \
				 : "=r"(value)                               \
				 : "r"(at)                                   \
				 : "memory");                                \
		return value;                                                \
	}                                                                    \
	static inline void vdev_write##bits(uint64_t at, uint64_t value)     \
	{                                                                    \
		__asm__ volatile("str" suffix " %" w "0, [%1]" ::"r"(value), \
				 "r"(at)                                     \
				 : "memory");                                \
	}
VDEV_ACCESS(8, "b", "w")
VDEV_ACCESS(16, "h", "w")
VDEV_ACCESS(32, "", "w")
VDEV_ACCESS(64, "", "x")

#pragma GCC visibility push(hidden)
/* The device of this kind; 0: there is none. */
int vdev_find(unsigned id);
/* Resets it, and takes these features as far as it offers them: they are returned. */
uint64_t vdev_start(uint64_t wanted);
void vdev_queue(unsigned n, unsigned size, const volatile void *desc, const volatile void *driver,
		const volatile void *device);
/* From now on it works; 0: it does not. */
int vdev_go(void);
void vdev_kick(unsigned n);
uint8_t vdev_config(unsigned offset);
/* Masked ones: they end a WFI. */
void vdev_set_up_interrupts(void);
/* Takes one and acknowledges it, at the device if it has to be; 0: there is none. */
int vdev_take_interrupt(void);

/* vpci.c: PCI. */
int vpci_find(unsigned id);
uint64_t vpci_common(void), vpci_device_config(void);
/* Where the queue, which is selected, is kicked. */
uint64_t vpci_notify(void);
void vpci_set_up_messages(void);
/* its.c: the ITS delivers event n of the device as LPI 8192 + n. */
#define ITS_TRANSLATER 0x08090040u
void its_start(uint32_t device, unsigned events);
#pragma GCC visibility pop
