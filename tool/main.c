/* selvage: the host command. */
#include <signal.h>

#include "cli.h"

int main(int argc, char **argv)
{
	struct options options;
	int code;
	command_fn command;

	/* A closed pipe is an error of write(), not the end of us: terminal
	 * and emulator are still to be cleaned up. */
	signal(SIGPIPE, SIG_IGN);
	command = cli_parse(&options, argc, argv, &code);
	return command ? command(&options) : code;
}
