/* The check of the images that a system description names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "guestimg.h"
#include "system_images.h"
#include "units.h"

#define ASSET_PREFIX "asset:"
#define LARGE_PAGE (2ull << 20)
#define DEVICETREE_ROOM LARGE_PAGE

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

/* Where `asset:NAME` or a path relative to the description points. */
static char *resolve(const struct image_check *c, const char *spec)
{
	const char *slash = strrchr(c->sys->file, '/');

	if (strncmp(spec, ASSET_PREFIX, strlen(ASSET_PREFIX)) == 0)
		return files_text("%s/assets/%s", c->build_dir,
				  spec + strlen(ASSET_PREFIX));
	if (spec[0] == '/' || !slash)
		return files_text("%s", spec);
	return files_text("%.*s/%s", (int)(slash - c->sys->file), c->sys->file,
			  spec);
}

static bool asset_name_valid(const char *spec)
{
	const char *name = spec + strlen(ASSET_PREFIX);

	if (strncmp(spec, ASSET_PREFIX, strlen(ASSET_PREFIX)) != 0)
		return true;
	return *name && *name != '.' && !strchr(name, '/');
}

static bool cannot_open(const struct image_check *c, yaml_node_t *node, const char *key,
			const char *spec, const char *path)
{
	unsigned line = system_line(c->sys, node, key);
	bool asset = strncmp(spec, ASSET_PREFIX, strlen(ASSET_PREFIX)) == 0;
	int error = errno;

	if (error == ENOENT)
		diag_error_at(c->sys->file, line,
			      "`%s`: there is no file %s; %s", key, path,
			      asset ? "fetch and build the guest images with "
				      "`make assets`"
				    : "a path is relative to the description's "
				      "folder, `asset:NAME` to the assets");
	else
		diag_error_at(c->sys->file, line, "`%s`: cannot read %s: %s; "
						  "give a readable file",
			      key, path,
			      error == ENODATA ? "it is empty"
					       : strerror(error));
	return false;
}

bool image_open(const struct image_check *c, yaml_node_t *node, const char *key,
		const char *spec, struct file *file)
{
	char *path;
	bool ok;

	if (!asset_name_valid(spec)) {
		diag_error_at(c->sys->file, system_line(c->sys, node, key),
			      "`%s`: `%s` names no asset; write `asset:NAME` "
			      "with the name of a file in the assets folder",
			      key, spec);
		return false;
	}
	path = resolve(c, spec);
	ok = file_map(file, path);
	if (!ok)
		cannot_open(c, node, key, spec, path);
	free(path);
	return ok;
}

static bool open_image(const struct image_check *c, const char *key,
		       const char *spec, struct file *file)
{
	return image_open(c, c->vm_node, key, spec, file);
}

static bool wrong_image(const struct image_check *c, const char *key,
			const struct file *file, const char *wrong)
{
	diag_error_at(c->sys->file, system_line(c->sys, c->vm_node, key),
		      "`%s`: %s %s", key, file->path, wrong);
	return false;
}

/* The first region takes kernel, initrd and devicetree. */
static bool check_fit(const struct image_check *c, uint32_t index,
		      const struct guestimg_kernel *kernel)
{
	const struct sysdesc_vm *vm = &c->sys->desc->vm[index];
	uint64_t need = round_up(kernel->text_offset + kernel->image_size,
				 LARGE_PAGE) +
			round_up(c->sys->initrd[index].size, LARGE_PAGE) +
			DEVICETREE_ROOM;

	/* A zImage unpacks below itself (vmm/boot/layout.c). */
	if (kernel->kind == GUESTIMG_ZIMAGE)
		need = need * 4 / 3;
	if (need <= vm->region[0].size)
		return true;
	diag_error_at(c->sys->file, system_line(c->sys, c->vm_node, "memory"),
		      "kernel, initrd and devicetree of VM `%s` take %s, but its "
		      "first memory region has %s; give it more than %s",
		      vm->name, units_size_text(need),
		      units_size_text(vm->region[0].size),
		      units_size_text(need));
	return false;
}

static bool take_pieces(const struct image_check *c, struct sysdesc_vm *vm,
			const struct guestimg_kernel *kernel)
{
	vm->boot = SYSDESC_BOOT_PIECES;
	vm->entry = kernel->entry;
	vm->n_pieces = kernel->n_pieces;
	for (uint32_t i = 0; i < kernel->n_pieces; i++) {
		const struct sysdesc_piece *p = &kernel->piece[i];

		vm->piece[i] = *p;
		if (sysdesc_region_of(vm, p->gpa, p->size))
			continue;
		diag_error_at(c->sys->file, system_line(c->sys, c->vm_node, "memory"),
			      "the image of VM `%s` goes to 0x%llx..0x%llx, where the VM has "
			      "no memory, or not in one region; give it some there",
			      vm->name, (unsigned long long)p->gpa,
			      (unsigned long long)(p->gpa + p->size - 1));
		return false;
	}
	return true;
}

/* The width of the image is that of the VM, if it tells. */
static bool check_width(const struct image_check *c, uint32_t index,
			const struct guestimg_kernel *kernel)
{
	const struct system *sys = c->sys;
	struct sysdesc_vm *vm = &sys->desc->vm[index];
	bool given = yamldoc_get(&c->sys->doc, c->vm_node, "width") != NULL;

	if (vm->board == SYSDESC_BOARD_VEXPRESS_A9 && kernel->width == 64) {
		diag_error_at(sys->file, system_line(c->sys, c->vm_node, "kernel"),
			      "%s is a program of 64 bits, and board `vexpress-a9` has a 32-bit "
			      "processor; give a kernel for that, or `board: virt`",
			      sys->kernel[index].path);
		return false;
	}
	if (kernel->width != 0 && given && kernel->width != vm->width) {
		diag_error_at(sys->file, system_line(c->sys, c->vm_node, "width"),
			      "`width` is %u, but %s is a program of %u bits; remove `width`",
			      vm->width, sys->kernel[index].path, kernel->width);
		return false;
	}
	if (kernel->width != 0)
		vm->width = kernel->width;
	if (vm->width == 64 || sys->cpu->narrow)
		return true;
	diag_error_at(sys->file, system_line(c->sys, c->vm_node, "kernel"),
		      "VM `%s` is a 32-bit guest, and %s runs none; set `machine: {cpu: "
		      "cortex-a57}`, or another one that does",
		      vm->name, sys->cpu->name);
	return false;
}

/* The address at which the image has vectors of its own: its entry, or else
 * its lowest address. False: at neither. */
static bool find_handlers(const struct sysdesc_vm *vm, const struct file *file, uint64_t *at)
{
	uint64_t try[2] = { vm->entry & ~31ull, ~0ull };

	for (uint32_t i = 0; i < vm->n_pieces; i++)
		if (vm->piece[i].gpa < try[1])
			try[1] = vm->piece[i].gpa;
	for (unsigned t = 0; t < 2; t++) {
		for (uint32_t i = 0; i < vm->n_pieces; i++) {
			const struct sysdesc_piece *p = &vm->piece[i];

			*at = try[t];
			if (*at >= p->gpa && *at - p->gpa < p->bytes &&
			    p->bytes - (*at - p->gpa) >= 32 &&
			    guestimg_vectors(file->data + p->offset + (*at - p->gpa)))
				return true;
		}
	}
	return false;
}

#define LDR_PC_24 0xe59ff018u /* ldr pc, [pc, #24]: from the word 32 bytes on */

static bool default_vectors(const struct image_check *c, struct sysdesc_vm *vm,
			    const struct file *file)
{
	uint64_t handlers;
	unsigned line = system_line(c->sys, c->vm_node, "low_vectors");

	if (!find_handlers(vm, file, &handlers) || handlers == 0) {
		diag_error_at(c->sys->file, line,
			      "`low_vectors: default`: %s has no vectors of its own at its entry "
			      "or its lowest address, or they are at 0 already; give `guest`, or "
			      "the words themselves",
			      file->path);
		return false;
	}
	vm->n_vectors = SYSDESC_VECTORS;
	for (unsigned i = 0; i < SYSDESC_VECTORS / 2; i++) {
		vm->vector[i] = LDR_PC_24;
		vm->vector[SYSDESC_VECTORS / 2 + i] = (uint32_t)handlers + 4 * i;
	}
	return true;
}

static bool check_vectors(const struct image_check *c, uint32_t index)
{
	struct sysdesc_vm *vm = &c->sys->desc->vm[index];
	const struct conf_vm *conf = &c->sys->conf->vms[index];

	if (!system_low_vectors(conf))
		return true;
	if (vm->width == 64) {
		diag_error_at(c->sys->file, system_line(c->sys, c->vm_node, "low_vectors"),
			      "`low_vectors` is for 32-bit guests, and VM `%s` is none; remove it",
			      vm->name);
		return false;
	}
	return strcmp(conf->low_vectors[0], "default") != 0 ||
	       default_vectors(c, vm, &c->sys->kernel[index]);
}

/* Where it goes its boot protocol says, or `load`; the monitor finds room for the rest. */
static bool place_pc(const struct image_check *c, struct sysdesc_vm *vm, uint32_t index,
		     const struct guestimg_kernel *kernel)
{
	vm->boot = SYSDESC_BOOT_BZIMAGE + (kernel->kind - GUESTIMG_BZIMAGE);
	vm->entry = kernel->entry;
	if (kernel->kind == GUESTIMG_FLAT)
		(void)units_parse_size(c->sys->conf->vms[index].load, &vm->load);
	return true;
}

static bool load_kernel(const struct image_check *c, uint32_t index,
			struct guestimg_kernel *kernel)
{
	const struct conf_vm *conf = &c->sys->conf->vms[index];
	struct file *file = &c->sys->kernel[index];
	struct guestimg_wish wish = { .kind = (enum guestimg_kind)conf->kind };
	const char *wrong;

	wish.has_load = conf->load && units_parse_size(conf->load, &wish.load);
	wish.has_entry = conf->entry && units_parse_size(conf->entry, &wish.entry);
	if (!open_image(c, "kernel", conf->kernel, file))
		return false;
	if (c->sys->desc->vm[index].board == SYSDESC_BOARD_PC)
		wrong = guestimg_check_pc(file->data, file->size, &wish, kernel);
	else
		wrong = guestimg_check_kernel(file->data, file->size, &wish, kernel);
	if (wrong)
		return wrong_image(c, "kernel", file, wrong);
	if (kernel->unpacked && !file_replace(file, kernel->unpacked, kernel->unpacked_size))
		return false;
	guestimg_free(kernel);
	return check_width(c, index, kernel);
}

static bool place_kernel(const struct image_check *c, uint32_t index,
			 const struct guestimg_kernel *kernel)
{
	struct sysdesc_vm *vm = &c->sys->desc->vm[index];

	if (vm->board == SYSDESC_BOARD_PC)
		return place_pc(c, vm, index, kernel);
	if (kernel->n_pieces > 0)
		return take_pieces(c, vm, kernel);
	vm->boot = kernel->kind == GUESTIMG_ZIMAGE ? SYSDESC_BOOT_ZIMAGE : SYSDESC_BOOT_IMAGE;
	return check_fit(c, index, kernel);
}

/* The `image` of `node`. */
static bool load_disk(const struct image_check *c, yaml_node_t *node, const char *image,
		      struct file *file)
{
	if (!image_open(c, node, "image", image, file))
		return false;
	if (file->size % SYSDESC_SECTOR == 0)
		return true;
	diag_error_at(c->sys->file, system_line(c->sys, node, "image"),
		      "`image`: %s has %zu bytes, which are no whole sectors of %u; is it cut "
		      "short?",
		      file->path, file->size, SYSDESC_SECTOR);
	return false;
}

static bool load_disks(const struct image_check *c, uint32_t index)
{
	yaml_node_t *list = yamldoc_get(&c->sys->doc, c->vm_node, "disks");
	bool ok = true;

	for (uint32_t i = 0; i < c->sys->desc->vm[index].n_disks; i++)
		ok = load_disk(c, yamldoc_item(&c->sys->doc, list, i),
			       c->sys->conf->vms[index].disks[i].image,
			       &c->sys->disk[index * SYSDESC_MAX_DISKS + i]) &&
		     ok;
	return ok;
}

static bool load_served(struct system *sys, const char *build_dir)
{
	const struct image_check check = { .sys = sys, .build_dir = build_dir };
	yaml_node_t *list = yamldoc_get(&sys->doc, yamldoc_root(&sys->doc), "connections");
	bool ok = true;

	for (uint32_t i = 0; i < sys->desc->n_connections; i++)
		if (sys->conf->connections[i].image &&
		    !system_is_machines_disk(sys->conf->connections[i].image))
			ok = load_disk(&check, yamldoc_item(&sys->doc, list, i),
				       sys->conf->connections[i].image, &sys->served[i]) &&
			     ok;
	return ok;
}

static bool load_initrd(const struct image_check *c, uint32_t index)
{
	const char *spec = c->sys->conf->vms[index].initrd;
	struct file *file = &c->sys->initrd[index];
	const char *wrong;

	if (!spec)
		return true;
	if (!open_image(c, "initrd", spec, file))
		return false;
	wrong = guestimg_check_initrd(file->data, file->size);
	return !wrong || wrong_image(c, "initrd", file, wrong);
}

static bool load_beside(const struct image_check *c, uint32_t index, enum guestimg_kind kind)
{
	const struct conf_vm *conf = &c->sys->conf->vms[index];
	unsigned line = system_line(c->sys, c->vm_node, "modules");

	if (conf->modules_count > 0 && kind != GUESTIMG_MULTIBOOT) {
		diag_error_at(c->sys->file, line,
			      "`modules` are for Multiboot kernels, and %s is none; Linux takes an "
			      "`initrd`",
			      c->sys->kernel[index].path);
		return false;
	}
	if (conf->modules_count > 0 && conf->initrd) {
		diag_error_at(c->sys->file, line,
			      "`modules` and `initrd`: put the initrd into the list");
		return false;
	}
	return kind == GUESTIMG_MULTIBOOT ? image_load_modules(c, index) : load_initrd(c, index);
}

static bool load_vm(const struct image_check *c, uint32_t index)
{
	struct guestimg_kernel kernel;

	if (!load_kernel(c, index, &kernel))
		return false;
	return load_beside(c, index, kernel.kind) && place_kernel(c, index, &kernel) &&
	       check_vectors(c, index) &&
	       load_disks(c, index);
}

bool system_load_images(struct system *sys, const char *build_dir)
{
	bool ok = true;

	for (uint32_t i = 0; i < sys->desc->n_vms; i++) {
		const struct image_check check = {
			.sys = sys,
			.vm_node = system_vm_node(sys, i),
			.build_dir = build_dir,
		};

		ok = load_vm(&check, i) && ok;
	}
	return load_served(sys, build_dir) && ok;
}
