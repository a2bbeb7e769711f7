/*
 * A connection of the description: a virtio device whose driver is in one VM
 * and whose device model is somewhere else, in a native server or in another
 * VM. This is what the two sides share and what each may do with it.
 *
 *   driver's side   the monitor of the driver VM. It shows its guest a
 *                   transport (MMIO, PCI) and keeps status, features and the
 *                   queues' layouts (dev/virtio/link_driver.h).
 *   server          runs the device model (dev/virtio/link_server.h).
 *
 * They share
 *
 *   the control page  LINK_PAGE_BYTES, zero at the start: struct link_page.
 *                     No guest on the driver's side sees it.
 *   the memory        what the server can reach of the driver VM: its pool, or
 *                     all of its RAM. Rings and buffers are in it. The windows
 *                     say which of the driver's addresses is where in it.
 *   kick              a signal to the server: a request is there, or buffers
 *                     are. A guest's store to the notify register may be one
 *                     (doorbell). A backend VM gets it as its interrupt.
 *   done              two signals of the server's. Event: to the monitor, which
 *                     looks at the control page. Interrupt: straight to the
 *                     driver's guest, for buffers that were given back, if
 *                     LINK_F_DIRECT is set; else that too is an event. A
 *                     backend VM gives them by stores to its doorbells.
 *
 * All signals may come late, twice, or for nothing: they only say "look".
 *
 * Each half of the page has one writer. Its words are little-endian, aligned,
 * and written and read in one access each. The other side is hostile: it may
 * write what it likes, when it likes, to the half that is not its own too.
 * Hence nobody reads what he wrote himself, every word of the other half is
 * read once and then judged, and nothing is assumed to stay as it was.
 *
 * Requests. The driver's side writes the words of a request, then (release)
 * `request`, one more than the last, and kicks. The server, which has found
 * `request` (acquire) different from what it handled last, reads the words,
 * does what they say, writes its results, then (release) `ack` = that number.
 * One request is under way at a time, but the driver's side may give up on a
 * server: a number that was passed over is of no more interest.
 *
 * LINK_STATE says how the device is to be, all of it:
 *   - `epoch` other than the last one, or status without DRIVER_OK: it is
 *     reset. Once `ack` is there the server touches no ring or buffer of before.
 *   - status with DRIVER_OK: it works, with these features, windows and ready
 *     queues; the others are stopped. Features and windows are looked at when
 *     it comes to work only; features of a driver of before virtio 1.0 each time,
 *     which works from DRIVER on: then too DRIVER_OK is in the status here.
 * LINK_CONFIG: the driver has written config_bytes (1, 2, 4 or 8) at
 *   config_offset of the configuration.
 *
 * Server to driver's side, at any time, each followed by an event:
 *   - `up`: a number other than 0 that is new at each start of the server, when
 *     the rest of its half is filled in. One that changes means that the server
 *     has forgotten all it knew: see below. 0: nobody serves;
 *     init writes that when a server has ended.
 *   - `needs_reset`: not 0: the driver broke a rule; `reason` says which. The
 *     server clears it when it handles the reset, before `ack`.
 *   - `generation`: odd while `config` changes, and another even number then.
 *   - `ack` of LINK_STATE: who sent it may have given up waiting.
 *   - `interrupts[queue]`: counts up when buffers of the queue were given back
 *     and the driver wants to know; with LINK_F_DIRECT the signal behind it is
 *     the interrupt, not the event.
 *
 * Going on where another one stopped. A server of LINK_S_RESUMES gives buffers back
 * in the order in which they were made available, and what it has said to be done
 * outlives it. If it ends, the driver's side need not have its device reset: it
 * waits, and asks the one after it for the same state, of the same epoch. That one
 * takes up the queues that were started in it behind the last buffer that was given
 * back: what the driver has seen is not done again, what was begun is begun anew, and
 * the driver does not notice. In a split ring the used index says where that is; in a
 * packed one `place` and `journal` do, which a server reads of the one before it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINK_PAGE_BYTES 4096u
#define LINK_VERSION 1u
#define LINK_QUEUES 16u  /* of a device, at most */
#define LINK_WINDOWS 32u /* of a connection, at most */
#define LINK_CONFIG_BYTES 256u
#define LINK_REASON 64u
#define LINK_JOURNAL 33u

enum link_kind {
	LINK_STATE = 1,
	LINK_CONFIG = 2,
};
/* Of the driver's flags. */
#define LINK_F_DIRECT (1u << 0)
/* Of the server's. */
#define LINK_S_RESUMES (1u << 0)

/* Virtio 1.2, 2.6: addresses are the driver's. */
struct link_queue {
	uint64_t desc, driver, device;
	uint32_t size;
	uint32_t ready; /* 0 or 1 */
};

/* [address, address + bytes) of the driver's is at `offset` of the memory. */
struct link_window {
	uint64_t address, bytes, offset;
};

/* Pages of the memory that are there, from `page` of it on. */
struct link_piece {
	uint32_t page, pages;
};
#define LINK_PIECE_BYTES 4096ull

/* Written by the driver's side. */
struct link_driver_half {
	uint32_t version; /* LINK_VERSION; before the first request */
	uint32_t request;
	uint32_t kind; /* enum link_kind */
	uint32_t epoch;
	uint32_t status; /* virtio 1.2, 2.1 */
	uint32_t flags;
	/* That the driver has taken; those of rings and device only. Without VIRTIO_F_VERSION_1
	 * it is one of before virtio 1.0. */
	uint64_t features;
	uint32_t config_offset, config_bytes;
	uint64_t config_value;
	uint32_t n_windows;
	uint32_t pad;
	struct link_queue queue[LINK_QUEUES];
	struct link_window window[LINK_WINDOWS];
};

/* Of a queue that was started in the epoch and not stopped: `place` as in virtq.h. */
struct link_place {
	uint32_t epoch, place;
};

/* Written by the server, and `up` by init when the server has ended, with `flags` if none
 * will come after it. */
struct link_server_half {
	uint32_t version; /* LINK_VERSION; before `up` */
	uint32_t up;
	uint32_t ack;
	uint32_t needs_reset;
	uint32_t generation;
	uint32_t device;   /* its id: virtio 1.2, 5 */
	uint64_t features; /* offered; those of rings and device only */
	uint32_t n_queues;
	uint32_t queue_size; /* at most */
	uint32_t config_bytes;
	uint32_t flags;
	uint32_t interrupts[LINK_QUEUES];
	char reason[LINK_REASON]; /* ended by a NUL, or by its end */
	uint8_t config[LINK_CONFIG_BYTES];
	struct link_place place[LINK_QUEUES];
	uint64_t journal[LINK_JOURNAL]; /* struct virtq_journal of virtq.h */
	uint64_t requests, bytes;       /* for those who watch: so far, of this server */
};

#define LINK_SERVER_OFFSET 2048u
struct link_page {
	_Alignas(2048) struct link_driver_half driver;
	_Alignas(2048) struct link_server_half server;
};
_Static_assert(sizeof(struct link_page) == LINK_PAGE_BYTES, "one page");
_Static_assert(offsetof(struct link_page, server) == LINK_SERVER_OFFSET, "its second half");
_Static_assert(offsetof(struct link_driver_half, features) == 24, "no holes");
_Static_assert(offsetof(struct link_driver_half, queue) == 56, "no holes");
_Static_assert(offsetof(struct link_server_half, interrupts) == 48, "no holes");
_Static_assert(sizeof(struct link_queue) == 32 && sizeof(struct link_window) == 24, "no holes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the page's words are little-endian");

/* One access each; a word of the page, whoever wrote it. */
static inline uint32_t link_load32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}
static inline uint64_t link_load64(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}
static inline void link_store32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}
static inline void link_store64(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}
/* `request` and `ack`, `up` and `generation`: what was written before it is there. */
static inline uint32_t link_acquire(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
static inline void link_release(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}
