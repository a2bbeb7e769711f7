#include "control.h"

#include "caps.h"
#include "connect.h"
#include "machine_off.h"
#include "request.h"
#include "trace.h"
#include "upload.h"
#include "vm.h"
#include "watch.h"

#include <selvage/base.h>
#include <selvage/log.h>
#include <selvage/ring.h>
#include <string.h>

/* Longest line of an answer; output waits until this much room is there. */
#define MAX_ANSWER 640

/* Who may ask: `selvage` over the serial line, and servers/debug. */
static struct connection {
	struct ring in, out;
	void (*signal)(void); /* there is output, or room for input */
	char line[CONTROL_MAX_LINE];
	unsigned line_fill;
	bool line_too_long;
	bool moved; /* bytes, since it was signalled */
	/* An answer under way: step() writes the n-th line, "" to skip it, and
	 * returns false when there are no more. */
	control_step step;
	struct control_subject subject;
	unsigned next;
} connections[CONTROL_CONNECTIONS];

/* The one that is served. */
static struct connection *here = connections;

void control_init(unsigned n, void *channel, void (*signal)(void))
{
	struct connection *c = &connections[n];

	ring_attach(&c->out, (uint8_t *)channel + CHANNEL_OUT_OFFSET, CHANNEL_OUT_SIZE, true);
	ring_attach(&c->in, (uint8_t *)channel + CHANNEL_IN_OFFSET, CHANNEL_IN_SIZE, false);
	c->signal = signal;
}

void control_forget(unsigned n)
{
	char c;

	connections[n].step = NULL;
	connections[n].line_fill = 0;
	connections[n].line_too_long = false;
	while (ring_get(&connections[n].in, &c, 1) == 1)
		;
}

static void put_line(const char *text)
{
	if (*text == '\0')
		return;
	here->moved = true;
	(void)ring_put(&here->out, text, (uint32_t)strlen(text));
	(void)ring_put(&here->out, "\n", 1);
}

static void finish(const char *error)
{
	char text[MAX_ANSWER];

	if (error == NULL)
		fmt_print(text, sizeof(text), "{\"ok\":true}");
	else
		fmt_print(text, sizeof(text), "{\"ok\":false,\"error\":\"%s\"}", error);
	put_line(text);
}

static void vm_line(unsigned i, char *text, size_t size)
{
	const struct sysdesc_vm *d = vm_description(i);
	const struct vm *vm = vm_get(i);
	const struct mem_arena *m = &vm_process(i)->mem;
	bool lives = vm_lives(i);
	uint64_t held = lives ? process_held_bytes(vm_process(i)) : 0;
	uint64_t ram = lives ? m->ram_bytes : 0;
	uint64_t tables = lives ? m->table_bytes : 0;
	struct vmm_stats s;
	const char *server;
	uint64_t exits = 0;

	vm_stats(i, &s);
	server = lives && s.waits != 0 ? connect_server_vm(i, s.waits - 1) : NULL;
	for (unsigned j = 0; j < VMM_STATS_REASONS; j++)
		exits += s.exits[j];
	fmt_print(text, size,
		  "{\"kind\":\"vm\",\"name\":\"%s\",\"state\":\"%s\",\"vcpus\":%u,"
		  "\"priority\":%u,\"ram_bytes\":%lu,\"overhead_bytes\":%lu,"
		  "\"table_bytes\":%lu,\"starts\":%u,\"uptime_s\":%lu,\"cpu_ms\":%lu,"
		  "\"exits\":%lu%s%s%s}",
		  d->name, vm_state_name(vm), d->vcpus, d->priority,
		  (unsigned long)ram, (unsigned long)(held - ram - tables),
		  (unsigned long)tables, vm->starts, (unsigned long)(vm_uptime_us(i) / 1000000),
		  (unsigned long)(vm_cpu_us(i) / 1000), (unsigned long)exits,
		  server != NULL ? ",\"waits_for\":\"" : "", server != NULL ? server : "",
		  server != NULL ? "\"" : "");
}

static void service_line(enum proc_kind kind, char *text, size_t size)
{
	static const char *const states[] = { "off", "running", "crashed" };
	const struct process *p = &processes[kind];

	fmt_print(text, size,
		  "{\"kind\":\"service\",\"name\":\"%s\",\"state\":\"%s\","
		  "\"held_bytes\":%lu,\"starts\":%u}",
		  p->name, states[p->state], (unsigned long)process_held_bytes(p),
		  service_starts(kind));
}

static bool step_ps(const struct control_subject *subject, unsigned n, char *text, size_t size)
{
	struct mem_figures f;

	(void)subject;
	if (n < SYSDESC_MAX_VMS) {
		if (vm_exists(n))
			vm_line(n, text, size);
		return true;
	}
	n -= SYSDESC_MAX_VMS;
	if (n < PROCESS_FIRST_VMM - 1) {
		if (service_starts((enum proc_kind)(n + 1)) != 0)
			service_line((enum proc_kind)(n + 1), text, size);
		return true;
	}
	if (n > PROCESS_FIRST_VMM - 1)
		return false;
	mem_figures_get(&f);
	fmt_print(text, size,
		  "{\"kind\":\"memory\",\"total_bytes\":%lu,\"free_bytes\":%lu,"
		  "\"slots_free\":%lu}",
		  (unsigned long)f.total_bytes, (unsigned long)f.free_bytes,
		  (unsigned long)f.slots_free);
	return true;
}

/* What everything that comes and goes is made of. */
static bool step_accounting(const struct control_subject *subject, unsigned n, char *text,
			    size_t size)
{
	struct mem_figures f;
	unsigned there = 0, lives = 0;

	(void)subject;
	(void)upload_busy();
	mem_figures_get(&f);
	for (unsigned i = 0; i < SYSDESC_MAX_VMS; i++) {
		there += vm_exists(i);
		lives += vm_lives(i);
	}
	const struct {
		const char *what;
		uint64_t total, used;
	} rows[] = {
		{ "memory, bytes", f.total_bytes, f.total_bytes - f.free_bytes },
		{ "memory, blocks", f.blocks, f.blocks - f.blocks_free },
		{ "capability slots", f.slots - f.slots_of_pieces,
		  f.slots - f.slots_of_pieces - f.slots_free },
		{ "slots of memory in pieces", f.slots, f.slots_of_pieces },
		{ "interrupts", MACHINE_IRQS, service_irqs() },
		{ "VMs", SYSDESC_MAX_VMS, there },
		{ "VMs alive", there, lives },
	};

	if (n >= ARRAY_SIZE(rows))
		return false;
	fmt_print(text, size, "{\"what\":\"%s\",\"total\":%lu,\"used\":%lu,\"free\":%lu}",
		  rows[n].what, (unsigned long)rows[n].total, (unsigned long)rows[n].used,
		  (unsigned long)(rows[n].total - rows[n].used));
	return true;
}

static void start_answer(control_step step)
{
	here->step = step;
	here->next = 0;
}

/* A VM's name stands for its monitor. */
static bool is_called(const struct process *p, const char *name)
{
	return strcmp(p->name, name) == 0 ||
	       (p->number >= PROCESS_FIRST_VMM && strncmp(p->name, "vmm:", 4) == 0 &&
		strcmp(p->name + 4, name) == 0);
}

/* The main thread goes on at an address it does not have. */
static bool inject_fault(const struct process *p)
{
	const uint64_t regs[1] = { 0 }; /* ABI_CTX_PC */

	return sel4_tcb_write_registers(p->tcb[0], 1, 1, regs) == ABI_OK;
}

/* A service is taken down at once, wherever it is, and starts again: no failure of its. */
static const char *kill_service(const char *name)
{
	for (unsigned i = 1; i < PROCESS_FIRST_VMM; i++) {
		const struct process *p = &processes[i];

		if (p->state != PROCESS_RUNNING || !is_called(p, name))
			continue;
		log_info("service %s: killed", p->name);
		if (!inject_fault(p))
			return "the kernel refused";
		service_killed(p);
		return NULL;
	}
	return "no VM and no service has that name";
}

static const char *crash_process(const char *name)
{
	for (unsigned i = 1; i < PROCESS_MAX; i++) {
		struct process *p = &processes[i];

		if (!is_called(p, name) || p->state != PROCESS_RUNNING)
			continue;
		if (i >= PROCESS_FIRST_VMM && vm_get(i - PROCESS_FIRST_VMM)->state == VM_PAUSED)
			return "it is paused; `resume` lets it go on";
		log_warning("control: injecting a fault into %s", p->name);
		return inject_fault(p) ? NULL : "the kernel refused";
	}
	return "no such process is running";
}

static const char *start_vm(unsigned vm)
{
	if (vm_get(vm)->state == VM_PAUSED)
		return "it is paused; `resume` lets it go on";
	return vm_lives(vm) ? "it is running already" : vm_start(vm) ? NULL
								     : "out of memory";
}

static const char *end_vm(enum verb verb, unsigned vm)
{
	static const char *const words[VERBS] = { [VERB_STOP] = "stopped",
						  [VERB_KILL] = "killed",
						  [VERB_REBOOT] = "restarting" };

	if (verb == VERB_STOP && vm_lives(vm) && vm_description(vm)->stop == SYSDESC_STOP_AGENT)
		return vm_ask_off(vm);
	if (!vm_lives(vm) && (verb == VERB_REBOOT || vm_get(vm)->state != VM_WAITING))
		return "it is not running";
	vm_stop(vm, VM_OFF);
	log_info("vm %s: %s", vm_description(vm)->name, words[verb]);
	return verb != VERB_REBOOT || vm_start(vm) ? NULL : "out of memory";
}

/* What a debugger may see. */
static const char *start_watch(control_step step, unsigned vm, const struct request *r)
{
	here->subject = (struct control_subject){ vm, r->number, r->count, vm_get(vm)->life };
	if (vm_description(vm)->debug == SYSDESC_DEBUG_NONE)
		return "it gives no right to debug it; set `debug: observe` in its description";
	if (!vm_lives(vm))
		return "it is not running";
	if (step == watch_regs && r->number >= vm_description(vm)->vcpus)
		return "it has no such vCPU";
	if (step == watch_mem && !watch_mem_sound(&here->subject))
		return "that is not in its memory, or more than 4096 bytes";
	start_answer(step);
	return NULL;
}

/* Records above the level are dropped by whoever writes them. */
static const char *set_log_level(const char *name, uint64_t level)
{
	if (level > LOG_LEVEL_DEBUG)
		return "a level is 0 (errors) to 3 (all)";
	if (strcmp(name, "init") == 0) {
		log_set_level((enum log_level)level);
		return NULL;
	}
	for (unsigned i = 1; i < PROCESS_MAX; i++) {
		struct process *p = &processes[i];

		if (p->state == PROCESS_RUNNING && is_called(p, name))
			return process_set_log_level(p, (uint32_t)level) ? NULL
									 : "the kernel refused";
	}
	return "no such process is running";
}

static const char *vm_verb(const struct request *r)
{
	int vm = vm_find(r->name);

	if (vm < 0)
		return r->verb == VERB_KILL ? kill_service(r->name) : "no VM has that name";
	switch (r->verb) {
	case VERB_START: return start_vm((unsigned)vm);
	case VERB_PAUSE: return vm_pause((unsigned)vm);
	case VERB_RESUME: return vm_resume((unsigned)vm);
	case VERB_DESTROY: return vm_destroy((unsigned)vm), NULL;
	case VERB_MAP: return start_watch(watch_map, (unsigned)vm, r);
	case VERB_REGS: return start_watch(watch_regs, (unsigned)vm, r);
	case VERB_MEM: return start_watch(watch_mem, (unsigned)vm, r);
	case VERB_SET: return vm_set((unsigned)vm, r->key, r->number);
	default: return end_vm(r->verb, (unsigned)vm);
	}
}

static void execute(char *text)
{
	struct request r;
	const char *wrong = request_parse(text, &r);

	here->subject = (struct control_subject){ 0 };
	if (wrong != NULL) {
		finish(wrong);
		return;
	}
	switch (r.verb) {
	case VERB_PS: start_answer(step_ps); break;
	case VERB_STATS: start_answer(watch_stats); break;
	case VERB_CAPS: start_answer(caps_line); break;
	case VERB_ACCOUNTING: start_answer(step_accounting); break;
	case VERB_CREATE: finish(vm_create_begin(r.number)); break;
	case VERB_PUT: finish(upload_put(r.number, r.bytes, r.n_bytes)); break;
	case VERB_COMMIT: finish(vm_create_end((uint32_t)r.number)); break;
	case VERB_TRACE: finish(trace_switch(r.number)); break;
	case VERB_EVENTS:
		here->subject = (struct control_subject){ .number = r.number };
		start_answer(trace_events);
		break;
	case VERB_LOG: finish(set_log_level(r.name, r.number)); break;
	case VERB_CRASH: finish(crash_process(r.name)); break;
	case VERB_POWEROFF:
		finish(NULL);
		machine_off_request();
		break;
	default:
		wrong = vm_verb(&r);
		if (wrong != NULL || here->step == NULL)
			finish(wrong);
		break;
	}
}

/* Takes input up to the end of one line; true: `line` holds a request. */
static bool take_line(void)
{
	char c;

	while (ring_get(&here->in, &c, 1) == 1) {
		here->moved = true;
		if (c == '\r')
			continue;
		if (c != '\n') {
			if (here->line_fill < sizeof(here->line) - 1)
				here->line[here->line_fill++] = c;
			else
				here->line_too_long = true;
			continue;
		}
		here->line[here->line_fill] = '\0';
		here->line_fill = 0;
		if (!here->line_too_long)
			return true;
		here->line_too_long = false;
		finish("the request is too long");
	}
	return false;
}

/* The VM that was asked about, not another one in its place. */
static bool is_alive(const struct control_subject *s)
{
	return vm_lives(s->vm) && vm_get(s->vm)->life == s->life;
}

/* Writes what fits of the answer under way; true: it is complete. */
static bool pump_answer(void)
{
	char text[MAX_ANSWER];

	if (here->step != NULL && here->subject.life != 0 && !is_alive(&here->subject)) {
		here->step = NULL;
		finish("it has ended meanwhile");
	}
	while (here->step != NULL && ring_room(&here->out) > 2 * MAX_ANSWER) {
		text[0] = '\0';
		if (here->step(&here->subject, here->next++, text, sizeof(text))) {
			put_line(text);
			continue;
		}
		here->step = NULL;
		finish(NULL);
	}
	return here->step == NULL;
}

void control_run(void)
{
	for (unsigned i = 0; i < CONTROL_CONNECTIONS; i++) {
		here = &connections[i];
		if (here->signal == NULL)
			continue;
		while (pump_answer() && ring_room(&here->out) > 2 * MAX_ANSWER && take_line())
			execute(here->line);
		if (here->moved)
			here->signal();
		here->moved = false;
	}
}
