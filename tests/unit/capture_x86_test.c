/* Captures of PCs: what the monitor of an x86's QEMU prints, gates and pointers judged, images. */
#include <selvage/base.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "capture_image.h"
#include "capture_source.h"
#include "compare.h"
#include "diag.h"
#include "hmp_text.h"
#include "insn.h"
#include "unit.h"
#include "vectors.h"
#include "x86_state.h"

/* --- what QEMU prints --- */

static const char real_mode[] =
	"\nCPU#0\n"
	"EAX=00000001 EBX=00000000 ECX=0000b79d EDX=00000000\n"
	"ESI=0000b79d EDI=00000000 EBP=0000b79d ESP=00006f94\n"
	"EIP=0000b7b9 EFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\n"
	"ES =d980 000d9800 0000ffff 00009300\n"
	"CS =f000 000f0000 0000ffff 00009b00\n"
	"LDT=0000 00000000 0000ffff 00008200\n"
	"TR =0000 00000000 0000ffff 00008b00\n"
	"GDT=     00000000 00000000\n"
	"IDT=     00000000 000003ff\n"
	"CR0=00000010 CR2=00000000 CR3=00000000 CR4=00000000\n"
	"DR6=00000000ffff0ff0 DR7=0000000000000400\n"
	"EFER=0000000000000000\n"
	"FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80\n"
	"FPR0=0000000000000000 0000 FPR1=0000000000000000 0000\n"
	"XMM00=00000000000000000000000000000000\n";
static const char long_mode[] =
	"RAX=0000000000000000 RBX=0000000000000010\n"
	"R8 =0000000000000605 R15=0000000000000010\n"
	"RIP=ffffffff81e01a60 RFL=00000046 [---Z-P-] CPL=3 II=0 A20=1 SMM=0 HLT=0\n"
	"CS =0033 0000000000000000 ffffffff 00a0fb00 DPL=3 CS64 [-RA]\n"
	"GS =0000 ffff88800f800000 00000000 00000000\n"
	"LDT=0000 0000000000000000 00000000 00008200 DPL=0 LDT\n"
	"TR =0040 fffffe0000003000 00004087 00008900 DPL=0 TSS64-avl\n"
	"GDT=     fffffe0000001000 0000007f\n"
	"IDT=     fffffe0000000000 00000fff\n"
	"CR0=80050033 CR2=0000000009e3f8a8 CR3=0000000005650000 CR4=003506b0\n"
	"EFER=0000000000000d01\n"
	"CPU#1\nRAX=000000000000beef\n";

static uint64_t value_of(const struct capture_regs *regs, const char *name)
{
	const struct capture_reg *reg = capture_find_reg(regs, name);

	if (!reg)
		fail_msg("there is no %s", name);
	return reg->value;
}

static void registers_are_read(void **state)
{
	struct capture c = { 0 };

	(void)state;
	assert_true(hmp_registers_x86(real_mode, &c));
	assert_int_equal(c.width, WIDTH_X86_16);
	assert_string_equal(c.mode, "real");
	assert_int_equal(capture_pc(&c)->value, 0xb7b9);
	assert_int_equal(value_of(&c.general, "eax"), 1);
	assert_int_equal(capture_find_reg(&c.general, "eax")->bits, 32);
	assert_int_equal(value_of(&c.general, "esp"), 0x6f94);
	assert_int_equal(value_of(&c.general, "eflags"), 0x246);
	assert_int_equal(value_of(&c.general, "cs"), 0xf000);
	assert_int_equal(value_of(&c.system, "cs_base"), 0xf0000);
	assert_int_equal(value_of(&c.system, "idt_limit"), 0x3ff);
	assert_int_equal(value_of(&c.system, "dr6"), 0xffff0ff0);
	assert_int_equal(c.general.n, 8 + 2 + 2); /* nothing of the x87's */
	capture_free(&c);
	assert_true(hmp_registers_x86(long_mode, &c));
	assert_int_equal(c.width, WIDTH_X86_64);
	assert_string_equal(c.mode, "ring3");
	assert_int_equal(value_of(&c.general, "rax"), 0); /* of the first processor */
	assert_int_equal(value_of(&c.general, "r8"), 0x605);
	assert_int_equal(value_of(&c.general, "rip"), 0xffffffff81e01a60);
	assert_int_equal(value_of(&c.system, "gs_base"), 0xffff88800f800000);
	assert_int_equal(value_of(&c.system, "tr"), 0x40);
	assert_int_equal(value_of(&c.system, "tr_base"), 0xfffffe0000003000);
	assert_int_equal(value_of(&c.system, "gdt_base"), 0xfffffe0000001000);
	assert_int_equal(value_of(&c.system, "cr3"), 0x5650000);
	assert_int_equal(capture_find_reg(&c.system, "idt_base")->bits, 64);
	capture_free(&c);
	/* Arm's, cut short, and none. */
	assert_false(hmp_registers_x86("R00=00000000\nPSR=400001d3 -Z-- A S svc32\n", &c));
	assert_false(hmp_registers_x86("RAX=0000000000000000 RBX=0000000000000000\n", &c));
	capture_free(&c);
	assert_false(hmp_registers_x86("EAX=\nCS =f000\nGDT=\nIDT=  0\nCR0=x\n=\n ==EIP", &c));
	capture_free(&c);
}

static void names_are_read(void **state)
{
	char text[40];

	(void)state;
	hmp_board("pc-q35-7.2-machine", text, sizeof(text));
	assert_string_equal(text, "pc");
	hmp_board("pc-i440fx-7.2-machine", text, sizeof(text));
	assert_string_equal(text, "pc");
	hmp_board("microvm-machine", text, sizeof(text));
	assert_string_equal(text, "microvm");
	assert_true(hmp_cpu("EPYC-x86_64-cpu", text, sizeof(text)));
	assert_string_equal(text, "EPYC");
	assert_true(hmp_cpu("Skylake-Server-v4-x86_64-cpu", text, sizeof(text)));
	assert_string_equal(text, "Skylake-Server");
	assert_true(hmp_cpu("EPYC-very-i386-cpu", text, sizeof(text)));
	assert_string_equal(text, "EPYC-very");
	assert_true(hmp_cpu("cortex-a15-arm-cpu", text, sizeof(text)));
	assert_string_equal(text, "cortex-a15");
	assert_false(hmp_cpu("-x86_64-cpu", text, sizeof(text)));
	assert_false(hmp_cpu("hpet", text, sizeof(text)));
	x86_cpu_of_signature(0x00800f12, text, sizeof(text));
	assert_string_equal(text, "EPYC");
	x86_cpu_of_signature(0x00060fb1, text, sizeof(text));
	assert_string_equal(text, "qemu64");
	x86_cpu_of_signature(0x00050654, text, sizeof(text));
	assert_string_equal(text, "Skylake-Server");
	x86_cpu_of_signature(0x12345678, text, sizeof(text));
	assert_string_equal(text, "CPUID 0x12345678");
}

static void a_pc_says_what_it_is(void **state)
{
	struct capture c = { 0 };

	(void)state;
	assert_true(capture_take_identity(
		&c, "{\"vm\":\"one\",\"hypervisor\":\"selvage\",\"accelerator\":\"selvage-svm\","
		    "\"cpu_id\":\"0x800f12\",\"board\":\"pc\",\"width\":32,\"vcpus\":2,"
		    "\"image_bytes\":5,\"image_crc32\":\"0x00000007\",\"load\":\"0x100000\","
		    "\"entry\":\"0x10000c\"}"));
	assert_int_equal(c.width, WIDTH_X86_32);
	assert_string_equal(c.cpu, "EPYC");
	assert_int_equal(c.image.load, 0x100000);
	capture_free(&c);
}

/* --- vectors --- */

/* Two pages from 0 on; a device at 0x9000, nothing behind it. */
#define MEMORY 0x2000u
#define IDT 0x1000u
#define GDT 0x800u
#define HANDLER 0x100u

struct fake {
	uint8_t byte[MEMORY];
	unsigned reads;
};

static enum capture_place read_fake(void *context, uint64_t address, uint8_t *bytes, size_t n,
				    uint64_t *physical, bool *known)
{
	struct fake *m = context;

	m->reads++;
	*known = true;
	*physical = address;
	assert_true(n <= GUEST_MEMORY_BYTES && address / 4096 == (address + n - 1) / 4096);
	if (address >> 12 == 9)
		return PLACE_DEVICE;
	if (address >> 12 == 0xa)
		return PLACE_UNKNOWN;
	if (address >= MEMORY)
		return PLACE_UNMAPPED;
	memcpy(bytes, m->byte + address, n);
	return PLACE_MEMORY;
}

static void gate32(struct fake *m, unsigned i, unsigned selector, uint32_t offset, unsigned type)
{
	store_le32(m->byte + IDT + 8 * i, (offset & 0xffff) | selector << 16);
	store_le32(m->byte + IDT + 8 * i + 4, (offset & 0xffff0000) | type << 8);
}

static void gate64(struct fake *m, unsigned i, unsigned selector, uint64_t offset, unsigned type)
{
	uint8_t *g = m->byte + IDT + 16 * i;

	store_le32(g, (uint32_t)(offset & 0xffff) | selector << 16);
	store_le32(g + 4, ((uint32_t)offset & 0xffff0000) | type << 8);
	store_le32(g + 8, (uint32_t)(offset >> 32));
}

static void descriptor(struct fake *m, unsigned selector, uint32_t low, uint32_t high)
{
	store_le32(m->byte + GDT + selector, low);
	store_le32(m->byte + GDT + selector + 4, high);
}

/* cr0, efer: of the mode. The table is 256 gates long, unless `limit` says less. */
static void judge(struct capture *c, struct fake *m, uint64_t cr0, uint64_t efer, unsigned limit)
{
	const struct guest_memory memory = { m, read_fake };

	capture_free(c);
	(void)capture_add_reg(&c->general, "cs", 8, 32);
	(void)capture_add_reg(&c->system, "cr0", cr0, 64);
	(void)capture_add_reg(&c->system, "efer", efer, 64);
	(void)capture_add_reg(&c->system, "idt_base", IDT, 64);
	(void)capture_add_reg(&c->system, "idt_limit", limit, 32);
	(void)capture_add_reg(&c->system, "gdt_base", GDT, 64);
	(void)capture_add_reg(&c->system, "gdt_limit", 0x2f, 32);
	x86_state_find(c);
	vectors_find_base(c);
	vectors_read(c, &memory);
	assert_int_equal(c->n_vectors, 256);
	assert_int_equal(c->base, IDT);
	assert_string_equal(c->base_rule, "IDTR");
}

static void expect(const struct capture *c, unsigned i, enum vector_state state, const char *reason)
{
	if (c->vector[i].state != state || strcmp(c->vector[i].reason, reason) != 0)
		fail_msg("vector %u is %s: %s", i, vector_state_names[c->vector[i].state],
			 c->vector[i].reason);
}

static void gates_of_32_bits(void **state)
{
	static struct fake m;
	static struct capture c;

	(void)state;
	memset(&m, 0, sizeof(m));
	descriptor(&m, 0x08, 0x0000ffff, 0x00cf9b00);   /* flat code */
	descriptor(&m, 0x10, 0x0000ffff, 0x00cf9300);   /* data */
	descriptor(&m, 0x18, 0x00500fff, 0x00409b00);   /* code, base 0x50 */
	descriptor(&m, 0x20, 0x0000ffff, 0x00cf1b00);   /* code, not present */
	m.byte[HANDLER] = 0x6a;                         /* push 0 */
	memcpy(m.byte + HANDLER + 0x10, "\xeb\x0e", 2); /* jmp to 0x120, where there is code */
	m.byte[HANDLER + 0x20] = 0xfa;
	memcpy(m.byte + HANDLER + 0x30, "\xe9\xcb\x8e\x00", 5); /* jmp to 0x9000 */
	memcpy(m.byte + HANDLER + 0x40, "\x0f\x0b", 2);         /* ud2 */
	m.byte[HANDLER + 0x50] = 0xcc;
	gate32(&m, 0, 8, HANDLER, 0x8e);
	gate32(&m, 1, 8, HANDLER, 0x8f);
	gate32(&m, 2, 8, HANDLER, 0x0e);
	gate32(&m, 3, 8, HANDLER, 0xec); /* a call gate */
	gate32(&m, 4, 0x10, HANDLER, 0x8e);
	gate32(&m, 5, 0x18, HANDLER - 0x50, 0xee);
	gate32(&m, 6, 8, HANDLER + 0x10, 0x8e);
	gate32(&m, 7, 8, HANDLER + 0x30, 0x8e);
	gate32(&m, 8, 0x28, 0, 0x85); /* a task */
	gate32(&m, 9, 8, HANDLER + 0x40, 0x8e);
	gate32(&m, 10, 8, HANDLER + 0x50, 0x8e);
	gate32(&m, 11, 0x20, HANDLER, 0x8e);
	gate32(&m, 12, 0x30, HANDLER, 0x8e); /* beyond the GDT */
	gate32(&m, 13, 0, HANDLER, 0x8e);
	gate32(&m, 14, 8, 0x9000, 0x8e);
	gate32(&m, 15, 8, 0xa000, 0x8e);
	gate32(&m, 16, 8, 0xffff0000 | HANDLER, 0x86); /* 16 bits of the address */
	gate32(&m, 17, 12, HANDLER, 0x8e);             /* of the LDT */
	gate32(&m, 40, 8, HANDLER, 0x8e);
	judge(&c, &m, 1, 0, 0x7f7);
	assert_int_equal(c.width, WIDTH_X86_32);
	assert_string_equal(c.mode, "ring0");
	expect(&c, 0, VECTOR_PLAUSIBLE, "leads to code at 0x100");
	assert_string_equal(c.vector[0].text, "push 0");
	assert_string_equal(c.vector[0].name, "divide-error");
	assert_int_equal(c.vector[0].word, 0x8e00);
	assert_int_equal(c.vector[0].target, HANDLER);
	expect(&c, 1, VECTOR_PLAUSIBLE, "leads to code at 0x100");
	expect(&c, 2, VECTOR_NO_CODE, "a gate that is not present");
	expect(&c, 3, VECTOR_NO_CODE, "no gate that an interrupt takes");
	expect(&c, 4, VECTOR_NO_CODE, "its segment is none of code");
	expect(&c, 5, VECTOR_PLAUSIBLE, "leads to code at 0x100");
	expect(&c, 6, VECTOR_PLAUSIBLE, "leads to code at 0x110");
	expect(&c, 7, VECTOR_NO_CODE, "leads to 0x130, where no code is");
	expect(&c, 8, VECTOR_PLAUSIBLE, "leads to a task");
	expect(&c, 9, VECTOR_NO_CODE, "leads to 0x140, where no code is");
	expect(&c, 10, VECTOR_NO_CODE, "leads to 0x150, where no code is");
	expect(&c, 11, VECTOR_NO_CODE, "its segment is none of code");
	expect(&c, 12, VECTOR_NO_CODE, "its selector is none of the GDT");
	expect(&c, 13, VECTOR_NO_CODE, "its selector is none of the GDT");
	expect(&c, 14, VECTOR_NO_CODE, "leads to 0x9000, where no code is");
	expect(&c, 15, VECTOR_UNKNOWN, "what it leads to could not be read");
	expect(&c, 16, VECTOR_PLAUSIBLE, "leads to code at 0x100");
	expect(&c, 17, VECTOR_NO_CODE, "its selector is none of the GDT");
	expect(&c, 18, VECTOR_NO_CODE, "zeros");
	expect(&c, 255, VECTOR_UNMAPPED, "beyond the table's limit");
	assert_true(c.vector[6].required && c.vector[13].required && c.vector[40].required);
	assert_false(c.vector[14].required); /* no paging */
	assert_true(capture_shows_vector(&c, 40) && !capture_shows_vector(&c, 41));
	assert_string_equal(c.vectors.text[1], ".word 0x00008e00");
	/* Pieces, not vectors: as few questions as there are. */
	assert_true(m.reads < 16);
	capture_free(&c);
}

static void gates_of_64_bits(void **state)
{
	static struct fake m;
	static struct capture c;

	(void)state;
	memset(&m, 0, sizeof(m));
	descriptor(&m, 0x08, 0x0000ffff, 0x00cf9b00);
	descriptor(&m, 0x10, 0x12340000, 0x12af9b34); /* 64 bits: whatever its base */
	memcpy(m.byte + HANDLER, "\x0f\x01\xca", 3);  /* clac */
	gate64(&m, 6, 0x10, HANDLER, 0x8e);
	gate64(&m, 7, 0x08, HANDLER, 0x8e);
	gate64(&m, 8, 0x10, HANDLER, 0x85);
	gate64(&m, 13, 0x10, 0x100000000 | HANDLER, 0x8e);
	gate64(&m, 14, 0x10, HANDLER, 0x8f);
	judge(&c, &m, 0x80000001, 0x500, 0xfff);
	assert_int_equal(c.width, WIDTH_X86_64);
	expect(&c, 6, VECTOR_PLAUSIBLE, "leads to code at 0x100");
	assert_string_equal(c.vector[6].text, "clac");
	assert_int_equal(c.vector[6].address, IDT + 0x60);
	expect(&c, 7, VECTOR_NO_CODE, "its segment is none of 64-bit code");
	expect(&c, 8, VECTOR_NO_CODE, "no gate that an interrupt takes");
	expect(&c, 13, VECTOR_NO_CODE, "leads to 0x100000100, where no code is");
	expect(&c, 255, VECTOR_NO_CODE, "zeros");
	assert_true(c.vector[14].required && c.vector[32].required);
	capture_free(&c);
}

static void pointers_of_real_mode(void **state)
{
	static struct fake m;
	static struct capture c;

	(void)state;
	memset(&m, 0, sizeof(m));
	m.byte[HANDLER] = 0x50;                       /* push ax */
	store_le32(m.byte + IDT, 0x00100000);         /* 0010:0000 */
	store_le32(m.byte + IDT + 4, 0xffffffff);     /* erased */
	store_le32(m.byte + IDT + 4 * 6, 0x01000000); /* 0100:0000, zeros there but the GDT */
	store_le32(m.byte + IDT + 4 * 8, 0x09000000); /* a device */
	judge(&c, &m, 0x10, 0, 0x3ff);
	assert_int_equal(c.width, WIDTH_X86_16);
	expect(&c, 0, VECTOR_PLAUSIBLE, "leads to code at 0x100");
	assert_string_equal(c.vector[0].text, "push ax");
	expect(&c, 1, VECTOR_NO_CODE, "ones, as in erased flash");
	expect(&c, 2, VECTOR_NO_CODE, "zeros");
	expect(&c, 8, VECTOR_NO_CODE, "leads to 0x9000, where no code is");
	assert_true(c.vector[6].required && c.vector[8].required && !c.vector[13].required);
	capture_free(&c);
}

/* A table that nothing is known of. */
static void without_idtr(void **state)
{
	static struct fake m;
	static struct capture c;
	const struct guest_memory memory = { &m, read_fake };

	(void)state;
	c = (struct capture){ .width = WIDTH_X86_32 };
	vectors_find_base(&c);
	vectors_read(&c, &memory);
	assert_false(c.base_known);
	expect(&c, 0, VECTOR_NO_CODE, "zeros");
	capture_free(&c);
}

/* --- files and comparisons --- */

static void a_capture_is_written_and_read(void **state)
{
	static struct fake m;
	static struct capture c, again;
	char why[200] = "", *first, *second;

	(void)state;
	memset(&m, 0, sizeof(m));
	descriptor(&m, 0x08, 0x0000ffff, 0x00cf9b00);
	m.byte[HANDLER] = 0x6a;
	for (unsigned i = 0; i < 256; i++)
		gate32(&m, i, 8, HANDLER, i == 3 ? 0x0e : 0x8e);
	judge(&c, &m, 1, 0, 0x7ff);
	snprintf(c.started, sizeof(c.started), "then");
	snprintf(c.state, sizeof(c.state), "running");
	first = capture_to_json(&c);
	if (!capture_from_json(&again, first, strlen(first), why, sizeof(why)))
		fail_msg("%s", why);
	second = capture_to_json(&again);
	assert_string_equal(first, second);
	assert_int_equal(again.width, WIDTH_X86_32);
	/* One entry less is no table. */
	c.n_vectors--;
	free(first);
	first = capture_to_json(&c);
	capture_free(&again);
	assert_false(capture_from_json(&again, first, strlen(first), why, sizeof(why)));
	assert_non_null(strstr(why, "not the whole table"));
	free(first);
	free(second);
	capture_free(&c);
}

static char *printed(const struct comparison *c,
		     void (*print)(const struct comparison *c, FILE *out))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print(c, out);
	fclose(out);
	return text;
}

/* One guest with a table, one that has none yet. */
static void captures_are_compared(void **state)
{
	static struct fake m;
	static struct capture side[2];
	struct comparison c = { .side = { { .file = "a", .capture = &side[0] },
					  { .file = "b", .capture = &side[1] } } };
	char *text;

	(void)state;
	for (unsigned s = 0; s < 2; s++) {
		memset(&m, 0, sizeof(m));
		descriptor(&m, 0x08, 0x0000ffff, 0x00cf9b00);
		m.byte[HANDLER] = 0x6a;
		for (unsigned i = 0; s == 0 && i < 256; i++)
			gate32(&m, i, 8, HANDLER, 0x8e);
		judge(&side[s], &m, 1, 0, 0x7ff);
		(void)capture_add_reg(&side[s].general, "eip", 0x1234, 32);
		snprintf(side[s].board, sizeof(side[s].board), "pc");
		snprintf(side[s].cpu, sizeof(side[s].cpu), "EPYC");
		snprintf(side[s].accel_ran, sizeof(side[s].accel_ran), s ? "selvage" : "tcg");
		side[s].image.has_crc32 = side[s].image.has_load = true;
		side[s].image.bytes = 9;
	}
	compare_captures(&c);
	assert_int_equal(c.verdict, VERDICT_ONLY_FIRST);
	assert_int_equal(c.confidence, CONFIDENCE_HIGH);
	assert_non_null(strstr(c.text[1], "RIP, stack and error code"));
	text = printed(&c, compare_print_text);
	assert_non_null(strstr(text, "general-protection"));
	/* All that differ, those that do not only in the first 32. */
	assert_non_null(strstr(text, "interrupt-200"));
	free(text);
	c.side[1].capture = &side[0];
	compare_captures(&c);
	assert_int_equal(c.verdict, VERDICT_BOTH);
	text = printed(&c, compare_print_html);
	assert_non_null(strstr(text, "interrupt-32<"));
	assert_null(strstr(text, "interrupt-33"));
	free(text);
	assert_int_equal(c.n_differences, 0);
	/* Not yet begun. */
	side[0].image.has_entry = true;
	side[0].image.entry = 0x1234;
	compare_captures(&c);
	assert_int_equal(c.confidence, CONFIDENCE_LOW);
	capture_free(&side[0]);
	capture_free(&side[1]);
}

static void control_registers_are_compared(void **state)
{
	static struct capture side[2];
	struct comparison c = { .side = { { .file = "a", .capture = &side[0] },
					  { .file = "b", .capture = &side[1] } } };
	static const uint64_t values[2][3] = { { 0x80050033, 0x3506b0, 0x8000000000000d01 },
					       { 0x80050033, 0x3106b8, 0xd01 } };
	char *text;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		side[i] = (struct capture){ .width = WIDTH_X86_64 };
		(void)capture_add_reg(&side[i].system, "cr0", values[i][0], 64);
		(void)capture_add_reg(&side[i].system, "cr4", values[i][1], 64);
		(void)capture_add_reg(&side[i].system, "efer", values[i][2], 64);
	}
	compare_captures(&c);
	assert_int_equal(c.n_differences, 2);
	assert_string_equal(c.difference[0],
			    "cr4: first 0x3506b0, second 0x3106b8; only the first has OSXSAVE; "
			    "only the second has DE; guests turn on what CPUID offers");
	assert_string_equal(c.difference[1],
			    "efer: first 0x8000000000000d01, second 0xd01; only the first has bit "
			    "63");
	text = printed(&c, compare_print_html);
	assert_non_null(strstr(text, "<li>cr4: first"));
	free(text);
	text = printed(&c, compare_print_json);
	assert_non_null(strstr(text, "\"differences\":\t[\"cr4: first"));
	free(text);
	text = printed(&c, compare_print_text);
	assert_non_null(strstr(text, "control registers:\n  - cr4: first"));
	free(text);
	capture_free(&side[0]);
	capture_free(&side[1]);
}

/* --- images --- */

static void image_headers_say_where(void **state)
{
	static uint8_t file[0x400];
	struct capture_image image = { 0 };

	(void)state;
	store_le32(file + 0x40, 0x1badb002);
	store_le32(file + 0x44, 0x10003);
	store_le32(file + 0x48, 0u - 0x1badb002u - 0x10003u);
	store_le32(file + 0x40 + 16, 0x300000);
	store_le32(file + 0x40 + 28, 0x300044);
	capture_image_addresses(&image, file, sizeof(file));
	assert_true(image.has_load && image.load == 0x300000 && image.entry == 0x300044);
	/* Cut short behind the magic; a wrong sum. */
	image = (struct capture_image){ 0 };
	capture_image_addresses(&image, file, 0x40 + 31);
	assert_false(image.has_load);
	file[0x48]++;
	capture_image_addresses(&image, file, sizeof(file));
	assert_false(image.has_load);
	memcpy(file + 0x202, "HdrS", 4);
	store_le32(file + 0x214, 0x100000);
	capture_image_addresses(&image, file, sizeof(file));
	assert_true(image.has_load && image.load == 0x100000);
}

static void instructions_are_told_apart(void **state)
{
	static const struct {
		enum insn_set set;
		const char *bytes;
		enum insn_kind kind;
		const char *text;
	} cases[] = {
		{ INSN_X86_64, "\x0f\x01\xca", INSN_PLAIN, "clac" },
		{ INSN_X86_64, "\xe9\x10\x00\x00", INSN_JUMP, "jmp 0x1015" },
		{ INSN_X86_64, "\xff\xe0", INSN_REGISTER, "jmp rax" },
		{ INSN_X86_32, "\xff\xe0", INSN_REGISTER, "jmp eax" },
		{ INSN_X86_32, "\x6a\x05", INSN_PLAIN, "push 5" },
		{ INSN_X86_16, "\xeb\xfe", INSN_JUMP, "jmp 0x1000" },
		{ INSN_X86_64, "\x0f\x0b", INSN_NONE, "ud2" },
		{ INSN_X86_64, "\xcc\xcc", INSN_NONE, "int3" },
		{ INSN_X86_64, "", INSN_NONE, "add byte ptr [rax], al" },
		{ INSN_X86_64, "\xff\xff\xff", INSN_NONE, ".byte 0xff, 0xff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[INSN_X86_BYTES] = { 0 };
		char text[CAPTURE_TEXT];

		memcpy(bytes, cases[i].bytes, strlen(cases[i].bytes));
		assert_int_equal(
			insn_decode_x86(cases[i].set, bytes, 0x1000, text, sizeof(text)).kind,
			cases[i].kind);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_are_read),
		cmocka_unit_test(names_are_read),
		cmocka_unit_test(a_pc_says_what_it_is),
		cmocka_unit_test(gates_of_32_bits),
		cmocka_unit_test(gates_of_64_bits),
		cmocka_unit_test(pointers_of_real_mode),
		cmocka_unit_test(without_idtr),
		cmocka_unit_test(a_capture_is_written_and_read),
		cmocka_unit_test(captures_are_compared),
		cmocka_unit_test(control_registers_are_compared),
		cmocka_unit_test(image_headers_say_where),
		cmocka_unit_test(instructions_are_told_apart),
	};

	diag_silence(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
