/* What a PC guest is told about its memory (e820), and places in it. */
#pragma once

#include "../../gmem.h"

#define PC_MAP_MAX 64u /* Linux's zero page has room for 128 */
#define PC_TAKEN_MAX 64u
#define PC_4GIB 0x100000000ull
#define PC_ADDRESS_BITS 52u
#define PC_NOWHERE (~0ull)

/* The types of e820, of PVH and of Multiboot alike (ACPI 6.4, 15). */
enum pc_memory {
	PC_MEMORY_RAM = 1,
	PC_MEMORY_RESERVED = 2,
	PC_MEMORY_ACPI = 3,
	PC_MEMORY_NVS = 4,
};

struct pc_range {
	uint64_t start, size;
	enum pc_memory type;
};

/* By address; ranges do not overlap, neighbours differ. */
struct pc_map {
	unsigned n;
	struct pc_range range[PC_MAP_MAX];
};

/* What of RAM below 1 MiB a guest may use. */
enum pc_low {
	PC_LOW_PC,    /* 0x500 to 0x9fbff: no BIOS data, no hole for video and ROMs */
	PC_LOW_PLAIN, /* all that is RAM */
};

/* The guest's RAM, which need not be one piece. False: too many ranges, or an
 * address that no processor has. */
bool pc_map_from_ram(struct pc_map *m, const struct gmem *mem, enum pc_low low);
/* The range is of this type, whatever it was. False (and nothing changed): no
 * room, empty or out of range. */
bool pc_map_set(struct pc_map *m, uint64_t start, uint64_t size, enum pc_memory type);
/* Whether a guest may use all of it. */
bool pc_map_is_ram(const struct pc_map *m, uint64_t start, uint64_t size);
/* The end of usable RAM that begins at or holds `start`; `start`: none there. */
uint64_t pc_map_ram_end(const struct pc_map *m, uint64_t start);

/* Where things are put: usable RAM, less what is taken. */
struct pc_places {
	const struct pc_map *map;
	unsigned n;
	struct pc_range taken[PC_TAKEN_MAX];
};

enum pc_place_order {
	PC_PLACE_LOWEST,
	PC_PLACE_HIGHEST,
};

/* Nothing is to be put there, be it RAM or not; the places have room for it. */
void pc_reserve(struct pc_places *p, uint64_t start, uint64_t size);
/* Takes exactly this range. False: not all RAM, or taken. */
bool pc_take(struct pc_places *p, uint64_t start, uint64_t size);
/* Takes a range in [from, to) at a multiple of `align`, a power of two; an
 * empty one counts as one byte. PC_NOWHERE: there is none. */
uint64_t pc_place(struct pc_places *p, uint64_t size, uint64_t align, uint64_t from,
		  uint64_t to, enum pc_place_order order);
