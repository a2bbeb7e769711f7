/* QEMU's command line. */
#pragma once

#include "cli.h"
#include "emulator.h"
#include "sysimage.h"

#define QEMU_GDB_PORT 1234
#define QEMU_MONITOR_PORT 55555
/* Debian's package ovmf: code and variables in one, which are not kept. */
#define QEMU_UEFI "/usr/share/ovmf/OVMF.fd"
#define QEMU_ISO_SUFFIX ".iso" /* of the image that --firmware starts */

void qemu_command_make(struct emulator_command *command, const struct sysimage_machine *machine,
		       const char *image, const struct options *options);
