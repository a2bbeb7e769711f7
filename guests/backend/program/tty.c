/* A terminal or file of this VM as a console. */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

#define FILE_FLAGS (O_RDWR | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)

static size_t transmit(void *opaque, const uint8_t *from, size_t bytes)
{
	ssize_t n = write(((struct served *)opaque)->outside.fd, from, bytes);

	/* What nobody can take is lost, as on a line without a terminal. */
	return n >= 0 ? (size_t)n : errno == EAGAIN ? 0
						    : bytes;
}

static size_t input(void *opaque, uint8_t *to, size_t room)
{
	const struct served *s = opaque;
	ssize_t n = room > 0 && s->talks ? read(s->outside.fd, to, room) : 0;

	return n > 0 ? (size_t)n : 0;
}

static bool ready(struct source *source, uint32_t events)
{
	struct served *s = (struct served *)((char *)source - offsetof(struct served, outside));

	(void)events;
	virtio_console_service(&s->device.console);
	link_server_flush(&s->link);
	return true;
}

/* Bytes as they are. The other end stays open, or reads would fail while
 * nobody has it open. */
static int open_pty(const struct served *s, const char *link)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), slave;
	struct termios raw;

	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
		return -1;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &raw) != 0)
		return -1;
	cfmakeraw(&raw);
	(void)tcsetattr(slave, TCSANOW, &raw);
	(void)unlink(link);
	if (symlink(ptsname(master), link) != 0)
		say(s, "%s: %s", link, strerror(errno));
	return master;
}

struct virtio *console_make(struct served *s)
{
	struct virtio_env env = link_server_virtio(&s->link);
	const struct virtio_console_env io = { s, transmit, input };

	if (strncmp(s->spec, "pty:", 4) == 0)
		s->outside.fd = open_pty(s, s->spec + 4);
	else
		s->outside.fd = open(s->spec, FILE_FLAGS, 0600);
	if (s->outside.fd < 0) {
		say(s, "%s: %s", s->spec, strerror(errno));
		return NULL;
	}
	s->outside.ready = ready;
	/* Plain files, which the loop does not take, are output only. */
	s->talks = loop_add(&s->outside, EPOLLIN | EPOLLOUT);
	virtio_console_init(&s->device.console, &env, &io);
	return &s->device.console.v;
}
