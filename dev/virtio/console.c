#include <dev/virtio/console.h>

#include <selvage/base.h>
#include <string.h>

#define F_MULTIPORT (1ull << 1)
#define CONFIG_MAX_PORTS 4u

/* Queues: port 0's, then control, then the other ports'. */
enum { CONTROL_RX = 2,
       CONTROL_TX = 3 };

/* struct virtio_console_control, and its events (5.3.6.2). */
#define CONTROL_BYTES 8u
enum { DEVICE_READY = 0,
       PORT_ADD = 1,
       PORT_READY = 3,
       CONSOLE_PORT = 4,
       PORT_OPEN = 6,
       PORT_NAME = 7 };
#define NEWS(event) (1u << (event))
#define NAME_MAX 32u
/* Bytes that are sent at a time. A queue of 64 KiB in each buffer goes whole; chains that
 * name the same memory again and again would keep the owner busy for hours. */
#define BURST (4u << 20)

static bool multiport(const struct virtio_console *c)
{
	return (c->v.features & F_MULTIPORT) != 0;
}

static unsigned rx_of(unsigned port)
{
	return port == 0 ? 0 : 2 * port + 2;
}

static struct virtio_console_port *port_of(struct virtio_console *c, unsigned queue)
{
	return &c->port[queue < 2 ? 0 : queue / 2 - 1];
}

/* --- Output ------------------------------------------------------------------------ */

/* Sends what there is of the chain; what `most` does not allow is lost. False: there is no
 * room, or it is broken. */
static bool send_chain(struct virtio_console_port *p, struct virtq *q, uint32_t *most)
{
	for (;;) {
		p->output_at += (uint32_t)p->io.transmit(p->io.opaque, p->output + p->output_at,
							 p->output_end - p->output_at);
		if (p->output_at < p->output_end)
			return false;
		p->output_at = 0;
		p->output_end = min_u32(min_u32(p->cursor.left, *most), sizeof(p->output));
		*most -= p->output_end;
		if (p->output_end == 0)
			return true;
		if (!virtq_read(q, &p->cursor, p->output, p->output_end)) {
			p->output_end = 0;
			return false;
		}
	}
}

static void send(struct virtio_console_port *p, struct virtq *q)
{
	uint32_t most = BURST;

	for (;;) {
		if (!p->sending && !virtq_pop(q, &p->chain))
			return;
		if (!p->sending) {
			p->sending = true;
			p->cursor = virtq_out(&p->chain);
			p->output_at = p->output_end = 0;
		}
		if (!send_chain(p, q, &most))
			return;
		p->sending = false;
		virtq_push(q, &p->chain, 0);
	}
}

/* --- Input --------------------------------------------------------------------------- */

/* Whether there is some, here or with the owner. */
static bool has_input(struct virtio_console_port *p)
{
	if (p->input_at == p->input_end) {
		p->input_at = 0;
		p->input_end = (uint32_t)p->io.input(p->io.opaque, p->input, sizeof(p->input));
	}
	return p->input_at < p->input_end;
}

/* A buffer of no bytes goes back as it is. */
static void receive(struct virtio_console *c, struct virtio_console_port *p, struct virtq *q)
{
	if (p != c->port && !p->open)
		return;
	while (q->ready && has_input(p) && virtq_pop(q, &c->v.chain)) {
		struct virtq_cursor in = virtq_in(&c->v.chain);
		uint32_t n = min_u32(in.left, p->input_end - p->input_at);

		if (!virtq_write(q, &in, p->input + p->input_at, n))
			break;
		p->input_at += n;
		virtq_push(q, &c->v.chain, n);
	}
}

/* --- Control (5.3.6.2) ------------------------------------------------------------------ */

/* The next event that the driver is to hear of; false: there is none. */
static bool next_news(struct virtio_console *c, unsigned *port, unsigned *event)
{
	for (*port = 0; *port < c->n_ports; (*port)++) {
		if (c->port[*port].news == 0)
			continue;
		*event = (unsigned)__builtin_ctz(c->port[*port].news);
		return true;
	}
	return false;
}

/* A buffer that is too short gets what fits of it. */
static void tell(struct virtio_console *c)
{
	struct virtq *q = &c->v.queue[CONTROL_RX];
	unsigned port, event;

	while (next_news(c, &port, &event) && virtq_pop(q, &c->v.chain)) {
		struct virtq_cursor in = virtq_in(&c->v.chain);
		uint8_t message[CONTROL_BYTES + NAME_MAX];
		uint32_t n = CONTROL_BYTES;

		store_le32(message, port);
		store_le16(message + 4, (uint16_t)event);
		store_le16(message + 6, 1);
		if (event == PORT_NAME) {
			uint32_t length = min_u32((uint32_t)strlen(c->port[port].name), NAME_MAX);

			memcpy(message + CONTROL_BYTES, c->port[port].name, length);
			n += length;
		}
		n = min_u32(n, in.left);
		if (!virtq_write(q, &in, message, n))
			break;
		c->port[port].news &= (uint8_t)~NEWS(event);
		virtq_push(q, &c->v.chain, n);
	}
}

static void port_ready(struct virtio_console_port *p, bool console)
{
	p->news |= NEWS(PORT_OPEN);
	if (console)
		p->news |= NEWS(CONSOLE_PORT);
	if (p->name != NULL)
		p->news |= NEWS(PORT_NAME);
}

static void port_add(struct virtio_console_port *p)
{
	if (!p->added)
		p->news |= NEWS(PORT_ADD);
	p->added = true;
}

/* What means nothing is ignored: an unknown event, a port that there is not. */
static void hear(struct virtio_console *c, uint32_t port, unsigned event, unsigned value)
{
	if (event == DEVICE_READY && value == 1)
		for (unsigned i = 0; i < c->n_ports; i++)
			port_add(&c->port[i]);
	if (port >= c->n_ports)
		return;
	if (event == PORT_READY && value == 1)
		port_ready(&c->port[port], port == 0);
	if (event == PORT_OPEN)
		c->port[port].open = value != 0;
}

static void control(struct virtio_console *c)
{
	struct virtq *q = &c->v.queue[CONTROL_TX];

	while (virtq_pop(q, &c->v.chain)) {
		struct virtq_cursor out = virtq_out(&c->v.chain);
		uint8_t message[CONTROL_BYTES];
		bool whole = out.left >= sizeof(message);

		if (whole && !virtq_read(q, &out, message, sizeof(message)))
			break;
		if (whole)
			hear(c, load_le32(message), load_le16(message + 4),
			     load_le16(message + 6));
		virtq_push(q, &c->v.chain, 0);
	}
}

/* --- The device ------------------------------------------------------------------------- */

static void serve_control(struct virtio_console *c)
{
	if (!multiport(c))
		return;
	control(c);
	virtio_settle(&c->v, CONTROL_TX);
	tell(c);
	virtio_settle(&c->v, CONTROL_RX);
}

static void serve_port(struct virtio_console *c, unsigned port)
{
	unsigned rx = rx_of(port);

	if (port != 0 && !multiport(c))
		return;
	send(&c->port[port], &c->v.queue[rx + 1]);
	virtio_settle(&c->v, rx + 1);
	receive(c, &c->port[port], &c->v.queue[rx]);
	virtio_settle(&c->v, rx);
}

static void kick(struct virtio *v, unsigned queue)
{
	struct virtio_console *c = CONTAINER_OF(v, struct virtio_console, v);

	if (queue == CONTROL_RX || queue == CONTROL_TX)
		serve_control(c);
	else if (queue > CONTROL_TX && !multiport(c))
		return;
	else if (queue % 2 == 1)
		send(port_of(c, queue), &v->queue[queue]);
	else
		receive(c, port_of(c, queue), &v->queue[queue]);
	/* Somebody may have opened a port. */
	for (unsigned i = 1; queue == CONTROL_TX && i < c->n_ports; i++)
		serve_port(c, i);
}

static void stopped(struct virtio *v, unsigned queue)
{
	struct virtio_console *c = CONTAINER_OF(v, struct virtio_console, v);

	/* Whether the ports' own queues worked or not. */
	for (unsigned i = 0; queue == CONTROL_TX && i < c->n_ports; i++) {
		c->port[i].open = c->port[i].added = false;
		c->port[i].news = 0;
	}
	if (queue == CONTROL_RX || queue == CONTROL_TX)
		return;
	port_of(c, queue)->open = false;
	port_of(c, queue)->news &= NEWS(PORT_ADD);
	if (queue % 2 == 1)
		port_of(c, queue)->sending = false;
}

static const struct virtio_class class = {
	.name = "virtio-console",
	.id = 3,
	.n_queues = 2,
	.queue_size = 64,
	.legacy = true,
	.kick = kick,
	.stopped = stopped,
};

void virtio_console_init(struct virtio_console *c, const struct virtio_env *env,
			 const struct virtio_console_env *io)
{
	memset(c, 0, sizeof(*c));
	c->class = class;
	virtio_init(&c->v, &c->class, env, c->config);
	c->port[0].io = *io;
	c->n_ports = 1;
}

bool virtio_console_add_port(struct virtio_console *c, const char *name,
			     const struct virtio_console_env *io)
{
	if (c->n_ports == VIRTIO_CONSOLE_PORTS)
		return false;
	c->port[c->n_ports].io = *io;
	c->port[c->n_ports++].name = name;
	c->class.features = F_MULTIPORT;
	c->class.n_queues = 2 * c->n_ports + 2;
	c->class.config_bytes = VIRTIO_CONSOLE_CONFIG_BYTES;
	store_le32(c->config + CONFIG_MAX_PORTS, c->n_ports);
	return true;
}

bool virtio_console_is_open(const struct virtio_console *c, unsigned port)
{
	return virtio_live(&c->v) && port < c->n_ports && c->port[port].open;
}

bool virtio_console_live(const struct virtio_console *c)
{
	return virtio_live(&c->v) && c->v.queue[0].ready;
}

void virtio_console_service(struct virtio_console *c)
{
	for (unsigned i = 0; virtio_live(&c->v) && i < c->n_ports; i++)
		serve_port(c, i);
}
