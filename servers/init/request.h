/*
 * A line of the control channel, taken apart and checked: what selvage/control.h
 * says of requests. Pure; whatever the line has in it.
 */
#pragma once

#include <selvage/control.h>
#include <stddef.h>
#include <stdint.h>

enum verb {
	VERB_PS,
	VERB_CAPS,
	VERB_ACCOUNTING,
	VERB_STATS,
	VERB_POWEROFF,
	VERB_START,
	VERB_STOP,
	VERB_KILL,
	VERB_REBOOT,
	VERB_PAUSE,
	VERB_RESUME,
	VERB_CRASH,
	VERB_DESTROY,
	VERB_MAP,
	VERB_REGS,
	VERB_MEM,
	VERB_LOG,
	VERB_TRACE,
	VERB_EVENTS,
	VERB_SET,
	VERB_CREATE,
	VERB_PUT,
	VERB_COMMIT,
	VERBS
};

struct request {
	enum verb verb;
	const char *name;     /* of a VM, or of a process for `crash` */
	enum control_key key; /* of `set` */
	/* Size of `create`, offset of `put`, checksum of `commit`, value of `set`, level of
	 * `log`, vCPU of `regs`, address of `mem`. */
	uint64_t number;
	uint64_t count;       /* bytes of `mem` */
	const uint8_t *bytes; /* of `put`; where the line was */
	size_t n_bytes;
};

/* The words in `line` end in NUL afterwards. NULL, or what is wrong. */
const char *request_parse(char *line, struct request *request);
const char *request_verb(enum verb verb);
