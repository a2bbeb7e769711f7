/* Steps of `check` and `build` that `run` shares. */
#pragma once

#include <stdbool.h>

#include "cli.h"
#include "sysimage.h"
#include "system.h"

/* Reads and checks the description that the command line names, images
 * included; the caller frees it. False, with messages, if it is wrong. */
bool build_read_system(struct system *sys, const struct options *options,
		       const char *build_dir);
bool build_image(const struct system *sys, const struct options *options,
		 const char *build_dir, const char *output);
/* The caller frees what these return. */
char *build_config(const struct system *sys, const struct options *options);
char *build_default_output(const struct system *sys, const char *build_dir);
/* `check --topology`. */
int command_topology(const struct options *options, const struct system *sys);
