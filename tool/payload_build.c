#include "payload_build.h"

#include <errno.h>
#include <selvage/crc32.h>
#include <selvage/payload.h>
#include <selvage/vmm_image.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "diag.h"
#include "elfcheck.h"
#include "files.h"
#include "sysimage.h"
#include "system.h"

/* The processes that init starts, by the name of their program; the monitors
 * come on top. */
static const char *const services[] = { "serial", "time", "log", "debug" };

#define N_SERVICES (sizeof(services) / sizeof(services[0]))

/* Those that serve devices, if a connection names them. */
static const struct {
	uint32_t server;
	const char *name;
} device_servers[] = { { SYSDESC_SERVER_BLOCK, "block" }, { SYSDESC_SERVER_NET, "net" } };

#define N_DEVICE_SERVERS (sizeof(device_servers) / sizeof(device_servers[0]))

struct area {
	uint32_t n_items;
	uint64_t size;
	struct payload_item item[PAYLOAD_MAX];
	const void *data[PAYLOAD_MAX]; /* of each item */
	const char *path[PAYLOAD_MAX]; /* of guest images: one item a file */
	struct file process[N_SERVICES + N_DEVICE_SERVERS + VMM_IMAGES];
	uint32_t n_processes;
	struct sysdesc *desc;
};

static uint32_t add_item(struct area *area, enum payload_kind kind,
			 const char *name, const void *data, size_t size)
{
	uint32_t index = area->n_items++;
	struct payload_item *item = &area->item[index];

	snprintf(item->name, sizeof(item->name), "%s", name);
	item->kind = kind;
	item->size = size;
	item->crc32 = crc32_update(0, data, size);
	area->data[index] = data;
	return index;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* One item for each file, however many VMs boot it. */
static uint32_t add_guest(struct area *area, const struct file *file)
{
	char name[PAYLOAD_NAME];
	uint32_t index = area->n_items;

	for (uint32_t i = 0; i < index; i++) {
		/* One that was unpacked has the name of what it was. */
		if (area->path[i] && strcmp(area->path[i], file->path) == 0 &&
		    area->item[i].size == file->size &&
		    memcmp(area->data[i], file->data, file->size) == 0)
			return i;
	}
	snprintf(name, sizeof(name), "%u-%.40s", index, base_name(file->path));
	area->path[index] = file->path;
	return add_item(area, PAYLOAD_GUEST, name, file->data, file->size);
}

static bool add_process(struct area *area, const struct sysimage_parts *parts, const char *name)
{
	struct file *file = &area->process[area->n_processes++];
	char *path = files_text("%s/%s/bin/%s.elf", parts->build_dir, parts->config, name);
	bool ok = file_map(file, path);

	if (!ok)
		diag_error_at(path, 0, "cannot read it: %s; build it with `make CONFIG=...`",
			      strerror(errno));
	free(path);
	if (!ok || !elfcheck_program(file, parts->pc, "build it again with `make`"))
		return false;
	add_item(area, PAYLOAD_PROCESS, name, file->data, file->size);
	return true;
}

static bool add_device_servers(struct area *area, const struct sysdesc *desc,
			       const struct sysimage_parts *parts)
{
	bool ok = true;

	for (size_t i = 0; i < N_DEVICE_SERVERS && ok; i++)
		ok = !sysdesc_has_server(desc, device_servers[i].server) ||
		     add_process(area, parts, device_servers[i].name);
	return ok;
}

/* The services, those monitors that a VM gets, and the last one, which suits any
 * VM that is created at run time. */
static bool add_processes(struct area *area, const struct sysdesc *desc,
			  const struct sysimage_parts *parts)
{
	bool used[VMM_IMAGES + 1] = { [VMM_IMAGES - 1] =
					      !(desc->machine & (uint32_t)SYSDESC_MACHINE_PC) };
	bool ok = true;

	for (uint32_t i = 0; i < desc->n_vms; i++)
		used[vmm_image_next(0, vmm_parts_of(&desc->vm[i], desc->gic_version))] = true;
	for (size_t i = 0; i < N_SERVICES && ok; i++)
		ok = add_process(area, parts, services[i]);
	for (size_t i = 0; i < VMM_IMAGES && ok; i++)
		ok = !used[i] || add_process(area, parts, vmm_images[i].name);
	return ok && add_device_servers(area, desc, parts);
}

static bool add_description(struct area *area, const struct system *sys, uint32_t n_vms,
			    uint32_t n_connections)
{
	size_t size = sysdesc_bytes(n_vms, n_connections);

	area->desc = calloc(1, size);
	if (!area->desc) {
		diag_error("out of memory");
		return false;
	}
	*area->desc = *sys->desc;
	area->desc->size = (uint32_t)size;
	area->desc->n_vms = n_vms;
	area->desc->n_connections = n_connections;
	add_item(area, PAYLOAD_DESCRIPTION, "system", area->desc,
		 area->desc->size);
	return true;
}

static struct sysdesc_connection *connection(struct area *area, uint32_t n)
{
	return (struct sysdesc_connection *)&area->desc->vm[area->desc->n_vms] + n;
}

static bool add_system(struct area *area, const struct system *sys)
{
	const struct sysdesc *d = sys->desc;

	if (!add_description(area, sys, d->n_vms, d->n_connections))
		return false;
	memcpy(area->desc->vm, d->vm, d->n_vms * sizeof(d->vm[0]));
	memcpy(connection(area, 0), sysdesc_connections(d),
	       d->n_connections * sizeof(struct sysdesc_connection));
	return true;
}

/* A connection of a VM that comes at run time: who serves it is found by name. */
static void join(struct sysdesc_connection *c, const struct sysdesc *d)
{
	if (c->server < d->n_vms) {
		strcpy(c->server_name, d->vm[c->server].name);
		c->server = SYSDESC_SERVER_NAMED;
	}
	c->driver = 0;
}

/* One VM and what it is the driver of. */
static bool add_vm(struct area *area, const struct system *sys, uint32_t vm)
{
	const struct sysdesc *d = sys->desc;

	if (!add_description(area, sys, 1, d->vm[vm].n_connections))
		return false;
	area->desc->machine |= (uint32_t)SYSDESC_MACHINE_RUNS;
	area->desc->vm[0] = d->vm[vm];
	for (uint32_t i = 0; i < d->vm[vm].n_connections; i++) {
		*connection(area, i) = sysdesc_connections(d)[sysdesc_connection_of(d, vm, i)];
		join(connection(area, i), d);
	}
	return true;
}

static void add_served(struct area *area, const struct file *served, uint32_t n)
{
	if (served->data)
		connection(area, n)->image = add_guest(area, served);
}

static void add_guests(struct area *area, const struct system *sys, uint32_t first)
{
	struct sysdesc *desc = area->desc;

	for (uint32_t i = 0; i < desc->n_vms; i++) {
		desc->vm[i].kernel = add_guest(area, &sys->kernel[first + i]);
		if (sys->initrd[first + i].data)
			desc->vm[i].initrd = add_guest(area, &sys->initrd[first + i]);
		for (uint32_t j = 0; j < desc->vm[i].n_disks; j++)
			desc->vm[i].disk[j].image =
				add_guest(area, &sys->disk[(first + i) * SYSDESC_MAX_DISKS + j]);
	}
}

static void seal(struct area *area)
{
	area->desc->crc32 = sysdesc_checksum(area->desc);
	area->item[0].crc32 = crc32_update(0, area->desc, area->desc->size);
}

/* Small items first, so that the padding before the large ones is once. `end`: what
 * the area's own end is aligned to. */
static void place_items(struct area *area, uint64_t end)
{
	uint64_t at = sizeof(struct payload_header) +
		      area->n_items * sizeof(area->item[0]);

	for (int large = 0; large < 2; large++) {
		for (uint32_t i = 0; i < area->n_items; i++) {
			struct payload_item *item = &area->item[i];
			bool is_large = item->size >= PAYLOAD_LARGE_ALIGN;
			uint64_t align = is_large ? PAYLOAD_LARGE_ALIGN
						  : PAYLOAD_ALIGN;

			if (is_large != (large == 1))
				continue;
			at = (at + align - 1) / align * align;
			item->offset = at;
			at += item->size;
		}
	}
	area->size = (at + end - 1) & ~(end - 1);
}

static void write_area(struct buffer *image, struct area *area)
{
	size_t start = image->size;
	size_t index_size = area->n_items * sizeof(area->item[0]);
	const struct payload_header header = {
		.magic = PAYLOAD_MAGIC,
		.version = PAYLOAD_VERSION,
		.n_items = area->n_items,
		.crc32 = crc32_update(0, area->item, index_size),
		.size = area->size,
	};

	buffer_append(image, &header, sizeof(header));
	buffer_append(image, area->item, index_size);
	buffer_zeros(image, area->size - sizeof(header) - index_size);
	for (uint32_t i = 0; i < area->n_items; i++)
		memcpy(image->data + start + area->item[i].offset,
		       area->data[i], area->item[i].size);
}

/* The target's own check, run on what we are about to write. */
static bool self_check(const struct buffer *image, size_t start,
		       const struct area *area)
{
	const char *wrong = payload_check(image->data + start,
					  image->size - start);

	if (!wrong)
		wrong = sysdesc_check(area->desc, area->desc->size,
				      area->n_items);
	if (wrong)
		diag_error("internal: the image would be refused (%s); please "
			   "report this",
			   wrong);
	return !wrong;
}

bool payload_append(struct buffer *image, const struct system *sys,
		    const struct sysimage_parts *parts)
{
	struct area *area = calloc(1, sizeof(*area));
	size_t start = image->size;
	bool ok = area && add_system(area, sys) && add_processes(area, sys->desc, parts);

	if (ok) {
		add_guests(area, sys, 0);
		for (uint32_t i = 0; i < sys->desc->n_connections; i++)
			add_served(area, &sys->served[i], i);
		seal(area);
		/* To a large page's end: the last item may be mapped by them, and
		 * what lies behind it must be ours. */
		place_items(area, PAYLOAD_LARGE_ALIGN);
		write_area(image, area);
		ok = self_check(image, start, area);
	}
	for (size_t i = 0; area && i < area->n_processes; i++)
		file_unmap(&area->process[i]);
	if (area)
		free(area->desc);
	free(area);
	return ok;
}

bool payload_vm(struct buffer *area_bytes, const struct system *sys, uint32_t vm)
{
	struct area *area = calloc(1, sizeof(*area));
	bool ok = area && add_vm(area, sys, vm);

	if (ok) {
		add_guests(area, sys, vm);
		for (uint32_t i = 0; i < area->desc->n_connections; i++)
			add_served(area, &sys->served[sysdesc_connection_of(sys->desc, vm, i)], i);
		seal(area);
		place_items(area, PAYLOAD_ALIGN);
		write_area(area_bytes, area);
		ok = self_check(area_bytes, 0, area);
	}
	if (area)
		free(area->desc);
	free(area);
	return ok;
}
