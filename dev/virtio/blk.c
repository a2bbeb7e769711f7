#include <dev/virtio/blk.h>

#include <selvage/base.h>
#include <string.h>

#define QUEUE_SIZE 128u
#define MAX_SEGMENTS (QUEUE_SIZE - 2)
#define SEGMENT_BYTES 0x10000u
#define SEGMENT_BYTES_ANYWHERE 0x100000u /* FreeBSD's driver wants that many */
#define KICK_BYTES (4ull << 30)
#define PAD_BYTES VIRTIO_BLK_TURN
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
       S_UNSUPP = 2,
       MORE = 0x100 }; /* no status: it goes on in another turn */

/* Sectors to bytes; false: not within the disk, or more than there is room for. A driver that
 * did not take size_max and seg_max may ask for any number. */
static bool place(struct virtio_blk_request *r, uint64_t sector, uint32_t bytes)
{
	if (bytes % VIRTIO_BLK_SECTOR != 0 || bytes > r->b->max_bytes ||
	    !range_within_u64(sector, bytes / VIRTIO_BLK_SECTOR, 0, r->b->disk.sectors))
		return false;
	r->offset = sector * VIRTIO_BLK_SECTOR;
	r->bytes = bytes;
	return true;
}

static uint32_t piece_of(const struct virtio_blk_request *r, uint32_t left)
{
	return left > VIRTIO_BLK_TURN && r->b->in_turns ? VIRTIO_BLK_TURN : left;
}

static inline unsigned do_read(struct virtq *q, struct virtio_blk_request *r)
{
	const struct virtio_blk_disk *disk = &r->b->disk;

	for (uint32_t left = piece_of(r, r->in.left); left > 0;) {
		uint32_t n = left;
		const uint8_t *from = disk->look(disk->opaque, r->offset, &n);

		if (from == NULL || !virtq_write(q, &r->in, from, n))
			return S_IOERR;
		r->offset += n;
		r->written += n;
		left -= n;
	}
	return r->in.left != 0 ? MORE : S_OK;
}

static unsigned flush(const struct virtio_blk_disk *disk)
{
	return disk->flush == NULL || disk->flush(disk->opaque) ? S_OK : S_IOERR;
}

/* A driver that knows no flush has what it wrote last when it hears of it (5.2.6.2). */
static inline unsigned do_write(struct virtq *q, struct virtio_blk_request *r)
{
	const struct virtio_blk_disk *disk = &r->b->disk;

	for (uint32_t left = piece_of(r, r->out.left); left > 0;) {
		uint32_t n = left;
		uint8_t *to = disk->change(disk->opaque, r->offset, &n);

		if (to == NULL)
			return S_IOERR;
		if (disk->stage != NULL)
			n = min_u32(n, VIRTIO_BLK_STAGE);
		if (!virtq_read(q, &r->out, disk->stage != NULL ? disk->stage : to, n))
			return S_IOERR;
		if (disk->stage != NULL)
			memcpy(to, disk->stage, n);
		r->offset += n;
		left -= n;
	}
	if (r->out.left != 0)
		return MORE;
	return virtio_blk_writes_through(r->b) ? flush(disk) : S_OK;
}

static unsigned do_id(struct virtq *q, struct virtio_blk_request *r)
{
	uint32_t n = min_u32(r->in.left, VIRTIO_BLK_ID_BYTES);

	if (!virtq_write(q, &r->in, r->b->disk.id, n))
		return S_IOERR;
	r->written = n;
	return S_OK;
}

/* A piece of it. */
static inline unsigned carry_out(struct virtq *q, struct virtio_blk_request *r)
{
	switch (r->type) {
	case T_IN: return do_read(q, r);
	case T_OUT: return do_write(q, r);
	case T_GET_ID: return do_id(q, r);
	default: return flush(&r->b->disk);
	}
}

/* What is wrong with a request, or S_OK. */
static uint8_t judge(struct virtio_blk_request *r, uint64_t sector)
{
	r->write = r->type == T_OUT;
	r->flush = r->type == T_FLUSH;
	switch (r->type) {
	case T_IN:
		return place(r, sector, r->in.left) ? S_OK : S_IOERR;
	case T_OUT:
		return place(r, sector, r->out.left) && !r->b->disk.read_only ? S_OK : S_IOERR;
	case T_FLUSH:
	case T_GET_ID:
		return S_OK;
	default:
		return S_UNSUPP;
	}
}

/* Header in front, status behind; how the driver cuts it up does not matter. False: the
 * device is broken. */
static bool parse(struct virtio_blk *b, struct virtq *q, const struct virtq_chain *c,
		  struct virtio_blk_request *r, uint8_t *status)
{
	uint8_t header[HEADER_BYTES];

	r->b = b;
	r->chain = c;
	r->out = virtq_out(c);
	r->in = virtq_in(c);
	r->offset = 0;
	r->bytes = r->written = 0;
	r->answered = false;
	r->answer = S_OK;
	r->status = r->in;
	if (r->out.left < HEADER_BYTES || r->in.left == 0) {
		virtio_break(&b->v, "a request without header or status");
		return false;
	}
	if (!virtq_read(q, &r->out, header, sizeof(header)))
		return false;
	r->in.left--;
	virtq_skip(&r->status, r->in.left);
	r->type = load_le32(header);
	*status = judge(r, load_le64(header + 8));
	return true;
}

/* Bytes at the buffer's start count as written (2.7.8): where nothing was read into, in
 * front of the status, there are zeros then. Whoever gives very much room has it back as it
 * was. */
static inline bool pad(struct virtq *q, struct virtio_blk_request *r)
{
	static const uint8_t nothing[256];

	while (r->in.left > 0 && r->in.left <= PAD_BYTES) {
		const uint32_t n = min_u32(r->in.left, sizeof(nothing));

		if (!virtq_write(q, &r->in, nothing, n))
			return false;
		r->written += n;
	}
	return true;
}

static inline bool end(struct virtq *q, struct virtio_blk_request *r, uint8_t status)
{
	if (status != S_OK)
		r->b->failures++;
	if (q->error != NULL || !pad(q, r) || !virtq_write(q, &r->status, &status, 1))
		return false;
	virtq_push(q, r->chain, r->written + (r->in.left == 0));
	return true;
}

static bool leave(struct virtio_blk *b, const struct virtio_blk_request *r)
{
	b->request = *r;
	b->busy = true;
	return true;
}

/* Ends the request, or leaves it to the next turn. */
static inline bool go_on(struct virtio_blk *b, struct virtq *q, struct virtio_blk_request *r,
			 unsigned status)
{
	if (status == S_OK)
		status = carry_out(q, r);
	return status == MORE ? leave(b, r) : end(q, r, (uint8_t)status);
}

static bool serve(struct virtio_blk *b, struct virtq *q)
{
	struct virtio_blk_request r;
	uint8_t status;

	return parse(b, q, &b->v.chain, &r, &status) && go_on(b, q, &r, status);
}

static bool serve_more(struct virtio_blk *b, struct virtq *q)
{
	struct virtio_blk_request r = b->request;

	b->busy = false;
	return go_on(b, q, &r, S_OK);
}

/* The same for a slow disk: requests end later. */
static bool serve_slowly(struct virtio_blk *b, struct virtq *q, struct virtio_blk_job *job)
{
	struct virtio_blk_request *r = &job->request;
	uint8_t status;

	if (!parse(b, q, &job->chain, r, &status)) {
		b->disk.put(b->disk.opaque, job);
		return false;
	}
	r->answered = status != S_OK || r->type == T_GET_ID;
	r->answer = status == S_OK && r->answered ? (uint8_t)do_id(q, r) : status;
	b->disk.begin(b->disk.opaque, job);
	return true;
}

/* One request; false: there is none, none can be taken now, or the device is broken. */
static bool take(struct virtio_blk *b, struct virtq *q, uint64_t *bytes)
{
	struct virtio_blk_job *job = NULL;
	struct virtq_chain *c = &b->v.chain;

	if (b->busy) {
		*bytes = VIRTIO_BLK_TURN;
		return serve_more(b, q);
	}
	if (b->disk.take != NULL) {
		job = b->disk.take(b->disk.opaque);
		if (job == NULL)
			return false;
		c = &job->chain;
	}
	if (!virtq_pop(q, c)) {
		if (job != NULL)
			b->disk.put(b->disk.opaque, job);
		return false;
	}
	*bytes = c->out_bytes + (uint64_t)c->in_bytes;
	return job != NULL ? serve_slowly(b, q, job) : serve(b, q);
}

/* What is read may be the ring's next buffer, and so on: without turns there is an end all
 * the same. */
static void kick(struct virtio *v, unsigned queue)
{
	struct virtio_blk *b = CONTAINER_OF(v, struct virtio_blk, v);
	uint64_t done = 0, bytes;

	b->more = false;
	while (take(b, &v->queue[queue], &bytes)) {
		done += REQUEST_COST + bytes;
		if (done < VIRTIO_BLK_TURN || (!b->in_turns && done < KICK_BYTES))
			continue;
		b->more = b->in_turns;
		if (!b->in_turns)
			virtio_break(v, "requests without end");
		return;
	}
}

static void stopped(struct virtio *v, unsigned queue)
{
	struct virtio_blk *b = CONTAINER_OF(v, struct virtio_blk, v);

	(void)queue;
	b->busy = false;
	if (b->disk.forget != NULL)
		b->disk.forget(b->disk.opaque);
}

void virtio_blk_turn(struct virtio_blk *b)
{
	if (virtio_live(&b->v) && b->v.queue[0].ready)
		(void)virtio_kick(&b->v, 0);
	else
		b->more = false;
}

/* --- Slow disks ------------------------------------------------------------------- */

bool virtio_blk_fetch(struct virtio_blk_job *job, void *to, uint32_t bytes)
{
	return virtq_read(&job->request.b->v.queue[0], &job->request.out, to, bytes);
}

bool virtio_blk_give(struct virtio_blk_job *job, const void *from, uint32_t bytes)
{
	job->request.written += bytes;
	return virtq_write(&job->request.b->v.queue[0], &job->request.in, from, bytes);
}

bool virtio_blk_writes_through(const struct virtio_blk *b)
{
	return !(b->v.features & F_FLUSH);
}

void virtio_blk_end(struct virtio_blk_job *job, bool ok)
{
	struct virtio_blk_request *r = &job->request;
	struct virtio *v = &r->b->v;

	if (virtio_live(v))
		(void)end(&v->queue[0], r, r->answered ? r->answer : ok ? S_OK
									: S_IOERR);
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
	.stopped = stopped,
};

/* The largest request lies in the room with its header, beside rings. */
static uint32_t segments_in(uint64_t room)
{
	const uint64_t n = room / SEGMENT_BYTES;

	return room == 0 ? MAX_SEGMENTS : (uint32_t)min_u64(n > 3 ? n - 2 : 1, MAX_SEGMENTS);
}

static uint32_t segment_bytes(uint64_t room)
{
	return room == 0 || room >= (MAX_SEGMENTS + 2) * SEGMENT_BYTES_ANYWHERE
		       ? SEGMENT_BYTES_ANYWHERE
		       : SEGMENT_BYTES;
}

void virtio_blk_init(struct virtio_blk *b, const struct virtio_env *env,
		     const struct virtio_blk_disk *disk)
{
	b->class = class;
	if (disk->read_only)
		b->class.features |= F_RO;
	b->disk = *disk;
	b->max_bytes = disk->room == 0 ? UINT32_MAX : (uint32_t)min_u64(disk->room, UINT32_MAX);
	b->failures = 0;
	b->in_turns = b->more = b->busy = false;
	memset(b->config, 0, sizeof(b->config));
	store_le64(b->config + CONFIG_CAPACITY, disk->sectors);
	store_le32(b->config + CONFIG_SIZE_MAX,
		   segment_bytes(disk->room));
	store_le32(b->config + CONFIG_SEG_MAX, segments_in(disk->room));
	store_le32(b->config + CONFIG_BLK_SIZE, VIRTIO_BLK_SECTOR);
	virtio_init(&b->v, &b->class, env, b->config);
}
