#include "connect_vm.h"

#include "connect.h"
#include "self.h"

#include <selvage/base.h>
#include <selvage/fmt.h>
#include <selvage/link.h>
#include <selvage/log.h>
#include <string.h>

static const struct sysdesc *system;

static struct {
	/* For ever. */
	struct link_page *page;
	cap_t page_frame, kick, interrupt;
	/* While they are there, or NULL. */
	struct process *driver, *server;
	cap_t event;     /* the driver's */
	uint64_t memory; /* where the server's guest has it */
	/* The driver's regions that it shares: first frame, size. */
	struct {
		cap_t first;
		uint64_t bytes;
	} region[SYSDESC_MAX_REGIONS];
	unsigned n_regions;
} links[SYSDESC_MAX_CONNECTIONS];

/* What is shared by drivers that are there, for servers that come later: pages of
 * either size. The copy is the server's guest's; it is of the driver's arena, and there for
 * the next server. */
#define MAX_SHARED 8192u
static struct shared {
	uint64_t offset;
	cap_t frame, copy;
	uint32_t connection;
} shared[MAX_SHARED];
static unsigned n_shared;

static const struct sysdesc_connection *get(uint32_t n) { return connect_get(n); }
/* As the server's VM was told at its start, whoever the driver is now. */
static const struct sysdesc_connection *first(uint32_t n)
{
	return &sysdesc_connections(system)[n];
}

bool connect_vm_serves(uint32_t connection)
{
	return get(connection)->server != SYSDESC_SERVER_BLOCK &&
	       get(connection)->server != SYSDESC_SERVER_NET;
}

uint64_t connect_vm_bytes(uint32_t connection)
{
	return sysdesc_shared_bytes(system, first(connection));
}

const char *connect_vm_init(const struct sysdesc *desc)
{
	system = desc;
	for (uint32_t n = 0; n < system->n_connections; n++) {
		if (!connect_vm_serves(n))
			continue;
		links[n].page = self_new_pages(1, &links[n].page_frame);
		links[n].kick = mem_object(&init_arena, ABI_OBJ_NOTIFICATION);
		links[n].interrupt = mem_object(&init_arena, ABI_OBJ_NOTIFICATION);
		if (links[n].page == NULL || links[n].kick == 0 || links[n].interrupt == 0)
			return "no memory for connections";
	}
	return NULL;
}

/* --- What the server's VMM is told ----------------------------------------------------- */

static const char *device_name(uint32_t device)
{
	return device == SYSDESC_CONNECT_NET     ? "net"
	       : device == SYSDESC_CONNECT_BLOCK ? "block"
						 : "console";
}

/* The driver and the device, and which of several. */
static void make_name(uint32_t n, char *name, size_t bytes)
{
	const struct sysdesc_connection *c = first(n);
	unsigned before = 0;

	for (uint32_t i = 0; i < n; i++)
		before += first(i)->driver == c->driver && first(i)->device == c->device &&
			  first(i)->server == c->server;
	fmt_print(name, bytes, "%s-%s", system->vm[c->driver].name, device_name(c->device));
	if (before != 0)
		fmt_print(name + strlen(name), bytes - strlen(name), "%u", before + 1);
}

void connect_vm_describe(unsigned vm, struct vmm_info *info)
{
	info->n_served = 0;
	for (uint32_t n = 0; n < system->n_connections; n++) {
		struct vmm_served *s = &info->served[info->n_served];

		if (get(n)->server != vm)
			continue;
		*s = (struct vmm_served){ .device = get(n)->device,
					  .number = n,
					  .bytes = connect_vm_bytes(n) };
		make_name(n, s->name, sizeof(s->name));
		info->n_served++;
	}
}

/* --- The driver's side -------------------------------------------------------------------- */

static bool map_shared(struct process *driver, struct shared *s)
{
	struct process *server = links[s->connection].server;

	if (s->copy == 0)
		s->copy = mem_copy_own(&driver->mem, s->frame, ABI_RIGHTS_ALL);
	else
		(void)sel4_page_unmap(s->copy); /* of a guest that is no more */
	/* Page tables stay with the guest's space. */
	return s->copy != 0 && map_page(&server->mem, server->guest, s->copy,
					links[s->connection].memory + s->offset, MAP_RW,
					MAP_DATA) == ABI_OK;
}

bool connect_vm_memory(struct process *p, uint32_t connection, uint64_t offset, cap_t frame)
{
	struct shared *s = &shared[n_shared];

	if (n_shared == MAX_SHARED)
		return false;
	*s = (struct shared){ .offset = offset, .frame = frame, .connection = connection };
	n_shared++;
	return links[connection].server == NULL || map_shared(p, s);
}

/* What the server's guest has of it, because of whoever comes later. */
static bool note_region(struct process *because, uint32_t n, unsigned region)
{
	const struct grant grant = {
		.holder = links[n].server->number | GRANT_GUEST,
		.rights = MAP_RW,
		.slot = GRANT_MAPPED,
		.object = (uint32_t)links[n].region[region].first,
		.type = "Memory",
		.what = "client: memory that a connection shares",
		.bytes = links[n].region[region].bytes,
	};

	return process_note(because, &grant);
}

static bool note_memory(struct process *because, uint32_t n)
{
	for (unsigned i = 0; i < links[n].n_regions; i++)
		if (!note_region(because, n, i))
			return false;
	return true;
}

bool connect_vm_region(struct process *p, uint32_t connection, cap_t first, uint64_t bytes)
{
	const unsigned i = links[connection].n_regions;

	if (i == SYSDESC_MAX_REGIONS)
		return false;
	links[connection].region[i].first = first;
	links[connection].region[i].bytes = bytes;
	links[connection].n_regions++;
	return links[connection].server == NULL || note_region(p, connection, i);
}

/* How a server rings the driver's monitor: again for each of both. */
static bool grant_event(struct process *because, uint32_t n)
{
	struct process *server = links[n].server;
	unsigned number = 0;

	for (uint32_t i = 0; i < n; i++)
		number += get(i)->server == get(n)->server;
	return process_grant(because, server, VMM_CAP_SERVED_EVENT(number), links[n].driver->ntfn,
			     ABI_RIGHT_WRITE, VMM_NTFN_LINK, "Notification",
			     "client: look at the connection");
}

/* The server is to let go of what a driver that is no more had set up: its device is
 * reset, without a look at memory that is gone or another driver's. */
static void reset_device(uint32_t n)
{
	struct link_driver_half *half = &links[n].page->driver;

	link_store32(&half->version, LINK_VERSION);
	link_store32(&half->status, 0);
	link_store32(&half->epoch, link_load32(&half->epoch) + 1);
	link_store32(&half->kind, LINK_STATE);
	link_release(&half->request, link_load32(&half->request) + 1);
	sel4_signal(links[n].kick);
}

bool connect_vm_driver(struct process *p, unsigned i, uint32_t n)
{
	cap_t page = mem_copy(&p->mem, links[n].page_frame, ABI_RIGHTS_ALL);

	reset_device(n);
	links[n].driver = p;
	links[n].event = mem_mint(&p->mem, p->ntfn, ABI_RIGHT_WRITE, VMM_NTFN_LINK);
	return page != 0 && links[n].event != 0 &&
	       process_note_pages(p, links[n].page_frame, 1, "a connection's control page") &&
	       map_page(&p->mem, p->vspace, page, VMM_LINK_PAGE(i), MAP_RW, MAP_DATA) == ABI_OK &&
	       process_grant(p, p, VMM_CAP_LINK_KICK(i), links[n].kick, ABI_RIGHT_WRITE, 0,
			     "Notification", "a connection's kicks") &&
	       process_grant(p, p, VMM_CAP_LINK_IRQ(i), links[n].interrupt, ABI_RIGHTS_ALL, 0,
			     "Notification", "a connection's interrupt") &&
	       (links[n].server == NULL || grant_event(p, n));
}

void connect_vm_driver_gone(uint32_t n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n_shared; i++)
		if (shared[i].connection != n)
			shared[kept++] = shared[i];
	n_shared = kept;
	if (links[n].server != NULL && links[n].driver != NULL) {
		process_forget(links[n].server, links[n].driver->ntfn);
		for (unsigned i = 0; i < links[n].n_regions; i++)
			process_forget(links[n].server, links[n].region[i].first);
	}
	links[n].n_regions = 0;
	links[n].driver = NULL;
	reset_device(n);
}

bool connect_vm_settled(uint32_t n)
{
	const struct link_page *page = links[n].page;

	return links[n].server == NULL || link_acquire(&page->server.up) == 0 ||
	       link_load32(&page->server.ack) == link_load32(&page->driver.request);
}

/* --- The server's side --------------------------------------------------------------------- */

static bool grant_server(struct process *p, unsigned i, uint32_t n)
{
	const struct grant page = {
		.holder = p->number | GRANT_GUEST,
		.rights = MAP_RW,
		.slot = GRANT_MAPPED,
		.object = (uint32_t)links[n].page_frame,
		.type = "Memory",
		.what = "client: its connection's control page",
		.bytes = LINK_PAGE_BYTES,
	};

	return process_note(p, &page) &&
	       process_grant(p, p, VMM_CAP_SERVED_INTERRUPT(i), links[n].interrupt,
			     ABI_RIGHT_WRITE, 0, "Notification",
			     "client: its guest's interrupt") &&
	       process_grant(p, p, VMM_CAP_SERVED_KICK(i), links[n].kick, ABI_RIGHTS_ALL, 0,
			     "Notification", "a client's kicks") &&
	       (links[n].driver == NULL || (note_memory(p, n) && grant_event(p, n)));
}

static bool attach_server(struct process *p, unsigned i, const struct vmm_info *info)
{
	const uint32_t n = info->served[i].number;
	const struct serve_place place = serve_place(info, i);
	cap_t page = mem_copy(&p->mem, links[n].page_frame, ABI_RIGHTS_ALL);

	memset(&links[n].page->server, 0, sizeof(links[n].page->server));
	links[n].server = p;
	links[n].memory = place.area[SELVAGE_MEMORY].gpa;
	if (page == 0 ||
	    map_page(&p->mem, p->guest, page, place.area[SELVAGE_CONTROL].gpa, MAP_RW,
		     MAP_DATA) != ABI_OK)
		return false;
	for (unsigned j = 0; j < n_shared; j++)
		if (shared[j].connection == n && !map_shared(links[n].driver, &shared[j]))
			return false;
	return grant_server(p, i, n);
}

bool connect_vm_server(struct process *p, unsigned vm, const struct vmm_info *info)
{
	(void)vm;
	for (unsigned i = 0; i < info->n_served; i++)
		if (!attach_server(p, i, info))
			return false;
	return true;
}

void connect_vm_server_gone(unsigned vm)
{
	for (uint32_t n = 0; n < system->n_connections; n++) {
		if (get(n)->server != vm)
			continue;
		links[n].server = NULL;
		link_release(&links[n].page->server.up, 0);
		if (links[n].driver != NULL)
			sel4_signal(links[n].event);
	}
}
