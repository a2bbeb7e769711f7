/* A tap device of this VM, which is made, as the other end of a network cable. */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Frames of each direction before others have their turn. */
#define TURN 64u

/* What the tap device has no room for is lost, as on any cable. */
static bool transmit(void *opaque, const uint8_t *frame, uint32_t bytes)
{
	struct served *s = opaque;

	s->lost += write(s->outside.fd, frame, bytes) != (ssize_t)bytes;
	return true;
}

static void kicked(void *opaque) { ((struct served *)opaque)->more = true; }

/* A frame that finds no buffer waits for the driver's next kick. */
static bool receive(struct served *s)
{
	enum virtio_net_result result;

	if (s->frame_bytes == 0) {
		ssize_t n = read(s->outside.fd, s->frame, sizeof(s->frame));

		if (n <= 0)
			return false;
		s->frame_bytes = (uint32_t)n;
	}
	result = virtio_net_receive(&s->device.net, s->frame, s->frame_bytes);
	if (result == VIRTIO_NET_NO_ROOM)
		return false;
	s->lost += result != VIRTIO_NET_OK;
	s->frame_bytes = 0;
	return true;
}

static void serve_net(struct served *s)
{
	unsigned n = 0;

	s->more = virtio_net_poll(&s->device.net, TURN) == TURN;
	while (n < TURN && receive(s))
		n++;
	s->more = s->more || n == TURN;
	virtio_net_settle(&s->device.net);
	link_server_flush(&s->link);
}

static bool ready(struct source *source, uint32_t events)
{
	(void)events;
	serve_net((struct served *)((char *)source - offsetof(struct served, outside)));
	return true;
}

/* Locally administered, and the same each time: of the connection's name. */
static void address_of(const char *name, uint8_t mac[NET_MAC_BYTES])
{
	uint32_t hash = 2166136261u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	mac[0] = 0x02;
	mac[1] = 0x53;
	for (unsigned i = 0; i < 4; i++)
		mac[2 + i] = (uint8_t)(hash >> (8 * i));
}

struct virtio *net_make(struct served *s)
{
	struct virtio_env env = link_server_virtio(&s->link);
	const struct virtio_net_env io = { s, transmit, kicked };
	struct ifreq tap = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	uint8_t mac[NET_MAC_BYTES];

	strncpy(tap.ifr_name, s->spec, sizeof(tap.ifr_name) - 1);
	s->outside.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	/* It stays, with its addresses, if this program ends and is started again. */
	if (s->outside.fd < 0 || ioctl(s->outside.fd, TUNSETIFF, &tap) != 0 ||
	    ioctl(s->outside.fd, TUNSETPERSIST, 1) != 0) {
		say(s, "%s: %s", s->spec, strerror(errno));
		return NULL;
	}
	s->outside.ready = ready;
	s->service = serve_net;
	if (!loop_add(&s->outside, EPOLLIN))
		return NULL;
	address_of(s->name, mac);
	virtio_net_init(&s->device.net, &env, &io, mac);
	return &s->device.net.v;
}
