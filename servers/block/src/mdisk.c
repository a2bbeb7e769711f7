#include "mdisk.h"

#include <selvage/base.h>
#include <selvage/virtio_abi.h>
#include <string.h>

#define QUEUE 128u /* three entries for each operation */
#define HEADERS 0x2000u
#define HEADER_BYTES 16u
#define STATUS 0x3000u
_Static_assert(3 * MDISK_OPS <= QUEUE, "there is always room");

/* Feature bits (virtio 1.2, 5.2.3). */
#define F_RO (1ull << 5)
#define F_FLUSH (1ull << 9)

void mdisk_give_up(struct mdisk *d, const char *why)
{
	d->error = why;
	vmmio_reset(&d->t);
}

static const char *set_up(struct mdisk *d)
{
	const char *wrong = vmmio_queue(&d->t, 0, &d->q);
	uint8_t capacity[8];

	if (wrong == NULL && !vmmio_config(&d->t, 0, capacity, 4, 2))
		wrong = "its configuration does not stand still";
	if (wrong != NULL)
		return wrong;
	d->sectors = load_le64(capacity);
	if (d->sectors == 0 || d->sectors > UINT64_MAX / MDISK_SECTOR)
		return "it has no sectors, or more than there can be";
	return vmmio_go(&d->t);
}

const char *mdisk_start(struct mdisk *d, const struct vmmio_regs *regs, void *memory, uint64_t at)
{
	const char *wrong;

	memset(d, 0, sizeof(*d));
	d->memory = memory;
	d->at = at;
	wrong = vmmio_begin(&d->t, regs, VIRTIO_ID_BLOCK, VIRTIO_F_EVENT_IDX | F_RO | F_FLUSH, 0);
	if (wrong != NULL) {
		d->error = wrong;
		return wrong;
	}
	d->read_only = d->t.features & F_RO;
	d->can_flush = d->t.features & F_FLUSH;
	vqueue_init(&d->q, QUEUE, memory, at, d->t.features & VIRTIO_F_EVENT_IDX);
	wrong = set_up(d);
	if (wrong != NULL)
		mdisk_give_up(d, wrong);
	return wrong;
}

bool mdisk_submit(struct mdisk *d, unsigned op, enum mdisk_kind kind, uint64_t sector,
		  uint32_t bytes)
{
	const uint32_t header_at = HEADERS + op * HEADER_BYTES;
	uint8_t *header = d->memory + header_at;
	struct vqueue_segment s[3];
	unsigned n = 0;

	if (d->error != NULL || bytes > MDISK_BUFFER || bytes % MDISK_SECTOR != 0 ||
	    !range_within_u64(sector, bytes / MDISK_SECTOR, 0, d->sectors))
		return false;
	store_le32(header, kind);
	store_le32(header + 4, 0);
	store_le64(header + 8, sector);
	d->memory[STATUS + op] = 0xff;
	s[n++] = (struct vqueue_segment){ d->at + header_at, HEADER_BYTES };
	if (kind != MDISK_FLUSH)
		s[n++] = (struct vqueue_segment){ d->at + 0x8000u + op * MDISK_BUFFER, bytes };
	s[n++] = (struct vqueue_segment){ d->at + STATUS + op, 1 };
	d->expected[op] = kind == MDISK_READ ? bytes + 1 : 1;
	return kind == MDISK_READ ? vqueue_add(&d->q, s, 1, 2, op)
				  : vqueue_add(&d->q, s, n - 1, 1, op);
}

/* A token is an operation's number: vqueue gives back only what it was given. */
bool mdisk_take(struct mdisk *d, unsigned *op, bool *ok)
{
	uint32_t token, written;

	if (d->error != NULL || !vqueue_take(&d->q, &token, &written))
		return false;
	*op = token;
	*ok = written >= d->expected[token] &&
	      __atomic_load_n(&d->memory[STATUS + token], __ATOMIC_RELAXED) == 0;
	return true;
}

void mdisk_interrupt(struct mdisk *d)
{
	const char *wrong = vmmio_attend(&d->t);

	if (d->error == NULL && wrong != NULL)
		mdisk_give_up(d, wrong);
}

bool mdisk_flush(struct mdisk *d)
{
	if (d->error != NULL)
		return false;
	if (vqueue_publish(&d->q))
		vmmio_kick(&d->t, 0);
	if (d->q.error != NULL) {
		mdisk_give_up(d, d->q.error);
		return false;
	}
	return vqueue_listen(&d->q);
}
