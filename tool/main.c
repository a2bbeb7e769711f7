/* selvage: the host command. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* A full disk must not look like success to a script. A closed pipe is the
 * reader's choice and needs no message. */
static int end_output(int code)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || code != 0)
		return code;
	if (errno != EPIPE)
		fprintf(stderr, "selvage: error: cannot write the output: %s\n",
			strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct options options;
	int code;
	command_fn command;

	/* A closed pipe is an error of write(), not the end of us: terminal
	 * and emulator are still to be cleaned up. */
	signal(SIGPIPE, SIG_IGN);
	command = cli_parse(&options, argc, argv, &code);
	return end_output(command ? command(&options) : code);
}
