#include "cli.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suggest.h"

enum command_bit {
	CMD_BUILD = 1 << 0,
	CMD_CHECK = 1 << 1,
	CMD_RUN = 1 << 2,
	CMD_QUERY = 1 << 3,  /* caps */
	CMD_ACTION = 1 << 4, /* start, stop, kill, reboot, ..., poweroff */
	CMD_CONSOLE = 1 << 5,
	CMD_LOGS = 1 << 6,
	CMD_CAPTURE = 1 << 7,
	CMD_COMPARE = 1 << 8,
	CMD_GDB = 1 << 9,
	CMD_DOCTOR = 1 << 10,
	CMD_FAULTS = 1 << 11,
	CMD_PS = 1 << 12,
	CMD_CREATE = 1 << 13,
	CMD_TOP = 1 << 14,
	CMD_AUDIT = 1 << 15,
	CMD_TRACE = 1 << 16,
	CMD_STOP = 1 << 17,
};

struct command {
	const char *name;
	const char *args;
	const char *help;
	unsigned bit;
	int min_args;
	int max_args;
	command_fn run;
};

static const struct command commands[] = {
	{ "build", "SYSTEM.yaml",
	  "Check the system description and build its system image.", CMD_BUILD,
	  0, 1, command_build },
	{ "run", "SYSTEM.yaml|IMAGE",
	  "Build the system and boot it in an emulator.\n"
	  "The VMs' consoles appear in this terminal. Ctrl-] shows the next "
	  "console or the\nlog, Ctrl-\\ quits. When input or output is no "
	  "terminal, it prints lines\n`name| text`. An image runs as it is.\n"
	  "--reference starts a guest without Selvage instead, to be captured and compared:\n"
	  "IMAGE is then the guest's own. What stands behind `--` goes to the emulator.",
	  CMD_RUN, 1, 1, command_run },
	{ "check", "SYSTEM.yaml",
	  "Check the system description and the images that it names.",
	  CMD_CHECK, 1, 1, command_check },
	{ "ps", "", "List the VMs and services of a running system.", CMD_PS,
	  0, 0, command_control },
	{ "top", "",
	  "Show what the VMs of a running system do, again and again.\n"
	  "Processor time, exits a second by reason, memory, virtio requests, packets, restarts. "
	  "q or\nCtrl-C leaves. When output is no terminal it prints one table after the other.",
	  CMD_TOP, 0, 0, command_top },
	{ "console", "VM",
	  "Connect to the console of a VM.\nCtrl-] leaves it.",
	  CMD_CONSOLE, 1, 1, command_console },
	{ "trace", "",
	  "Write down what kernel and VMs do for a while.\n"
	  "The file is a Chrome trace in JSON: open it at ui.perfetto.dev. It has the last "
	  "16,384\nevents: who ran when, exits of guests, system calls, interrupts, VMs that "
	  "come and go.",
	  CMD_TRACE, 0, 0, command_trace },
	{ "shell", "",
	  "Connect to the debug shell of a running system.\nCtrl-] leaves it.",
	  CMD_CONSOLE, 0, 0, command_shell },
	{ "logs", "[VM|SERVICE]",
	  "Print the log of a running system, or what it says of one VM or service.",
	  CMD_LOGS, 0, 1,
	  command_logs },
	{ "faults", "[VM]",
	  "Explain what stopped VMs: records of their faults, with cause and cure.\n"
	  "They come from the log of a running system, or from a file that "
	  "`selvage run --log`\nor its output was written to.",
	  CMD_FAULTS, 0, 1, command_faults },
	{ "gdb", "VM [ELF]",
	  "Debug the guest of a VM with gdb-multiarch.\n"
	  "The VM's description says `debug: observe` or `debug: control`. ELF is a "
	  "file with\nthe guest's symbols.",
	  CMD_GDB, 1, 2, command_gdb },
	{ "start", "VM", "Start a VM that is off.", CMD_ACTION, 1, 1,
	  command_control },
	{ "stop", "VM",
	  "Switch a VM off.\nWith `stop: agent` in its description its guest is asked to power "
	  "off, and waited for.",
	  CMD_STOP, 1, 1, command_stop },
	{ "kill", "NAME",
	  "Take a VM or a service down at once, whatever it does.\nA service is started "
	  "again.",
	  CMD_ACTION, 1, 1,
	  command_control },
	{ "reboot", "VM", "Start a VM again from its images.", CMD_ACTION, 1, 1,
	  command_control },
	{ "pause", "VM",
	  "Hold a VM where it is.\nNeither its guest nor its monitor executes, and the "
	  "guest's time stands still.",
	  CMD_ACTION, 1, 1, command_control },
	{ "resume", "VM", "Let a paused VM go on.", CMD_ACTION, 1, 1, command_control },
	{ "set", "VM KEY VALUE",
	  "Change what a VM's description says, at once and until it is destroyed.\n"
	  "KEY: priority, budget, period, restart, restart_delay, restart_limit or balloon.",
	  CMD_ACTION, 3, 3, command_set },
	{ "create", "FILE.yaml [VM]",
	  "Bring the VMs of a description, or one of them, into a running system.\n"
	  "Of the description only `vms` and their `connections` count; the machine and who "
	  "serves are\nthose that run.",
	  CMD_CREATE, 1, 2, command_create },
	{ "destroy", "VM", "Take a VM down and forget it, its images included.", CMD_ACTION, 1, 1,
	  command_control },
	{ "crash", "NAME",
	  "Make a VM's monitor or a service crash, to see that the rest goes on.",
	  CMD_ACTION, 1, 1, command_control },
	{ "caps", "", "List which process holds which capability.", CMD_QUERY,
	  0, 0, command_control },
	{ "audit", "SYSTEM.yaml",
	  "Compare who holds what in a running system with its description.\n"
	  "Exit code 1: something is held that the description does not give, or is not held "
	  "that\nit does, or what is there breaks a `forbid` rule.",
	  CMD_AUDIT, 1, 1, command_audit },
	{ "capture", "[VM]",
	  "Write down vectors, registers and memory map of a guest.\n"
	  "VM is one of a running system whose description allows it (debug: observe); "
	  "--monitor\nnames any QEMU instead. The guest is left as it was, running or "
	  "stopped.",
	  CMD_CAPTURE, 0, 1, command_capture },
	{ "doctor", "",
	  "Say what this host can run, and what to install.\n"
	  "Exit code 1: Selvage itself cannot be run.",
	  CMD_DOCTOR, 0, 0, command_doctor },
	{ "compare", "A.json B.json",
	  "Compare two captures of one guest: who has exception vectors?\n"
	  "A folder stands for its newest capture. Exit codes: 0 both, 10 only the first, "
	  "11 neither,\n12 only the second, 20 they cannot be compared, 1 a file cannot be "
	  "read, 2 wrong usage.",
	  CMD_COMPARE, 2, 2, command_compare },
	{ "poweroff", "", "Switch the running machine off.", CMD_ACTION, 0, 0,
	  command_control },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

enum option_type { OPT_FLAG,
		   OPT_TEXT,
		   OPT_NUMBER };

struct option_def {
	const char *name;
	char letter; /* 0: none */
	enum option_type type;
	const char *arg;
	unsigned commands;
	size_t offset; /* in struct options */
	const char *help;
};

#define FIELD(member) offsetof(struct options, member)
#define CMD_BUILDERS (CMD_BUILD | CMD_CHECK | CMD_RUN | CMD_DOCTOR | CMD_CREATE)
#define CMD_WATCHERS (CMD_CONSOLE | CMD_LOGS | CMD_CAPTURE | CMD_GDB | CMD_FAULTS)
#define CMD_CLIENTS                                                                      \
	(CMD_PS | CMD_QUERY | CMD_ACTION | CMD_STOP | CMD_CREATE | CMD_TOP | CMD_AUDIT | \
	 CMD_TRACE | CMD_WATCHERS)

static const struct option_def option_defs[] = {
	{ "output", 'o', OPT_TEXT, "FILE", CMD_BUILD | CMD_CAPTURE | CMD_TRACE, FIELD(output),
	  "write the result there" },
	{ "iso", 0, OPT_TEXT, "FILE", CMD_BUILD, FIELD(iso),
	  "write a bootable CD or USB image of a PC's system there as well" },
	{ "root-task", 0, OPT_TEXT, "ELF", CMD_BUILD | CMD_RUN,
	  FIELD(root_task),
	  "run this root task instead of Selvage's own (no VMs then)" },
	{ "kernel", 0, OPT_TEXT, "ELF", CMD_BUILD | CMD_RUN, FIELD(kernel),
	  "boot this kernel instead of Selvage's own" },
	{ "debug", 0, OPT_FLAG, NULL, CMD_BUILD | CMD_RUN, FIELD(debug),
	  "take the debug build of kernel and services" },
	{ "build-dir", 0, OPT_TEXT, "DIR", CMD_BUILDERS, FIELD(build_dir),
	  "where kernel, services and assets were built" },
	{ "firmware", 0, OPT_TEXT, "bios|uefi", CMD_RUN, FIELD(firmware),
	  "start a PC from such an image, by that firmware and GRUB" },
	{ "emulator", 'e', OPT_TEXT, "qemu|bochs", CMD_RUN, FIELD(emulator),
	  "which one: QEMU, or for a PC Bochs, whose processor has VT-x; there time is\n"
	  "counted in instructions anyway" },
	{ "dry-run", 'n', OPT_FLAG, NULL, CMD_RUN, FIELD(dry_run),
	  "print the emulator's command line and stop" },
	{ "gdb", 'g', OPT_FLAG, NULL, CMD_RUN, FIELD(gdb),
	  "wait for a debugger on port 1234; says what to type into it" },
	{ "deterministic", 'd', OPT_FLAG, NULL, CMD_RUN, FIELD(deterministic),
	  "count time in instructions, so that runs repeat byte for byte\n"
	  "(no input, implies --plain)" },
	{ "plain", 'p', OPT_FLAG, NULL, CMD_RUN, FIELD(plain),
	  "pass the target's text through as it comes, and what is typed" },
	{ "log", 'l', OPT_TEXT, "FILE", CMD_RUN, FIELD(log),
	  "write all that the target says to FILE as well" },
	{ "log", 'l', OPT_TEXT, "FILE", CMD_FAULTS, FIELD(log),
	  "read this log instead of a running system's" },
	{ "timeout", 't', OPT_NUMBER, "SECONDS", CMD_RUN, FIELD(timeout_s),
	  "end the run after so long, with exit code 1" },
	{ "detach", 0, OPT_FLAG, NULL, CMD_RUN, FIELD(detach),
	  "run in the background; use ps, console, logs, poweroff" },
	{ "system", 's', OPT_TEXT, "NAME", CMD_CLIENTS, FIELD(system),
	  "the running system that is meant, if there are several" },
	{ "json", 0, OPT_FLAG, NULL,
	  CMD_PS | CMD_QUERY | CMD_COMPARE | CMD_DOCTOR | CMD_FAULTS | CMD_CHECK | CMD_TOP,
	  FIELD(json),
	  "print the answer as JSON" },
	{ "accounting", 'a', OPT_FLAG, NULL, CMD_PS, FIELD(accounting),
	  "print what all VMs and services together use, and what is free" },
	{ "now", 0, OPT_FLAG, NULL, CMD_STOP, FIELD(now), "at once, whatever the guest does" },
	{ "once", '1', OPT_FLAG, NULL, CMD_TOP, FIELD(once), "print one table and stop" },
	{ "seconds", 0, OPT_NUMBER, "N", CMD_TRACE, FIELD(seconds), "for how long (1)" },
	{ "interval", 'n', OPT_NUMBER, "SECONDS", CMD_TOP, FIELD(interval_s),
	  "how long one table is about (1)" },
	{ "html", 0, OPT_TEXT, "FILE", CMD_COMPARE, FIELD(html),
	  "write a page of HTML as well, which needs nothing else" },
	{ "monitor", 'm', OPT_TEXT, "ADDRESS", CMD_CAPTURE, FIELD(monitor),
	  "a QEMU's monitor, HMP or QMP: PORT, HOST:PORT or unix:PATH" },
	{ "gdb-server", 0, OPT_TEXT, "ADDRESS", CMD_CAPTURE, FIELD(gdb_server),
	  "that QEMU's GDB server, if its monitor's word does not lead there" },
	{ "wait", 'w', OPT_NUMBER, "SECONDS", CMD_CAPTURE, FIELD(wait_s),
	  "try so long until the guest is there and can be captured" },
	{ "image", 'i', OPT_TEXT, "FILE", CMD_CAPTURE, FIELD(image),
	  "the image that the guest runs" },
	{ "load", 0, OPT_TEXT, "ADDRESS", CMD_CAPTURE | CMD_RUN, FIELD(load),
	  "where the guest's image is loaded; of a reference, a raw one" },
	{ "entry", 0, OPT_TEXT, "ADDRESS", CMD_CAPTURE | CMD_RUN, FIELD(entry),
	  "where it is entered" },
	{ "reference", 0, OPT_TEXT, "SIDE", CMD_RUN, FIELD(reference),
	  "run the guest on QEMU (qemu), or on QEMU with KVM (kvm); where the host\n"
	  "has no KVM for Arm, inside an emulated machine that has" },
	{ "vm", 0, OPT_TEXT, "NAME", CMD_RUN, FIELD(vm),
	  "reference: the VM of the description, if it has several" },
	{ "board", 0, OPT_TEXT, "NAME", CMD_RUN, FIELD(board),
	  "reference: virt, vexpress-a9 or pc" },
	{ "width", 0, OPT_NUMBER, "32|64", CMD_RUN, FIELD(width),
	  "reference: of the registers, where the image does not tell" },
	{ "cpu", 0, OPT_TEXT, "MODEL", CMD_RUN, FIELD(cpu),
	  "reference qemu: the processor" },
	{ "gic", 0, OPT_NUMBER, "2|3", CMD_RUN, FIELD(gic),
	  "reference: the interrupt controller" },
	{ "memory", 0, OPT_TEXT, "SIZE", CMD_RUN, FIELD(memory),
	  "reference: RAM" },
	{ "gdb-port", 0, OPT_NUMBER, "PORT", CMD_RUN, FIELD(gdb_port),
	  "of the GDB server (1234; reference: 1235)" },
	{ "monitor-port", 0, OPT_NUMBER, "PORT", CMD_RUN, FIELD(monitor_port),
	  "of QEMU's monitor (with --gdb 55555; reference: 55556)" },
	{ "trace", 0, OPT_TEXT, "FILE", CMD_RUN, FIELD(trace),
	  "reference: QEMU's log (reference-SIDE.trace)" },
	{ "trace-items", 0, OPT_TEXT, "LIST", CMD_RUN, FIELD(trace_items),
	  "reference: what it logs, as for QEMU's -d (int,guest_errors,unimp);\n"
	  "exec,cpu,mmu make much of it" },
	{ "claim", 0, OPT_TEXT, "NAME", CMD_CAPTURE, FIELD(claim),
	  "what you believe ran it (kvm, tcg, selvage); `compare` holds it against\n"
	  "what did" },
	{ "port", 0, OPT_NUMBER, "PORT", CMD_GDB, FIELD(port),
	  "TCP port that GDB connects to, on this machine only (1234)" },
	{ "port-only", 0, OPT_FLAG, NULL, CMD_GDB, FIELD(port_only),
	  "start no GDB: print the address and serve whoever connects" },
	{ "dump", 0, OPT_TEXT, "FILE", CMD_AUDIT, FIELD(dump),
	  "take this output of `selvage caps --json`, not a running system's answer" },
	{ "topology", 0, OPT_FLAG, NULL, CMD_CHECK, FIELD(topology),
	  "print who can reach what, what falls with what, and the security domains" },
	{ "svg", 0, OPT_TEXT, "FILE", CMD_CHECK, FIELD(svg),
	  "topology: draw it there as well, by Graphviz" },
	{ "from", 0, OPT_TEXT, "NAME", CMD_CHECK, FIELD(from),
	  "topology: and the paths of an attack from this component" },
	{ "to", 0, OPT_TEXT, "NAME", CMD_CHECK, FIELD(to), "topology: to this one" },
	{ "follow", 'f', OPT_FLAG, NULL, CMD_LOGS, FIELD(follow),
	  "go on printing as the log grows" },
};

#define N_OPTIONS (sizeof(option_defs) / sizeof(option_defs[0]))
#define CODE_HELP 1000
#define CODE_VERSION 1001
#define CODE_OPTION 2000 /* + index into option_defs */

static void print_option(const struct option_def *def)
{
	char left[64];
	const char *line = def->help;

	snprintf(left, sizeof(left), "%s%c%s --%s%s%s", def->letter ? "-" : " ",
		 def->letter ? def->letter : ' ', def->letter ? "," : " ",
		 def->name, def->arg ? " " : "", def->arg ? def->arg : "");
	printf("  %-26s", left);
	for (const char *end; (end = strchr(line, '\n')); line = end + 1)
		printf(" %.*s\n  %26s", (int)(end - line), line, "");
	printf(" %s\n", line);
}

static void print_command_help(const struct command *command)
{
	printf("Usage: selvage %s [OPTION...]%s%s\n\n%s\n\nOptions:\n",
	       command->name, *command->args ? " " : "", command->args,
	       command->help);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (option_defs[i].commands & command->bit)
			print_option(&option_defs[i]);
	}
	printf("  %-26s %s\n", "-h, --help", "print this help");
}

static void print_help(void)
{
	printf("Usage: selvage COMMAND [OPTION...] [ARGUMENT]\n\n"
	       "Builds, runs and inspects systems of virtual machines that one "
	       "YAML file\ndescribes.\n\nCommands:\n");
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct command *c = &commands[i];
		char left[40];

		snprintf(left, sizeof(left), "%s %s", c->name, c->args);
		printf("  %-24s %.*s\n", left,
		       (int)strcspn(c->help, "\n"), c->help);
	}
	printf("\n`selvage COMMAND --help` tells a command's options, "
	       "`selvage --version` the version.\n"
	       "Exit codes: 0 all went well, 1 input or run failed, 2 wrong "
	       "usage.\n");
}

static command_fn usage_error(int *code, const char *command)
{
	fprintf(stderr, "selvage: try `selvage%s%s --help`\n",
		command ? " " : "", command ? command : "");
	*code = EXIT_USAGE;
	return NULL;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static bool parse_number(const char *text, unsigned *value)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n == 0 || n > 1000000)
		return false;
	*value = (unsigned)n;
	return true;
}

static bool take_option(struct options *options, const struct option_def *def,
			const char *value)
{
	char *field = (char *)options + def->offset;

	switch (def->type) {
	case OPT_FLAG:
		*(bool *)(void *)field = true;
		return true;
	case OPT_TEXT:
		*(const char **)(void *)field = value;
		return true;
	default:
		if (parse_number(value, (unsigned *)(void *)field))
			return true;
		fprintf(stderr,
			"selvage: error: `--%s %s` is no number from 1 to "
			"1000000\n",
			def->name, value);
		return false;
	}
}

/* getopt's tables for one command, from ours. */
struct getopt_tables {
	struct option longs[N_OPTIONS + 3];
	char shorts[3 * N_OPTIONS + 4];
};

static void fill_tables(struct getopt_tables *t, const struct command *command)
{
	size_t n = 0;
	char *s = t->shorts;

	*s++ = ':';
	*s++ = 'h';
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_def *def = &option_defs[i];

		if (!(def->commands & command->bit))
			continue;
		t->longs[n++] = (struct option){
			def->name,
			def->type == OPT_FLAG ? no_argument : required_argument,
			NULL, CODE_OPTION + (int)i
		};
		if (def->letter)
			*s++ = def->letter;
		if (def->letter && def->type != OPT_FLAG)
			*s++ = ':';
	}
	*s = '\0';
	t->longs[n++] = (struct option){ "help", no_argument, NULL, CODE_HELP };
	t->longs[n] = (struct option){ 0 };
}

/* Two commands may have the same letter for options of their own. */
static const struct option_def *option_of_code(int code, unsigned command)
{
	if (code >= CODE_OPTION)
		return &option_defs[code - CODE_OPTION];
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (option_defs[i].letter == code && (option_defs[i].commands & command))
			return &option_defs[i];
	}
	return NULL;
}

/* `word`: with the option, if it is a long one. Letters may stand together. */
static void say_wrong_option(int code, const char *word)
{
	char letter[3] = { '-', (char)optopt, '\0' };

	fprintf(stderr, "selvage: error: %s `%s`\n",
		code == ':' ? "a value is missing after" : "unknown option",
		optopt > 0 && optopt < CODE_HELP ? letter : word);
}

static bool parse_options(struct options *options,
			  const struct command *command, int argc, char **argv,
			  bool *help)
{
	struct getopt_tables tables = { 0 };
	int code;

	fill_tables(&tables, command);
	opterr = 0;
	optind = 1;
	while ((code = getopt_long(argc, argv, tables.shorts, tables.longs,
				   NULL)) != -1) {
		if (code == CODE_HELP || code == 'h') {
			*help = true;
			return true;
		}
		if (code == ':' || code == '?') {
			say_wrong_option(code, argv[optind - 1]);
			return false;
		}
		if (!take_option(options, option_of_code(code, command->bit), optarg))
			return false;
	}
	return true;
}

static bool take_arguments(struct options *options,
			   const struct command *command, int argc, char **argv)
{
	int n = argc - optind;

	if (n < command->min_args || n > command->max_args) {
		if (n < command->min_args)
			fprintf(stderr, "selvage: error: `%s` needs %s\n",
				command->name, command->args);
		else
			fprintf(stderr,
				"selvage: error: `%s` takes no argument `%s`\n",
				command->name,
				argv[optind + command->max_args]);
		return false;
	}
	for (int i = 0; i < n; i++)
		options->arg[i] = argv[optind + i];
	options->n_args = n;
	return true;
}

/* Sets aside what stands behind `--`; returns how many arguments are before it. */
static int take_rest(struct options *options, const struct command *command, int argc, char **argv)
{
	for (int i = 1; i < argc && command->bit == CMD_RUN; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		options->rest = &argv[i + 1];
		options->n_rest = argc - i - 1;
		return i;
	}
	return argc;
}

static command_fn parse_command(struct options *options,
				const struct command *command, int argc,
				char **argv, int *code)
{
	bool help = false;

	options->command = command->name;
	argc = take_rest(options, command, argc, argv);
	if (!parse_options(options, command, argc, argv, &help))
		return usage_error(code, command->name);
	if (help) {
		print_command_help(command);
		*code = EXIT_OK;
		return NULL;
	}
	if (!take_arguments(options, command, argc, argv))
		return usage_error(code, command->name);
	return command->run;
}

static command_fn unknown_command(const char *name, int *code)
{
	const char *near = suggest_near(name, commands, N_COMMANDS,
					sizeof(commands[0]));

	fprintf(stderr, "selvage: error: unknown command `%s`", name);
	if (near)
		fprintf(stderr, "; did you mean `%s`?", near);
	fputc('\n', stderr);
	return usage_error(code, NULL);
}

command_fn cli_parse(struct options *options, int argc, char **argv, int *code)
{
	const struct command *command;
	const char *name = argc > 1 ? argv[1] : NULL;
	bool is_help;

	*options = (struct options){ 0 };
	*code = EXIT_OK;
	if (!name) {
		fprintf(stderr, "selvage: error: no command given\n");
		return usage_error(code, NULL);
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h") ||
	    (!strcmp(name, "help") && argc == 2)) {
		print_help();
		return NULL;
	}
	if (!strcmp(name, "--version")) {
		printf("selvage %s\n", SELVAGE_VERSION);
		return NULL;
	}
	is_help = strcmp(name, "help") == 0;
	name = is_help ? argv[2] : name;
	command = find_command(name);
	if (!command)
		return unknown_command(name, code);
	if (is_help) {
		print_command_help(command);
		return NULL;
	}
	return parse_command(options, command, argc - 1, argv + 1, code);
}
