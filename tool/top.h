/* What `selvage top` knows: two samples of init's answers to `ps` and `stats`, and
 * what is between them. */
#pragma once

#include <selvage/sysdesc.h>
#include <selvage/vmm_stats.h>
#include <stdbool.h>
#include <stddef.h>

struct top_vm {
	char name[SYSDESC_NAME];
	char state[16];
	double ram_bytes, held_bytes, starts, uptime_s;
	double cpu_us, interrupts, faults, misuses, requests, bytes, breaks;
	double packets, packet_bytes;
	double exits[VMM_STATS_REASONS];
	double exit_us[VMM_STATS_REASONS];
};

struct top_sample {
	double now_us, total_bytes, free_bytes;
	unsigned n;
	struct top_vm vm[SYSDESC_MAX_VMS];
};

/* Takes one line of an answer; one that does not belong here changes nothing. */
void top_line(struct top_sample *sample, const char *line);
/* Both as text of whole lines, into out[size]; what has no room is left out. */
size_t top_table(const struct top_sample *before, const struct top_sample *now, char *out,
		 size_t size);
size_t top_json(const struct top_sample *before, const struct top_sample *now, char *out,
		size_t size);
