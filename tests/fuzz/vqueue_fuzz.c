/* A driver's virtqueue in the hands of a device that writes what it likes, where it likes. */
#include <selvage/base.h>
#include <selvage/vqueue.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AT 0x40000000ull

static const uint8_t *at;
static size_t left;

static uint8_t next(void)
{
	if (left == 0)
		return 0;
	left--;
	return *at++;
}

static struct vqueue q;
static _Alignas(VQUEUE_ALIGN) uint8_t ring[0x4000];
static uint32_t given[VQUEUE_MAX_SIZE]; /* bytes by token; 0: it is ours */

static void add(void)
{
	struct vqueue_segment s[8];
	uint8_t shape = next();
	unsigned n_out = shape & 3, n_in = shape >> 2 & 3;
	uint32_t token = 0, in_bytes = 0;

	while (token < VQUEUE_MAX_SIZE && given[token] != 0)
		token++;
	for (unsigned i = 0; i < n_out + n_in; i++) {
		s[i] = (struct vqueue_segment){ AT + 64 * i, next() };
		in_bytes += i < n_out ? 0 : s[i].bytes;
	}
	if (token < VQUEUE_MAX_SIZE && vqueue_add(&q, s, n_out, n_in, token))
		given[token] = in_bytes + 1;
}

static void take(void)
{
	uint32_t token, written;

	while (vqueue_take(&q, &token, &written)) {
		if (q.error != NULL || token >= VQUEUE_MAX_SIZE || given[token] == 0 ||
		    written >= given[token])
			abort();
		given[token] = 0;
	}
}

/* Descriptors are free or of a buffer that the device has. */
static void check(void)
{
	unsigned n = 0, buffers = 0, tokens = 0;
	uint16_t i = q.free;

	for (unsigned k = 0; k < q.n_free; k++, i = q.slot[i].next)
		if (i >= q.size || q.slot[i].entries != 0)
			abort();
	for (unsigned k = 0; k < q.size; k++) {
		n += q.slot[k].entries;
		buffers += q.slot[k].entries != 0;
	}
	for (unsigned k = 0; k < VQUEUE_MAX_SIZE; k++)
		tokens += given[k] != 0;
	if (n + q.n_free != q.size || buffers != vqueue_outstanding(&q) || buffers != tokens)
		abort();
}

/* Half of what it does is likely to be believed. */
static void device(void)
{
	uint8_t *used = q.used, what = next();
	uint16_t idx = load_le16(used + 2);

	if (what & 1) {
		store_le32(used + 4 + 8 * (idx % q.size), what >> 1 & 31);
		store_le32(used + 8 + 8 * (idx % q.size), next());
		store_le16(used + 2, (uint16_t)(idx + 1));
	} else {
		ring[((size_t)what << 8 | next()) % sizeof(ring)] = next();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *error = NULL;

	at = bytes;
	left = n;
	memset(given, 0, sizeof(given));
	vqueue_init(&q, 1u << next() % 9, ring, AT, next() & 1);
	if (vqueue_bytes(q.size) > sizeof(ring))
		abort();
	while (left > 0) {
		switch (next() % 6) {
		case 0: add(); break;
		case 1: (void)vqueue_publish(&q); break;
		case 2: take(); break;
		case 3: (void)vqueue_listen(&q); break;
		case 4: vqueue_mute(&q); break;
		default: device();
		}
		check();
		if (error != NULL && q.error != error)
			abort();
		error = q.error;
	}
	return 0;
}
