/* An emulator's command line, and the emulator as a child process. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define EMULATOR_ARGS_MAX 128

struct emulator_command {
	char *argv[EMULATOR_ARGS_MAX + 1];
	int n;
	bool full;
	const char *package; /* to install if there is no argv[0] */
	char *folder;        /* where it runs, or NULL: here */
	/*
	 * The serial line is standard input and output, or, with `listen`, a connection: it
	 * runs in the child, adds what has the emulator connect, and returns a socket that listens,
	 * or -1 after saying why. What the emulator says is then in its log alone.
	 */
	int (*listen)(struct emulator_command *command);
	/* A file that the emulator keeps, and what it says there when the target has
	 * switched itself off; NULL: the exit code says so. */
	char *log;
	const char *off;
};

/* Adds one argument; what does not fit is counted by emulator_fits, with a message. */
void emulator_add(struct emulator_command *command, const char *argument);
void emulator_addf(struct emulator_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Adds arguments up to a NULL. */
void emulator_add_list(struct emulator_command *command, const char *first, ...)
	__attribute__((sentinel));
bool emulator_fits(const struct emulator_command *command);
/* Prints it so that it can be pasted into a shell. */
void emulator_print(const struct emulator_command *command, bool null_input);
void emulator_free(struct emulator_command *command);

/* A running emulator. It is in a process group of its own and dies with us,
 * whatever happens to us. */
struct emulator {
	pid_t pid;
	int serial; /* the target's serial line, both ways; not blocking */
	int errors; /* its standard error, or -1: it has a log; not blocking */
};

/* With null_input nothing can be sent to the target. Reports a failure. */
bool emulator_start(struct emulator *emulator, struct emulator_command *command,
		    bool null_input);
/* Whether it has ended; then its exit status is in *status. */
bool emulator_ended(struct emulator *emulator, int *status);
/* Whether the target switched itself off, by the exit status and what is in the log. */
bool emulator_went_off(const struct emulator_command *command, int status);
/* Ends it (first SIGTERM, then SIGKILL) and closes everything. */
void emulator_stop(struct emulator *emulator);
