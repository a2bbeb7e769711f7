/*
 * The schema of a system description: what libcyaml makes of the file, and
 * the check of keys and types against it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "yamldoc.h"

#define SYSTEM_FORWARDS 8

/* Texts are NULL where the key is missing. */
struct conf_region {
	char *address;
	char *size;
	char *alias_of;
	char *physical;
};

struct conf_module {
	char *file;
	char *cmdline;
};

struct conf_disk {
	char *image;
	int mode;
};

struct conf_connection {
	char *driver;
	int device; /* enum sysdesc_connected */
	char *served_by;
	int sharing; /* enum sysdesc_sharing */
	char *pool;
	char *image;
	int mode;
	char **allow;
	unsigned allow_count;
	bool bridge;
};

struct conf_passthrough {
	char *device;
	bool trusted_dma;
};

struct conf_vm {
	char *name;
	int board;
	struct conf_region *memory;
	unsigned memory_count;
	uint32_t vcpus;
	uint32_t gic;
	char *kernel;
	int kind; /* enum guestimg_kind */
	char *load;
	char *entry;
	uint32_t width;
	char **low_vectors;
	unsigned low_vectors_count;
	char *initrd;
	struct conf_module *modules;
	unsigned modules_count;
	char *cmdline;
	uint32_t priority;
	char *budget;
	char *period;
	int smc;
	int restart;
	char *restart_delay;
	unsigned restart_limit;
	int debug;
	int *devices;
	unsigned devices_count;
	int *timers; /* enum sysdesc_timer */
	unsigned timers_count;
	struct conf_disk *disks;
	unsigned disks_count;
	int virtio;
	int msi;
	struct conf_passthrough *passthrough;
	unsigned passthrough_count;
	bool one_to_one;
	bool autostart;
	bool watchdog;
	int stop; /* enum sysdesc_stop */
	char *stop_timeout;
};

enum conf_board { MACHINE_VIRT = 0,
		  MACHINE_PC = 1 };

struct conf_machine {
	int board;
	char *cpu;
	uint32_t gic;
	char *memory;
	int on_idle;
	int nic;
	char **forward;
	unsigned forward_count;
	char *disk;
};

struct conf_forbid {
	char *from, *to;
	int what; /* enum forbid_what */
	char *through;
};

struct conf {
	char *name;
	struct conf_machine machine;
	int log_level;
	struct conf_vm *vms;
	unsigned vms_count;
	struct conf_connection *connections;
	unsigned connections_count;
	struct conf_forbid *forbid;
	unsigned forbid_count;
};

/*
 * Loads a description. `doc` gets the tree that gives later messages their
 * lines; free both with conf_free. NULL, with messages, if the text is not
 * YAML or does not follow the schema.
 */
struct conf *conf_load(struct yamldoc *doc, const char *file, const void *text,
		       size_t size);
void conf_free(struct conf *conf, struct yamldoc *doc);
