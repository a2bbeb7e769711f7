/*
 * The functions of a PCI bus, from the driver's side (PCI Local Bus 3.0, 6; virtio 1.2,
 * 4.1): what there is, where its registers are, how it interrupts. Pure: configuration
 * space is reached by callbacks. What a device says there is hostile: all walks are
 * bounded, and an answer is checked before it is believed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PCIBUS_ADDRESS(bus, device, function) \
	((uint16_t)((unsigned)(bus) << 8 | (unsigned)(device) << 3 | (unsigned)(function)))
#define PCIBUS_BUS(address) ((address) >> 8)
#define PCIBUS_DEVICE(address) ((address) >> 3 & 31)
#define PCIBUS_FUNCTION(address) ((address)&7)

/* Aligned words of the 256 bytes that a function has. */
struct pcibus {
	void *opaque;
	uint32_t (*read)(void *opaque, uint16_t address, uint32_t offset);
	void (*write)(void *opaque, uint16_t address, uint32_t offset, uint32_t value);
};

struct pcibus_function {
	uint16_t address;
	uint16_t vendor, device;
	uint16_t subsystem; /* 0 of a bridge */
	uint32_t class;     /* class, subclass, interface */
	uint8_t header;     /* its kind: 0, or 1 of a bridge */
	uint8_t line;       /* interrupt that the firmware gave it; 255: none */
};

/*
 * Up to `most` functions into found[]: of bus 0, and of what is behind the bridges that
 * the firmware has set up. How many there are.
 */
unsigned pcibus_find(const struct pcibus *b, struct pcibus_function *found, unsigned most);

/* A BAR of memory; its size is probed, for which the function answers nowhere meanwhile.
 * False: there is none, it is of I/O ports, or has no address. */
struct pcibus_bar {
	uint64_t at, bytes;
};
bool pcibus_bar(const struct pcibus *b, const struct pcibus_function *f, unsigned n,
		struct pcibus_bar *bar);

/* Of its capabilities, the next of that kind behind `after`; 0: from the start, and none. */
#define PCIBUS_CAP_MSI 0x05u
#define PCIBUS_CAP_VENDOR 0x09u
#define PCIBUS_CAP_MSIX 0x11u
uint32_t pcibus_capability(const struct pcibus *b, const struct pcibus_function *f, uint8_t id,
			   uint32_t after);

/* The function answers at its BARs, reads and writes memory, and interrupts by its line;
 * or it does not do the last. */
void pcibus_enable(const struct pcibus *b, const struct pcibus_function *f);
void pcibus_silence(const struct pcibus *b, const struct pcibus_function *f);

/* --- Interrupts by messages ------------------------------------------------------------ */

enum pcibus_messages { PCIBUS_NO_MESSAGES = 0, /* it has a line only */
		       PCIBUS_MSI,             /* in configuration space: done */
		       PCIBUS_MSIX             /* and the entry at `table` is the caller's to fill:
		                                * address, its upper half, data, 0 */
};
/* Its first message is that write of `data`, at an address below 4 GiB; it has no line
 * from there on. */
enum pcibus_messages pcibus_use_messages(const struct pcibus *b, const struct pcibus_function *f,
					 uint32_t to, uint16_t data, uint64_t *table);

/* --- virtio ------------------------------------------------------------------------------ */

#define PCIBUS_VIRTIO_VENDOR 0x1af4u
/* Which device of virtio's it is (virtio 1.2, 5); 0: none. */
uint32_t pcibus_virtio_id(const struct pcibus_function *f);

/* Its structures (4.1.4). */
enum { PCIBUS_COMMON,
       PCIBUS_NOTIFY,
       PCIBUS_ISR,
       PCIBUS_DEVICE_CONFIG,
       PCIBUS_STRUCTURES };
struct pcibus_virtio {
	struct {
		uint64_t at, bytes;
	} structure[PCIBUS_STRUCTURES];
	uint32_t notify_multiplier;
};
/* NULL, or why its modern interface is of no use: static text. */
const char *pcibus_virtio(const struct pcibus *b, const struct pcibus_function *f,
			  struct pcibus_virtio *v);
