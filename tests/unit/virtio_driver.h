/*
 * A driver's side of virtqueues, for tests: memory that counts what is read of
 * it and can change under the reader's eyes, and writers of ring entries.
 */
#pragma once

#include <dev/virtio/mmio.h>
#include <selvage/vmmio.h>

#define VD_BYTES 0x20000u /* from address 0 on */
/* Where a queue's areas are unless a test says otherwise. */
#define VD_DESC 0x1000u
#define VD_DRIVER 0x3000u
#define VD_DEVICE 0x4000u
#define VD_TABLE 0x5000u /* indirect */
#define VD_DATA 0x8000u

enum { VD_NEXT = 1,
       VD_WRITE = 2,
       VD_INDIRECT = 4,
       VD_AVAIL = 0x80,
       VD_USED = 0x8000 };

struct vd {
	uint8_t ram[VD_BYTES];
	uint8_t reads[VD_BYTES]; /* of each byte, since vd_count_reads */
	uint64_t accesses;
	/* After each read or load, if not NULL. */
	void (*after_read)(struct vd *d, uint64_t at, size_t bytes);
	struct virtio_mem mem;
};

void vd_init(struct vd *d);
void vd_count_reads(struct vd *d);
unsigned vd_most_reads(const struct vd *d);

uint16_t vd_get16(const struct vd *d, uint64_t at);
uint32_t vd_get32(const struct vd *d, uint64_t at);
void vd_put16(struct vd *d, uint64_t at, uint16_t value);

/* A descriptor of a split queue or an indirect table ... */
void vd_split(struct vd *d, uint64_t table, unsigned i, uint64_t at, uint32_t bytes,
	      unsigned flags, unsigned next);
/* ... or of a packed one. */
void vd_packed(struct vd *d, uint64_t table, unsigned i, uint64_t at, uint32_t bytes,
	       unsigned flags, unsigned id);
/* The n-th buffer that is made available, n counted from 0 for ever. */
void vd_offer(struct vd *d, unsigned size, unsigned n, unsigned head);

/* A device's registers, as lib/virtio drives them. */
struct vmmio_regs vd_regs(struct virtio_mmio *mmio);
