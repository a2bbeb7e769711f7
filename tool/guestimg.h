/*
 * Recognises the images that a VM boots and says what becomes of them. All
 * input is a file from anywhere: nothing in it is believed without a bound.
 */
#pragma once

#include <selvage/sysdesc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The values of the key `kind`. */
enum guestimg_kind {
	GUESTIMG_FIND = 0, /* not given: what the file's header says */
	GUESTIMG_IMAGE,    /* arm64 Linux Image */
	GUESTIMG_ZIMAGE,   /* 32-bit Arm Linux zImage */
	GUESTIMG_ELF,      /* ELF32 or ELF64, segments at physical addresses */
	GUESTIMG_UIMAGE,   /* U-Boot's legacy image */
	GUESTIMG_RAW,      /* bytes for one address */
	/* Of PCs (guestimg_pc.c): */
	GUESTIMG_BZIMAGE,   /* Linux */
	GUESTIMG_PVH,       /* ELF with the note of PVH */
	GUESTIMG_MULTIBOOT, /* with a header of Multiboot */
	GUESTIMG_FLAT,      /* bytes for one address */
};

/* What was given in the description beside the file. */
struct guestimg_wish {
	enum guestimg_kind kind;
	bool has_load, has_entry;
	uint64_t load, entry;
};

struct guestimg_kernel {
	enum guestimg_kind kind; /* never GUESTIMG_FIND */
	uint32_t width;          /* 32, 64, or 0: it does not tell */
	/* Linux: RAM that it takes, and for an Image from a 2 MiB boundary on
	 * (Linux, Documentation/arm64/booting.rst). */
	uint64_t text_offset, image_size;
	/* The others. */
	uint64_t entry;
	uint32_t n_pieces;
	struct sysdesc_piece piece[SYSDESC_MAX_PIECES];
	/* Of a packed uImage: the pieces are of these bytes; guestimg_free. */
	uint8_t *unpacked;
	size_t unpacked_size;
};

#define GUESTIMG_UNPACKED_MAX (256u << 20)

/* NULL and *kernel, or what is wrong with the bytes, with a hint: "cause;
 * hint", to be put behind the file's name. */
const char *guestimg_check_kernel(const uint8_t *data, size_t size,
				  const struct guestimg_wish *wish,
				  struct guestimg_kernel *kernel);
/* The same for a VM of board pc: the kind, and of FLAT the entry. What is in the
 * image the monitor checks. */
const char *guestimg_check_pc(const uint8_t *data, size_t size, const struct guestimg_wish *wish,
			      struct guestimg_kernel *kernel);
void guestimg_free(struct guestimg_kernel *kernel);
/* NULL if Linux takes the bytes as an initial RAM file system. */
const char *guestimg_check_initrd(const uint8_t *data, size_t size);

/* Whether the 32 bytes at `words` are vectors of AArch32 that branch: at least
 * six of the eight words are B or LDR PC. */
bool guestimg_vectors(const uint8_t *words);

/* The kinds with files of their own: guestimg_elf.c, guestimg_uimage.c. */
const char *guestimg_elf(const uint8_t *data, size_t size, struct guestimg_kernel *kernel);
const char *guestimg_uimage(const uint8_t *data, size_t size, struct guestimg_kernel *kernel);
