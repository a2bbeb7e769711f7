/*
 * Driver of a virtio disk of the machine's. The device reaches one piece of memory, which
 * has rings and buffers. Operations have numbers below MDISK_OPS, each a buffer of its own;
 * who submits one has chosen a number that is not under way. Buffers stay as they are when
 * the device is started again.
 */
#pragma once

#include <selvage/vmmio.h>

#define MDISK_OPS 41u
#define MDISK_BUFFER 0x8000u
#define MDISK_SECTOR 512u
/* What it needs of memory that the device reaches. */
#define MDISK_MEMORY_BYTES (0x8000u + MDISK_OPS * MDISK_BUFFER)

enum mdisk_kind { MDISK_READ = 0,
		  MDISK_WRITE = 1,
		  MDISK_FLUSH = 4 };

struct mdisk {
	struct vmmio t;
	struct vqueue q;
	uint8_t *memory;
	uint64_t at; /* the same for the device */
	uint64_t sectors;
	bool read_only, can_flush;
	const char *error;            /* it does nothing until mdisk_start: static text, or NULL */
	uint32_t expected[MDISK_OPS]; /* bytes that it is to write, the status among them */
};

/* `memory` (MDISK_MEMORY_BYTES, VQUEUE_ALIGN) is at `at` for the device. NULL or what is
 * wrong, as in `error`; what was under way is forgotten. */
const char *mdisk_start(struct mdisk *d, const struct vmmio_regs *regs, void *memory, uint64_t at);
static inline void *mdisk_buffer(const struct mdisk *d, unsigned op)
{
	return d->memory + 0x8000u + op * MDISK_BUFFER;
}
/* `bytes` of whole sectors, at most MDISK_BUFFER, from or to the buffer. It goes out with
 * the next mdisk_flush. False: it does not, and `error` may say why. */
bool mdisk_submit(struct mdisk *d, unsigned op, enum mdisk_kind kind, uint64_t sector,
		  uint32_t bytes);
/* The device is reset, and has none of the memory any more; `why` is static. */
void mdisk_give_up(struct mdisk *d, const char *why);
/* One that has ended, and whether it did what it should. */
bool mdisk_take(struct mdisk *d, unsigned *op, bool *ok);
/* After an interrupt: the device's line is low then. */
void mdisk_interrupt(struct mdisk *d);
/* Ends a run of the above. True: some have ended since; else it will interrupt when they
 * do. */
bool mdisk_flush(struct mdisk *d);
