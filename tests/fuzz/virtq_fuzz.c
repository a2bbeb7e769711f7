/* A virtqueue of a driver that lies and writes while it is read. VIRTQ_PACKED
 * says of which format. */
#include <dev/virtio/virtq.h>
#include <stdlib.h>

#include "hostile_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DESC 0u
#define DRIVER 0x1000u
#define DEVICE 0x2000u

static void check_chain(const struct virtq_chain *c, const struct virtq *q)
{
	uint64_t out = 0, in = 0;

	if (c->n_out + c->n_in > VIRTQ_MAX_SIZE || c->slots > q->at.size)
		abort();
	for (unsigned i = 0; i < c->n_out; i++)
		out += c->segment[i].bytes;
	for (unsigned i = c->n_out; i < c->n_out + c->n_in; i++)
		in += c->segment[i].bytes;
	if (out != c->out_bytes || in != c->in_bytes || (!q->packed && c->id >= q->at.size))
		abort();
}

static void use_chain(struct hostile *h, struct virtq *q, const struct virtq_chain *c)
{
	struct virtq_cursor out = virtq_out(c), in = virtq_in(c);
	uint8_t bytes[256] = { 0 };

	virtq_skip(&out, out.left > 64 ? out.left - 64 : 0);
	if (virtq_read(q, &out, bytes, out.left) && out.left != 0)
		abort();
	(void)virtq_write(q, &in, bytes, min_u32(in.left, sizeof(bytes)));
	virtq_push(q, c, hm_next(h));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hostile h;
	static struct virtq_chain c;
	struct virtio_mem mem = hm_mem(&h);
	struct virtq q = { .mem = &mem, .packed = VIRTQ_PACKED };
	const char *error = NULL;
	uint8_t options;

	memset(&h, 0, sizeof(h));
	h.data = data;
	h.left = size;
	options = hm_next(&h);
	q.event_idx = options & 1;
	q.indirect = options & 2;
	q.at = (struct virtq_layout){ DESC, DRIVER, DEVICE, 1u << (options >> 2 & 7) };
	if (options & 0x80)
		q.at.driver = DESC; /* rings on top of each other */
	if (virtq_enable(&q) != NULL)
		return 0;
	while (h.left > 0) {
		h.accesses = 0;
		switch (hm_next(&h) & 7) {
		case 0: hm_poke(&h); break;
		case 1: hm_desc(&h, hm_next(&h) & 1 ? DESC : 0x3000, VIRTQ_PACKED); break;
		case 2: /* makes something available */
			h.ram[DRIVER + 2] += hm_next(&h) % 4;
			h.ram[DRIVER + 4 + 2 * (hm_next(&h) % q.at.size)] = hm_next(&h) % 16;
			break;
		case 3: (void)virtq_interrupts(&q); break;
		default:
			if (virtq_pop(&q, &c)) {
				check_chain(&c, &q);
				use_chain(&h, &q, &c);
			}
		}
		if (h.accesses > 8 * VIRTQ_MAX_SIZE || (error != NULL && q.error != error))
			abort();
		error = q.error;
	}
	return 0;
}
