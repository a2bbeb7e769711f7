/* The check of the connections of a system description. */
#include <stdio.h>
#include <string.h>

#include "diag.h"
#include "system.h"
#include "units.h"

#define LARGE_PAGE (2ull << 20)
#define POOL_DEFAULT (8ull << 20)
#define POOL_MIN (256ull << 10)
#define POOL_MAX (1ull << 30)

struct connection_check {
	struct system *sys;
	yaml_node_t *node;
	const struct conf_connection *conf;
	struct sysdesc_connection *c;
};

static const char *const device_names[] = {
	[SYSDESC_CONNECT_NET] = "net",
	[SYSDESC_CONNECT_BLOCK] = "block",
	[SYSDESC_CONNECT_CONSOLE] = "console",
	[SYSDESC_CONNECT_VSOCK] = "vsock",
};

static unsigned line_of(const struct connection_check *k, const char *key)
{
	return system_line(k->sys, k->node, key);
}

/* SYSDESC_MAX_VMS: none. */
static uint32_t find_vm(const struct connection_check *k, const char *name)
{
	const struct sysdesc *d = k->sys->desc;

	for (uint32_t i = 0; i < d->n_vms; i++)
		if (strcmp(d->vm[i].name, name) == 0)
			return i;
	return SYSDESC_MAX_VMS;
}

static bool check_driver(const struct connection_check *k)
{
	struct sysdesc_vm *vm;

	k->c->driver = find_vm(k, k->conf->driver);
	if (k->c->driver == SYSDESC_MAX_VMS) {
		diag_error_at(k->sys->file, line_of(k, "driver"),
			      "`driver`: there is no VM `%s`; give the name of one of `vms`",
			      k->conf->driver);
		return false;
	}
	vm = &k->sys->desc->vm[k->c->driver];
	if (vm->board == SYSDESC_BOARD_VEXPRESS_A9) {
		diag_error_at(k->sys->file, line_of(k, "driver"),
			      "board `%s` of VM `%s` has no place for virtio devices; take `virt`",
			      sysdesc_board_name(vm->board), vm->name);
		return false;
	}
	if (vm->n_connections == SYSDESC_VM_CONNECTIONS) {
		diag_error_at(k->sys->file, line_of(k, "driver"),
			      "VM `%s` is the driver of more than %d connections; remove some",
			      vm->name, SYSDESC_VM_CONNECTIONS);
		return false;
	}
	vm->n_connections++;
	return true;
}

static bool is_native(const struct connection_check *k)
{
	return k->c->server == SYSDESC_SERVER_BLOCK || k->c->server == SYSDESC_SERVER_NET;
}

/* Whether the server, if it is a native one, has the device. */
static bool has_device(const struct connection_check *k)
{
	if (k->c->device == SYSDESC_CONNECT_VSOCK)
		return k->c->server == SYSDESC_SERVER_NET;
	return !is_native(k) || strcmp(device_names[k->c->device], k->conf->served_by) == 0;
}

static bool find_server(const struct connection_check *k)
{
	const char *name = k->conf->served_by;
	unsigned line = line_of(k, "served_by");

	if (strcmp(name, "block") == 0)
		k->c->server = SYSDESC_SERVER_BLOCK;
	else if (strcmp(name, "net") == 0)
		k->c->server = SYSDESC_SERVER_NET;
	else
		k->c->server = find_vm(k, name);
	if (k->c->server == SYSDESC_MAX_VMS) {
		diag_error_at(k->sys->file, line,
			      "`served_by`: there is no VM `%s`; give `block`, `net`, or the name "
			      "of a VM",
			      name);
		return false;
	}
	if (k->c->server == k->c->driver) {
		diag_error_at(k->sys->file, line,
			      "`served_by`: VM `%s` cannot serve a device to itself; give another",
			      name);
		return false;
	}
	if (!has_device(k)) {
		diag_error_at(k->sys->file, line,
			      "`served_by`: %s `%s` has no device `%s`; give %s",
			      is_native(k) ? "the server" : "VM", name,
			      device_names[k->c->device],
			      k->c->device == SYSDESC_CONNECT_VSOCK ? "`net`"
								    : "a VM that serves it");
		return false;
	}
	return true;
}

#define MACHINES_DISK "disk:"

bool system_is_machines_disk(const char *image)
{
	return strncmp(image, MACHINES_DISK, strlen(MACHINES_DISK)) == 0;
}

/* `disk:0` or `disk:0/partition:2` */
static bool parse_disk(const char *text, uint32_t *partition)
{
	unsigned number = 0;
	int end = -1;

	*partition = 0;
	if (strcmp(text, MACHINES_DISK "0") == 0)
		return true;
	if (sscanf(text, MACHINES_DISK "0/partition:%3u%n", &number, &end) != 1 || end < 0 ||
	    text[end] != '\0' || number == 0 || number > SYSDESC_MAX_PARTITION)
		return false;
	*partition = number;
	return true;
}

/* The file is one of the machine's, not of the image. */
static bool check_machines_disk(const struct connection_check *k)
{
	k->c->image = SYSDESC_MACHINES_DISK;
	if (!parse_disk(k->conf->image, &k->c->partition)) {
		diag_error_at(k->sys->file, line_of(k, "image"),
			      "`image`: `%s` is no part of the machine's disk; give `disk:0`, or "
			      "`disk:0/partition:1` and so on up to 128",
			      k->conf->image);
		return false;
	}
	if (!(k->sys->desc->machine & (uint32_t)SYSDESC_MACHINE_DISK)) {
		diag_error_at(k->sys->file, line_of(k, "image"),
			      "`image`: the machine has no disk; give `machine: {disk: FILE}`");
		return false;
	}
	if (k->c->mode != SYSDESC_DISK_COPY_ON_WRITE)
		return true;
	diag_error_at(k->sys->file, line_of(k, "mode"),
		      "`mode`: of the machine's disk there is no copy; give read-only or "
		      "read-write");
	return false;
}

/* What is in the image is the same at each start. */
static bool check_image_mode(const struct connection_check *k)
{
	if (k->c->mode != SYSDESC_DISK_READ_WRITE)
		return true;
	diag_error_at(k->sys->file, line_of(k, "mode"),
		      "`mode`: an image cannot be written; give read-only or copy-on-write, or "
		      "`image: disk:0`");
	return false;
}

static bool check_disk(const struct connection_check *k)
{
	bool disk = k->c->server == SYSDESC_SERVER_BLOCK;
	const char *key = k->conf->image ? "image" : "mode";

	k->c->image = SYSDESC_NO_PAYLOAD;
	k->c->mode = (uint32_t)k->conf->mode;
	if (disk && !k->conf->image) {
		diag_error_at(k->sys->file, yamldoc_line(&k->sys->doc, k->node),
			      "a connection to `block` has no `image`; give `image: asset:NAME` or "
			      "a path");
		return false;
	}
	if (disk)
		return system_is_machines_disk(k->conf->image) ? check_machines_disk(k)
							       : check_image_mode(k);
	if (!k->conf->image && yamldoc_get(&k->sys->doc, k->node, "mode") == NULL)
		return true;
	diag_error_at(k->sys->file, line_of(k, key),
		      "`%s` is for connections to `block`; remove it", key);
	return false;
}

static bool pool_size(const struct connection_check *k, uint64_t *size)
{
	*size = POOL_DEFAULT;
	if (k->conf->pool == NULL || (units_parse_size(k->conf->pool, size) &&
				      *size >= POOL_MIN && *size <= POOL_MAX &&
				      *size % SYSDESC_PAGE == 0))
		return true;
	diag_error_at(k->sys->file, line_of(k, "pool"),
		      "`pool` is `%s`; give a size from 256K to 1G, a multiple of 4 KiB",
		      k->conf->pool);
	return false;
}

/* Where memory may be at or behind `gpa`: not among the board's devices. */
static uint64_t past_devices(uint32_t board, uint64_t gpa, uint64_t size)
{
	unsigned n;
	const struct sysdesc_range *d = sysdesc_board_devices(board, &n);

	for (; n > 0; n--, d++)
		if (gpa < d->base + d->size && d->base < gpa + size)
			gpa = d->base + d->size;
	return gpa;
}

/* Memory of the driver's, behind all that it has. */
static bool add_pool(const struct connection_check *k)
{
	struct sysdesc_vm *vm = &k->sys->desc->vm[k->c->driver];
	const uint64_t limit = 1ull << (k->sys->cpu ? k->sys->cpu->pa_bits : 40);
	struct sysdesc_region pool = { .from = SYSDESC_OWN_MEMORY };

	if (!pool_size(k, &pool.size))
		return false;
	for (uint32_t i = 0; i < vm->n_regions; i++)
		if (vm->region[i].gpa + vm->region[i].size > pool.gpa)
			pool.gpa = vm->region[i].gpa + vm->region[i].size;
	pool.gpa = (pool.gpa + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	pool.gpa = past_devices(vm->board, pool.gpa, pool.size);
	if (vm->n_regions == SYSDESC_MAX_REGIONS || pool.gpa + pool.size > limit) {
		diag_error_at(k->sys->file, line_of(k, "driver"),
			      "VM `%s` has no room for the pool behind its memory; give it fewer "
			      "regions, or lower ones",
			      vm->name);
		return false;
	}
	k->c->pool = vm->n_regions++;
	vm->region[k->c->pool] = pool;
	return true;
}

static bool check_sharing(const struct connection_check *k)
{
	const struct sysdesc_vm *vm = &k->sys->desc->vm[k->c->driver];
	uint64_t sum = 0;

	k->c->sharing = (uint32_t)k->conf->sharing;
	if (k->c->sharing == SYSDESC_SHARE_POOL)
		return add_pool(k);
	if (k->conf->pool) {
		diag_error_at(k->sys->file, line_of(k, "pool"),
			      "`pool` with `sharing: all`: there is none then; remove one of them");
		return false;
	}
	for (uint32_t i = 0; i < vm->n_regions; i++)
		sum += vm->region[i].size;
	if (sum <= SYSDESC_SHARE_BYTES)
		return true;
	diag_error_at(k->sys->file, line_of(k, "sharing"),
		      "`sharing: all`: VM `%s` has more than 4G of memory; share a pool", vm->name);
	return false;
}

/* Memory of a VM that serves lies where its PCI is not. */
static bool check_server_memory(const struct connection_check *k, const struct sysdesc_vm *vm)
{
	for (uint32_t i = 0; i < vm->n_regions; i++) {
		const struct sysdesc_region *r = &vm->region[i];

		if (r->gpa >= SYSDESC_VIRT_PCI_END || r->gpa + r->size <= SYSDESC_VIRT_PCI)
			continue;
		diag_error_at(k->sys->file, line_of(k, "served_by"),
			      "`served_by`: VM `%s` has memory at 0x%llx, where it finds what is "
			      "shared with it (0x%llx..0x%llx); move it",
			      vm->name, (unsigned long long)r->gpa, SYSDESC_VIRT_PCI,
			      SYSDESC_VIRT_PCI_END - 1);
		return false;
	}
	return true;
}

/* What the VM serves up to and with this one. */
static bool check_server_room(const struct connection_check *k, const struct sysdesc_vm *vm)
{
	const struct sysdesc_connection *c = sysdesc_connections(k->sys->desc);
	uint64_t sum = 0;

	for (; c <= k->c; c++)
		if (c->server == k->c->server)
			sum += (sysdesc_shared_bytes(k->sys->desc, c) + LARGE_PAGE - 1) /
			       LARGE_PAGE * LARGE_PAGE;
	if (sum <= SYSDESC_SERVE_END - SYSDESC_SERVE_MEMORY)
		return true;
	diag_error_at(k->sys->file, line_of(k, "served_by"),
		      "`served_by`: more than %s of others' memory is shared with VM `%s`; share "
		      "smaller pools",
		      units_size_text(SYSDESC_SERVE_END - SYSDESC_SERVE_MEMORY), vm->name);
	return false;
}

static bool check_served(const struct connection_check *k)
{
	struct sysdesc_vm *vm;

	if (is_native(k))
		return true;
	vm = &k->sys->desc->vm[k->c->server];
	if (vm->board != SYSDESC_BOARD_VIRT) {
		diag_error_at(k->sys->file, line_of(k, "served_by"),
			      "`served_by`: board `%s` of VM `%s` has no place for what it serves; "
			      "take `virt`",
			      sysdesc_board_name(vm->board), vm->name);
		return false;
	}
	if (vm->n_served == SYSDESC_VM_SERVED) {
		diag_error_at(k->sys->file, line_of(k, "served_by"),
			      "`served_by`: VM `%s` serves more than %d connections; let another "
			      "one serve some",
			      vm->name, SYSDESC_VM_SERVED);
		return false;
	}
	vm->n_served++;
	return check_server_memory(k, vm) && check_server_room(k, vm);
}

bool system_check_connection(struct system *sys, uint32_t index)
{
	yaml_node_t *list = yamldoc_get(&sys->doc, yamldoc_root(&sys->doc), "connections");
	const struct connection_check check = {
		.sys = sys,
		.node = yamldoc_item(&sys->doc, list, index),
		.conf = &sys->conf->connections[index],
		.c = system_connection(sys, index),
	};

	check.c->device = (uint32_t)check.conf->device;
	return check_driver(&check) && find_server(&check) && check_disk(&check) &&
	       check_sharing(&check) && check_served(&check);
}

/* --- Who may write where -------------------------------------------------------------- */

static bool overlap(const struct sysdesc_connection *a, const struct sysdesc_connection *b)
{
	return a->image == SYSDESC_MACHINES_DISK && b->image == SYSDESC_MACHINES_DISK &&
	       (a->partition == 0 || b->partition == 0 || a->partition == b->partition);
}

/* Nobody else has what one writes: two file systems' caches do not agree. */
bool system_check_disks(struct system *sys)
{
	yaml_node_t *list = yamldoc_get(&sys->doc, yamldoc_root(&sys->doc), "connections");

	for (uint32_t i = 0; i < sys->desc->n_connections; i++)
		for (uint32_t j = 0; j < i; j++) {
			const struct sysdesc_connection *a = system_connection(sys, i);
			const struct sysdesc_connection *b = system_connection(sys, j);

			if (!overlap(a, b) || (a->mode != SYSDESC_DISK_READ_WRITE &&
					       b->mode != SYSDESC_DISK_READ_WRITE))
				continue;
			diag_error_at(sys->file,
				      system_line(sys, yamldoc_item(&sys->doc, list, i), "image"),
				      "`image`: the connection in line %u has the same part of the "
				      "disk, and one of them writes; take another partition, or "
				      "make both read-only",
				      system_line(sys, yamldoc_item(&sys->doc, list, j), "image"));
			return false;
		}
	return true;
}

/* --- Who may talk to whom --------------------------------------------------------- */

static bool is_networked(const struct sysdesc_connection *c)
{
	return c->server == SYSDESC_SERVER_NET;
}

/* The bits of all connections of the VM to `net` with such a device; 0: it has none. */
static uint64_t ports_of(struct system *sys, const char *vm, uint32_t device)
{
	uint64_t ports = 0;
	unsigned port = 0;

	for (uint32_t i = 0; i < sys->desc->n_connections; i++) {
		const struct sysdesc_connection *c = system_connection(sys, i);

		if (!is_networked(c) || c->device != device)
			continue;
		if (strcmp(sys->desc->vm[c->driver].name, vm) == 0)
			ports |= 1ull << port;
		port++;
	}
	return ports;
}

static bool check_allowed(const struct connection_check *k, unsigned index, const char *name)
{
	yaml_node_t *list = yamldoc_get(&k->sys->doc, k->node, "allow");
	unsigned line = yamldoc_line(&k->sys->doc, yamldoc_item(&k->sys->doc, list, index));
	bool uplink = strcmp(name, "uplink") == 0;
	uint64_t ports = uplink ? 1ull << SYSDESC_UPLINK
				: ports_of(k->sys, name, k->c->device);

	if (uplink && k->c->device == SYSDESC_CONNECT_VSOCK) {
		diag_error_at(k->sys->file, line,
			      "`allow`: sockets do not go to the uplink; give names of VMs");
		return false;
	}
	if (uplink && !(k->sys->desc->machine & SYSDESC_MACHINE_NIC)) {
		diag_error_at(k->sys->file, line,
			      "`allow`: there is no uplink; give `machine: {nic: virtio}`");
		return false;
	}
	if (ports == 0)
		diag_error_at(k->sys->file, line,
			      "`allow`: no VM `%s` is in the network; give %sthe driver of a "
			      "connection to `net`%s",
			      name, k->c->device == SYSDESC_CONNECT_NET ? "`uplink`, or " : "",
			      k->c->device == SYSDESC_CONNECT_NET ? "" : " with the same device");
	k->c->allow |= ports;
	return ports != 0;
}

static bool check_rules(const struct connection_check *k)
{
	bool all = yamldoc_get(&k->sys->doc, k->node, "allow") == NULL;
	bool bridge = yamldoc_get(&k->sys->doc, k->node, "bridge") != NULL;

	if (bridge && k->c->device == SYSDESC_CONNECT_VSOCK) {
		diag_error_at(k->sys->file, line_of(k, "bridge"),
			      "`bridge` is for network devices; remove it");
		return false;
	}
	if (!is_networked(k->c) && (!all || bridge)) {
		diag_error_at(k->sys->file, line_of(k, all ? "bridge" : "allow"),
			      "`%s` is for connections to `net`; remove it",
			      all ? "bridge" : "allow");
		return false;
	}
	if (!is_networked(k->c))
		return true;
	k->c->flags = bridge && k->conf->bridge ? SYSDESC_CONNECT_BRIDGE : 0;
	k->c->allow = all ? ~0ull : 0;
	for (unsigned i = 0; i < k->conf->allow_count; i++)
		if (!check_allowed(k, i, k->conf->allow[i]))
			return false;
	return true;
}

/* A guest has one address: a second device of the same VM would have another. */
static bool check_socket(const struct connection_check *k, unsigned index)
{
	for (uint32_t i = 0; i < index; i++) {
		const struct sysdesc_connection *c = system_connection(k->sys, i);

		if (k->c->device != SYSDESC_CONNECT_VSOCK || c->device != k->c->device ||
		    c->driver != k->c->driver)
			continue;
		diag_error_at(k->sys->file, yamldoc_line(&k->sys->doc, k->node),
			      "VM `%s` has a device `vsock` already; remove one of them",
			      k->sys->desc->vm[k->c->driver].name);
		return false;
	}
	return true;
}

bool system_check_network(struct system *sys)
{
	yaml_node_t *list = yamldoc_get(&sys->doc, yamldoc_root(&sys->doc), "connections");
	unsigned networked = 0, sockets = 0;

	for (uint32_t i = 0; i < sys->desc->n_connections; i++) {
		const struct connection_check check = {
			.sys = sys,
			.node = yamldoc_item(&sys->doc, list, i),
			.conf = &sys->conf->connections[i],
			.c = system_connection(sys, i),
		};

		sockets += check.c->device == SYSDESC_CONNECT_VSOCK;
		networked += is_networked(check.c) && check.c->device == SYSDESC_CONNECT_NET;
		if (!check_rules(&check) || !check_socket(&check, i))
			return false;
	}
	if (sockets > SYSDESC_MAX_SOCKETS)
		diag_error_at(sys->file, yamldoc_line(&sys->doc, list),
			      "%u devices `vsock`, of which there can be %d; remove some", sockets,
			      SYSDESC_MAX_SOCKETS);
	if (networked > SYSDESC_MAX_NET)
		diag_error_at(sys->file, yamldoc_line(&sys->doc, list),
			      "%u connections to `net`, which can have %d; remove some", networked,
			      SYSDESC_MAX_NET);
	return sockets <= SYSDESC_MAX_SOCKETS && networked <= SYSDESC_MAX_NET;
}
