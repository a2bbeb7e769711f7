#include "capture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

const char *const capture_width_names[N_WIDTHS] = {
	[WIDTH_UNKNOWN] = "unknown",
	[WIDTH_AARCH32] = "aarch32",
	[WIDTH_AARCH64] = "aarch64",
	[WIDTH_X86_16] = "x86-16",
	[WIDTH_X86_32] = "x86-32",
	[WIDTH_X86_64] = "x86-64",
};

const char *const capture_place_names[N_PLACES] = {
	[PLACE_UNKNOWN] = "unknown",
	[PLACE_UNMAPPED] = "unmapped",
	[PLACE_DEVICE] = "device",
	[PLACE_MEMORY] = "memory",
};

const char *const vector_state_names[N_VECTOR_STATES] = {
	[VECTOR_UNKNOWN] = "unknown",
	[VECTOR_UNMAPPED] = "unmapped",
	[VECTOR_NO_CODE] = "mapped-without-code",
	[VECTOR_PLAUSIBLE] = "plausible",
};

void capture_free(struct capture *capture)
{
	free(capture->general.reg);
	free(capture->system.reg);
	free(capture->region);
	*capture = (struct capture){ 0 };
}

void capture_set_text(char *to, size_t room, const char *text, size_t n)
{
	if (n >= room)
		n = room - 1;
	for (size_t i = 0; i < n; i++)
		to[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	to[n] = '\0';
}

/* Room for one more, doubling at powers of two. */
static void *grow(void *list, size_t n, size_t size)
{
	if (n & (n - 1))
		return list;
	list = realloc(list, (n ? 2 * n : 1) * size);
	if (!list) {
		diag_error("out of memory");
		exit(1);
	}
	return list;
}

bool capture_add_reg(struct capture_regs *regs, const char *name, uint64_t value, unsigned bits)
{
	struct capture_reg *reg;

	if (capture_find_reg(regs, name))
		return true; /* QEMU lists some twice, for two encodings */
	if (regs->n == CAPTURE_REGS_MAX)
		return false;
	regs->reg = grow(regs->reg, regs->n, sizeof(*regs->reg));
	reg = &regs->reg[regs->n++];
	capture_set_text(reg->name, sizeof(reg->name), name, strlen(name));
	reg->value = value;
	reg->bits = bits;
	return true;
}

bool capture_add_region(struct capture *capture, const struct capture_region *region)
{
	if (capture->n_regions == CAPTURE_REGIONS_MAX)
		return false;
	capture->region = grow(capture->region, capture->n_regions, sizeof(*region));
	capture->region[capture->n_regions++] = *region;
	return true;
}

const struct capture_reg *capture_find_reg(const struct capture_regs *regs, const char *name)
{
	for (size_t i = 0; i < regs->n; i++) {
		if (strcmp(regs->reg[i].name, name) == 0)
			return &regs->reg[i];
	}
	return NULL;
}

bool capture_is_x86(const struct capture *capture) { return capture->width >= WIDTH_X86_16; }

const struct capture_reg *capture_pc(const struct capture *capture)
{
	static const char *const names[] = { "pc", "rip", "eip" };
	const struct capture_reg *pc = NULL;

	for (size_t i = 0; !pc && i < sizeof(names) / sizeof(names[0]); i++)
		pc = capture_find_reg(&capture->general, names[i]);
	return pc;
}

size_t capture_table_length(enum capture_width width)
{
	if (width >= WIDTH_X86_16)
		return 256;
	return width == WIDTH_AARCH64 ? 16 : 8;
}

bool capture_shows_vector(const struct capture *capture, size_t i)
{
	return i < CAPTURE_EXCEPTIONS || (i < capture->n_vectors && capture->vector[i].required);
}

void capture_note(struct capture *capture, const char *format, ...)
{
	va_list args;

	if (capture->n_notes == CAPTURE_NOTES_MAX)
		return;
	va_start(args, format);
	vsnprintf(capture->note[capture->n_notes++], sizeof(capture->note[0]), format, args);
	va_end(args);
}
