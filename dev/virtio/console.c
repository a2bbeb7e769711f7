#include <dev/virtio/console.h>

#include <selvage/base.h>

enum { RX,
       TX,
       QUEUES };

/* --- Output ------------------------------------------------------------------------ */

/* Sends what there is of the chain. False: there is no room, or it is broken. */
static bool send_chain(struct virtio_console *c, struct virtq *q)
{
	for (;;) {
		c->output_at += (uint32_t)c->io.transmit(c->io.opaque, c->output + c->output_at,
							 c->output_end - c->output_at);
		if (c->output_at < c->output_end)
			return false;
		if (c->cursor.left == 0)
			return true;
		c->output_at = 0;
		c->output_end = min_u32(c->cursor.left, sizeof(c->output));
		if (!virtq_read(q, &c->cursor, c->output, c->output_end)) {
			c->output_end = 0;
			return false;
		}
	}
}

static void send(struct virtio_console *c)
{
	struct virtq *q = &c->v.queue[TX];

	for (;;) {
		if (!c->sending && !virtq_pop(q, &c->chain))
			return;
		if (!c->sending) {
			c->sending = true;
			c->cursor = virtq_out(&c->chain);
			c->output_at = c->output_end = 0;
		}
		if (!send_chain(c, q))
			return;
		c->sending = false;
		virtq_push(q, &c->chain, 0);
	}
}

/* --- Input --------------------------------------------------------------------------- */

/* Whether there is some, here or with the owner. */
static bool has_input(struct virtio_console *c)
{
	if (c->input_at == c->input_end) {
		c->input_at = 0;
		c->input_end = (uint32_t)c->io.input(c->io.opaque, c->input, sizeof(c->input));
	}
	return c->input_at < c->input_end;
}

/* A buffer of no bytes goes back as it is. */
static void receive(struct virtio_console *c)
{
	struct virtq *q = &c->v.queue[RX];

	while (q->ready && has_input(c) && virtq_pop(q, &c->v.chain)) {
		struct virtq_cursor in = virtq_in(&c->v.chain);
		uint32_t n = min_u32(in.left, c->input_end - c->input_at);

		if (!virtq_write(q, &in, c->input + c->input_at, n))
			break;
		c->input_at += n;
		virtq_push(q, &c->v.chain, n);
	}
}

static void kick(struct virtio *v, unsigned queue)
{
	struct virtio_console *c = CONTAINER_OF(v, struct virtio_console, v);

	if (queue == TX)
		send(c);
	else
		receive(c);
}

static void stopped(struct virtio *v, unsigned queue)
{
	struct virtio_console *c = CONTAINER_OF(v, struct virtio_console, v);

	if (queue == TX)
		c->sending = false;
}

static const struct virtio_class class = {
	.name = "virtio-console",
	.id = 3,
	.n_queues = QUEUES,
	.queue_size = 64,
	.legacy = true,
	.kick = kick,
	.stopped = stopped,
};

void virtio_console_init(struct virtio_console *c, const struct virtio_env *env,
			 const struct virtio_console_env *io)
{
	virtio_init(&c->v, &class, env, NULL);
	c->io = *io;
	c->input_at = c->input_end = 0;
	c->sending = false;
}

bool virtio_console_live(const struct virtio_console *c)
{
	return virtio_live(&c->v) && c->v.queue[RX].ready;
}

void virtio_console_service(struct virtio_console *c)
{
	if (!virtio_live(&c->v))
		return;
	send(c);
	virtio_settle(&c->v, TX);
	receive(c);
	virtio_settle(&c->v, RX);
}
