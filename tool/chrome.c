#include "chrome.h"

#include "answer.h"

#include <abi/trace.h>
#include <cJSON.h>
#include <inttypes.h>
#include <string.h>

/* Tracks of their own: the kernel's (Perfetto wants numbers from 1 on) and a VM's exits. */
#define KERNEL_PID 1000u
#define GUEST_THREAD 0x40u
#define EXITS_THREAD 0x80u
#define MONITOR_THREAD 0x10000u /* what a VM's monitor did, by its own word */

static void separate(struct chrome *c)
{
	fputs(c->n_written++ ? ",\n" : "\n", c->out);
}

static void name_track(struct chrome *c, const char *what, uint32_t pid, uint32_t tid,
		       const char *name)
{
	separate(c);
	fprintf(c->out,
		"{\"name\":\"%s\",\"ph\":\"M\",\"pid\":%u,\"tid\":%u,"
		"\"args\":{\"name\":\"%.64s\"}}",
		what, pid, tid, name);
}

static double us(const struct chrome *c, uint64_t ticks)
{
	return ticks > c->first ? (double)(ticks - c->first) * 1e6 / (double)c->hz : 0;
}

static void slice(struct chrome *c, const char *name, uint32_t pid, uint32_t tid, uint64_t from,
		  uint64_t to)
{
	if (from == 0 || to < from)
		return;
	separate(c);
	fprintf(c->out, "{\"name\":\"%s\",\"ph\":\"X\",\"pid\":%u,\"tid\":%u,"
			"\"ts\":%.3f,\"dur\":%.3f}",
		name, pid, tid, us(c, from), us(c, to) - us(c, from));
}

void chrome_begin(struct chrome *c, FILE *out)
{
	memset(c, 0, sizeof(*c));
	c->out = out;
	c->hz = 1;
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", out);
	name_track(c, "process_name", KERNEL_PID, 0, "kernel");
	name_track(c, "thread_name", KERNEL_PID, 0, "core 0");
}

/* Only what can stand in a string of JSON. */
static bool plain(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789-_: .")] == '\0';
}

static void take_thread(struct chrome *c, const cJSON *object)
{
	const char *process = answer_string(object, "process");
	const char *name = answer_string(object, "name");
	struct chrome_thread *t = &c->thread[c->n_threads];

	if (c->n_threads == CHROME_THREADS || !plain(process) || !plain(name))
		return;
	c->n_threads++;
	*t = (struct chrome_thread){ .id = answer_number32(object, "thread"),
				     .pid = answer_number32(object, "pid") };
	name_track(c, "process_name", t->pid, 0, process);
	name_track(c, "thread_name", t->pid, t->id, name);
	if (t->id & GUEST_THREAD)
		name_track(c, "thread_name", t->pid, t->id | EXITS_THREAD, "exits");
}

static struct chrome_thread *find(struct chrome *c, uint64_t id)
{
	for (unsigned i = 0; i < c->n_threads; i++) {
		if (c->thread[i].id == id)
			return &c->thread[i];
	}
	return NULL;
}

/* What was known when the trace ended: these come before the events. */
static void take_vm(struct chrome *c, const cJSON *object)
{
	const char *vm = answer_string(object, "vm"), *what = answer_string(object, "what");
	uint64_t time = (uint64_t)answer_number(object, "time");

	if (!plain(vm) || !plain(what))
		return;
	if (c->first == 0)
		c->first = time;
	separate(c);
	fprintf(c->out,
		"{\"name\":\"%s %s\",\"ph\":\"i\",\"s\":\"g\",\"pid\":%u,\"tid\":0,"
		"\"ts\":%.3f}",
		vm, what,
		KERNEL_PID, us(c, time));
}

/* The monitor's word (selvage/vmm_stats.h): numbers, whatever they are. */
static void take_monitor(struct chrome *c, const cJSON *object)
{
	static const char *const names[] = { "event", "irq", "kick", "done", "reset" };
	const uint32_t what = answer_number32(object, "event");
	const uint32_t detail = answer_number32(object, "detail");
	const uint32_t pid = answer_number32(object, "pid");
	const uint64_t time = (uint64_t)answer_number(object, "time");

	if (c->first == 0)
		c->first = time;
	if (c->monitor != pid)
		name_track(c, "thread_name", pid, MONITOR_THREAD, "monitor");
	c->monitor = pid;
	separate(c);
	fprintf(c->out,
		"{\"name\":\"%s %u\",\"ph\":\"i\",\"s\":\"t\",\"pid\":%u,\"tid\":%u,\"ts\":%.3f,"
		"\"args\":{\"%s\":%u}}",
		names[what < 5 ? what : 0], detail >> 8, pid, MONITOR_THREAD, us(c, time),
		what > 1 ? "queue" : "vcpu", detail & 0xff);
}

static const char *kernel_work(const struct chrome *c, char text[EXIT_NAME])
{
	static const char *const names[] = { "kernel", "call", "fault", "exit", "interrupt" };

	if (c->kind == ABI_TRACE_EXIT)
		return exit_name(c->codes, (uint32_t)c->detail, text);
	if (c->kind != ABI_TRACE_SYSCALL)
		return names[c->kind <= ABI_TRACE_INTERRUPT ? c->kind : 0];
	snprintf(text, EXIT_NAME, "call %d", c->detail);
	return text;
}

/* The kernel was entered. */
static void entered(struct chrome *c, uint64_t time, uint64_t thread, uint32_t code)
{
	struct chrome_thread *t = find(c, thread);

	if (t && c->runs == thread)
		slice(c, thread & GUEST_THREAD ? "guest" : "runs", t->pid, t->id, c->since, time);
	if (t && c->kind == ABI_TRACE_EXIT && (thread & GUEST_THREAD)) {
		t->exit = time;
		t->code = code;
	}
	c->since = time;
}

/* It was left; an exit of the guest that goes on is over. */
static void left(struct chrome *c, uint64_t time, uint64_t thread)
{
	struct chrome_thread *t = find(c, thread);
	char text[EXIT_NAME];

	if (c->kind != ABI_TRACE_RETURN && c->kind != 0)
		slice(c, kernel_work(c, text), KERNEL_PID, 0, c->since, time);
	if (t && t->exit != 0)
		slice(c, exit_name(c->codes, t->code, text), t->pid, t->id | EXITS_THREAD, t->exit,
		      time);
	if (t)
		t->exit = 0;
	c->runs = thread;
	c->since = time;
}

static void event(struct chrome *c, uint64_t time, uint32_t kind, uint64_t thread,
		  uint32_t detail)
{
	if (c->first == 0 || (c->taken == 0 && time < c->first))
		c->first = time;
	c->taken++;
	if (kind == ABI_TRACE_RETURN || kind == ABI_TRACE_IDLE) {
		if (c->kind == ABI_TRACE_RETURN) /* a doorbell that the kernel rang alone */
			entered(c, time, c->runs, 0);
		left(c, time, kind == ABI_TRACE_IDLE ? 0 : thread);
		c->kind = ABI_TRACE_RETURN;
		return;
	}
	c->kind = kind;
	c->detail = (int32_t)detail;
	entered(c, time, thread, detail);
}

/* time kind thread detail pc; */
#define EVENT "%" SCNx64 " %" SCNx32 " %" SCNx64 " %" SCNx32 " %" SCNx64 ";%n"

static void take_events(struct chrome *c, const char *text)
{
	uint64_t time, thread, pc;
	uint32_t kind, detail;
	int n = 0;

	/* Without the semicolon, n is not written. */
	while (sscanf(text, EVENT, &time, &kind, &thread, &detail, &pc, &n) == 5 && n != 0) {
		event(c, time, kind, thread, detail);
		text += n;
		n = 0;
	}
}

void chrome_line(struct chrome *c, const char *line)
{
	cJSON *object = cJSON_Parse(line);

	if (cJSON_GetObjectItem(object, "hz")) {
		c->hz = (uint64_t)answer_number(object, "hz");
		c->hz = c->hz ? c->hz : 1;
		c->events = (uint64_t)answer_number(object, "events");
		c->lost = (uint64_t)answer_number(object, "lost");
		c->codes = exit_codes_of(answer_string(object, "exits"));
	} else if (cJSON_GetObjectItem(object, "thread")) {
		take_thread(c, object);
	} else if (cJSON_GetObjectItem(object, "event")) {
		take_monitor(c, object);
	} else if (cJSON_GetObjectItem(object, "what")) {
		take_vm(c, object);
	} else if (cJSON_GetObjectItem(object, "e")) {
		take_events(c, answer_string(object, "e"));
	}
	cJSON_Delete(object);
}

void chrome_end(struct chrome *c)
{
	fprintf(c->out, "\n],\"otherData\":{\"lost\":\"%llu\"}}\n", (unsigned long long)c->lost);
}
