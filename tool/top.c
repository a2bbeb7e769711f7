#include "top.h"

#include "answer.h"

#include <cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const reasons[VMM_STATS_REASONS] = VMM_STATS_REASON_NAMES;

/* How many reasons a row of the table names: those with the most exits. */
#define REASONS_SHOWN 3

static struct top_vm *find(struct top_sample *sample, const char *name)
{
	for (unsigned i = 0; i < sample->n; i++) {
		if (strcmp(sample->vm[i].name, name) == 0)
			return &sample->vm[i];
	}
	return NULL;
}

static void take_vm(struct top_sample *sample, const cJSON *object)
{
	struct top_vm *vm = &sample->vm[sample->n];

	if (sample->n == SYSDESC_MAX_VMS || find(sample, answer_string(object, "name")) != NULL)
		return;
	sample->n++;
	*vm = (struct top_vm){
		.ram_bytes = answer_number(object, "ram_bytes"),
		.starts = answer_number(object, "starts"),
		.uptime_s = answer_number(object, "uptime_s"),
		.cpu_us = answer_number(object, "cpu_ms") * 1000,
	};
	vm->held_bytes = vm->ram_bytes + answer_number(object, "overhead_bytes") +
			 answer_number(object, "table_bytes");
	snprintf(vm->name, sizeof(vm->name), "%s", answer_string(object, "name"));
	snprintf(vm->state, sizeof(vm->state), "%.15s", answer_string(object, "state"));
}

static void take_counts(struct top_vm *vm, const cJSON *object)
{
	vm->cpu_us = answer_number(object, "cpu_us");
	vm->interrupts = answer_number(object, "interrupts");
	vm->faults = answer_number(object, "faults");
	vm->misuses = answer_number(object, "misuses");
	vm->requests = answer_number(object, "virtio_requests");
	vm->bytes = answer_number(object, "virtio_bytes");
	vm->breaks = answer_number(object, "virtio_breaks");
	vm->packets = answer_number(object, "net_packets");
	vm->packet_bytes = answer_number(object, "net_bytes");
}

static void take_reasons(double to[VMM_STATS_REASONS], const cJSON *object)
{
	for (unsigned i = 0; i < VMM_STATS_REASONS; i++)
		to[i] = answer_number(object, reasons[i]);
}

void top_line(struct top_sample *sample, const char *line)
{
	cJSON *object = cJSON_Parse(line);
	const char *kind = answer_string(object, "kind");
	struct top_vm *vm = find(sample, answer_string(object, "vm"));

	if (strcmp(kind, "vm") == 0)
		take_vm(sample, object);
	else if (strcmp(kind, "counts") == 0 && vm)
		take_counts(vm, object);
	else if (strcmp(kind, "exits") == 0 && vm)
		take_reasons(vm->exits, object);
	else if (strcmp(kind, "exit_us") == 0 && vm)
		take_reasons(vm->exit_us, object);
	else if (strcmp(kind, "clock") == 0)
		sample->now_us = answer_number(object, "now_us");
	if (strcmp(kind, "memory") == 0) {
		sample->total_bytes = answer_number(object, "total_bytes");
		sample->free_bytes = answer_number(object, "free_bytes");
	}
	cJSON_Delete(object);
}

/* --- Between two samples ----------------------------------------------------- */

/* One that was started in between began at zero. */
static struct top_vm base_of(const struct top_sample *before, const struct top_vm *vm)
{
	struct top_vm *old = find((struct top_sample *)before, vm->name);

	return old && old->starts == vm->starts ? *old : (struct top_vm){ 0 };
}

static double span_s(const struct top_sample *before, const struct top_sample *now)
{
	double us = now->now_us - before->now_us;

	return us > 0 ? us / 1e6 : 1;
}

static double rise(double before, double now)
{
	return now > before ? now - before : 0;
}

static double sum(const double value[VMM_STATS_REASONS])
{
	double n = 0;

	for (unsigned i = 0; i < VMM_STATS_REASONS; i++)
		n += value[i];
	return n;
}

struct text {
	char *at;
	size_t left, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	if (text->left == 0)
		return;
	va_start(args, format);
	n = vsnprintf(text->at, text->left, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= text->left) {
		text->left = 0;
		return;
	}
	text->at += n;
	text->left -= (size_t)n;
	text->used += (size_t)n;
}

/* The reasons with most exits, most first. */
static void put_reasons(struct text *text, double rate[VMM_STATS_REASONS])
{
	for (unsigned shown = 0; shown < REASONS_SHOWN; shown++) {
		unsigned most = 0;

		for (unsigned i = 1; i < VMM_STATS_REASONS; i++) {
			if (rate[i] > rate[most])
				most = i;
		}
		if (rate[most] < 0.5)
			break;
		put(text, "%s%s %.0f", shown ? ", " : "", reasons[most], rate[most]);
		rate[most] = 0;
	}
}

static void put_row(struct text *text, const struct top_vm *old, const struct top_vm *vm,
		    double seconds)
{
	double rate[VMM_STATS_REASONS];

	for (unsigned i = 0; i < VMM_STATS_REASONS; i++)
		rate[i] = rise(old->exits[i], vm->exits[i]) / seconds;
	put(text, "%-16s %-8s %6.1f %9.0f %9.0f %8.0f %9.1f %9.0f %9.1f %8.1f %7.0f  ",
	    vm->name, vm->state, rise(old->cpu_us, vm->cpu_us) / seconds / 1e4, sum(rate),
	    rise(old->interrupts, vm->interrupts) / seconds,
	    rise(old->requests, vm->requests) / seconds,
	    rise(old->bytes, vm->bytes) / seconds / 1024,
	    rise(old->packets, vm->packets) / seconds,
	    rise(old->packet_bytes, vm->packet_bytes) / seconds / 1024, vm->held_bytes / (1 << 20),
	    vm->starts > 1 ? vm->starts - 1 : 0);
	put_reasons(text, rate);
	put(text, "\n");
}

size_t top_table(const struct top_sample *before, const struct top_sample *now, char *out,
		 size_t size)
{
	struct text text = { out, size, 0 };
	double seconds = span_s(before, now);

	put(&text, "up %.0f s, %u VMs, memory %.0f of %.0f MiB used\n\n", now->now_us / 1e6,
	    now->n, (now->total_bytes - now->free_bytes) / (1 << 20),
	    now->total_bytes / (1 << 20));
	put(&text, "%-16s %-8s %6s %9s %9s %8s %9s %9s %9s %8s %7s  %s\n", "VM", "STATE", "CPU %",
	    "EXITS/S", "INTR/S", "VIRTIO/S", "KIB/S",
	    "PACKETS/S", "NET KIB/S", "MIB", "STARTED",
	    "EXITS BY REASON, A SECOND");
	for (unsigned i = 0; i < now->n; i++) {
		struct top_vm old = base_of(before, &now->vm[i]);

		put_row(&text, &old, &now->vm[i], seconds);
	}
	return text.used;
}

static void put_json(struct text *text, const struct top_vm *old, const struct top_vm *vm,
		     double seconds)
{
	put(text,
	    "{\"vm\":\"%s\",\"state\":\"%s\",\"seconds\":%.3f,\"cpu_percent\":%.2f,"
	    "\"ram_bytes\":%.0f,\"held_bytes\":%.0f,\"starts\":%.0f,\"uptime_s\":%.0f,"
	    "\"interrupts\":%.0f,\"faults\":%.0f,\"misuses\":%.0f,\"virtio_requests\":%.0f,"
	    "\"virtio_bytes\":%.0f,\"virtio_breaks\":%.0f,\"net_packets\":%.0f,"
	    "\"net_bytes\":%.0f,\"exits\":{",
	    vm->name, vm->state, seconds, rise(old->cpu_us, vm->cpu_us) / seconds / 1e4,
	    vm->ram_bytes, vm->held_bytes, vm->starts, vm->uptime_s,
	    rise(old->interrupts, vm->interrupts), rise(old->faults, vm->faults),
	    rise(old->misuses, vm->misuses), rise(old->requests, vm->requests),
	    rise(old->bytes, vm->bytes), rise(old->breaks, vm->breaks),
	    rise(old->packets, vm->packets), rise(old->packet_bytes, vm->packet_bytes));
	for (unsigned i = 0; i < VMM_STATS_REASONS; i++)
		put(text, "%s\"%s\":%.0f", i ? "," : "", reasons[i],
		    rise(old->exits[i], vm->exits[i]));
	put(text, "},\"exit_us\":{");
	for (unsigned i = 0; i < VMM_STATS_REASONS; i++)
		put(text, "%s\"%s\":%.0f", i ? "," : "", reasons[i],
		    rise(old->exit_us[i], vm->exit_us[i]));
	put(text, "}}\n");
}

size_t top_json(const struct top_sample *before, const struct top_sample *now, char *out,
		size_t size)
{
	struct text text = { out, size, 0 };

	for (unsigned i = 0; i < now->n; i++) {
		struct top_vm old = base_of(before, &now->vm[i]);

		put_json(&text, &old, &now->vm[i], span_s(before, now));
	}
	return text.used;
}
