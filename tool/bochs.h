/* Bochs, a PC with VT-x: its command line and what it starts from. */
#pragma once

#include "cli.h"
#include "emulator.h"
#include "sysimage.h"

/* What of the machine and the options Bochs does not have, and what to do, or NULL. */
const char *bochs_lacks(const struct sysimage_machine *machine, const struct options *options);

/* Files that it starts from are in a folder of their own beside the image. */
void bochs_command_make(struct emulator_command *command, const char *image,
			const struct options *options);
/* Writes these files. Reports a failure. */
bool bochs_write_files(const struct sysimage_machine *machine, const char *image,
		       const char *build_dir, const struct options *options);
