/*
 * A system description, read and checked: what `selvage check` accepts and
 * `build` and `run` work from.
 */
#pragma once

#include <selvage/sysdesc.h>
#include <stdbool.h>
#include <stdint.h>

#include "cpus.h"
#include "files.h"
#include "schema.h"

#define MACHINE_RAM_BASE 0x40000000ull
#define MACHINE_MEMORY_DEFAULT "1G"
/* Kernel, loader, services and the tables of every VM. */
#define SYSTEM_RESERVE_BYTES (64ull << 20)
#define SYSTEM_VM_RESERVE_BYTES (2ull << 20)

/* A port of the host that leads into the machine's network. */
struct forward {
	char protocol[4]; /* tcp or udp */
	unsigned host_port, port;
	char address[16];
};

struct system {
	char *file;
	struct yamldoc doc;
	struct conf *conf;
	const struct cpu *cpu;
	uint64_t machine_bytes;
	unsigned n_forwards;
	struct forward forward[SYSTEM_FORWARDS];
	struct sysdesc *desc; /* payload indexes and checksum not yet set */
	struct file *kernel;  /* one for each VM; set by system_load_images */
	struct file *initrd;  /* the same; data is NULL without an initrd */
	char **modules;       /* of Multiboot VMs: as QEMU's -initrd names them, or NULL */
	struct file *disk;    /* SYSDESC_MAX_DISKS for each VM; n_disks are there */
	struct file *served;  /* one for each connection: its disk; data may be NULL */
};

/* Everything that can be checked without another file. False, with
 * messages, if the description is wrong. */
bool system_parse(struct system *sys, const char *file, const void *text,
		  size_t size);
/* Reads the file and does system_parse. */
bool system_read(struct system *sys, const char *file);
/* Opens and checks the images that the VMs boot; a Multiboot VM's modules become the one
 * image `initrd` (selvage/modules.h). */
bool system_load_images(struct system *sys, const char *build_dir);
void system_free(struct system *sys);

/* For the parts of the check. The line of a key's value, or that of the
 * mapping if the key is missing. */
unsigned system_line(struct system *sys, yaml_node_t *map, const char *key);
yaml_node_t *system_vm_node(struct system *sys, uint32_t vm);
/* A name such as VMs and systems have, in `size` bytes. Reports it if not. */
bool system_check_name(struct system *sys, yaml_node_t *map, const char *what,
		       const char *name, size_t size);
/* Fills sys->desc->vm[index] from the VM's configuration (system_vm.c). */
bool system_check_vm(struct system *sys, uint32_t index);
static inline struct sysdesc_connection *system_connection(struct system *sys, uint32_t index)
{
	return (struct sysdesc_connection *)&sys->desc->vm[sys->desc->n_vms] + index;
}
/* Fills in a connection (system_connections.c), and its pool into its driver. */
bool system_check_connection(struct system *sys, uint32_t index);
/* Who may talk to whom in the network, once all connections are filled in. */
bool system_check_network(struct system *sys);
/* Whether such an `image` is the machine's disk or a part of it. */
bool system_is_machines_disk(const char *image);
#define SYSTEM_DISK_PATH 256u /* bytes of that file's name, NUL included */
/* Who may write to what of the machine's disk, the same. */
bool system_check_disks(struct system *sys);
/* `tcp:8080:10.0.2.15:80` */
bool system_parse_forward(const char *text, struct forward *forward);
/* Of that VM, the devices of the machine (system_passthrough.c). */
bool system_check_passthrough(struct system *sys, uint32_t index);
/* Whether the VM has `low_vectors`, of whatever kind. */
bool system_low_vectors(const struct conf_vm *conf);
/* RAM of all VMs, bytes, and of their disks that can be written, once they are
 * loaded; aliases are none of their own. */
uint64_t system_guest_bytes(const struct system *sys);
