/* Kernels of PCs, by the marks that their boot protocols give them. */
#include "guestimg.h"

#include <selvage/base.h>
#include <string.h>

#define SETUP_MAGIC_AT 0x202u /* Linux, Documentation/x86/boot.rst */
#define MULTIBOOT_MAGIC 0x1badb002u
#define MULTIBOOT_BYTES 8192u /* Multiboot 0.6.96, 3.1 */
#define MULTIBOOT_HEADER 12u

static bool is_bzimage(const uint8_t *data, size_t size)
{
	return size >= SETUP_MAGIC_AT + 4 && memcmp(data + SETUP_MAGIC_AT, "HdrS", 4) == 0;
}

static bool is_multiboot(const uint8_t *data, size_t size)
{
	for (size_t at = 0; at + MULTIBOOT_HEADER <= size && at < MULTIBOOT_BYTES; at += 4) {
		const uint32_t magic = load_le32(data + at);

		if (magic == MULTIBOOT_MAGIC &&
		    magic + load_le32(data + at + 4) + load_le32(data + at + 8) == 0)
			return true;
	}
	return false;
}

static const char *find_kind(const uint8_t *data, size_t size, enum guestimg_kind *kind)
{
	if (is_bzimage(data, size))
		*kind = GUESTIMG_BZIMAGE;
	else if (is_multiboot(data, size))
		*kind = GUESTIMG_MULTIBOOT;
	else if (size >= 4 && memcmp(data, "\x7f"
					   "ELF",
				     4) == 0)
		*kind = GUESTIMG_PVH;
	else
		return "is no kernel for a PC that says so itself; give `kind: flat` and `load`";
	return NULL;
}

const char *guestimg_check_pc(const uint8_t *data, size_t size, const struct guestimg_wish *wish,
			      struct guestimg_kernel *kernel)
{
	const char *wrong = NULL;

	*kernel = (struct guestimg_kernel){ .kind = wish->kind, .width = 64 };
	if (wish->kind == GUESTIMG_FIND)
		wrong = find_kind(data, size, &kernel->kind);
	if (wrong)
		return wrong;
	if (kernel->kind < GUESTIMG_BZIMAGE)
		return "has a `kind` that no PC boots; give bzimage, pvh, multiboot or flat";
	if (kernel->kind != GUESTIMG_FLAT)
		return wish->has_load || wish->has_entry
			       ? "says itself where it goes and begins; remove `load` and `entry`"
			       : NULL;
	if (!wish->has_load)
		return "is flat; give `load`, where it goes";
	kernel->entry = wish->has_entry ? wish->entry : wish->load;
	return NULL;
}
