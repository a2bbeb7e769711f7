/*
 *   backend NAME=WHAT...
 *
 * serves the connections of these names until their devices are gone. WHAT is
 *
 *   of a block device   a file or block device, and `,ro` if it cannot be written
 *   of a network        the name of a tap device, which is made
 *   of a console        a terminal, a file to append to, or `pty:LINK`: a new
 *                       terminal, of which LINK becomes a symbolic link
 *
 * A page that goes away, of a device or of a file, ends it (SIGBUS): better one
 * process for each connection. The kernel tells the other side.
 */
#include "backend.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define SERVED_MAX 16u
#define EVENTS 16

static struct served served[SERVED_MAX];
static unsigned n_served;
static int loop;
void say(const struct served *s, const char *format, ...)
{
	va_list arguments;

	printf("backend: %s%s", s != NULL ? s->name : "", s != NULL ? ": " : "");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
}

bool loop_add(struct source *s, uint32_t events)
{
	struct epoll_event e = { .events = events | EPOLLET, .data.ptr = s };

	return epoll_ctl(loop, EPOLL_CTL_ADD, s->fd, &e) == 0;
}

/* --- Connections ------------------------------------------------------------------ */

/* Behind everything that the device wrote. */
static void ring(const struct served *s, uint32_t doorbell)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	s->regs[doorbell / 4] = 1;
}

static void interrupt(void *opaque) { ring(opaque, SELVAGE_REG_INTERRUPT); }
static void event(void *opaque) { ring(opaque, SELVAGE_REG_EVENT); }

static void attend(struct served *s)
{
	link_server_attend(&s->link);
	if (s->service != NULL)
		s->service(s);
}

static bool kicked(struct source *source, uint32_t events)
{
	struct served *s = (struct served *)((char *)source - offsetof(struct served, bell));

	(void)events;
	if (!s->taken(s)) {
		say(s, "its device is gone");
		s->works = s->more = false;
		return false;
	}
	attend(s);
	return true;
}

/* Not 0, and not the one of the program that was here before. */
static uint32_t new_number(void)
{
	uint32_t number = 0;

	while (number == 0)
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			number = (uint32_t)time(NULL) ^ (uint32_t)getpid() << 16;
	return number;
}

static struct virtio *make_device(struct served *s)
{
	switch (s->kind) {
	case 1: return net_make(s);
	case 2: return disk_make(s);
	case 3: return console_make(s);
	default: say(s, "no device of kind %u is known", s->kind); return NULL;
	}
}

static bool serve(struct served *s)
{
	struct link_server_env env = { .opaque = s, .interrupt = interrupt, .event = event };
	struct virtio *device;

	s->bell.fd = s->config = s->outside.fd = -1;
	if (!area_open(s) && !uio_open(s))
		return false;
	env.page = s->control;
	env.memory = s->memory;
	env.bytes = s->bytes;
	env.up = new_number();
	link_server_init(&s->link, &env);
	device = make_device(s);
	if (device == NULL || !link_server_start(&s->link, device))
		return false;
	s->bell.ready = kicked;
	s->works = loop_add(&s->bell, EPOLLIN);
	say(s, "serves %s", s->spec);
	attend(s); /* what came before us */
	return s->works;
}

/* --- The loop ---------------------------------------------------------------------- */

static void take(const struct epoll_event *e)
{
	struct source *s = e->data.ptr;

	if (!s->ready(s, e->events))
		(void)epoll_ctl(loop, EPOLL_CTL_DEL, s->fd, NULL);
}

/* A turn for those that have more to do; whether there are such, and whether any
 * connection works at all. */
static bool take_turns(bool *works)
{
	bool more = false;

	*works = false;
	for (unsigned i = 0; i < n_served; i++) {
		struct served *s = &served[i];

		if (s->more)
			s->service(s);
		more = more || s->more;
		*works = *works || s->works;
	}
	return more;
}

static void run(void)
{
	struct epoll_event events[EVENTS];
	bool works = true;

	while (works) {
		int n = epoll_wait(loop, events, EVENTS, take_turns(&works) ? 0 : -1);

		if (n < 0 && errno != EINTR)
			return;
		for (int i = 0; i < n; i++)
			take(&events[i]);
	}
}

static bool parse(char *word)
{
	char *is = strchr(word, '=');

	if (is == NULL || n_served == SERVED_MAX)
		return false;
	*is = '\0';
	served[n_served++] = (struct served){ .name = word, .spec = is + 1 };
	return true;
}

int main(int argc, char **argv)
{
	bool understood = argc > 1;

	loop = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 1; i < argc; i++)
		understood = understood && parse(argv[i]);
	if (!understood || loop < 0) {
		fprintf(stderr, "usage: backend NAME=WHAT...\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < n_served; i++)
		if (!serve(&served[i]))
			return 1;
	run();
	return 1;
}
