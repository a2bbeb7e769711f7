/*
 * A VM that is brought over the control channel, by whoever: any order of begin,
 * put and finish, over memory that may run out. What is accepted keeps the rules,
 * and what is refused or dropped leaves nothing.
 *
 * Checksums are made right before an upload ends: no input would come behind them.
 *
 * Input: byte 0 how many pages there are; then for each step a byte that says
 * what, and its operands.
 */
#include "self.h"
#include "upload.h"

#include <selvage/crc32.h>
#include <selvage/rt_arch.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 64u
#define PAGE 4096u
#define VMS 3u

static uint8_t memory[PAGES][PAGE];
static bool taken[PAGES];
static unsigned limit, arenas;
static uint64_t ticks;

/* --- init's memory and clock ----------------------------------------------------- */

void mem_open(struct mem_arena *m, unsigned chunk_bits)
{
	(void)chunk_bits;
	memset(m, 0, sizeof(*m));
	m->ram_bytes = ++arenas;
}

/* The arena that a page belongs to, in its first use. */
static uint64_t owner[PAGES];

void mem_close(struct mem_arena *m)
{
	for (unsigned i = 0; i < PAGES; i++)
		if (taken[i] && owner[i] == m->ram_bytes)
			taken[i] = false;
}

cap_t mem_object(struct mem_arena *m, enum abi_object type)
{
	(void)type;
	for (unsigned i = 0; i < limit; i++) {
		if (taken[i])
			continue;
		taken[i] = true;
		owner[i] = m->ram_bytes;
		memset(memory[i], 0, PAGE);
		return i + 1;
	}
	return 0;
}

void *self_scratch(cap_t frame) { return frame == 0 || frame > PAGES ? NULL : memory[frame - 1]; }
void self_scratch_end(void) {}
uint64_t clock_arch_now(void) { return ticks; }
uint64_t clock_arch_about(void) { return ticks; }
uint64_t clock_arch_hz(void) { return 1000000; }

/* --- the fuzzer's input ---------------------------------------------------------- */

static const uint8_t *in;
static size_t left;

static uint64_t take(unsigned n)
{
	uint64_t v = 0;

	for (; n > 0 && left > 0; n--, left--)
		v = v << 8 | *in++;
	return v;
}

static unsigned pages_taken(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PAGES; i++)
		n += taken[i];
	return n;
}

static void check_accepted(unsigned vm, const struct upload_vm *u)
{
	const struct sysdesc_vm *d = &u->vm;
	struct image_frames f;
	uint64_t bytes;

	if (!upload_has(vm) || !upload_image(vm, d->kernel, &f, &bytes) ||
	    (uint64_t)f.count * PAGE < bytes || sysdesc_name_reserved(d->name) || d->gic > 3)
		abort();
	for (uint32_t i = 0; i < f.count; i++)
		if (f.frame[i] == 0 || !taken[f.frame[i] - 1])
			abort();
}

static void seal(void *page)
{
	struct payload_header *h = page;
	struct sysdesc *d = page;

	if (h->magic == PAYLOAD_MAGIC && h->n_items <= UPLOAD_ITEMS)
		h->crc32 = crc32_update(0, h->item, h->n_items * sizeof(h->item[0]));
	if (d->magic != SYSDESC_MAGIC || d->size < sizeof(*d) || d->size > PAGE)
		return;
	d->version = SYSDESC_VERSION;
	d->crc32 = sysdesc_checksum(d);
}

static void step(uint8_t what, uint32_t *crc)
{
	static const struct sysdesc system = { .gic_version = 3 };
	struct upload_vm d;
	unsigned vm = what >> 4;
	size_t n;

	switch (what & 7) {
	case 0:
		if (vm < VMS && !upload_has(vm) && upload_begin(vm, take(3)) == NULL)
			*crc = 0;
		break;
	case 1:
		vm = upload_vm();
		for (unsigned i = 0; i < PAGES; i++)
			seal(memory[i]);
		if (upload_finish(take(1) & 1 ? *crc : (uint32_t)take(4), &system, &d) == NULL)
			check_accepted(vm, &d);
		break;
	case 2:
		if (vm < VMS)
			upload_drop(vm);
		break;
	case 3:
		ticks += 1000000u * (uint64_t)take(1);
		(void)upload_busy();
		break;
	default: {
		uint64_t offset = take(3);

		n = (size_t)take(2);
		n = n > left ? left : n;
		if (upload_put(offset, in, n) == NULL)
			*crc = crc32_update(*crc, in, n);
		in += n;
		left -= n;
	}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t crc = 0;

	in = data;
	left = size;
	limit = 1 + (unsigned)take(1) % PAGES;
	while (left > 0)
		step((uint8_t)take(1), &crc);
	for (unsigned vm = 0; vm < VMS; vm++)
		upload_drop(vm);
	if (pages_taken() != 0)
		abort();
	return 0;
}
