/* The reference side: the same image on a QEMU, to be compared with. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "emulator.h"

#define REFERENCE_VECTORS 16
/* Selvage's own are 1234 and 55555. */
#define REFERENCE_GDB_PORT 1235
#define REFERENCE_MONITOR_PORT 55556

struct reference {
	const char *image, *initrd, *cmdline; /* the latter two may be NULL */
	const char *board, *cpu;
	unsigned width, gic; /* of a PC without meaning */
	uint64_t memory_bytes;
	bool is_linux; /* or of a PC: QEMU knows where it goes */
	bool is_raw;
	uint64_t load, entry;
	uint32_t vector[REFERENCE_VECTORS]; /* to be put at 0 */
	unsigned n_vectors;
	unsigned gdb_port, monitor_port;
	const char *trace, *trace_items;
	char *const *rest; /* further arguments for that QEMU */
	int n_rest;
	const char *folder; /* for files of ours */
	const char *build_dir;
};

/* Whether the board is a PC. */
bool reference_is_pc(const struct reference *r);
/* The command lines. False with a message: this image cannot run there. */
bool reference_tcg(struct emulator_command *command, const struct reference *r);
/* On a host with KVM for the board's processors. */
bool reference_kvm(struct emulator_command *command, const struct reference *r);
/* Elsewhere, of Arm: KVM in Debian's arm64 kernel on an emulated machine. Writes files. */
bool reference_nested(struct emulator_command *command, const struct reference *r);
/* Whether this host has KVM for them. */
bool reference_host_has_kvm(const struct reference *r);
