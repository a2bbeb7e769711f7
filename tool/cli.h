/* The command line: commands, options, help. One table says it all. */
#pragma once

#include <stdbool.h>

#include "cpus.h"

#define SELVAGE_VERSION "0.1"

enum exit_code { EXIT_OK = 0,
		 EXIT_FAILED = 1,
		 EXIT_USAGE = 2 };

#define CLI_ARGS_MAX 3

struct options {
	const char *command;
	const char *arg[CLI_ARGS_MAX];
	int n_args;
	const char *output;
	const char *iso;
	const char *firmware;
	const char *emulator;
	const char *root_task;
	const char *kernel;
	const char *build_dir;
	const char *system;
	const char *log;
	const char *monitor;
	const char *gdb_server;
	const char *image;
	const char *load;
	const char *entry;
	const char *claim;
	const char *html;
	const char *reference;
	const char *vm;
	const char *board;
	const char *cpu;
	const char *memory;
	const char *trace;
	const char *trace_items;
	const char *svg, *from, *to;
	const char *dump;
	unsigned width, gic;             /* 0: not given */
	unsigned gdb_port, monitor_port; /* the same */
	char **rest;                     /* what stands behind `--` */
	int n_rest;
	unsigned timeout_s;  /* 0: none */
	unsigned wait_s;     /* 0: not at all */
	unsigned seconds;    /* 0: the usual number */
	unsigned interval_s; /* 0: the usual one */
	unsigned port;       /* 0: the usual one */
	bool port_only;
	bool debug;
	bool dry_run;
	bool gdb;
	bool deterministic;
	bool detach;
	bool plain;
	bool json;
	bool follow;
	bool accounting;
	bool topology;
	bool once;
	bool now;
};

typedef int (*command_fn)(const struct options *options);

/* The commands, each in its own file. They return an exit code. */
int command_build(const struct options *options);
int command_check(const struct options *options);
int command_run(const struct options *options);
int command_reference(const struct options *options); /* run --reference */
int command_doctor(const struct options *options);
int command_control(const struct options *options); /* ps, start, ... */
int command_stop(const struct options *options);
int command_set(const struct options *options);
int command_create(const struct options *options);
int command_top(const struct options *options);
int command_trace(const struct options *options);
int command_shell(const struct options *options);
int command_console(const struct options *options);
int command_logs(const struct options *options);
int command_faults(const struct options *options);
int command_capture(const struct options *options);
int command_compare(const struct options *options);
int command_audit(const struct options *options);
int command_gdb(const struct options *options);

/*
 * Parses the command line. Returns the command to call, or NULL after
 * printing help (exit code 0 in *code) or a usage error (2).
 */
command_fn cli_parse(struct options *options, int argc, char **argv, int *code);
