/* One run of a system: the emulator, the user's terminal, other clients. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "emulator.h"
#include "sysimage.h"

enum session_mode {
	SESSION_SCREEN, /* consoles in the terminal */
	SESSION_LINES,  /* framed; lines "name| text" on standard output */
	SESSION_PLAIN,  /* the target's bytes as they come */
};

struct session_config {
	enum session_mode mode;
	const struct sysimage_machine *machine;
	struct emulator_command *command;
	char *symbols;      /* folder of kernel.elf and bin/; borrowed */
	const char *log;    /* file, or NULL */
	unsigned timeout_s; /* 0: none */
	bool null_input;
	bool silent; /* nothing on standard output */
	int ready;   /* gets one byte once the system answers, or -1 */
};

/* Runs until the machine is off, the user quits, a signal or the time limit
 * ends it. Returns an exit code. */
int session_run(const struct session_config *config);
