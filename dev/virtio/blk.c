#include <dev/virtio/blk.h>

#include <selvage/base.h>
#include <string.h>

#define QUEUE_SIZE 128u
#define SEGMENTS (QUEUE_SIZE - 2)
#define SEGMENT_BYTES 0x10000u
#define REQUEST_COST 4096u /* of one without data, in bytes */

/* Feature bits (5.2.3). */
#define F_SIZE_MAX (1ull << 1)
#define F_SEG_MAX (1ull << 2)
#define F_RO (1ull << 5)
#define F_BLK_SIZE (1ull << 6)
#define F_FLUSH (1ull << 9)
/* struct virtio_blk_config (5.2.4): offsets. */
#define CONFIG_CAPACITY 0
#define CONFIG_SIZE_MAX 8
#define CONFIG_SEG_MAX 12
#define CONFIG_BLK_SIZE 20
/* Requests (5.2.6). */
#define HEADER_BYTES 16u
enum { T_IN = 0,
       T_OUT = 1,
       T_FLUSH = 4,
       T_GET_ID = 8 };
enum { S_OK = 0,
       S_IOERR = 1,
       S_UNSUPP = 2 };

struct request {
	struct virtio_blk *b;
	struct virtq *q;
	uint32_t type;
	uint64_t offset; /* on the disk */
	struct virtq_cursor out, in;
	uint32_t written; /* into the driver's buffer */
};

/* Sectors to bytes; false: not within the disk, or more than a driver may ask for that
 * knows size_max and seg_max: nobody may keep the device busy for as long as he likes. */
static bool place(struct request *r, uint64_t sector, uint32_t bytes)
{
	uint64_t all = r->b->disk.sectors;

	if (bytes % VIRTIO_BLK_SECTOR != 0 || bytes > SEGMENTS * SEGMENT_BYTES ||
	    !range_within_u64(sector, bytes / VIRTIO_BLK_SECTOR, 0, all))
		return false;
	r->offset = sector * VIRTIO_BLK_SECTOR;
	return true;
}

static uint8_t do_read(struct request *r)
{
	const struct virtio_blk_disk *disk = &r->b->disk;

	for (uint32_t left = r->in.left; left > 0;) {
		uint32_t n = left;
		const uint8_t *from = disk->look(disk->opaque, r->offset, &n);

		if (from == NULL || !virtq_write(r->q, &r->in, from, n))
			return S_IOERR;
		r->offset += n;
		r->written += n;
		left -= n;
	}
	return S_OK;
}

static uint8_t do_write(struct request *r)
{
	const struct virtio_blk_disk *disk = &r->b->disk;

	if (disk->read_only)
		return S_IOERR;
	while (r->out.left > 0) {
		uint32_t n = r->out.left;
		uint8_t *to = disk->change(disk->opaque, r->offset, &n);

		if (to == NULL || !virtq_read(r->q, &r->out, to, n))
			return S_IOERR;
		r->offset += n;
	}
	return S_OK;
}

static uint8_t do_id(struct request *r)
{
	uint32_t n = min_u32(r->in.left, VIRTIO_BLK_ID_BYTES);

	if (!virtq_write(r->q, &r->in, r->b->disk.id, n))
		return S_IOERR;
	r->written = n;
	return S_OK;
}

static uint8_t carry_out(struct request *r, uint64_t sector)
{
	switch (r->type) {
	case T_IN:
		return place(r, sector, r->in.left) ? do_read(r) : S_IOERR;
	case T_OUT:
		return place(r, sector, r->out.left) ? do_write(r) : S_IOERR;
	case T_FLUSH: /* what was written is there already */
		return S_OK;
	case T_GET_ID:
		return do_id(r);
	default:
		return S_UNSUPP;
	}
}

/* Header in front, status behind; how the driver cuts it up does not matter. */
static bool serve(struct virtio_blk *b, struct virtq *q, const struct virtq_chain *c)
{
	struct request r = { .b = b, .q = q, .out = virtq_out(c), .in = virtq_in(c) };
	struct virtq_cursor end = r.in;
	uint8_t header[HEADER_BYTES], status;

	if (r.out.left < HEADER_BYTES || r.in.left == 0) {
		virtio_break(&b->v, "a request without header or status");
		return false;
	}
	if (!virtq_read(q, &r.out, header, sizeof(header)))
		return false;
	r.in.left--;
	virtq_skip(&end, r.in.left);
	r.type = load_le32(header);
	status = carry_out(&r, load_le64(header + 8));
	if (status != S_OK)
		b->failures++;
	if (q->error != NULL || !virtq_write(q, &end, &status, 1))
		return false;
	/* Bytes at the buffer's start: the status counts if all before it do. */
	virtq_push(q, c, r.in.left == 0 ? r.written + 1 : r.written);
	return true;
}

static void kick(struct virtio *v, unsigned queue)
{
	struct virtio_blk *b = CONTAINER_OF(v, struct virtio_blk, v);
	struct virtq *q = &v->queue[queue];

	uint64_t done = 0;

	b->more = false;
	while (virtq_pop(q, &v->chain)) {
		if (!serve(b, q, &v->chain))
			return;
		done += REQUEST_COST + v->chain.out_bytes + (uint64_t)v->chain.in_bytes;
		if (b->in_turns && done >= VIRTIO_BLK_TURN) {
			b->more = true;
			return;
		}
	}
}

void virtio_blk_turn(struct virtio_blk *b)
{
	if (b->more && virtio_live(&b->v) && b->v.queue[0].ready)
		(void)virtio_kick(&b->v, 0);
	else
		b->more = false;
}

static const struct virtio_class class = {
	.name = "virtio-blk",
	.id = 2,
	.features = VIRTIO_F_RING_PACKED | F_SIZE_MAX | F_SEG_MAX | F_BLK_SIZE | F_FLUSH,
	.n_queues = 1,
	.queue_size = QUEUE_SIZE,
	.config_bytes = VIRTIO_BLK_CONFIG_BYTES,
	.legacy = true,
	.kick = kick,
};

void virtio_blk_init(struct virtio_blk *b, const struct virtio_env *env,
		     const struct virtio_blk_disk *disk)
{
	b->class = class;
	if (disk->read_only)
		b->class.features |= F_RO;
	b->disk = *disk;
	b->failures = 0;
	b->in_turns = b->more = false;
	memset(b->config, 0, sizeof(b->config));
	store_le64(b->config + CONFIG_CAPACITY, disk->sectors);
	store_le32(b->config + CONFIG_SIZE_MAX, SEGMENT_BYTES);
	store_le32(b->config + CONFIG_SEG_MAX, SEGMENTS);
	store_le32(b->config + CONFIG_BLK_SIZE, VIRTIO_BLK_SECTOR);
	virtio_init(&b->v, &b->class, env, b->config);
}
