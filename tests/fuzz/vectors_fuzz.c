/* Vectors of a guest whose registers and memory are anything: each gets a state, and the capture is
 * one that can be read again. */
#include <selvage/base.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "diag.h"
#include "vectors.h"
#include "x86_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct guest {
	const uint8_t *byte;
	size_t n;
};

/* The data, from 0 on; what is in odd MiB is a device, in the last half nobody knows. */
static enum capture_place read_guest(void *context, uint64_t address, uint8_t *bytes, size_t n,
				     uint64_t *physical, bool *known)
{
	const struct guest *g = context;

	if (n == 0 || n > GUEST_MEMORY_BYTES)
		abort();
	*known = true;
	*physical = address;
	if (address >> 63)
		return PLACE_UNKNOWN;
	if (address >> 20 & 1)
		return PLACE_DEVICE;
	if (address >= g->n)
		return PLACE_UNMAPPED;
	memset(bytes, 0, n);
	memcpy(bytes, g->byte + address, min_u64(n, g->n - address));
	return PLACE_MEMORY;
}

static uint64_t take(struct guest *g)
{
	uint64_t value = 0;
	const size_t n = min_u64(g->n, sizeof(value));

	memcpy(&value, g->byte, n);
	g->byte += n;
	g->n -= n;
	return value;
}

static void add(struct capture_regs *regs, const char *name, uint64_t value)
{
	(void)capture_add_reg(regs, name, value, 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const system[] = { "cr0", "efer", "idt_base", "idt_limit",
					      "gdt_base", "gdt_limit", "VBAR_EL1", "SCTLR" };
	static struct capture c, again;
	struct guest g = { data, size };
	const struct guest_memory memory = { &g, read_guest };
	const uint64_t how = take(&g);
	char why[200] = "", *text;

	diag_silence(true);
	c = (struct capture){ .width = (how & 0xff) % (WIDTH_AARCH64 + 1), .state = "x" };
	for (size_t i = 0; i < ARRAY_SIZE(system); i++) {
		if (how >> (8 + i) & 1)
			add(&c.system, system[i], take(&g));
	}
	add(&c.general, "cs", how >> 16);
	if (c.width == WIDTH_UNKNOWN)
		x86_state_find(&c);
	vectors_find_base(&c);
	vectors_read(&c, &memory);
	if (c.n_vectors != capture_table_length(c.width))
		abort();
	for (size_t i = 0; i < c.n_vectors; i++) {
		if (!*c.vector[i].reason || !*c.vector[i].name)
			abort();
	}
	text = capture_to_json(&c);
	if (!capture_from_json(&again, text, strlen(text), why, sizeof(why)))
		abort();
	free(text);
	capture_free(&again);
	capture_free(&c);
	return 0;
}
