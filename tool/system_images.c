/* The check of the images that a system description names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "guestimg.h"
#include "system.h"
#include "units.h"

#define ASSET_PREFIX "asset:"
#define LARGE_PAGE (2ull << 20)
#define DEVICETREE_ROOM LARGE_PAGE

struct image_check {
	struct system *sys;
	yaml_node_t *vm_node;
	const char *build_dir;
};

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

static bool cannot_open(const struct image_check *c, const char *key,
			const char *spec, const char *path)
{
	unsigned line = system_line(c->sys, c->vm_node, key);
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

static bool open_image(const struct image_check *c, const char *key,
		       const char *spec, struct file *file)
{
	char *path;
	bool ok;

	if (!asset_name_valid(spec)) {
		diag_error_at(c->sys->file,
			      system_line(c->sys, c->vm_node, key),
			      "`%s`: `%s` names no asset; write `asset:NAME` "
			      "with the name of a file in the assets folder",
			      key, spec);
		return false;
	}
	path = resolve(c, spec);
	ok = file_map(file, path);
	if (!ok)
		cannot_open(c, key, spec, path);
	free(path);
	return ok;
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

static bool load_vm(const struct image_check *c, uint32_t index)
{
	const struct conf_vm *conf = &c->sys->conf->vms[index];
	struct file *kernel_file = &c->sys->kernel[index];
	struct file *initrd_file = &c->sys->initrd[index];
	struct guestimg_kernel kernel;
	const char *wrong;

	if (!open_image(c, "kernel", conf->kernel, kernel_file))
		return false;
	wrong = guestimg_check_kernel(kernel_file->data, kernel_file->size,
				      &kernel);
	if (wrong)
		return wrong_image(c, "kernel", kernel_file, wrong);
	if (conf->initrd) {
		if (!open_image(c, "initrd", conf->initrd, initrd_file))
			return false;
		wrong = guestimg_check_initrd(initrd_file->data,
					      initrd_file->size);
		if (wrong)
			return wrong_image(c, "initrd", initrd_file, wrong);
	}
	return check_fit(c, index, &kernel);
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
	return ok;
}
