/* The IPC buffer: 1024 bytes, 1024-aligned, in a frame of the thread. */
#pragma once

#include <abi/syscall.h>
#include <stddef.h>
#include <stdint.h>

#define ABI_IPCBUF_BITS 10

struct abi_ipcbuf {
	uint64_t tag; /* not touched by the kernel */
	uint64_t msg[ABI_MSG_MAX_WORDS];
	uint64_t user_data; /* not touched by the kernel */
	uint64_t caps_or_badges[ABI_MSG_MAX_CAPS];
	uint64_t receive_cnode;
	uint64_t receive_index;
	uint64_t receive_depth;
};

_Static_assert(sizeof(struct abi_ipcbuf) == 1024, "IPC buffer size");
_Static_assert(offsetof(struct abi_ipcbuf, user_data) == 968, "userData");
_Static_assert(offsetof(struct abi_ipcbuf, caps_or_badges) == 976, "caps");
_Static_assert(offsetof(struct abi_ipcbuf, receive_depth) == 1016, "depth");
