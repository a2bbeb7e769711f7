#include "virtio_driver.h"

#include <selvage/base.h>
#include <string.h>

static bool inside(uint64_t at, size_t bytes)
{
	return range_within_u64(at, bytes, 0, VD_BYTES);
}

static bool vd_read(void *opaque, uint64_t at, void *to, size_t bytes)
{
	struct vd *d = opaque;

	d->accesses++;
	if (!inside(at, bytes))
		return false;
	memcpy(to, d->ram + at, bytes);
	for (size_t i = 0; i < bytes; i++)
		d->reads[at + i]++;
	if (d->after_read != NULL)
		d->after_read(d, at, bytes);
	return true;
}

static bool vd_write(void *opaque, uint64_t at, const void *from, size_t bytes)
{
	struct vd *d = opaque;

	d->accesses++;
	if (!inside(at, bytes))
		return false;
	memcpy(d->ram + at, from, bytes);
	return true;
}

static bool vd_load(void *opaque, uint64_t at, uint16_t *value)
{
	uint8_t b[2];

	if (at % 2 != 0 || !vd_read(opaque, at, b, sizeof(b)))
		return false;
	*value = load_le16(b);
	return true;
}

static bool vd_store(void *opaque, uint64_t at, uint16_t value)
{
	uint8_t b[2];

	store_le16(b, value);
	return at % 2 == 0 && vd_write(opaque, at, b, sizeof(b));
}

void vd_init(struct vd *d)
{
	memset(d, 0, sizeof(*d));
	d->mem = (struct virtio_mem){ d, vd_read, vd_write, vd_load, vd_store, { 0 } };
}

void vd_count_reads(struct vd *d)
{
	memset(d->reads, 0, sizeof(d->reads));
}

unsigned vd_most_reads(const struct vd *d)
{
	unsigned most = 0;

	for (size_t i = 0; i < VD_BYTES; i++)
		most = max_u32(most, d->reads[i]);
	return most;
}

uint16_t vd_get16(const struct vd *d, uint64_t at)
{
	return load_le16(d->ram + at);
}

uint32_t vd_get32(const struct vd *d, uint64_t at)
{
	return load_le32(d->ram + at);
}

void vd_put16(struct vd *d, uint64_t at, uint16_t value)
{
	store_le16(d->ram + at, value);
}

void vd_split(struct vd *d, uint64_t table, unsigned i, uint64_t at, uint32_t bytes,
	      unsigned flags, unsigned next)
{
	uint8_t *p = d->ram + table + 16 * i;

	store_le64(p, at);
	store_le32(p + 8, bytes);
	store_le16(p + 12, (uint16_t)flags);
	store_le16(p + 14, (uint16_t)next);
}

void vd_packed(struct vd *d, uint64_t table, unsigned i, uint64_t at, uint32_t bytes,
	       unsigned flags, unsigned id)
{
	vd_split(d, table, i, at, bytes, id, flags);
}

void vd_offer(struct vd *d, unsigned size, unsigned n, unsigned head)
{
	vd_put16(d, VD_DRIVER + 4 + 2 * (n % size), (uint16_t)head);
	vd_put16(d, VD_DRIVER + 2, (uint16_t)(n + 1));
}

static uint32_t reg_read(void *opaque, uint32_t offset, unsigned bytes)
{
	struct mmio m = { .offset = offset, .size = (uint8_t)bytes };

	(void)virtio_mmio_access(opaque, &m);
	return (uint32_t)m.value;
}

static void reg_write(void *opaque, uint32_t offset, uint32_t value, unsigned bytes)
{
	struct mmio m = {
		.offset = offset, .size = (uint8_t)bytes, .write = true, .value = value
	};

	(void)virtio_mmio_access(opaque, &m);
}

struct vmmio_regs vd_regs(struct virtio_mmio *mmio)
{
	return (struct vmmio_regs){ mmio, reg_read, reg_write };
}
