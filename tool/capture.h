/*
 * A capture: what one guest's processor, vectors and memory map look like at one moment, and on
 * what it ran. The file format is docs/schema/capture.schema.json.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_WORDS 8u
#define CAPTURE_VECTORS_MAX 256u
/* Of an x86, behind which interrupts are; the tables of the others are no longer. */
#define CAPTURE_EXCEPTIONS 32u
#define CAPTURE_REGS_MAX 1024u
#define CAPTURE_REGIONS_MAX 4096u
#define CAPTURE_NOTES_MAX 16u
#define CAPTURE_TEXT 128
#define CAPTURE_SHORT 40
#define CAPTURE_PATH 1024
#define CAPTURE_FORMAT "selvage-capture"
#define CAPTURE_VERSION 1
#define CAPTURE_FILE_MAX (16u << 20)

enum capture_width { WIDTH_UNKNOWN,
		     WIDTH_AARCH32,
		     WIDTH_AARCH64,
		     WIDTH_X86_16, /* real mode */
		     WIDTH_X86_32, /* protected mode */
		     WIDTH_X86_64, /* long mode */
		     N_WIDTHS };

/* What lies at an address of the guest, as far as code could be there. */
enum capture_place {
	PLACE_UNKNOWN,  /* the source could not tell */
	PLACE_UNMAPPED, /* no translation, or nothing behind it */
	PLACE_DEVICE,   /* a device: not read, and no code can be there */
	PLACE_MEMORY,
	N_PLACES
};

enum vector_state {
	VECTOR_UNKNOWN,
	VECTOR_UNMAPPED,
	VECTOR_NO_CODE, /* mapped without code */
	VECTOR_PLAUSIBLE,
	N_VECTOR_STATES
};

struct capture_reg {
	char name[CAPTURE_SHORT];
	uint64_t value;
	unsigned bits; /* 32 or 64 */
};

struct capture_regs {
	struct capture_reg *reg;
	size_t n;
};

struct capture_region {
	uint64_t first, last;
	char kind[CAPTURE_SHORT]; /* ram, rom, romd, i/o ... as the source names it */
	char name[CAPTURE_TEXT];
};

/* Eight words in a row and what they mean as instructions. */
struct capture_window {
	uint64_t address;
	bool has_physical;
	uint64_t physical;
	enum capture_place place;
	uint32_t word[CAPTURE_WORDS];
	char text[CAPTURE_WORDS][CAPTURE_TEXT];
};

struct capture_vector {
	char name[CAPTURE_SHORT];
	uint64_t address;
	enum vector_state state;
	/* Where the state is no_code or plausible: the instruction; of an x86 the word of the gate
	 * that says whether it is one. */
	uint32_t word;
	char text[CAPTURE_TEXT];
	char reason[CAPTURE_TEXT];
	bool has_target;
	uint64_t target;
	bool required; /* a table without this one is not complete */
};

struct capture_image {
	char file[CAPTURE_PATH]; /* empty: not known */
	char sha256[65];         /* empty: not known */
	bool has_crc32;          /* a Selvage VM knows this one of its image */
	uint32_t crc32;
	uint64_t bytes; /* 0: not known */
	bool has_load, has_entry;
	uint64_t load, entry;
};

struct capture {
	char started[CAPTURE_SHORT], finished[CAPTURE_SHORT];
	char source[CAPTURE_SHORT];   /* qemu, selvage */
	char protocol[CAPTURE_SHORT]; /* hmp, qmp, gdb */
	char address[CAPTURE_PATH];
	char version[CAPTURE_TEXT];
	char guest_name[CAPTURE_TEXT];
	char accel_ran[CAPTURE_SHORT];     /* tcg, kvm, selvage ..., unknown */
	char accel_claimed[CAPTURE_SHORT]; /* empty: nobody claimed one */
	char accel_evidence[CAPTURE_TEXT];
	char board[CAPTURE_SHORT];
	char machine[CAPTURE_TEXT];
	char cpu[CAPTURE_TEXT];
	unsigned vcpus;
	char state[CAPTURE_SHORT]; /* before the capture: running, paused ... */
	enum capture_width width;
	char mode[CAPTURE_SHORT];
	bool thumb_vectors, secure;
	struct capture_image image;
	struct capture_regs general, system;
	bool base_known; /* else: assumed */
	uint64_t base;
	char base_rule[CAPTURE_TEXT];
	struct capture_window vectors, low;
	struct capture_vector vector[CAPTURE_VECTORS_MAX];
	size_t n_vectors;
	struct capture_region *region;
	size_t n_regions;
	char note[CAPTURE_NOTES_MAX][CAPTURE_TEXT * 2];
	size_t n_notes;
};

/* Names as they stand in the file, by value of the enumeration. */
extern const char *const capture_width_names[N_WIDTHS];
extern const char *const capture_place_names[N_PLACES];
extern const char *const vector_state_names[N_VECTOR_STATES];

void capture_free(struct capture *capture);
/* Copies what fits; control characters become '?': it came from outside. */
void capture_set_text(char *to, size_t room, const char *text, size_t n);
/* The first one of a name stays. False when there are too many of them. */
bool capture_add_reg(struct capture_regs *regs, const char *name, uint64_t value, unsigned bits);
bool capture_add_region(struct capture *capture, const struct capture_region *region);
const struct capture_reg *capture_find_reg(const struct capture_regs *regs, const char *name);
bool capture_is_x86(const struct capture *capture);
/* The program counter, whatever its name. */
const struct capture_reg *capture_pc(const struct capture *capture);
/* How many entries the vector table of that width has. */
size_t capture_table_length(enum capture_width width);
/* Vectors that a reader wants to see one by one: of an x86's interrupts those that are required. */
bool capture_shows_vector(const struct capture *capture, size_t i);
void capture_note(struct capture *capture, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The capture as text in its file format; the caller frees. */
char *capture_to_json(const struct capture *capture);
/*
 * The other way; false with a reason of at most `room` bytes. Every value is checked: what comes
 * back can be relied on like a capture of ours.
 */
bool capture_from_json(struct capture *capture, const char *text, size_t n, char *why, size_t room);
/* The same from a file, with a message when it fails. */
bool capture_read(struct capture *capture, const char *path);
