#include "broker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES (CONTROL_MAX_LINE + 64)
#define CLIENT_IN_MAX 65536u      /* typed while it waits for its console */
#define CLIENT_OUT_MAX (1u << 20) /* a client that does not read is left */

/* What a debugger's client leaves is let go, whatever it said before. */
static const char detach[] = "$D#44", detach_answer[] = "$OK#9a";
#define DETACHED (sizeof(detach_answer) - 1)

bool broker_open(struct broker *broker, const char *name)
{
	for (unsigned i = 0; i < BROKER_CLIENTS; i++)
		broker->client[i].fd = -1;
	memset(broker->detached, DETACHED, sizeof(broker->detached));
	broker->listener = sockpath_listen(name, broker->path);
	return broker->listener >= 0;
}

static bool starts_with(const char *line, const char *word)
{
	return strncmp(line, word, strlen(word)) == 0;
}

/* Init leaves off an upload that did not arrive as it was sent. */
static void drop_upload(struct broker *broker)
{
	(void)requests_add(broker->requests, REQUEST_NO_OWNER, "commit 0");
}

static void drop_client(struct broker *broker, struct broker_client *client)
{
	if (client->state == CLIENT_STREAM && mux_is_debug(client->channel)) {
		link_send(broker->link, client->channel, detach, strlen(detach));
		broker->detached[client->channel - MUX_CH_FIRST_DEBUG] = 0;
	}
	if (client->asking && client->creates)
		requests_pass(broker->requests, (int)(client - broker->client),
			      BROKER_OWNER_LEFT);
	requests_forget(broker->requests, (int)(client - broker->client));
	/* A commit ends it by itself, and another's may be behind it. */
	if (client->uploads && !(client->asking && client->commits))
		drop_upload(broker);
	if (client->tracing)
		(void)requests_add(broker->requests, REQUEST_NO_OWNER, "trace 0");
	close(client->fd);
	buffer_free(&client->in);
	buffer_free(&client->out);
	*client = (struct broker_client){ .fd = -1 };
}

void broker_close(struct broker *broker)
{
	if (broker->listener < 0)
		return;
	/* First, so that nobody finds it there who was left. */
	unlink(broker->path);
	close(broker->listener);
	broker->listener = -1;
	for (unsigned i = 0; i < BROKER_CLIENTS; i++) {
		if (broker->client[i].fd >= 0)
			drop_client(broker, &broker->client[i]);
	}
}

/* What a client types goes on as its channel takes it. */
static bool types(const struct broker_client *client)
{
	return client->state == CLIENT_STREAM && client->input;
}

static bool must_wait(const struct broker *broker, const struct broker_client *client)
{
	return types(client) &&
	       (client->in.size > 0 || link_room(broker->link, client->channel) == 0);
}

unsigned broker_poll(struct broker *broker, struct pollfd *fds)
{
	unsigned n = 0;

	if (broker->listener < 0)
		return 0;
	fds[n++] = (struct pollfd){ .fd = broker->listener, .events = POLLIN };
	for (unsigned i = 0; i < BROKER_CLIENTS; i++) {
		const struct broker_client *c = &broker->client[i];
		short events = must_wait(broker, c) ? 0 : POLLIN;

		if (c->fd < 0)
			continue;
		if (c->out.size > 0)
			events |= POLLOUT;
		fds[n++] = (struct pollfd){ .fd = c->fd, .events = events };
	}
	return n;
}

static void say(struct broker_client *client, const void *data, size_t size)
{
	if (client->out.size + size > CLIENT_OUT_MAX)
		client->state = CLIENT_DONE;
	else
		buffer_append(&client->out, data, size);
}

static void say_line(struct broker_client *client, const char *line)
{
	say(client, line, strlen(line));
	say(client, "\n", 1);
}

static void take_input(struct broker *broker, struct broker_client *client)
{
	size_t n = client->in.size;

	if (types(client)) {
		size_t room = link_room(broker->link, client->channel);

		n = n < room ? n : room;
		link_send(broker->link, client->channel, client->in.data, n);
	}
	buffer_drop(&client->in, n);
}

static void start_stream(struct broker *broker, struct broker_client *client,
			 unsigned channel, bool live)
{
	struct buffer recent = { 0 };

	say_line(client, "ok");
	client->channel = channel;
	client->state = live ? CLIENT_STREAM : CLIENT_DONE;
	take_input(broker, client);
	if (mux_is_debug(channel))
		return;
	scroll_replay(&broker->view->channel[channel].scroll, SCROLL_KEEP, &recent);
	say(client, recent.data, recent.size);
	buffer_free(&recent);
}

static void deny(struct broker_client *client, const char *why)
{
	char line[256];

	snprintf(line, sizeof(line), "{\"ok\":false,\"error\":\"%s\"}", why);
	say_line(client, line);
	client->state = CLIENT_DONE;
}

/* The kernel's one is of the client that began it until that goes. */
static bool has_trace(const struct broker *broker, const struct broker_client *client)
{
	for (unsigned i = 0; i < BROKER_CLIENTS; i++) {
		const struct broker_client *c = &broker->client[i];

		if (c != client && c->fd >= 0 && c->traces)
			return false;
	}
	return true;
}

static void start_request(struct broker *broker, struct broker_client *client,
			  const char *line)
{
	if (starts_with(line, "trace ") && !has_trace(broker, client)) {
		deny(client, "a trace is under way, of another client; try again");
		return;
	}
	if (requests_add(broker->requests, (int)(client - broker->client),
			 line)) {
		client->state = CLIENT_CONTROL;
		return;
	}
	deny(client, "too many requests, or too long a one");
}

/* Its next line, without the end; true: there is one. */
static bool take_line(struct broker_client *client, char line[LINE_MAX_BYTES])
{
	const uint8_t *end =
		client->in.size > 0 ? memchr(client->in.data, '\n', client->in.size) : NULL;
	size_t size = end ? (size_t)(end - client->in.data) : client->in.size;

	if (size >= LINE_MAX_BYTES)
		client->state = CLIENT_DONE;
	if (!end || size >= LINE_MAX_BYTES)
		return false;
	memcpy(line, client->in.data, size);
	line[size] = '\0';
	/* What is behind the line is input already. */
	buffer_drop(&client->in, size + 1);
	return true;
}

static void next_request(struct broker *broker, struct broker_client *client)
{
	char line[LINE_MAX_BYTES];

	if (client->asking || !take_line(client, line))
		return;
	start_request(broker, client, line);
	if (client->state == CLIENT_DONE)
		return;
	client->state = CLIENT_REQUESTS;
	client->asking = true;
	client->creates = starts_with(line, "create ");
	client->commits = starts_with(line, "commit ");
	client->traces = client->traces || strcmp(line, "trace 1") == 0;
	client->tracing = strcmp(line, "trace 0") != 0 && client->traces;
}

/* Only one upload can be under way: another one's has been left off by then. */
static void note_upload(struct broker *broker, struct broker_client *client, bool good)
{
	if (client->creates && good) {
		for (unsigned i = 0; i < BROKER_CLIENTS; i++)
			broker->client[i].uploads = false;
		client->uploads = true;
	} else if (client->commits) {
		client->uploads = false;
	}
}

static void refuse(struct broker_client *client, const char *why)
{
	char line[256];

	snprintf(line, sizeof(line), "error VM `%s` %s", client->wanted, why);
	say_line(client, line);
	client->state = CLIENT_DONE;
}

static bool is_watched(const struct broker *broker, unsigned channel)
{
	for (unsigned i = 0; i < BROKER_CLIENTS; i++) {
		const struct broker_client *c = &broker->client[i];

		if (c->fd >= 0 && c->state == CLIENT_STREAM && c->channel == channel)
			return true;
	}
	return false;
}

/* `console` is that of the VM that is wanted. */
static void try_debug(struct broker *broker, struct broker_client *client, int console,
		      bool last_try)
{
	unsigned vm = (unsigned)console - MUX_CH_FIRST_VM;
	unsigned channel = MUX_CH_FIRST_DEBUG + vm;

	if (broker->link->channel[channel].name[0] == '\0') {
		/* Its name comes right behind the console's. */
		if (last_try)
			refuse(client, "gives no right to debug it; set `debug: observe` or "
				       "`debug: control` in its description");
	} else if (is_watched(broker, channel)) {
		refuse(client, "is being debugged already");
	} else if (broker->detached[vm] == DETACHED || last_try) {
		broker->detached[vm] = DETACHED;
		start_stream(broker, client, channel, true);
	}
}

static void try_channel(struct broker *broker, struct broker_client *client,
			bool last_try)
{
	int channel = link_find(broker->link, client->wanted);

	if (channel < MUX_CH_FIRST_VM || (client->debug && channel >= MUX_CH_FIRST_DEBUG))
		channel = -1;
	if (channel >= 0 && client->debug)
		try_debug(broker, client, channel, last_try);
	else if (channel >= 0)
		start_stream(broker, client, (unsigned)channel, true);
	else if (last_try)
		refuse(client, "is unknown, or off; `selvage ps` lists the VMs, `selvage start` "
			       "starts one");
}

static void say_machine(const struct broker *broker, struct broker_client *client)
{
	say_line(client, "ok");
	say_line(client, broker->cpu ? broker->cpu : "");
	client->state = CLIENT_DONE;
}

static void first_line(struct broker *broker, struct broker_client *client,
		       const char *line)
{
	if (starts_with(line, "control ")) {
		start_request(broker, client, line + 8);
	} else if (starts_with(line, "console ") || starts_with(line, "gdb ")) {
		client->input = true;
		client->debug = line[0] == 'g';
		client->state = CLIENT_WAITING;
		snprintf(client->wanted, sizeof(client->wanted), "%.*s",
			 LINK_NAME - 1, strchr(line, ' ') + 1);
		try_channel(broker, client, false);
	} else if (strcmp(line, "requests") == 0) {
		client->state = CLIENT_REQUESTS;
		next_request(broker, client);
	} else if (strcmp(line, "machine") == 0) {
		say_machine(broker, client);
	} else if (strcmp(line, "shell") == 0) {
		client->input = true;
		start_stream(broker, client, MUX_CH_SHELL, true);
	} else if (strcmp(line, "logs") == 0) {
		start_stream(broker, client, MUX_CH_LOG, false);
	} else if (strcmp(line, "follow") == 0) {
		start_stream(broker, client, MUX_CH_LOG, true);
	} else {
		say_line(client, "error unknown request");
		client->state = CLIENT_DONE;
	}
}

static void got_first_bytes(struct broker *broker,
			    struct broker_client *client)
{
	char line[LINE_MAX_BYTES];

	if (take_line(client, line))
		first_line(broker, client, line);
}

/* False: the client is gone. */
static bool read_client(struct broker *broker, struct broker_client *client)
{
	uint8_t bytes[1024];
	ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	buffer_append(&client->in, bytes, (size_t)n);
	if (client->state == CLIENT_NEW)
		got_first_bytes(broker, client);
	else if (client->state == CLIENT_REQUESTS)
		next_request(broker, client);
	if (client->state == CLIENT_NEW || client->state == CLIENT_WAITING ||
	    client->state == CLIENT_REQUESTS)
		return client->in.size < CLIENT_IN_MAX;
	take_input(broker, client);
	return true;
}

static bool write_client(struct broker_client *client)
{
	ssize_t n;

	if (client->out.size == 0)
		return true;
	n = send(client->fd, client->out.data, client->out.size,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	buffer_drop(&client->out, (size_t)n);
	return true;
}

static void accept_client(struct broker *broker)
{
	static const char busy[] = "error as many `selvage` commands as can use this system at the "
				   "same time; end one, or try again\n";
	int fd = accept4(broker->listener, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (unsigned i = 0; fd >= 0 && i < BROKER_CLIENTS; i++) {
		if (broker->client[i].fd >= 0)
			continue;
		broker->client[i] = (struct broker_client){ .fd = fd };
		return;
	}
	if (fd < 0)
		return;
	(void)send(fd, busy, strlen(busy), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void serve_client(struct broker *broker, struct broker_client *client,
			 short events)
{
	bool alive = true;

	if (events & (POLLIN | POLLHUP | POLLERR))
		alive = read_client(broker, client);
	alive = alive && write_client(client);
	if (!alive || (client->state == CLIENT_DONE && client->out.size == 0))
		drop_client(broker, client);
}

void broker_serve(struct broker *broker, const struct pollfd *fds, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		for (unsigned j = 0; j < BROKER_CLIENTS; j++) {
			if (broker->client[j].fd == fds[i].fd) {
				serve_client(broker, &broker->client[j],
					     fds[i].revents);
				break;
			}
		}
	}
	if (n > 0 && (fds[0].revents & POLLIN))
		accept_client(broker);
}

void broker_tick(struct broker *broker, uint64_t now_ms)
{
	for (unsigned i = 0; broker->listener >= 0 && i < BROKER_CLIENTS; i++) {
		struct broker_client *client = &broker->client[i];

		if (client->fd >= 0 && types(client))
			take_input(broker, client);
		if (client->fd < 0 || client->state != CLIENT_WAITING)
			continue;
		if (client->wait_until_ms == 0)
			client->wait_until_ms = now_ms + BROKER_CONSOLE_WAIT_MS;
		try_channel(broker, client, now_ms > client->wait_until_ms);
	}
}

static void watch_detach(struct broker *broker, unsigned vm, const uint8_t *data, size_t size)
{
	uint8_t *at = &broker->detached[vm];

	for (size_t i = 0; i < size && *at < DETACHED; i++) {
		if (data[i] != (uint8_t)detach_answer[*at])
			*at = data[i] == (uint8_t)detach_answer[0];
		else
			(*at)++;
	}
}

/* A VM that is started again has its old channel; another one may have got it instead. */
static void console_name(struct broker_client *client, const char *name)
{
	char line[LINK_NAME + 32];

	if (name[0] != '\0' && strcmp(name, client->wanted) != 0) {
		client->state = CLIENT_DONE;
		return;
	}
	if (client->gone == (name[0] == '\0'))
		return;
	client->gone = name[0] == '\0';
	snprintf(line, sizeof(line), "\r\n[%s: %s]\r\n", client->wanted,
		 client->gone ? "ended" : "starts");
	say(client, line, strlen(line));
}

static void console_names(struct broker *broker, unsigned channel)
{
	for (unsigned i = 0; broker->listener >= 0 && i < BROKER_CLIENTS; i++) {
		struct broker_client *c = &broker->client[i];

		if (c->fd >= 0 && c->state == CLIENT_STREAM && c->channel == channel)
			console_name(c, broker->link->channel[channel].name);
	}
}

void broker_name(struct broker *broker, unsigned channel)
{
	if (channel >= MUX_CH_FIRST_VM && channel < MUX_CH_FIRST_DEBUG)
		console_names(broker, channel);
	if (!mux_is_debug(channel))
		return;
	broker->detached[channel - MUX_CH_FIRST_DEBUG] = DETACHED;
	for (unsigned i = 0; i < BROKER_CLIENTS; i++) {
		struct broker_client *c = &broker->client[i];

		if (c->fd >= 0 && c->state == CLIENT_STREAM && c->channel == channel &&
		    broker->link->channel[channel].name[0] == '\0')
			c->state = CLIENT_DONE; /* the VM is gone */
	}
}

void broker_output(struct broker *broker, unsigned channel, const void *data,
		   size_t size)
{
	if (mux_is_debug(channel))
		watch_detach(broker, channel - MUX_CH_FIRST_DEBUG, data, size);
	for (unsigned i = 0; broker->listener >= 0 && i < BROKER_CLIENTS; i++) {
		struct broker_client *client = &broker->client[i];

		if (client->fd >= 0 && client->state == CLIENT_STREAM &&
		    client->channel == channel)
			say(client, data, size);
	}
}

void broker_answer(struct broker *broker, int owner, const char *line,
		   bool last)
{
	struct broker_client *client;

	const bool good = starts_with(line, "{\"ok\":true");

	if (owner == BROKER_OWNER_LEFT && last && good)
		drop_upload(broker);
	if (owner < 0 || owner >= BROKER_CLIENTS)
		return;
	client = &broker->client[owner];
	if (client->fd < 0 ||
	    (client->state != CLIENT_CONTROL && client->state != CLIENT_REQUESTS))
		return;
	say_line(client, line);
	if (!last || client->state == CLIENT_DONE)
		return;
	if (client->state == CLIENT_CONTROL) {
		client->state = CLIENT_DONE;
		return;
	}
	client->asking = false;
	note_upload(broker, client, good);
	next_request(broker, client);
}
