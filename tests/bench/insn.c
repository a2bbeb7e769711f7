/*
 * A QEMU TCG plugin that counts executed instructions and notes the count when
 * a marker executes. Arguments: out=FILE, first=HEX,
 * at=ADDRESS:WORD..., quit=1 to end the emulator at the mark, profile=1,
 * guest=FROM-TO.
 *
 *   first: a guest kernel's first instruction, told by the second word of its
 *          Image (a branch of its own) at offset 4 of a 2 MiB boundary
 *   at0..: an instruction told by its virtual address and its word, both hex
 *   profile: at each at-point and mark, `pc ADDRESS WORD COUNT` of every instruction
 *          that was executed since the last one
 *   mark:  `hint #93` (probe mark, guests/micro): no operation anywhere else; with
 *          guest=FROM-TO (hex) how many of those executed were at addresses there
 */
#include "qemu_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK_INSN 0xd5032bbfu /* hint #93 */
#define IMAGE_ALIGN_MASK 0x1fffffu

int qemu_plugin_version = 1;

static uint64_t executed, in_guest;
static uint64_t guest_from, guest_to;
static uint32_t first_word;
static int quit;
static FILE *out;
static struct {
	uint64_t address;
	uint32_t word;
} points[4];
static unsigned n_points;

/* Every instruction seen, told apart by address and word: processes share
 * addresses. Open addressing; what finds no room is not counted. */
#define SEEN_BITS 18
static struct seen {
	uint64_t address, count;
	uint32_t word;
} *seen;

static struct seen *seen_at(uint64_t address, uint32_t word)
{
	uint64_t hash = (address ^ (uint64_t)word << 20) * 0x9e3779b97f4a7c15u;

	for (uint64_t i = hash >> (64 - SEEN_BITS), tries = 0; tries < 64; tries++, i++) {
		struct seen *s = &seen[i & ((1u << SEEN_BITS) - 1)];

		if (s->word == 0)
			*s = (struct seen){ .address = address, .word = word };
		if (s->address == address && s->word == word)
			return s;
	}
	return NULL;
}

static void dump_profile(void)
{
	for (struct seen *s = seen; s < seen + (1u << SEEN_BITS); s++) {
		if (s->count)
			fprintf(out, "pc %llx %x %llu\n", (unsigned long long)s->address, s->word,
				(unsigned long long)s->count);
		s->count = 0;
	}
}

static void on_point(unsigned vcpu, void *data)
{
	(void)vcpu;
	if (seen)
		dump_profile();
	fprintf(out, "at%u %llu\n", (unsigned)(uintptr_t)data, (unsigned long long)executed);
	fflush(out);
}

static void on_mark(unsigned vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	if (seen)
		dump_profile();
	if (guest_to != 0)
		fprintf(out, "guest %llu\n", (unsigned long long)in_guest);
	fprintf(out, "mark %llu\n", (unsigned long long)executed);
	fflush(out);
	if (quit)
		_exit(0);
}

static void on_first(unsigned vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	fprintf(out, "first %llu\n", (unsigned long long)executed);
}

static void on_exit_emulator(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	fprintf(out, "total %llu\n", (unsigned long long)executed);
	fclose(out);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t at = qemu_plugin_insn_vaddr(insn);
		size_t bytes = qemu_plugin_insn_size(insn);
		uint32_t word = 0; /* or its first bytes, on x86 */

		bytes = bytes < sizeof word ? bytes : sizeof word;
		memcpy(&word, qemu_plugin_insn_data(insn), bytes);
		if (word == MARK_INSN)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, CB_NO_REGS, NULL);
		if (first_word && word == first_word && (at & IMAGE_ALIGN_MASK) == 4)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_first, CB_NO_REGS, NULL);
		for (unsigned p = 0; p < n_points; p++)
			if (at == points[p].address && word == points[p].word)
				qemu_plugin_register_vcpu_insn_exec_cb(insn, on_point, CB_NO_REGS,
								       (void *)(uintptr_t)p);
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &executed, 1);
		if (at - guest_from < guest_to - guest_from)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &in_guest,
								   1);
		struct seen *s = seen ? seen_at(at, word) : NULL;
		if (s)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &s->count,
								   1);
	}
}

static void set_guest(const char *text)
{
	char *to;

	guest_from = strtoull(text, &to, 16);
	guest_to = strtoull(to + (*to == '-'), NULL, 16);
}

static void add_point(const char *text)
{
	char *word;

	if (n_points == sizeof(points) / sizeof(points[0]))
		return;
	points[n_points].address = strtoull(text, &word, 16);
	points[n_points++].word = (uint32_t)strtoul(word + (*word == ':'), NULL, 16);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			out = fopen(argv[i] + 4, "w");
		else if (strncmp(argv[i], "first=", 6) == 0)
			first_word = (uint32_t)strtoul(argv[i] + 6, NULL, 16);
		else if (strncmp(argv[i], "at=", 3) == 0)
			add_point(argv[i] + 3);
		else if (strncmp(argv[i], "guest=", 6) == 0)
			set_guest(argv[i] + 6);
		else if (strcmp(argv[i], "quit=1") == 0)
			quit = 1;
		else if (strcmp(argv[i], "profile=1") == 0)
			seen = calloc(1u << SEEN_BITS, sizeof(*seen));
	}
	if (!out) {
		fprintf(stderr, "insn: give out=FILE\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_emulator, NULL);
	return 0;
}
