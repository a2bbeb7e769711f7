#include <dev/virtio/ramdisk.h>

#include <selvage/base.h>
#include <string.h>

uint64_t ramdisk_room(uint64_t bytes)
{
	uint64_t blocks = div_up_u64(bytes, RAMDISK_BLOCK);

	return blocks * RAMDISK_BLOCK + div_up_u64(blocks, 8);
}

void ramdisk_init(struct ramdisk *d, const void *image, uint64_t bytes, void *room)
{
	*d = (struct ramdisk){ .image = image, .bytes = bytes, .own = room };
	if (room != NULL)
		d->map = d->own + align_up_u64(bytes, RAMDISK_BLOCK);
}

static bool owned(const struct ramdisk *d, uint64_t block)
{
	return d->own != NULL && (d->map[block / 8] >> block % 8 & 1);
}

/* Cuts a range that lies on the disk to one block. */
static void cut(uint64_t offset, uint32_t *bytes)
{
	*bytes = min_u32(*bytes, RAMDISK_BLOCK - (uint32_t)(offset % RAMDISK_BLOCK));
}

static const uint8_t *look(void *opaque, uint64_t offset, uint32_t *bytes)
{
	const struct ramdisk *d = opaque;

	cut(offset, bytes);
	return (owned(d, offset / RAMDISK_BLOCK) ? d->own : d->image) + offset;
}

static uint8_t *change(void *opaque, uint64_t offset, uint32_t *bytes)
{
	struct ramdisk *d = opaque;
	uint64_t block = offset / RAMDISK_BLOCK, start = block * RAMDISK_BLOCK;

	if (d->own == NULL)
		return NULL;
	cut(offset, bytes);
	if (!owned(d, block)) {
		memcpy(d->own + start, d->image + start,
		       min_u64(RAMDISK_BLOCK, d->bytes - start));
		d->map[block / 8] |= (uint8_t)(1u << block % 8);
	}
	return d->own + offset;
}

struct virtio_blk_disk ramdisk_disk(struct ramdisk *d)
{
	return (struct virtio_blk_disk){ .opaque = d,
					 .sectors = d->bytes / VIRTIO_BLK_SECTOR,
					 .read_only = d->own == NULL,
					 .look = look,
					 .change = change };
}
