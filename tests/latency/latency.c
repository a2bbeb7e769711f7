/*
 * A QEMU TCG plugin that measures for how long the kernel keeps interrupts
 * off: in instructions, from an exception's vector to the ERET, or from and
 * to a preemption point (a read of ISR_EL1) or a WFI. Arguments: out=FILE,
 * vectors=HEX, end=HEX (of the kernel's text).
 *
 * Per kind, which is the vector and the function of `kinds=FILE` (lines
 * `first last name`, addresses) in which most was spent, it writes the longest
 * stretch and the blocks on the way:
 *
 *   stretch KIND-NUMBER VECTOR INSTRUCTIONS ENTRY-NUMBER address:count ...
 */
#include "qemu_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERET 0xd69f03e0u
#define WFI 0xd503207fu
#define ISR_EL1 0xd538c100u /* MRS Xt, ISR_EL1 */
#define VECTORS 16u
#define VECTOR_BYTES 128u
#define KINDS 1024u
#define BLOCKS 4096u
#define SHOWN 8u

int qemu_plugin_version = 1;

/* A run of instructions without any of the marks. */
struct block {
	uint64_t address, instructions;
	unsigned kind;            /* 0: no function that we know */
	uint64_t stretch, passed; /* how often in that stretch */
};

static struct {
	uint64_t first, last;
} kinds[KINDS];
static unsigned kind_count;
static uint64_t vectors, text_end;

static uint64_t stretch, entries, spent;
static unsigned vector;
static struct block *touched[BLOCKS];
static unsigned touched_count;
static struct longest {
	uint64_t instructions, entry, address[SHOWN], count[SHOWN];
} longest[KINDS][VECTORS];
static FILE *out;

static int by_instructions(const void *a, const void *b)
{
	const struct block *x = *(struct block *const *)a, *y = *(struct block *const *)b;
	uint64_t left = x->passed * x->instructions, right = y->passed * y->instructions;

	return left < right ? 1 : left > right ? -1
					       : 0;
}

static unsigned main_kind(void)
{
	const struct block *most = NULL;

	for (unsigned i = 0; i < touched_count; i++)
		if (!most || touched[i]->passed * touched[i]->instructions >
				     most->passed * most->instructions)
			most = touched[i];
	return most ? most->kind : 0;
}

static void end_stretch(void)
{
	struct longest *l = &longest[main_kind()][vector];

	if (spent > l->instructions) {
		qsort(touched, touched_count, sizeof(touched[0]), by_instructions);
		*l = (struct longest){ .instructions = spent, .entry = entries };
		for (unsigned i = 0; i < SHOWN && i < touched_count; i++) {
			l->address[i] = touched[i]->address;
			l->count[i] = touched[i]->passed * touched[i]->instructions;
		}
	}
	stretch++;
	spent = 0;
	touched_count = 0;
}

static void on_vector(unsigned vcpu, void *data)
{
	(void)vcpu;
	stretch++;
	spent = 0;
	touched_count = 0;
	entries++;
	vector = (unsigned)(uintptr_t)data;
}

static void on_mark(unsigned vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	end_stretch();
}

static void on_block(unsigned vcpu, void *data)
{
	struct block *b = data;

	(void)vcpu;
	spent += b->instructions;
	if (b->stretch != stretch) {
		b->stretch = stretch;
		b->passed = 0;
		if (touched_count < BLOCKS)
			touched[touched_count++] = b;
	}
	b->passed++;
}

static unsigned kind_of(uint64_t address)
{
	for (unsigned i = 1; i <= kind_count; i++)
		if (address >= kinds[i].first && address < kinds[i].last)
			return i;
	return 0;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	uint64_t at = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
	struct block *b;

	(void)id;
	if (at < (vectors & ~0xffffffull) || at >= text_end)
		return;
	/* Callbacks run in the order of registration. */
	if (at - vectors < (uint64_t)VECTORS * VECTOR_BYTES && (at - vectors) % VECTOR_BYTES == 0)
		qemu_plugin_register_vcpu_insn_exec_cb(
			qemu_plugin_tb_get_insn(tb, 0), on_vector, 0,
			(void *)(uintptr_t)((at - vectors) / VECTOR_BYTES));
	b = calloc(1, sizeof(*b));
	b->address = at;
	b->instructions = n;
	b->kind = kind_of(at);
	qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, 0), on_block, 0, b);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t word;

		memcpy(&word, qemu_plugin_insn_data(insn), sizeof(word));
		if (word == ERET || word == WFI || (word & ~31u) == ISR_EL1)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, 0, NULL);
	}
}

static void on_exit_emulator(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	for (unsigned k = 0; k <= kind_count; k++)
		for (unsigned v = 0; v < VECTORS; v++) {
			const struct longest *l = &longest[k][v];

			if (!l->instructions)
				continue;
			fprintf(out, "stretch %u %u %llu %llu", k, v,
				(unsigned long long)l->instructions, (unsigned long long)l->entry);
			for (unsigned i = 0; i < SHOWN && l->count[i]; i++)
				fprintf(out, " %llx:%llu", (unsigned long long)l->address[i],
					(unsigned long long)l->count[i]);
			fputc('\n', out);
		}
	fprintf(out, "entries %llu\n", (unsigned long long)entries);
	fclose(out);
}

static void read_kinds(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned long long first, last;

	while (f && kind_count + 1 < KINDS && fscanf(f, "%llx %llx %*s", &first, &last) == 2) {
		kind_count++;
		kinds[kind_count].first = first;
		kinds[kind_count].last = last;
	}
	if (f)
		fclose(f);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			out = fopen(argv[i] + 4, "w");
		else if (strncmp(argv[i], "vectors=", 8) == 0)
			vectors = strtoull(argv[i] + 8, NULL, 16);
		else if (strncmp(argv[i], "end=", 4) == 0)
			text_end = strtoull(argv[i] + 4, NULL, 16);
		else if (strncmp(argv[i], "kinds=", 6) == 0)
			read_kinds(argv[i] + 6);
	}
	if (!out || !vectors || !text_end) {
		fprintf(stderr, "latency: give out=, vectors= and end=\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_emulator, NULL);
	return 0;
}
