#include "connect.h"

#include "connect_vm.h"
#include "self.h"
#include "service.h"
#include "vm.h"

#include <selvage/base.h>
#include <selvage/client.h>
#include <selvage/crc32.h>
#include <selvage/link.h>
#include <selvage/log.h>
#include <selvage/serve.h>
#include <string.h>

static const struct sysdesc *system;

/* The description's, and behind them those that came with VMs at run time. */
static struct sysdesc_connection table[SYSDESC_MAX_CONNECTIONS]; /* device 0: none */
/* What a native server has for each. */
static struct {
	uint8_t place;
	uint8_t first_piece, n_pieces;
	struct mem_arena mem; /* of one that came at run time: its disk, and page tables */
} served[SYSDESC_MAX_CONNECTIONS];
/* The numbers of a VM's connections, in order. */
static struct {
	bool late; /* the VM came at run time */
	unsigned n;
	uint8_t number[SYSDESC_VM_CONNECTIONS];
} of_vm[SYSDESC_MAX_VMS];

/* Of each connection, while its VM is there. */
static struct {
	bool attached;
	struct process *p;
	cap_t page, event; /* event: init's own way to signal it */
} links[SYSDESC_MAX_CONNECTIONS];

const struct sysdesc_connection *connect_get(uint32_t n) { return &table[n]; }

static bool is_late(uint32_t n) { return n >= system->n_connections; }

uint32_t connect_server(enum proc_kind kind)
{
	return kind == PROC_BLOCK ? SYSDESC_SERVER_BLOCK : kind == PROC_NET ? SYSDESC_SERVER_NET
									    : 0;
}

static struct process *native(uint32_t server)
{
	return &processes[server == SYSDESC_SERVER_BLOCK ? PROC_BLOCK : PROC_NET];
}

/* The process that serves it, or NULL: it is dead. */
static struct process *server_of(const struct sysdesc_connection *c)
{
	return service_process(native(c->server)->kind);
}

bool connect_wanted(enum proc_kind kind)
{
	return sysdesc_has_server(system, connect_server(kind));
}

/* --- What servers know of connections ----------------------------------------------------- */

static unsigned pieces_of(const struct sysdesc_connection *c, const struct sysdesc_vm *vm)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < vm->n_regions; i++)
		n += vmm_shares(c->sharing, c->pool, vm, i);
	return n;
}

/* Whether no other connection of the server's has these pieces. */
static bool pieces_free(uint32_t n, unsigned first, unsigned count)
{
	for (uint32_t i = 0; i < SYSDESC_MAX_CONNECTIONS; i++)
		if (i != n && table[i].device != 0 && table[i].server == table[n].server &&
		    range_overlaps_u64(first, count, served[i].first_piece, served[i].n_pieces))
			return false;
	return first + count <= SERVE_PIECES;
}

/* A server must not look where there is nothing: regions begin and end anywhere in
 * large pages. False: not all of them have room. */
static bool find_pieces(uint32_t n, const struct sysdesc_vm *vm)
{
	const unsigned wanted = pieces_of(&table[n], vm);

	served[n].n_pieces = 0;
	for (unsigned count = wanted; count > 0; count--)
		for (unsigned first = 0; first + count <= SERVE_PIECES; first++) {
			if (!pieces_free(n, first, count))
				continue;
			served[n].first_piece = (uint8_t)first;
			served[n].n_pieces = (uint8_t)count;
			return count == wanted;
		}
	return wanted == 0;
}

static void fill_pieces(struct link_piece *piece, uint32_t n, const struct sysdesc_vm *vm)
{
	const struct sysdesc_connection *c = &table[n];
	unsigned used = 0;

	for (uint32_t i = 0; i < vm->n_regions && used < served[n].n_pieces; i++)
		if (vmm_shares(c->sharing, c->pool, vm, i))
			piece[used++] = (struct link_piece){
				(uint32_t)(vmm_shared_offset(c->sharing, vm, i) /
					   LINK_PIECE_BYTES),
				(uint32_t)(vm->region[i].size / LINK_PIECE_BYTES),
			};
}

static bool in_memory(const struct sysdesc_connection *c)
{
	return c->server == SYSDESC_SERVER_BLOCK && c->image != SYSDESC_MACHINES_DISK;
}

static bool disk_image(uint32_t n, struct image_frames *f, uint64_t *bytes)
{
	return is_late(n) ? upload_image(table[n].driver, table[n].image, f, bytes)
			  : images_guest(table[n].image, f, bytes);
}

static void fill_connection(struct serve_connection *to, uint32_t n)
{
	const struct sysdesc_connection *c = &table[n];
	struct image_frames f;

	*to = (struct serve_connection){
		.device = c->device,
		.place = served[n].place,
		.first_piece = served[n].first_piece,
		.n_pieces = served[n].n_pieces,
		.allow = c->allow,
		.flags = c->flags,
		.on_disk = c->image == SYSDESC_MACHINES_DISK,
		.partition = c->partition,
		.writable = c->mode != SYSDESC_DISK_READ_ONLY,
	};
	if (in_memory(c))
		(void)disk_image(n, &f, &to->disk_bytes);
}

const void *connect_info(enum proc_kind kind, size_t *bytes)
{
	static struct serve_info info;

	memset(&info, 0, sizeof(info));
	info.n_connections = system->n_connections;
	info.network = crc32_bytes(system->name, sizeof(system->name));
	for (uint32_t i = 0; i < system->n_connections; i++) {
		if (table[i].server != connect_server(kind))
			continue;
		fill_connection(&info.connection[i], i);
		fill_pieces(&info.piece[served[i].first_piece], i, &system->vm[table[i].driver]);
	}
	*bytes = sizeof(info);
	return &info;
}

/* The first place that no other connection of the kind has. */
static unsigned free_place(uint32_t n)
{
	unsigned place = 0;

	for (uint32_t i = 0; i < SYSDESC_MAX_CONNECTIONS; i++)
		if (i != n && table[i].device == table[n].device &&
		    table[i].server == table[n].server && served[i].place == place) {
			place++;
			i = (uint32_t)-1; /* from the beginning */
		}
	return place;
}

void connect_open(const struct sysdesc *desc)
{
	system = desc;
	for (uint32_t i = 0; i < desc->n_connections; i++) {
		const struct sysdesc_connection *c = &sysdesc_connections(desc)[i];

		of_vm[c->driver].number[of_vm[c->driver].n++] = (uint8_t)i;
		table[i] = *c;
		served[i].place = (uint8_t)free_place(i);
		if (!connect_vm_serves(i) && !find_pieces(i, &desc->vm[c->driver]))
			log_warning("connection %u shares more regions than its server can "
				    "know of",
				    i);
	}
}

/* --- Disks in memory ------------------------------------------------------------------- */

static struct mem_arena *arena_of(struct process *server, uint32_t n)
{
	return is_late(n) ? &served[n].mem : &server->mem;
}

static bool make_disk(struct process *server, uint32_t n)
{
	const struct sysdesc_connection *c = &table[n];
	struct mem_arena *mem = arena_of(server, n);
	uint64_t at = SERVE_DISK(n), bytes;
	struct image_frames f;

	if (!in_memory(c))
		return true;
	if (!disk_image(n, &f, &bytes) || vmm_disk_room_bytes(bytes) > SERVE_DISK_BYTES)
		return false;
	for (uint32_t i = 0; i < f.count; i++, at += bit_u64(f.bits)) {
		cap_t copy = mem_copy(mem, f.frame[i], ABI_RIGHT_READ);

		if (copy == 0 ||
		    map_page(mem, server->vspace, copy, at, MAP_RO, MAP_DATA) != ABI_OK)
			return false;
	}
	return c->mode != SYSDESC_DISK_COPY_ON_WRITE ||
	       process_map_new(mem, server->vspace, SERVE_ROOM(n),
			       (unsigned)(vmm_disk_room_bytes(bytes) / 4096), NULL);
}

/* Page tables that connections have in common belong to the server, whichever of them
 * comes first: they stay when a page that was mapped there does not. */
static bool make_tables(struct process *server)
{
	static const uint64_t at[] = { SERVE_PAGE(0), SERVE_PAGE(SYSDESC_MAX_CONNECTIONS / 2),
				       SERVE_MEMORY(SYSDESC_MAX_CONNECTIONS - 1) };
	cap_t page = mem_copy_own(&server->mem, server->info, ABI_RIGHT_READ);

	for (unsigned i = 0; i < ARRAY_SIZE(at); i++)
		if (page == 0 ||
		    map_page(&server->mem, server->vspace, page, at[i], MAP_RO, MAP_DATA) !=
			    ABI_OK ||
		    sel4_page_unmap(page) != ABI_OK)
			return false;
	return true;
}

bool connect_prepare(struct process *server)
{
	if (!make_tables(server))
		return false;
	for (uint32_t i = 0; i < system->n_connections; i++)
		if (table[i].server == connect_server(server->kind) && !make_disk(server, i))
			return false;
	return true;
}

/* --- VMs that come and go at run time -------------------------------------------------------- */

/* Behind the description's, whose numbers and places are theirs for ever: others' rules
 * name them. */
static bool free_number(uint32_t *n)
{
	for (*n = system->n_connections; *n < SYSDESC_MAX_CONNECTIONS; ++*n)
		if (table[*n].device == 0)
			return true;
	return false;
}

static bool tell_server(struct process *server, uint32_t n, const struct sysdesc_vm *vm)
{
	struct link_piece piece[SYSDESC_MAX_REGIONS];
	struct serve_connection c = { 0 };
	uint32_t end = system->n_connections;

	for (uint32_t i = end; i < SYSDESC_MAX_CONNECTIONS; i++)
		if (table[i].device != 0 && table[i].server == connect_server(server->kind))
			end = i + 1;
	if (vm != NULL) {
		fill_connection(&c, n);
		fill_pieces(piece, n, vm);
	}
	return process_tell(server,
			    offsetof(struct serve_info, piece) +
				    served[n].first_piece * sizeof(piece[0]),
			    piece, vm != NULL ? served[n].n_pieces * sizeof(piece[0]) : 0) &&
	       process_tell(server, offsetof(struct serve_info, connection) + n * sizeof(c), &c,
			    sizeof(c)) &&
	       process_tell(server, offsetof(struct serve_info, n_connections), &end, sizeof(end));
}

static unsigned places(uint32_t device)
{
	return device == SYSDESC_CONNECT_NET     ? SYSDESC_MAX_NET
	       : device == SYSDESC_CONNECT_VSOCK ? SYSDESC_MAX_SOCKETS
						 : SYSDESC_MAX_CONNECTIONS;
}

static const char *check_native(uint32_t n)
{
	const struct sysdesc_connection *c = &table[n];

	if (native(c->server)->state == PROCESS_NONE)
		return c->server == SYSDESC_SERVER_BLOCK ? "no block server runs in this system"
							 : "no net server runs in this system";
	if (server_of(c) == NULL)
		return "a server of the VM's connections is dead";
	if (c->image == SYSDESC_MACHINES_DISK)
		return "the machine's disk is for VMs of the system's own description";
	if (c->allow != ~0ull && (c->allow & ~bit_u64(SYSDESC_UPLINK)) != 0)
		return "a VM that comes at run time cannot name whom it may talk to";
	return served[n].place >= places(c->device) ? "the network has no port for another VM"
						    : NULL;
}

/* Connection n of the VM, in the table already. */
static const char *add_native(uint32_t n, const struct sysdesc_vm *vm)
{
	struct process *server = native(table[n].server);
	const char *wrong;

	served[n].place = (uint8_t)free_place(n);
	wrong = check_native(n);
	if (wrong != NULL)
		return wrong;
	if (!find_pieces(n, vm))
		return "the VM shares more regions than its server can know of; share a pool";
	return make_disk(server, n) && tell_server(server, n, vm)
		       ? NULL
		       : "out of memory for what is served to the VM";
}

/* A VM has what it serves from its start on: one of them whose driver was destroyed is
 * there for another driver that is alike. */
static const char *take_vacant(const struct upload_vm *d, const struct sysdesc_connection *c,
			       uint32_t *n)
{
	const int server = vm_find(c->server_name);

	if (server < 0 || !vm_lives((unsigned)server))
		return "a VM that is to serve it does not run";
	for (*n = 0; *n < system->n_connections; ++*n)
		if (table[*n].server == (uint32_t)server && table[*n].driver == CONNECT_NOBODY &&
		    table[*n].device == c->device &&
		    sysdesc_vm_shared_bytes(&d->vm, c) == connect_vm_bytes(*n))
			return NULL;
	return "the VM that is to serve it has no such connection that is vacant: of this device "
	       "and this size";
}

static const char *add(unsigned vm, const struct upload_vm *d, unsigned i)
{
	const struct sysdesc_connection *c = &d->connection[i];
	const bool named = c->server == SYSDESC_SERVER_NAMED;
	const char *wrong = NULL;
	uint32_t n, server = c->server;

	if (named)
		wrong = take_vacant(d, c, &n);
	else if (!free_number(&n))
		wrong = "there are as many connections as there can be";
	if (wrong != NULL)
		return wrong;
	if (named)
		server = table[n].server;
	else
		mem_open(&served[n].mem, MEM_CHUNK_BITS);
	table[n] = *c;
	table[n].driver = vm;
	table[n].server = server;
	of_vm[vm].number[of_vm[vm].n++] = (uint8_t)n;
	return named ? NULL : add_native(n, &d->vm);
}

const char *connect_create(unsigned vm, const struct upload_vm *d)
{
	const char *wrong = NULL;

	of_vm[vm].late = true;
	for (unsigned i = 0; i < d->vm.n_connections && wrong == NULL; i++)
		wrong = add(vm, d, i);
	if (wrong != NULL)
		connect_destroy(vm);
	return wrong;
}

static void take_away(uint32_t n)
{
	table[n].driver = CONNECT_NOBODY;
	if (!is_late(n))
		return;
	table[n].device = 0;
	if (native(table[n].server)->state != PROCESS_NONE)
		(void)tell_server(native(table[n].server), n, NULL);
	served[n].n_pieces = 0;
	mem_close(&served[n].mem);
}

void connect_destroy(unsigned vm)
{
	for (unsigned i = 0; i < of_vm[vm].n; i++)
		take_away(of_vm[vm].number[i]);
	of_vm[vm].n = 0;
	for (uint32_t n = 0; n < system->n_connections; n++)
		if (table[n].server == vm)
			table[n].server = CONNECT_NOBODY;
}

/* --- VMs ----------------------------------------------------------------------------- */

/* The number of the VM's i-th connection. */
static bool nth(unsigned vm, unsigned i, uint32_t *number)
{
	if (i >= of_vm[vm].n)
		return false;
	*number = of_vm[vm].number[i];
	return true;
}

void connect_describe(unsigned vm, struct vmm_info *info)
{
	uint32_t n;

	connect_vm_describe(vm, info);
	info->n_links = 0;
	for (unsigned i = 0; nth(vm, i, &n); i++)
		info->link[info->n_links++] = (struct vmm_link){
			.device = table[n].device,
			.sharing = table[n].sharing,
			.pool = table[n].pool,
			.number = n,
			/* One that came at run time serves nobody: none waits for it. */
			.waits = connect_vm_serves(n) &&
				 (of_vm[vm].late || table[n].server < vm),
		};
}

bool connect_shares(unsigned vm, uint32_t region)
{
	uint32_t n;

	for (unsigned i = 0; nth(vm, i, &n); i++)
		if (vmm_shares(table[n].sharing, table[n].pool, vm_description(vm), region))
			return true;
	return false;
}

bool connect_memory(struct process *p, unsigned vm, uint32_t region, uint64_t at, cap_t frame)
{
	uint32_t n;

	for (unsigned i = 0; nth(vm, i, &n); i++) {
		const struct sysdesc_connection *c = &table[n];
		struct process *server = connect_vm_serves(n) ? NULL : server_of(c);
		cap_t copy;

		if (!vmm_shares(c->sharing, c->pool, vm_description(vm), region))
			continue;
		if (connect_vm_serves(n)) {
			uint64_t offset = vmm_shared_offset(c->sharing, vm_description(vm), region);

			if (!connect_vm_memory(p, n, offset + at, frame))
				return false;
			continue;
		}
		copy = server == NULL ? 0 : mem_copy_own(&p->mem, frame, ABI_RIGHTS_ALL);
		/* Its page tables outlive p. */
		if (copy == 0 ||
		    map_page(arena_of(server, n), server->vspace, copy,
			     SERVE_MEMORY(n) +
				     vmm_shared_offset(c->sharing, vm_description(vm), region) + at,
			     MAP_RW, MAP_DATA) != ABI_OK)
			return false;
	}
	return true;
}

bool connect_region(struct process *p, unsigned vm, uint32_t region, cap_t first)
{
	struct grant grant = {
		.rights = MAP_RW,
		.slot = GRANT_MAPPED,
		.object = (uint32_t)first,
		.type = "Memory",
		.what = "client: memory that a connection shares",
	};
	const struct sysdesc_vm *d = vm_description(vm);
	uint32_t n;

	for (unsigned i = 0; nth(vm, i, &n); i++) {
		const struct process *server;

		if (!vmm_shares(table[n].sharing, table[n].pool, d, region))
			continue;
		if (connect_vm_serves(n)) {
			if (!connect_vm_region(p, n, first, d->region[region].size))
				return false;
			continue;
		}
		server = server_of(&table[n]);
		grant.bytes = d->region[region].size;
		grant.holder = server == NULL ? 0 : server->number;
		if (server == NULL || !process_note(p, &grant))
			return false;
	}
	return true;
}

static bool grant_all(struct process *p, struct process *server, unsigned i, uint32_t n)
{
	cap_t irq = mem_object(&p->mem, ABI_OBJ_NOTIFICATION);

	links[n].event = mem_mint(&p->mem, p->ntfn, ABI_RIGHT_WRITE, VMM_NTFN_LINK);
	return irq != 0 && links[n].event != 0 &&
	       process_grant(p, p, VMM_CAP_LINK_KICK(i), server->ntfn, ABI_RIGHT_WRITE,
			     SERVE_NTFN(n), "Notification", "a connection's kicks") &&
	       process_grant(p, p, VMM_CAP_LINK_IRQ(i), irq, ABI_RIGHTS_ALL, 0, "Notification",
			     "a connection's interrupt") &&
	       process_grant(p, server, SERVE_CAP_INTERRUPT(n), irq, ABI_RIGHT_WRITE, 0,
			     "Notification", "client: its guest's interrupt") &&
	       process_grant(p, server, SERVE_CAP_EVENT(n), p->ntfn, ABI_RIGHT_WRITE,
			     VMM_NTFN_LINK, "Notification", "client: look at the connection");
}

static bool attach(struct process *p, unsigned i, uint32_t n)
{
	struct process *server = server_of(&table[n]);
	cap_t frame, own;

	if (server == NULL ||
	    !process_map_new(&p->mem, p->vspace, VMM_LINK_PAGE(i), 1, &frame))
		return false;
	own = mem_copy_own(&p->mem, frame, ABI_RIGHTS_ALL);
	links[n].p = p;
	links[n].page = own;
	if (own == 0 || !process_note_pages(p, frame, 1, "a connection's control page") ||
	    !process_share_frames(p, server, &frame, 1, SERVE_PAGE(n),
				  "client: its connection's control page") ||
	    !grant_all(p, server, i, n) ||
	    server_add_client(server->service_call, n, p->name) != SERVER_OK)
		return false;
	links[n].attached = true;
	return true;
}

bool connect_vm(struct process *p, unsigned vm)
{
	uint32_t n;

	for (unsigned i = 0; nth(vm, i, &n); i++)
		if (!(connect_vm_serves(n) ? connect_vm_driver(p, i, n) : attach(p, i, n)))
			return false;
	return true;
}

const char *connect_server_vm(unsigned vm, uint32_t number)
{
	return number < system->n_connections && table[number].driver == vm &&
			       connect_vm_serves(number) && table[number].server != CONNECT_NOBODY
		       ? vm_description(table[number].server)->name
		       : NULL;
}

bool connect_settled(unsigned vm)
{
	uint32_t n;

	for (unsigned i = 0; nth(vm, i, &n); i++)
		if (connect_vm_serves(n) && !connect_vm_settled(n))
			return false;
	return true;
}

void connect_detach(unsigned vm)
{
	uint32_t n;

	connect_vm_server_gone(vm);
	for (unsigned i = 0; nth(vm, i, &n); i++) {
		struct process *server;

		if (connect_vm_serves(n)) {
			connect_vm_driver_gone(n);
			continue;
		}
		server = server_of(&table[n]);
		if (links[n].attached && server != NULL)
			(void)server_remove_client(server->service_call, n);
		links[n].attached = false;
	}
}

void connect_down(const struct process *server, bool for_ever)
{
	for (uint32_t n = 0; n < SYSDESC_MAX_CONNECTIONS; n++) {
		struct link_page *page;

		if (!links[n].attached || table[n].server != connect_server(server->kind))
			continue;
		page = self_scratch(links[n].page);
		if (page != NULL) {
			if (for_ever)
				link_store32(&page->server.flags, 0);
			link_release(&page->server.up, 0);
			self_scratch_end();
		}
		sel4_signal(links[n].event);
	}
}

void connect_again(struct process *server)
{
	for (uint32_t n = 0; n < SYSDESC_MAX_CONNECTIONS; n++)
		if (links[n].attached && table[n].server == connect_server(server->kind))
			(void)server_add_client(server->service_call, n, links[n].p->name);
}
