#include "session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker.h"
#include "cli.h"
#include "diag.h"
#include "files.h"
#include "logline.h"
#include "screen.h"
#include "terminal.h"
#include "vmstates.h"

#define OWNER_STATUS 1000 /* asks for the status line */
#define STATUS_EVERY_MS 2000
#define TICK_MS 100
#define DRAW_EVERY_MS 1000 /* while output flows */
#define READ_BYTES 16384
#define SERIAL_OUT_MAX (1u << 20)
#define LAST_WORDS_BYTES 2048
/* At a line's start, where no guest can write: the last words of the kernel
 * (panic in kernel/core/printk.c) and of init (die in servers/init/main.c).
 * They then switch the machine off, which the emulator takes for a good end. */
static const char *const failure_marks[] = { "selvage: kernel panic",
					     "init: " };
#define N_MARKS (sizeof(failure_marks) / sizeof(failure_marks[0]))

/* Init's, in the log: the end of a machine that cannot switch itself off, its
 * kernel being one without SMC capability (machine_off in servers/init). */
static const char end_mark[] = "the kernel gives no SMC capability";
#define LOG_START 128 /* of a line of the log: enough for the mark */

struct session {
	const struct session_config *config;
	struct emulator emulator;
	struct link link;
	struct view view;
	struct requests requests;
	struct broker broker;
	struct screen screen;
	struct vmstates states;
	unsigned focus;           /* channel on the screen */
	size_t mark_at[N_MARKS];  /* letters of each mark seen */
	bool in_line;             /* of text outside of frames: not at its start */
	bool failed;              /* a whole mark was seen */
	char log_line[LOG_START]; /* of the log, so far */
	size_t log_size;
	bool log_named, log_cut;
	bool stdin_open;
	bool done;
	bool told_ready;
	int code;
	uint64_t deadline_ms; /* 0: none */
	uint64_t next_status_ms;
	uint64_t next_draw_ms;
	int signals;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool framed_mode(const struct session *s)
{
	return s->config->mode != SESSION_PLAIN;
}

static bool on_screen(const struct session *s)
{
	return s->config->mode == SESSION_SCREEN;
}

static void finish(struct session *s, int code)
{
	if (!s->done)
		s->code = code;
	s->done = true;
}

/* --- what comes from the target --- */

static bool is_end(const char *line)
{
	struct logline l;

	return logline_parse(&l, line) && logline_is_from(&l, "init") &&
	       strncmp(l.text, end_mark, strlen(end_mark)) == 0;
}

static void watch_for_end(struct session *s, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] != '\n') {
			if (s->log_size < LOG_START - 1)
				s->log_line[s->log_size++] = (char)data[i];
			continue;
		}
		s->log_line[s->log_size] = '\0';
		s->log_size = 0;
		if (is_end(s->log_line))
			finish(s, EXIT_OK);
	}
}

static void on_data(void *context, unsigned channel, const uint8_t *data,
		    size_t size)
{
	struct session *s = context;
	const struct buffer *shown;

	if (channel == MUX_CH_CONTROL) {
		requests_receive(&s->requests, data, size);
		return;
	}
	if (mux_is_debug(channel)) {
		broker_output(&s->broker, channel, data, size);
		return;
	}
	shown = view_data(&s->view, channel, data, size);
	if (s->view.lines && ferror(s->view.lines))
		finish(s, 128 + SIGPIPE); /* nobody reads it any more */
	broker_output(&s->broker, channel, shown->data, shown->size);
	if (channel == MUX_CH_LOG)
		watch_for_end(s, data, size);
	if (on_screen(s) && channel == s->focus)
		screen_output(&s->screen, shown->data, shown->size);
}

static void set_focus(struct session *s, unsigned channel)
{
	s->focus = channel;
	if (on_screen(s))
		screen_switch(&s->screen, &s->view.channel[channel].scroll);
}

/* The serial server has started anew: what comes next may be the rest of a
 * line whose start is lost, and must not look like a whole one. */
static void begin_log_anew(struct session *s)
{
	static const uint8_t cut[] = "... ";

	s->log_size = 0;
	if (s->log_cut)
		on_data(s, MUX_CH_LOG, cut, sizeof(cut) - 1);
	s->log_cut = false;
	s->log_named = true;
}

static void on_name(void *context, unsigned channel)
{
	struct session *s = context;
	const char *name = s->link.channel[channel].name;

	broker_name(&s->broker, channel);
	if (mux_is_debug(channel))
		return;
	s->next_status_ms = 0; /* its VM has another state now */
	/* Whoever has it from now on begins a line of its own. */
	view_end_line(&s->view, channel);
	if (channel == MUX_CH_LOG && *name)
		begin_log_anew(s);
	/* A channel that is gone keeps its view: people read what it said. */
	if (*name)
		memcpy(s->view.channel[channel].name, name, LINK_NAME);
	s->screen.status_due = true;
	/* The first console takes the screen from the boot log. */
	if (*name && channel >= MUX_CH_FIRST_VM && channel < MUX_CH_FIRST_DEBUG &&
	    s->focus == MUX_CH_LOG &&
	    !s->states.seen_console) {
		s->states.seen_console = true;
		set_focus(s, channel);
	}
}

static void on_hello(void *context)
{
	struct session *s = context;

	s->log_cut = s->log_named;
	requests_restart(&s->requests);
}

static void watch_byte(struct session *s, uint8_t byte)
{
	for (size_t i = 0; i < N_MARKS; i++) {
		const char *mark = failure_marks[i];

		if (s->in_line && s->mark_at[i] == 0)
			continue;
		if (byte != (uint8_t)mark[s->mark_at[i]])
			s->mark_at[i] = 0;
		else if (mark[++s->mark_at[i]] == '\0')
			s->failed = true;
		if (mark[s->mark_at[i]] == '\0')
			s->mark_at[i] = 0;
	}
	s->in_line = byte != '\n';
}

static void watch_for_failure(struct session *s, const uint8_t *data,
			      size_t size)
{
	for (size_t i = 0; i < size; i++)
		watch_byte(s, data[i]);
}

static void show_text(struct session *s, const uint8_t *data, size_t size)
{
	const struct buffer *shown = view_text(&s->view, data, size);

	broker_output(&s->broker, MUX_CH_LOG, shown->data, shown->size);
	/* A panic is shown whatever is in focus: nothing else will come. */
	if (on_screen(s))
		screen_output(&s->screen, shown->data, shown->size);
}

static void on_text(void *context, const uint8_t *data, size_t size)
{
	struct session *s = context;

	show_text(s, data, size);
	watch_for_failure(s, data, size);
}

static bool changes_states(const char *request)
{
	static const char *const verbs[] = { "start ", "stop ", "kill ", "reboot ", "pause ",
					     "resume ",
					     "destroy ", "commit ", "crash " };

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strncmp(request, verbs[i], strlen(verbs[i])) == 0)
			return true;
	}
	return false;
}

/* A channel that is gone, of a VM that is not even off. */
static void forget_destroyed(struct session *s)
{
	for (unsigned i = MUX_CH_FIRST_VM; i < MUX_CH_FIRST_DEBUG; i++) {
		char *name = s->view.channel[i].name;

		if (name[0] == '\0' || s->link.channel[i].name[0] != '\0' ||
		    vmstates_of(&s->states, name)[0] != '\0')
			continue;
		view_end_line(&s->view, i);
		name[0] = '\0';
		if (s->focus == i)
			set_focus(s, MUX_CH_LOG);
	}
}

static void on_answer(void *context, int owner, const char *line, bool last)
{
	struct session *s = context;

	if (owner != OWNER_STATUS) {
		if (last && changes_states(s->requests.queue[0].line))
			s->next_status_ms = 0;
		broker_answer(&s->broker, owner, line, last);
		return;
	}
	vmstates_line(&s->states, line);
	if (s->states.whole)
		forget_destroyed(s);
	s->screen.status_due = true;
}

static void send_request(void *context, const char *line)
{
	struct session *s = context;

	link_send(&s->link, MUX_CH_CONTROL, line, strlen(line));
}

static void plain_output(struct session *s, const uint8_t *data, size_t size)
{
	struct buffer *scratch = &s->view.scratch;

	watch_for_failure(s, data, size);
	if (s->view.log)
		fwrite(data, 1, size, s->view.log);
	scratch->size = 0;
	symbolise(&s->view.text_symbols, data, size, scratch);
	if (!s->config->silent && !terminal_write(scratch->data, scratch->size))
		finish(s, 128 + SIGPIPE);
}

static void read_serial(struct session *s)
{
	uint8_t bytes[READ_BYTES];
	ssize_t n = read(s->emulator.serial, bytes, sizeof(bytes));

	if (n <= 0)
		return;
	if (framed_mode(s))
		link_receive(&s->link, bytes, (size_t)n);
	else
		plain_output(s, bytes, (size_t)n);
}

static void write_serial(struct session *s)
{
	struct buffer *out = &s->link.out;
	ssize_t n;

	if (s->config->null_input)
		out->size = 0;
	if (out->size == 0)
		return;
	n = write(s->emulator.serial, out->data, out->size);
	if (n > 0)
		buffer_drop(out, (size_t)n);
}

/* The emulator's own complaints. */
static void read_errors(struct session *s)
{
	char bytes[1024];
	ssize_t n = read(s->emulator.errors, bytes, sizeof(bytes));

	if (n <= 0)
		return;
	if (on_screen(s))
		show_text(s, (const uint8_t *)bytes, (size_t)n);
	else
		fprintf(stderr, "%.*s", (int)n, bytes);
}

/* --- what comes from the user --- */

static bool can_focus(const struct session *s, unsigned channel)
{
	return channel == MUX_CH_LOG ||
	       (mux_is_console(channel) &&
		s->view.channel[channel].name[0] != '\0');
}

static void next_focus(struct session *s)
{
	unsigned channel = s->focus;

	do
		channel = (channel + 1) % MUX_CHANNELS;
	while (!can_focus(s, channel));
	set_focus(s, channel);
}

static void keys_pressed(struct session *s, const uint8_t *keys, size_t n)
{
	size_t start = 0;

	for (size_t i = 0; i <= n && !s->done; i++) {
		if (i < n && keys[i] != SCREEN_KEY_QUIT &&
		    keys[i] != SCREEN_KEY_NEXT)
			continue;
		if (i > start && s->focus >= MUX_CH_FIRST_VM)
			link_send(&s->link, s->focus, keys + start, i - start);
		start = i + 1;
		if (i < n && keys[i] == SCREEN_KEY_QUIT)
			finish(s, EXIT_OK);
		else if (i < n)
			next_focus(s);
	}
}

static void read_stdin(struct session *s)
{
	uint8_t bytes[1024];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n <= 0) {
		s->stdin_open = n < 0 && errno == EINTR;
		return;
	}
	if (on_screen(s))
		keys_pressed(s, bytes, (size_t)n);
	else
		buffer_append(&s->link.out, bytes, (size_t)n);
}

/* Standard input is read for the screen, and in plain mode. */
static bool wants_stdin(const struct session *s)
{
	return s->stdin_open && !s->config->null_input && !s->config->silent &&
	       s->config->mode != SESSION_LINES &&
	       s->link.out.size < SERIAL_OUT_MAX;
}

static void read_signal(struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGWINCH:
		if (on_screen(s))
			screen_resize(&s->screen);
		return;
	case SIGCHLD:
		return; /* it woke us up; check_end looks */
	default:
		finish(s, 128 + (int)info.ssi_signo);
	}
}

/* --- the status line --- */

/* In a pause if there is one: what came last may be half an escape
 * sequence. */
static bool time_to_draw(struct session *s, uint64_t now, bool pause)
{
	if (!on_screen(s) || !s->screen.status_due ||
	    (!pause && now < s->next_draw_ms))
		return false;
	s->next_draw_ms = now + DRAW_EVERY_MS;
	return true;
}

static void draw_status(struct session *s)
{
	char text[512];
	/* The keys first: on a narrow screen the end is cut. */
	size_t n = (size_t)snprintf(text, sizeof(text),
				    " Ctrl-] next  Ctrl-\\ quit  |%s",
				    s->link.framed ? "" : "  starting...");

	for (unsigned i = MUX_CH_LOG; i < MUX_CHANNELS && n < 400; i++) {
		const char *name = i == MUX_CH_LOG ? "log"
						   : s->view.channel[i].name;
		const char *state = vmstates_of(&s->states, name);

		if (!can_focus(s, i))
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      i == s->focus ? " [%s%s%s]" : "  %s%s%s ",
				      name, *state ? ": " : "", state);
	}
	screen_status(&s->screen, text);
}

static void ask_status(struct session *s, uint64_t now)
{
	if (!on_screen(s) || !link_takes_requests(&s->link) || now < s->next_status_ms)
		return;
	s->next_status_ms = now + STATUS_EVERY_MS;
	if (s->requests.n == 0)
		requests_add(&s->requests, OWNER_STATUS, "ps");
}

/* --- the loop --- */

/* The screen is gone, and with it what it showed. */
static void show_last_words(struct session *s)
{
	size_t size;
	const uint8_t *tail =
		scroll_tail(&s->view.channel[MUX_CH_LOG].scroll,
			    LAST_WORDS_BYTES, &size);

	screen_close();
	if (on_screen(s))
		terminal_write(tail, size);
}

static void report_end(struct session *s, int status)
{
	/* The last bytes may still be in the socket. */
	for (int i = 0; i < 64; i++)
		read_serial(s);
	for (int i = 0; i < 8; i++)
		read_errors(s);
	if (!s->failed && emulator_went_off(s->config->command, status)) {
		finish(s, EXIT_OK);
		return;
	}
	finish(s, EXIT_FAILED);
	show_last_words(s);
	if (s->failed)
		diag_error("the system failed; its last words are above");
	else if (WIFSIGNALED(status))
		diag_error("the emulator died of signal %d",
			   WTERMSIG(status));
	else
		diag_error("the emulator failed with code %d%s%s", WEXITSTATUS(status),
			   s->config->command->log ? "; its log is " : "",
			   s->config->command->log ? s->config->command->log : "");
}

static void check_end(struct session *s, uint64_t now)
{
	int status = 0;

	if (!s->done && emulator_ended(&s->emulator, &status))
		report_end(s, status);
	if (s->done || s->deadline_ms == 0 || now < s->deadline_ms)
		return;
	finish(s, EXIT_FAILED);
	screen_close();
	diag_error("the run took longer than %u s and was ended; raise "
		   "--timeout",
		   s->config->timeout_s);
}

/* From then on there is nobody to tell anything. */
static void tell_ready(struct session *s)
{
	if (s->told_ready || s->config->ready < 0 || !link_takes_requests(&s->link))
		return;
	s->told_ready = true;
	if (write(s->config->ready, "r", 1) != 1 ||
	    !freopen("/dev/null", "w", stderr))
		finish(s, EXIT_FAILED);
}

struct poll_set {
	struct pollfd fd[4 + BROKER_CLIENTS + 1];
	unsigned n_own;
	unsigned n_broker;
};

static void fill_poll(struct session *s, struct poll_set *set)
{
	short serial = POLLIN;

	if (s->link.out.size > 0 && !s->config->null_input)
		serial |= POLLOUT;
	set->fd[0] = (struct pollfd){ .fd = s->signals, .events = POLLIN };
	set->fd[1] = (struct pollfd){ .fd = s->emulator.serial, .events = serial };
	set->fd[2] = (struct pollfd){ .fd = s->emulator.errors, .events = POLLIN };
	set->fd[3] = (struct pollfd){ .fd = wants_stdin(s) ? STDIN_FILENO : -1,
				      .events = POLLIN };
	set->n_own = 4;
	set->n_broker = broker_poll(&s->broker, set->fd + set->n_own);
}

static void serve_own(struct session *s, const struct poll_set *set)
{
	if (set->fd[0].revents)
		read_signal(s);
	if (set->fd[1].revents & POLLIN)
		read_serial(s);
	if (set->fd[2].revents & POLLIN)
		read_errors(s);
	if (set->fd[3].revents)
		read_stdin(s);
}

static void turn(struct session *s)
{
	struct poll_set set;
	uint64_t now;
	int n;

	fill_poll(s, &set);
	n = poll(set.fd, set.n_own + set.n_broker, TICK_MS);
	now = now_ms();
	if (n > 0) {
		serve_own(s, &set);
		broker_serve(&s->broker, set.fd + set.n_own, set.n_broker);
	}
	if (framed_mode(s)) {
		if (n == 0 || !s->link.framed)
			link_tick(&s->link, now);
		ask_status(s, now);
		requests_tick(&s->requests, now, link_takes_requests(&s->link));
		broker_tick(&s->broker, now);
		tell_ready(s);
	}
	write_serial(s);
	check_end(s, now);
	if (!s->done && time_to_draw(s, now, n == 0))
		draw_status(s);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool open_log(struct session *s)
{
	const char *path = s->config->log;

	if (!path)
		return true;
	s->view.log = fopen(path, "we");
	s->view.raw_log = !framed_mode(s);
	if (!s->view.log)
		diag_error_at(path, 0, "cannot write it: %s; give another file",
			      strerror(errno));
	return s->view.log != NULL;
}

static void set_up(struct session *s, const struct session_config *config)
{
	s->config = config;
	s->focus = MUX_CH_LOG;
	s->stdin_open = true;
	s->broker.listener = -1;
	s->broker.link = &s->link;
	s->broker.view = &s->view;
	s->broker.requests = &s->requests;
	s->broker.cpu = config->machine->cpu;
	s->link.context = s;
	s->link.on_data = on_data;
	s->link.on_name = on_name;
	s->link.on_hello = on_hello;
	s->link.on_text = on_text;
	s->requests.context = s;
	s->requests.send = send_request;
	s->requests.on_line = on_answer;
	s->view.log_symbols.folder = files_text("%s", config->symbols);
	s->view.text_symbols.folder = files_text("%s", config->symbols);
	if (config->mode == SESSION_LINES && !config->silent)
		s->view.lines = stdout;
	if (config->timeout_s)
		s->deadline_ms = now_ms() + 1000ull * config->timeout_s;
}

static void run(struct session *s)
{
	if (on_screen(s) && !screen_open(&s->screen)) {
		diag_error("cannot use this terminal; try --plain");
		finish(s, EXIT_FAILED);
	}
	while (!s->done)
		turn(s);
	screen_close();
	view_finish(&s->view);
	if (!framed_mode(s) && !s->config->silent) {
		s->view.scratch.size = 0;
		symbolise_flush(&s->view.text_symbols, &s->view.scratch);
		terminal_write(s->view.scratch.data, s->view.scratch.size);
	}
}

int session_run(const struct session_config *config)
{
	struct session *s = calloc(1, sizeof(*s));
	int code;

	if (!s) {
		diag_error("out of memory");
		return EXIT_FAILED;
	}
	set_up(s, config);
	s->signals = open_signals();
	if (open_log(s) &&
	    (!framed_mode(s) || broker_open(&s->broker, config->machine->name)) &&
	    emulator_start(&s->emulator, config->command, config->null_input)) {
		run(s);
		emulator_stop(&s->emulator);
	} else {
		s->code = EXIT_FAILED;
	}
	broker_close(&s->broker);
	if (s->view.log)
		fclose(s->view.log);
	close(s->signals);
	code = s->code;
	view_free(&s->view);
	link_free(&s->link);
	buffer_free(&s->requests.line);
	free(s);
	return code;
}
