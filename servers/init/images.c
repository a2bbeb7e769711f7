#include "images.h"

#include "self.h"

#include <selvage/base.h>
#include <string.h>

#define MAX_PROCESSES 16
#define MAX_FRAMES 16384

/* Where init sees the area: its index and small items, not guest images. */
static uint8_t *area;
static const struct payload_header *header;
static uint64_t area_bytes;
static struct image_frames item_frames[PAYLOAD_MAX];
static cap_t frames[MAX_FRAMES];
static uint32_t n_frames;
static struct {
	struct process_image image;
	uint32_t item;
} processes[MAX_PROCESSES];
static unsigned n_processes;
static const struct sysdesc *description;

/*
 * The area is made into frames front to back, because an untyped is used up
 * in that order: `cursor` is the next physical address, `piece` the boot
 * untyped it lies in.
 */
struct carver {
	const struct abi_bootinfo *bi;
	uint64_t cursor, end; /* of the current piece */
	cap_t piece;
};

/* Finds the device untyped in which the cursor lies. */
static bool carver_enter(struct carver *c, uint64_t paddr)
{
	for (uint64_t i = 0; i < c->bi->untyped.end - c->bi->untyped.start; i++) {
		const struct abi_untyped_desc *u = &c->bi->untyped_list[i];
		uint64_t size = bit_u64(u->size_bits);

		if (!u->is_device || !range_within_u64(paddr, 1, u->paddr, size))
			continue;
		c->cursor = u->paddr;
		c->end = u->paddr + size;
		c->piece = c->bi->untyped.start + i;
		return true;
	}
	return false;
}

/* One object at the cursor; its slot, or 0. */
static cap_t carver_make(struct carver *c, enum abi_object type, unsigned bits)
{
	cap_t slot = mem_slot(&init_arena);

	if (slot == 0 || sel4_untyped_retype(c->piece, ABI_ROOT_CNODE, type, bits, 0, 0,
					     slot, 1) != ABI_OK)
		return 0;
	c->cursor += bit_u64(bits);
	return slot;
}

/* Uses up [cursor, paddr) with objects nobody needs. */
static bool carver_skip(struct carver *c, uint64_t paddr)
{
	while (c->cursor < paddr) {
		unsigned bits = bit_lowest_u64(c->cursor | bit_u64(ABI_MAX_UNTYPED_BITS));

		while (bit_u64(bits) > paddr - c->cursor)
			bits--;
		if (carver_make(c, ABI_OBJ_UNTYPED, bits) == 0)
			return false;
	}
	return true;
}

/* Makes the frame at `paddr`, which is not before the cursor. */
static cap_t carver_frame(struct carver *c, uint64_t paddr, unsigned bits)
{
	if ((c->cursor >= c->end || paddr >= c->end) && !carver_enter(c, paddr))
		return 0;
	if (!carver_skip(c, paddr))
		return 0;
	if (bits == ABI_LARGE_PAGE_BITS)
		return carver_make(c, ABI_OBJ_LARGE_PAGE, bits);
	return carver_make(c, ABI_OBJ_SMALL_PAGE, bits);
}

/* Addresses for the area, in step with the physical ones for large pages. */
static bool reserve_area(const struct machine *machine)
{
	area = self_reserve(machine->payload_bytes + PAYLOAD_LARGE_ALIGN, ABI_LARGE_PAGE_BITS);
	if (area == NULL)
		return false;
	area += machine->payload_paddr & (PAYLOAD_LARGE_ALIGN - 1);
	header = (const void *)area;
	return true;
}

/* The item that comes next after `offset` in the area, or -1. */
static int next_item(uint64_t offset)
{
	int best = -1;

	for (uint32_t i = 0; i < header->n_items; i++)
		if (header->item[i].offset >= offset &&
		    (best < 0 || header->item[i].offset < header->item[best].offset))
			best = (int)i;
	return best;
}

/* Makes all frames of one item; small ones become visible to init. */
static bool carve_item(struct carver *c, uint64_t base, uint32_t item)
{
	const struct payload_item *it = &header->item[item];
	/* A process maps its image page by page. */
	bool large = it->kind != PAYLOAD_PROCESS && it->size >= PAYLOAD_LARGE_ALIGN &&
		     is_aligned_u64(base + it->offset, PAYLOAD_LARGE_ALIGN);
	unsigned bits = large ? ABI_LARGE_PAGE_BITS : ABI_PAGE_BITS;
	uint32_t count = (uint32_t)(align_up_u64(it->size, bit_u64(bits)) >> bits);

	item_frames[item].frame = &frames[n_frames];
	for (uint32_t i = 0; i < count; i++) {
		uint64_t offset = it->offset + ((uint64_t)i << bits);
		cap_t frame = n_frames == MAX_FRAMES ? 0 : carver_frame(c, base + offset, bits);

		if (frame == 0)
			return false;
		frames[n_frames++] = frame;
	}
	item_frames[item].count = count;
	item_frames[item].bits = bits;
	return it->kind == PAYLOAD_GUEST ||
	       self_map(area + it->offset, bits, item_frames[item].frame, count, MAP_RO, MAP_DATA);
}

/* Frames for the index itself, before anything of it is believed. */
static const char *carve_index(struct carver *c, uint64_t base, uint64_t size)
{
	uint64_t index_bytes = sizeof(*header) + PAYLOAD_MAX * sizeof(header->item[0]);
	uint64_t first = 0;

	/* The first page says how many items there are. */
	do {
		cap_t frame = carver_frame(c, base + first, ABI_PAGE_BITS);

		if (frame == 0 ||
		    !self_map(area + first, ABI_PAGE_BITS, &frame, 1, MAP_RO, MAP_DATA))
			return "cannot map the payload's index";
		first += 1u << ABI_PAGE_BITS;
		if (first == 1u << ABI_PAGE_BITS && header->n_items <= PAYLOAD_MAX)
			index_bytes = sizeof(*header) +
				      header->n_items * sizeof(header->item[0]);
	} while (first < index_bytes && first < size);
	return payload_check(header, size);
}

static const char *open_process(uint32_t item)
{
	const struct payload_item *it = &header->item[item];
	const char *error;

	if (n_processes == MAX_PROCESSES)
		return "too many process images";
	if (!payload_item_intact(header, item))
		return "a process image has a wrong checksum";
	error = elf_open(&processes[n_processes].image.elf,
			 (const uint8_t *)header + it->offset, it->size);
	processes[n_processes].image.frames = item_frames[item];
	processes[n_processes++].item = item;
	return error;
}

static const char *open_description(uint32_t item)
{
	const struct payload_item *it = &header->item[item];

	const char *wrong;

	description = (const void *)((const uint8_t *)header + it->offset);
	wrong = sysdesc_check(description, it->size, header->n_items);
	return wrong == NULL && (description->machine & (uint32_t)SYSDESC_MACHINE_RUNS)
		       ? "the description is of a VM, not of a system"
		       : wrong;
}

const char *images_init(const struct machine *machine, const struct abi_bootinfo *bi)
{
	struct carver c = { .bi = bi };
	const char *error;
	int item;

	area_bytes = machine->payload_bytes;
	if (!reserve_area(machine))
		return "no addresses for the payload";
	error = carve_index(&c, machine->payload_paddr, area_bytes);
	for (uint64_t offset = 0; error == NULL && (item = next_item(offset)) >= 0;
	     offset = header->item[item].offset + 1) {
		if (!carve_item(&c, machine->payload_paddr, (uint32_t)item))
			return "cannot make frames of the payload";
		if (header->item[item].kind == PAYLOAD_PROCESS)
			error = open_process((uint32_t)item);
		else if (header->item[item].kind == PAYLOAD_DESCRIPTION)
			error = open_description((uint32_t)item);
	}
	if (error == NULL && description == NULL)
		error = "the payload has no system description";
	return error;
}

const struct sysdesc *images_description(void) { return description; }

const struct process_image *images_process(const char *name)
{
	for (unsigned i = 0; i < n_processes; i++)
		if (strcmp(header->item[processes[i].item].name, name) == 0)
			return &processes[i].image;
	return NULL;
}

bool images_guest(uint32_t index, struct image_frames *where, uint64_t *bytes)
{
	if (index >= header->n_items || header->item[index].kind != PAYLOAD_GUEST)
		return false;
	*where = item_frames[index];
	*bytes = header->item[index].size;
	return true;
}
