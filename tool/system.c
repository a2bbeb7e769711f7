#include "system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "forbid.h"
#include "suggest.h"
#include "units.h"

#define MACHINE_MEMORY_MIN (1ull << 30)
#define MACHINE_MEMORY_MAX (255ull << 30) /* QEMU virt's RAM ends there */

unsigned system_line(struct system *sys, yaml_node_t *map, const char *key)
{
	yaml_node_t *value = yamldoc_get(&sys->doc, map, key);

	return yamldoc_line(&sys->doc, value ? value : map);
}

yaml_node_t *system_vm_node(struct system *sys, uint32_t vm)
{
	yaml_node_t *vms =
		yamldoc_get(&sys->doc, yamldoc_root(&sys->doc), "vms");

	return yamldoc_item(&sys->doc, vms, vm);
}

static yaml_node_t *machine_node(struct system *sys)
{
	yaml_node_t *root = yamldoc_root(&sys->doc);
	yaml_node_t *machine = yamldoc_get(&sys->doc, root, "machine");

	return machine ? machine : root;
}

static bool name_valid(const char *name)
{
	const char *alnum = "abcdefghijklmnopqrstuvwxyz0123456789";
	const char *all = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	return *name && strchr(alnum, *name) && strspn(name, all) == strlen(name);
}

bool system_check_name(struct system *sys, yaml_node_t *map, const char *what,
		       const char *name, size_t size)
{
	unsigned line = system_line(sys, map, "name");

	if (strlen(name) >= size) {
		diag_error_at(sys->file, line,
			      "the name of %s is longer than %zu letters; "
			      "shorten it",
			      what, size - 1);
		return false;
	}
	if (!name_valid(name)) {
		diag_error_at(sys->file, line,
			      "`%s` is no name for %s; use a-z, 0-9, `-` and "
			      "`_`, a letter or digit first",
			      name, what);
		return false;
	}
	return true;
}

static bool unknown_cpu(struct system *sys, const char *name)
{
	unsigned line = system_line(sys, machine_node(sys), "cpu");
	const char *near = suggest_near(name, cpu_at(0), 7, sizeof(struct cpu));

	if (near)
		diag_error_at(sys->file, line,
			      "unknown cpu `%s`; did you mean `%s`?", name,
			      near);
	else
		diag_error_at(sys->file, line,
			      "unknown cpu `%s`; take cortex-a53, cortex-a57, "
			      "cortex-a72, cortex-a76 or max",
			      name);
	return false;
}

static bool is_pc(const struct system *sys) { return sys->conf->machine.board == MACHINE_PC; }

static bool check_cpu(struct system *sys, const struct conf_machine *machine)
{
	const char *name = machine->cpu ? machine->cpu
			   : is_pc(sys) ? CPU_DEFAULT_PC
					: CPU_DEFAULT;

	sys->cpu = cpu_find(name);
	if (!sys->cpu)
		return unknown_cpu(sys, name);
	if (sys->cpu->pc == is_pc(sys))
		return true;
	diag_error_at(sys->file, system_line(sys, machine_node(sys), "cpu"),
		      "board `%s` has no cpu `%s`; take e.g. `%s`",
		      is_pc(sys) ? "pc" : "qemu-virt", name,
		      is_pc(sys) ? CPU_DEFAULT_PC : CPU_DEFAULT);
	sys->cpu = NULL;
	return false;
}

static bool check_gic(struct system *sys, const struct conf_machine *machine)
{
	yaml_node_t *map = machine_node(sys);
	bool given = yamldoc_get(&sys->doc, map, "gic") != NULL;
	uint32_t gic = given ? machine->gic : 3;
	unsigned line = system_line(sys, map, "gic");

	if (is_pc(sys))
		return true;
	sys->desc->gic_version = gic == 2 ? 2 : 3; /* the VMs are judged by one that there is */
	if (gic != 2 && gic != 3) {
		diag_error_at(sys->file, line,
			      "there is no `gic` version %u here; give 2 or 3",
			      gic);
		return false;
	}
	return true;
}

static bool check_machine_memory(struct system *sys,
				 const struct conf_machine *machine)
{
	const char *text =
		machine->memory ? machine->memory : MACHINE_MEMORY_DEFAULT;
	unsigned line = system_line(sys, machine_node(sys), "memory");

	if (!units_parse_size(text, &sys->machine_bytes)) {
		diag_error_at(sys->file, line,
			      "`%s` is no size; write e.g. 1G or 2048M", text);
		return false;
	}
	if (sys->machine_bytes < MACHINE_MEMORY_MIN ||
	    sys->machine_bytes > MACHINE_MEMORY_MAX ||
	    sys->machine_bytes % (1 << 20) != 0) {
		diag_error_at(sys->file, line,
			      "the machine cannot have %s of memory; give 1G "
			      "to 255G in whole megabytes",
			      text);
		return false;
	}
	return true;
}

bool system_parse_forward(const char *text, struct forward *f)
{
	unsigned a[4];
	int end = -1;

	if (sscanf(text, "%3[a-z]:%5u:%3u.%3u.%3u.%3u:%5u%n", f->protocol, &f->host_port, &a[0],
		   &a[1], &a[2], &a[3], &f->port, &end) != 7 ||
	    end < 0 || text[end] != '\0' ||
	    (strcmp(f->protocol, "tcp") != 0 && strcmp(f->protocol, "udp") != 0))
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (a[i] > 255)
			return false;
	snprintf(f->address, sizeof(f->address), "%u.%u.%u.%u", a[0] & 255, a[1] & 255, a[2] & 255,
		 a[3] & 255);
	return f->host_port >= 1 && f->host_port <= 65535 && f->port >= 1 && f->port <= 65535;
}

/* Whether an earlier one has the host's port already. */
static bool port_taken(const struct forward *f, const struct forward *all)
{
	for (const struct forward *other = all; other < f; other++)
		if (other->host_port == f->host_port && strcmp(other->protocol, f->protocol) == 0)
			return true;
	return false;
}

static bool check_nic(struct system *sys, const struct conf_machine *machine)
{
	yaml_node_t *list = yamldoc_get(&sys->doc, machine_node(sys), "forward");

	sys->desc->machine |= (uint32_t)machine->nic;
	if (((uint32_t)machine->nic & (uint32_t)SYSDESC_MACHINE_E1000) && !is_pc(sys)) {
		diag_error_at(sys->file, system_line(sys, machine_node(sys), "nic"),
			      "only a machine `pc` has an e1000; give `nic: virtio`");
		return false;
	}
	if (machine->nic == 0 && machine->forward_count != 0) {
		diag_error_at(sys->file, system_line(sys, machine_node(sys), "forward"),
			      "`forward` without a network interface; give `nic: virtio`");
		return false;
	}
	for (unsigned i = 0; i < machine->forward_count; i++) {
		const char *text = machine->forward[i];
		const bool rule = system_parse_forward(text, &sys->forward[i]);

		if (rule && !port_taken(&sys->forward[i], sys->forward))
			continue;
		diag_error_at(sys->file, yamldoc_line(&sys->doc, yamldoc_item(&sys->doc, list, i)),
			      rule ? "`forward`: the port of the host in `%s` is forwarded "
				     "already; take another one"
				   : "`forward`: `%s` is no rule; give e.g. "
				     "\"tcp:8080:10.0.2.15:80\"",
			      text);
		return false;
	}
	sys->n_forwards = machine->forward_count;
	return true;
}

/* A file's name that the image's record can have. */
static bool check_machine_disk(struct system *sys, const struct conf_machine *machine)
{
	if (machine->disk == NULL)
		return true;
	sys->desc->machine |= (uint32_t)SYSDESC_MACHINE_DISK;
	if (strlen(machine->disk) < SYSTEM_DISK_PATH && strpbrk(machine->disk, " \t\n") == NULL)
		return true;
	diag_error_at(sys->file, system_line(sys, machine_node(sys), "disk"),
		      "`disk`: the file's name has blanks, or 256 characters and more; give a "
		      "shorter one");
	return false;
}

static bool check_pc(struct system *sys)
{
	if (!is_pc(sys))
		return true;
	sys->desc->machine |= (uint32_t)SYSDESC_MACHINE_PC;
	if (yamldoc_get(&sys->doc, machine_node(sys), "gic") == NULL)
		return true;
	diag_error_at(sys->file, system_line(sys, machine_node(sys), "gic"),
		      "board `pc` has no `gic`; leave it out");
	return false;
}

static bool check_machine(struct system *sys)
{
	const struct conf_machine *machine = &sys->conf->machine;
	bool idle_given =
		yamldoc_get(&sys->doc, machine_node(sys), "on_idle") != NULL;
	bool ok = check_cpu(sys, machine);

	ok = check_gic(sys, machine) && ok;
	ok = check_machine_memory(sys, machine) && ok;
	ok = check_nic(sys, machine) && ok;
	ok = check_machine_disk(sys, machine) && ok;
	ok = check_pc(sys) && ok;
	sys->desc->on_idle = idle_given ? (uint32_t)machine->on_idle
					: (uint32_t)SYSDESC_IDLE_POWEROFF;
	return ok;
}

uint64_t system_guest_bytes(const struct system *sys)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < sys->desc->n_vms; i++) {
		const struct sysdesc_vm *vm = &sys->desc->vm[i];

		for (uint32_t j = 0; j < vm->n_regions; j++)
			if (sysdesc_owns(&vm->region[j]))
				sum += vm->region[j].size;
		for (uint32_t j = 0; j < vm->n_disks; j++)
			if (vm->disk[j].mode == SYSDESC_DISK_COPY_ON_WRITE)
				sum += sys->disk[i * SYSDESC_MAX_DISKS + j].size;
	}
	for (uint32_t i = 0; i < sys->desc->n_connections; i++)
		if (sysdesc_connections(sys->desc)[i].mode == SYSDESC_DISK_COPY_ON_WRITE)
			sum += sys->served[i].size;
	return sum;
}

/* The images are not counted here: `build` knows what they take. */
static bool check_memory_sum(struct system *sys)
{
	uint64_t guests = system_guest_bytes(sys);
	uint64_t reserve = SYSTEM_RESERVE_BYTES +
			   sys->desc->n_vms * SYSTEM_VM_RESERVE_BYTES;
	uint64_t gigabytes = (guests + reserve + (1ull << 30) - 1) >> 30;

	if (guests + reserve <= sys->machine_bytes)
		return true;
	if (gigabytes > MACHINE_MEMORY_MAX >> 30) {
		diag_error_at(sys->file, system_line(sys, machine_node(sys), "memory"),
			      "the VMs have %s of memory and kernel and services take %s, but a "
			      "machine has %s at most; give the VMs less",
			      units_size_text(guests), units_size_text(reserve),
			      units_size_text(MACHINE_MEMORY_MAX));
		return false;
	}
	diag_error_at(sys->file,
		      system_line(sys, machine_node(sys), "memory"),
		      "the VMs have %s of memory and kernel and services take "
		      "%s, but the machine has %s; set `machine: {memory: "
		      "%lluG}` or give the VMs less",
		      units_size_text(guests), units_size_text(reserve),
		      units_size_text(sys->machine_bytes),
		      (unsigned long long)gigabytes);
	return false;
}

static bool check_vms(struct system *sys)
{
	bool ok = true;

	for (uint32_t i = 0; i < sys->desc->n_vms; i++)
		ok = system_check_vm(sys, i) && ok;
	return ok;
}

static bool check_connections(struct system *sys)
{
	bool ok = true;

	for (uint32_t i = 0; i < sys->desc->n_connections; i++)
		ok = system_check_connection(sys, i) && ok;
	return ok;
}

static bool check_forbidden(struct system *sys)
{
	struct topology t;
	bool ok;

	if (sys->conf->forbid_count == 0)
		return true;
	topology_of(&t, sys->desc);
	ok = forbid_check(sys, &t);
	topology_free(&t);
	return ok;
}

static bool check_all(struct system *sys)
{
	yaml_node_t *root = yamldoc_root(&sys->doc);
	bool level_given = yamldoc_get(&sys->doc, root, "log_level") != NULL;
	bool ok;

	sys->desc->log_level = level_given ? (uint32_t)sys->conf->log_level : 2;
	ok = system_check_name(sys, root, "the system", sys->conf->name, sizeof(sys->desc->name));
	if (ok)
		strcpy(sys->desc->name, sys->conf->name);
	ok = check_machine(sys) && ok;
	ok = check_vms(sys) && ok;
	return ok && check_connections(sys) && system_check_network(sys) &&
	       system_check_disks(sys) && check_memory_sum(sys) &&
	       check_forbidden(sys);
}

static bool alloc_results(struct system *sys)
{
	size_t n = sys->conf->vms_count;
	size_t connections = sys->conf->connections_count;
	size_t size = sysdesc_bytes((uint32_t)n, (uint32_t)connections);

	sys->desc = calloc(1, size);
	sys->kernel = calloc(n + 1, sizeof(sys->kernel[0]));
	sys->initrd = calloc(n + 1, sizeof(sys->initrd[0]));
	sys->modules = calloc(n + 1, sizeof(sys->modules[0]));
	sys->disk = calloc((n + 1) * SYSDESC_MAX_DISKS, sizeof(sys->disk[0]));
	sys->served = calloc(connections + 1, sizeof(sys->served[0]));
	if (!sys->desc || !sys->kernel || !sys->initrd || !sys->modules || !sys->disk ||
	    !sys->served) {
		diag_error("out of memory");
		return false;
	}
	sys->desc->magic = SYSDESC_MAGIC;
	sys->desc->version = SYSDESC_VERSION;
	sys->desc->size = (uint32_t)size;
	sys->desc->n_vms = (uint32_t)n;
	sys->desc->n_connections = (uint32_t)connections;
	return true;
}

bool system_parse(struct system *sys, const char *file, const void *text,
		  size_t size)
{
	*sys = (struct system){ .file = files_text("%s", file) };
	sys->conf = conf_load(&sys->doc, sys->file, text, size);
	if (sys->conf && alloc_results(sys) && check_all(sys))
		return true;
	system_free(sys);
	return false;
}

bool system_read(struct system *sys, const char *file)
{
	struct file text = { 0 };
	bool ok;

	if (!file_map(&text, file)) {
		diag_error_at(file, 0, "cannot read it: %s; give the path of a "
				       "system description",
			      errno == ENODATA ? "it is empty"
					       : strerror(errno));
		return false;
	}
	ok = system_parse(sys, file, text.data, text.size);
	file_unmap(&text);
	return ok;
}

void system_free(struct system *sys)
{
	for (uint32_t i = 0; sys->desc && i < sys->desc->n_vms; i++) {
		if (sys->kernel)
			file_unmap(&sys->kernel[i]);
		if (sys->initrd)
			file_unmap(&sys->initrd[i]);
		if (sys->modules)
			free(sys->modules[i]);
		for (uint32_t j = 0; sys->disk && j < SYSDESC_MAX_DISKS; j++)
			file_unmap(&sys->disk[i * SYSDESC_MAX_DISKS + j]);
	}
	for (uint32_t i = 0; sys->desc && sys->served && i < sys->desc->n_connections; i++)
		file_unmap(&sys->served[i]);
	if (sys->conf)
		conf_free(sys->conf, &sys->doc);
	free(sys->desc);
	free(sys->kernel);
	free(sys->initrd);
	free(sys->modules);
	free(sys->disk);
	free(sys->served);
	free(sys->file);
	*sys = (struct system){ 0 };
}
