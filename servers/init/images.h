/*
 * The payload area as init uses it: the index checked, processes' images and
 * the description mapped, guest images as lists of frames to map elsewhere.
 */
#pragma once

#include "elf_image.h"
#include "machine.h"
#include "map.h"

#include <selvage/payload.h>
#include <selvage/sysdesc.h>

/* The frames that hold one payload item, in order. */
struct image_frames {
	const cap_t *frame;
	uint32_t count;
	uint32_t bits; /* of each frame: 12 or 21 */
};

/* Opens the area; returns NULL or what is wrong with it. */
const char *images_init(const struct machine *machine, const struct abi_bootinfo *bi);

const struct sysdesc *images_description(void);

/* A process image by name; NULL if there is none that is sound. */
struct process_image {
	struct elf_image elf;
	struct image_frames frames;
};
const struct process_image *images_process(const char *name);

/* A guest image by payload index; false if there is none. */
bool images_guest(uint32_t index, struct image_frames *where, uint64_t *bytes);
