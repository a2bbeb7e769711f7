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

/* Of each connection, while its VM is there. */
static struct {
	bool attached;
	struct process *p;
	cap_t page, event; /* event: init's own way to signal it */
} links[SYSDESC_MAX_CONNECTIONS];

void connect_open(const struct sysdesc *desc) { system = desc; }

static const struct sysdesc_connection *get(uint32_t n) { return &sysdesc_connections(system)[n]; }

uint32_t connect_server(enum proc_kind kind)
{
	return kind == PROC_BLOCK ? SYSDESC_SERVER_BLOCK : kind == PROC_NET ? SYSDESC_SERVER_NET
									    : 0;
}

/* The process that serves it, or NULL: it is dead. */
static struct process *server_of(const struct sysdesc_connection *c)
{
	return service_process(c->server == SYSDESC_SERVER_BLOCK ? PROC_BLOCK : PROC_NET);
}

bool connect_wanted(enum proc_kind kind)
{
	return sysdesc_has_server(system, connect_server(kind));
}

/* A server must not look where there is nothing: regions begin and end anywhere in
 * large pages. */
static void fill_pieces(struct serve_info *info, uint32_t n, unsigned *used)
{
	const struct sysdesc_connection *c = get(n);
	const struct sysdesc_vm *vm = &system->vm[c->driver];

	info->connection[n].first_piece = (uint8_t)*used;
	for (uint32_t i = 0; i < vm->n_regions; i++) {
		if (!vmm_shares(c->sharing, c->pool, vm, i))
			continue;
		if (*used == SERVE_PIECES) {
			log_warning("connection %u shares more regions than its server can "
				    "know of",
				    n);
			break;
		}
		info->piece[(*used)++] = (struct link_piece){
			(uint32_t)(vmm_shared_offset(c->sharing, vm, i) / LINK_PIECE_BYTES),
			(uint32_t)(vm->region[i].size / LINK_PIECE_BYTES),
		};
	}
	info->connection[n].n_pieces = (uint8_t)(*used - info->connection[n].first_piece);
}

static bool in_memory(const struct sysdesc_connection *c)
{
	return c->image != SYSDESC_NO_PAYLOAD && c->image != SYSDESC_MACHINES_DISK;
}

const void *connect_info(enum proc_kind kind, size_t *bytes)
{
	static struct serve_info info;
	unsigned pieces = 0;

	memset(&info, 0, sizeof(info));
	info.n_connections = system->n_connections;
	info.network = crc32_bytes(system->name, sizeof(system->name));
	for (uint32_t i = 0; i < system->n_connections; i++) {
		const struct sysdesc_connection *c = get(i);
		struct image_frames f;

		if (c->server != connect_server(kind))
			continue;
		info.connection[i].device = c->device;
		fill_pieces(&info, i, &pieces);
		info.connection[i].allow = c->allow;
		info.connection[i].flags = c->flags;
		info.connection[i].on_disk = c->image == SYSDESC_MACHINES_DISK;
		info.connection[i].partition = c->partition;
		info.connection[i].writable = c->mode != SYSDESC_DISK_READ_ONLY;
		if (in_memory(c))
			(void)images_guest(c->image, &f, &info.connection[i].disk_bytes);
	}
	*bytes = sizeof(info);
	return &info;
}

static bool make_disk(struct process *server, uint32_t n)
{
	const struct sysdesc_connection *c = get(n);
	uint64_t at = SERVE_DISK(n), bytes;
	struct image_frames f;

	if (!in_memory(c))
		return true;
	if (!images_guest(c->image, &f, &bytes) || vmm_disk_room_bytes(bytes) > SERVE_DISK_STRIDE)
		return false;
	for (uint32_t i = 0; i < f.count; i++, at += bit_u64(f.bits)) {
		cap_t copy = mem_copy(&server->mem, f.frame[i], ABI_RIGHT_READ);

		if (copy == 0 || map_page(&server->mem, server->vspace, copy, at, MAP_RO,
					  MAP_DATA) != ABI_OK)
			return false;
	}
	return c->mode != SYSDESC_DISK_COPY_ON_WRITE ||
	       process_map_new(&server->mem, server->vspace, SERVE_ROOM(n),
			       (unsigned)(vmm_disk_room_bytes(bytes) / 4096), NULL);
}

bool connect_disks(struct process *server)
{
	for (uint32_t i = 0; i < system->n_connections; i++)
		if (get(i)->server == connect_server(server->kind) && !make_disk(server, i))
			return false;
	return true;
}

/* --- VMs ----------------------------------------------------------------------------- */

/* The number of the VM's i-th connection. VMs that came at run time have none,
 * though they may have the place of one that had. */
static bool nth(unsigned vm, unsigned i, uint32_t *number)
{
	if (vm >= system->n_vms || i >= vm_description(vm)->n_connections)
		return false;
	*number = sysdesc_connection_of(system, vm, i);
	return get(*number)->driver == vm;
}

void connect_describe(unsigned vm, struct vmm_info *info)
{
	uint32_t n;

	connect_vm_describe(vm, info);
	info->n_links = 0;
	for (unsigned i = 0; i < info->vm.n_connections && nth(vm, i, &n); i++)
		info->link[info->n_links++] = (struct vmm_link){
			.device = get(n)->device,
			.sharing = get(n)->sharing,
			.pool = get(n)->pool,
			.number = n,
			.waits = get(n)->server < vm,
		};
}

bool connect_memory(struct process *p, unsigned vm, uint32_t region, uint64_t at, cap_t frame)
{
	uint32_t n;

	for (unsigned i = 0; nth(vm, i, &n); i++) {
		const struct sysdesc_connection *c = get(n);
		struct process *server = connect_vm_serves(n) ? NULL : server_of(c);
		cap_t copy;

		if (!vmm_shares(c->sharing, c->pool, &system->vm[vm], region))
			continue;
		if (connect_vm_serves(n)) {
			uint64_t offset = vmm_shared_offset(c->sharing, &system->vm[vm], region);

			if (!connect_vm_memory(p, n, offset + at, frame))
				return false;
			continue;
		}
		copy = server == NULL ? 0 : mem_copy_own(&p->mem, frame, ABI_RIGHTS_ALL);
		/* Its page tables outlive p. */
		if (copy == 0 ||
		    map_page(&server->mem, server->vspace, copy,
			     SERVE_MEMORY(n) +
				     vmm_shared_offset(c->sharing, &system->vm[vm], region) + at,
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
	uint32_t n;

	for (unsigned i = 0; nth(vm, i, &n); i++) {
		const struct process *server;

		if (!vmm_shares(get(n)->sharing, get(n)->pool, &system->vm[vm], region))
			continue;
		if (connect_vm_serves(n)) {
			if (!connect_vm_region(p, n, first, system->vm[vm].region[region].size))
				return false;
			continue;
		}
		server = server_of(get(n));
		grant.bytes = system->vm[vm].region[region].size;
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
	struct process *server = server_of(get(n));
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
	return vm < system->n_vms && number < system->n_connections &&
			       get(number)->driver == vm && connect_vm_serves(number)
		       ? system->vm[get(number)->server].name
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
		server = server_of(get(n));
		if (links[n].attached && server != NULL)
			(void)server_remove_client(server->service_call, n);
		links[n].attached = false;
	}
}

void connect_down(const struct process *server, bool for_ever)
{
	for (uint32_t n = 0; n < system->n_connections; n++) {
		struct link_page *page;

		if (!links[n].attached || get(n)->server != connect_server(server->kind))
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
	for (uint32_t n = 0; n < system->n_connections; n++)
		if (links[n].attached && get(n)->server == connect_server(server->kind))
			(void)server_add_client(server->service_call, n, links[n].p->name);
}
