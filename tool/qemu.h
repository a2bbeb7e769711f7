/* The emulator's command line, and the emulator as a child process. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "cli.h"
#include "sysimage.h"

#define QEMU_ARGS_MAX 128
#define QEMU_GDB_PORT 1234
#define QEMU_MONITOR_PORT 55555
/* Debian's package ovmf: code and variables in one, which are not kept. */
#define QEMU_UEFI "/usr/share/ovmf/OVMF.fd"
#define QEMU_ISO_SUFFIX ".iso" /* of the image that --firmware starts */

struct qemu_command {
	char *argv[QEMU_ARGS_MAX + 1];
	int n;
	bool full;
};

void qemu_command_make(struct qemu_command *command,
		       const struct sysimage_machine *machine,
		       const char *image, const struct options *options);
/* Adds one argument; what does not fit is counted by qemu_command_fits, with a message. */
void qemu_command_add(struct qemu_command *command, const char *argument);
void qemu_command_addf(struct qemu_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool qemu_command_fits(const struct qemu_command *command);
/* Prints it so that it can be pasted into a shell. */
void qemu_command_print(const struct qemu_command *command, bool null_input);
void qemu_command_free(struct qemu_command *command);

/* A running emulator. It is in a process group of its own and dies with us,
 * whatever happens to us. */
struct qemu {
	pid_t pid;
	int serial; /* the target's serial line, both ways; not blocking */
	int errors; /* its standard error; not blocking */
};

/* With null_input nothing can be sent to the target. Reports a failure. */
bool qemu_start(struct qemu *qemu, const struct qemu_command *command,
		bool null_input);
/* Whether it has ended; then its exit status is in *status. */
bool qemu_ended(struct qemu *qemu, int *status);
/* Ends it (first SIGTERM, then SIGKILL) and closes everything. */
void qemu_stop(struct qemu *qemu);
