/* The check of images, among its parts. */
#pragma once

#include "system.h"

struct image_check {
	struct system *sys;
	yaml_node_t *vm_node;
	const char *build_dir;
};

/* Maps the file that `key` of `node` (the VM or something of it) names by `spec`, an asset or
 * a path. False: said why. */
bool image_open(const struct image_check *c, yaml_node_t *node, const char *key,
		const char *spec, struct file *file);

/* system_modules.c: what the description gives a Multiboot kernel becomes the image that
 * <selvage/modules.h> says. */
bool image_load_modules(const struct image_check *c, uint32_t index);
