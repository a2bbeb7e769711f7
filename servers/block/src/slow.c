#include "slow.h"

#include <selvage/base.h>

/* Number and buffer are those of the driver's operation. */
static struct job {
	struct virtio_blk_job of;
	struct slow *slow; /* NULL: its driver was reset */
	struct slow *room; /* whose it is */
	bool taken, out;   /* out: the device has it */
	bool over, ok;     /* it is to be ended */
	bool flushing;
	enum mdisk_kind kind;
	unsigned age, tries; /* of what the device has */
	uint32_t turn;       /* of slow->taken */
	uint32_t left, now;  /* bytes */
	uint64_t sector;
} jobs[SLOW_OPS];

static struct mdisk *disk;
static unsigned most;
static uint64_t failures;
static unsigned n_over;
static bool failed; /* some have, since the last turn */

void slow_init(struct mdisk *d, unsigned n)
{
	disk = d;
	most = max_u32(min_u32(n, SLOW_OPS), 1);
}

uint64_t slow_failures(void) { return failures; }

static unsigned number_of(const struct job *j) { return (unsigned)(j - jobs); }

static void release(struct job *j)
{
	n_over -= j->over;
	j->taken = j->out = j->over = false;
	j->room->under_way--;
	if (j->slow == NULL)
		j->room->orphans--;
}

static void set_over(struct job *j, bool ok)
{
	failures += !ok;
	n_over++;
	j->over = true;
	j->ok = ok;
}

static void give(struct job *j)
{
	j->age = 0;
	j->out = mdisk_submit(disk, number_of(j), j->kind, j->sector, j->now);
	if (!j->out)
		set_over(j, false);
}

static void submit(struct job *j, enum mdisk_kind kind)
{
	j->kind = kind;
	j->tries = 1;
	give(j);
}

static void flush(struct job *j)
{
	j->flushing = true;
	j->now = 0;
	if (disk->can_flush)
		submit(j, MDISK_FLUSH);
	else
		set_over(j, disk->error == NULL);
}

/* The next piece of it. */
static void go_on(struct job *j)
{
	const struct virtio_blk_request *r = &j->of.request;

	j->now = min_u32(j->left, MDISK_BUFFER);
	if (j->now == 0)
		set_over(j, true);
	else if (r->write && !virtio_blk_fetch(&j->of, mdisk_buffer(disk, number_of(j)), j->now))
		set_over(j, false);
	else
		submit(j, r->write ? MDISK_WRITE : MDISK_READ);
}

static struct virtio_blk_job *take(void *opaque)
{
	struct slow *s = opaque;

	s->starved = true;
	if (s->orphans != 0 || s->under_way >= most)
		return NULL;
	for (unsigned i = 0; i < SLOW_OPS; i++) {
		struct job *j = &jobs[i];

		if (j->taken)
			continue;
		s->starved = false;
		s->under_way++;
		j->taken = true;
		j->out = j->over = j->flushing = false;
		j->slow = j->room = s;
		j->turn = s->taken++;
		return &j->of;
	}
	return NULL;
}

/* The one that was taken last. */
static void put(void *opaque, struct virtio_blk_job *job)
{
	struct slow *s = opaque;

	s->taken--;
	release(CONTAINER_OF(job, struct job, of));
}

static void begin(void *opaque, struct virtio_blk_job *job)
{
	const struct slow *s = opaque;
	struct job *j = CONTAINER_OF(job, struct job, of);

	j->sector = s->first + job->request.offset / MDISK_SECTOR;
	j->left = job->request.bytes;
	if (job->request.answered)
		set_over(j, true);
	else if (job->request.flush)
		flush(j);
	else
		go_on(j);
}

void slow_forget(struct slow *s)
{
	for (unsigned i = 0; i < SLOW_OPS; i++) {
		struct job *j = &jobs[i];

		if (!j->taken || j->slow != s)
			continue;
		j->slow = NULL;
		s->orphans++;
		if (!j->out)
			release(j);
	}
	s->ended = s->taken;
}

static void forget(void *opaque) { slow_forget(opaque); }

/* The device has done its part. */
static void done(struct job *j, bool ok)
{
	const struct virtio_blk_request *r = &j->of.request;

	j->out = false;
	if (j->slow == NULL) {
		release(j);
		return;
	}
	if (ok && !j->flushing && !r->write)
		ok = virtio_blk_give(&j->of, mdisk_buffer(disk, number_of(j)), j->now);
	j->left -= j->flushing ? 0 : j->now;
	j->sector += j->now / MDISK_SECTOR;
	if (!ok || j->flushing)
		set_over(j, ok);
	else if (j->left > 0)
		go_on(j);
	else if (r->write && virtio_blk_writes_through(r->b))
		flush(j);
	else
		set_over(j, true);
}

/* One whose turn it is; NULL: there is none. */
static struct job *next_over(void)
{
	for (unsigned i = 0; i < SLOW_OPS && n_over > 0; i++) {
		struct job *j = &jobs[i];

		if (j->taken && j->over && (j->slow == NULL || j->turn == j->slow->ended))
			return j;
	}
	return NULL;
}

static bool end_all(void)
{
	struct job *j;
	bool any = false;

	while ((j = next_over()) != NULL) {
		if (j->slow != NULL) {
			virtio_blk_end(&j->of, j->ok);
			j->slow->settle = true;
			j->slow->ended++;
		}
		release(j);
		any = true;
	}
	return any;
}

bool slow_pending(void) { return failed || next_over() != NULL; }

bool slow_turn(void)
{
	unsigned op, n = 0;
	bool ok, any = failed;

	failed = false;
	while (n++ < MDISK_OPS && mdisk_take(disk, &op, &ok)) {
		done(&jobs[op], ok);
		any = true;
	}
	return end_all() || any;
}

bool slow_waits(void)
{
	for (unsigned i = 0; i < SLOW_OPS; i++)
		if (jobs[i].out)
			return true;
	return false;
}

bool slow_tick(void)
{
	bool overdue = false;

	for (unsigned i = 0; i < SLOW_OPS; i++)
		overdue = (jobs[i].out && ++jobs[i].age > SLOW_PATIENCE) || overdue;
	return overdue;
}

/* Those of one connection, or of all. */
static void fail(const struct slow *s)
{
	for (unsigned i = 0; i < SLOW_OPS; i++)
		if (jobs[i].out && (s == NULL || jobs[i].room == s))
			done(&jobs[i], false);
	(void)end_all();
	failed = true;
}

void slow_fail_all(void) { fail(NULL); }
void slow_fail(const struct slow *s) { fail(s); }

void slow_again(void)
{
	for (unsigned i = 0; i < SLOW_OPS; i++) {
		struct job *j = &jobs[i];

		if (!j->out)
			continue;
		if (j->slow == NULL || j->tries == SLOW_TRIES) {
			done(j, false);
			continue;
		}
		j->tries++;
		give(j);
	}
	(void)end_all();
	failed = true;
}

struct virtio_blk_disk slow_disk(struct slow *s)
{
	return (struct virtio_blk_disk){ .opaque = s,
					 .sectors = s->sectors,
					 .read_only = s->read_only,
					 .take = take,
					 .put = put,
					 .begin = begin,
					 .forget = forget };
}
