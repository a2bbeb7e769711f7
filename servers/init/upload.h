/*
 * Images of VMs that come at run time: a payload area (selvage/payload.h) with the
 * description of one VM and its guest's images, brought over the control
 * channel piece by piece. Nothing of it is believed before upload_finish().
 */
#pragma once

#include "images.h"

/* Of one VM, and of all together: what is said of their frames is in a table. */
#define UPLOAD_MAX_BYTES (64ull << 20)
#define UPLOAD_FRAMES 32768u
/* A VM has its description, a kernel, and perhaps an initrd, disks, and such that are
 * served to it. */
#define UPLOAD_ITEMS (3u + SYSDESC_MAX_DISKS + SYSDESC_VM_CONNECTIONS)

/* What the description says. */
struct upload_vm {
	struct sysdesc_vm vm;
	struct sysdesc_connection connection[SYSDESC_VM_CONNECTIONS]; /* vm.n_connections */
};

/* Begins: `size` bytes for the VM of that number, which has no images. Drops one that
 * was left off. NULL, or why not. */
const char *upload_begin(unsigned vm, uint64_t size);
/* The bytes at the offset; offsets only grow, and what is left out is zero. */
const char *upload_put(uint64_t offset, const uint8_t *bytes, size_t n);
/* All of it is there; crc32: of the bytes that were put, in order. What the
 * description says goes to *d. */
const char *upload_finish(uint32_t crc32, const struct sysdesc *system, struct upload_vm *d);
/* Whether one is under way that was not left off; gives memory back otherwise. */
bool upload_busy(void);
/* The VM whose upload was begun last. */
unsigned upload_vm(void);

/* Whether the VM's images came so; they are asked for by the numbers of its area. */
bool upload_has(unsigned vm);
bool upload_image(unsigned vm, uint32_t item, struct image_frames *where, uint64_t *bytes);
/* Gives back all of the VM's images; it does not run. */
void upload_drop(unsigned vm);
