/* Captures: vectors judged, monitors' texts read, packets, files, comparisons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"
#include "capture_image.h"
#include "capture_source.h"
#include "compare.h"
#include "diag.h"
#include "gdb_packet.h"
#include "hmp_text.h"
#include "insn.h"
#include "monitor.h"
#include "vectors.h"

/* --- instructions --- */

static void vector_instructions_are_told_apart(void **state)
{
	static const struct {
		enum insn_set set;
		uint32_t word;
		enum insn_kind kind;
		uint64_t target;
		const char *text;
	} cases[] = {
		{ INSN_ARM, 0xea000006, INSN_JUMP, 0x1020, "b #0x1020" },
		{ INSN_ARM, 0xeafffffe, INSN_JUMP, 0x1000, "b #0x1000" },
		{ INSN_ARM, 0x0a000006, INSN_PLAIN, 0, "beq #0x1020" },
		{ INSN_ARM, 0xe59ff018, INSN_LITERAL, 0x1020, "ldr pc, [pc, #0x18]" },
		{ INSN_ARM, 0xe51ff004, INSN_LITERAL, 0x1004, "ldr pc, [pc, #-4]" },
		{ INSN_ARM, 0xe1b0f00e, INSN_REGISTER, 0, "movs pc, lr" },
		{ INSN_ARM, 0xe25ef004, INSN_REGISTER, 0, "subs pc, lr, #4" },
		{ INSN_ARM, 0xe12fff11, INSN_REGISTER, 0, "bx r1" },
		{ INSN_ARM, 0xe1a00000, INSN_PLAIN, 0, "mov r0, r0" },
		{ INSN_ARM, 0xe320f000, INSN_PLAIN, 0, "nop" },
		{ INSN_ARM, 0xef000000, INSN_PLAIN, 0, "svc #0" },
		{ INSN_ARM, 0xe7f000f0, INSN_NONE, 0, "udf #0" },
		{ INSN_ARM, 0x00000000, INSN_NONE, 0, "andeq r0, r0, r0" },
		{ INSN_ARM, 0xffffffff, INSN_NONE, 0, ".word 0xffffffff" },
		{ INSN_THUMB, 0xb818f000, INSN_JUMP, 0x1034, "b.w #0x1034" },
		{ INSN_THUMB, 0xf018f8df, INSN_LITERAL, 0x101c, "ldr.w pc, [pc, #0x18]" },
		{ INSN_A64, 0x14000008, INSN_JUMP, 0x1020, "b #0x1020" },
		{ INSN_A64, 0x54000100, INSN_PLAIN, 0, "b.eq #0x1020" },
		{ INSN_A64, 0xd69f03e0, INSN_REGISTER, 0, "eret" },
		{ INSN_A64, 0xa9bf07e0, INSN_PLAIN, 0, "stp x0, x1, [sp, #-0x10]!" },
		{ INSN_A64, 0x00000000, INSN_NONE, 0, ".word 0x00000000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[CAPTURE_TEXT];
		struct insn insn = insn_decode(cases[i].set, cases[i].word, 0x1000, text,
					       sizeof(text));

		assert_string_equal(text, cases[i].text);
		assert_int_equal(insn.kind, cases[i].kind);
		assert_int_equal(insn.target, cases[i].target);
	}
}

/* --- vectors --- */

/* 256 bytes at 0x1000, a device at 0x9000000, nothing else. */
struct fake_memory {
	uint32_t word[64];
};

static enum capture_place read_fake(void *context, uint64_t address, uint8_t *bytes, size_t n,
				    uint64_t *physical, bool *known)
{
	struct fake_memory *m = context;

	*known = true;
	*physical = address;
	if (address >> 12 == 0x9000)
		return PLACE_DEVICE;
	if (address < 0x1000 || address + n > 0x1000 + sizeof(m->word))
		return PLACE_UNMAPPED;
	memcpy(bytes, (const uint8_t *)m->word + (address - 0x1000), n);
	return PLACE_MEMORY;
}

static void judge(struct capture *c, struct fake_memory *m, uint64_t vbar, uint64_t sctlr)
{
	const struct guest_memory memory = { m, read_fake };

	*c = (struct capture){ .width = WIDTH_AARCH32, .mode = "svc" };
	(void)capture_add_reg(&c->system, "VBAR", vbar, 32);
	(void)capture_add_reg(&c->system, "SCTLR", sctlr, 32);
	vectors_find_base(c);
	vectors_read(c, &memory);
}

static void base_follows_the_registers(void **state)
{
	struct fake_memory m = { 0 };
	struct capture c;

	(void)state;
	judge(&c, &m, 0x1000, 0);
	assert_true(c.base_known && c.base == 0x1000);
	capture_free(&c);
	judge(&c, &m, 0x1000, 1 << 13);
	assert_true(c.base_known && c.base == 0xffff0000);
	assert_string_equal(c.base_rule, "SCTLR.V is 1");
	capture_free(&c);
	c = (struct capture){ .width = WIDTH_AARCH32, .mode = "svc" };
	vectors_find_base(&c);
	assert_true(!c.base_known && c.base == 0);
	c = (struct capture){ .width = WIDTH_AARCH64, .mode = "el2h" };
	(void)capture_add_reg(&c.system, "VBAR_EL1", 0x800, 64);
	(void)capture_add_reg(&c.system, "VBAR_EL2", 0x4000, 64);
	vectors_find_base(&c);
	assert_true(c.base_known && c.base == 0x4000);
	snprintf(c.mode, sizeof(c.mode), "el0t");
	vectors_find_base(&c);
	assert_true(c.base_known && c.base == 0x800);
	capture_free(&c);
	c = (struct capture){ .width = WIDTH_AARCH32, .mode = "svc", .secure = true };
	(void)capture_add_reg(&c.system, "SCTLR", 1 << 13, 32);
	(void)capture_add_reg(&c.system, "SCTLR_S", 0, 32);
	(void)capture_add_reg(&c.system, "VBAR_S", 0x2000, 32);
	vectors_find_base(&c);
	assert_true(c.base_known && c.base == 0x2000);
	capture_free(&c);
}

static void each_vector_has_one_of_three_states(void **state)
{
	struct fake_memory m = { .word = { 0xea000006,    /* b +0x20: code there */
					   0xea000006,    /* the same: zeros there */
					   0xe59ff018,    /* ldr pc, =0x1020 */
					   0xe59ff01c,    /* ldr pc, =0x9000000 */
					   0xe59fff00,    /* ldr pc, [somewhere unmapped] */
					   0xe1a00000,    /* nop */
					   0xe25ef004,    /* subs pc, lr, #4 */
					   0xe1a00000,    /* the last one may be the handler */
					   0xeafffffe, 0, /* 0x20, 0x24 */
					   0x1020, 0, 0x9000000 } };
	static const enum vector_state expected[] = { VECTOR_PLAUSIBLE, VECTOR_NO_CODE,
						      VECTOR_PLAUSIBLE, VECTOR_NO_CODE,
						      VECTOR_NO_CODE, VECTOR_NO_CODE,
						      VECTOR_PLAUSIBLE, VECTOR_PLAUSIBLE };
	struct capture c;

	(void)state;
	judge(&c, &m, 0x1000, 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(c.vector[i].state, expected[i]);
	assert_int_equal(c.vector[2].target, 0x1020);
	capture_free(&c);
	/* At a device, and where nothing is. */
	judge(&c, &m, 0x9000000, 0);
	assert_int_equal(c.vector[2].state, VECTOR_UNMAPPED);
	assert_string_equal(c.vector[2].reason, "a device is there");
	capture_free(&c);
	judge(&c, &m, 0x2000, 0);
	assert_int_equal(c.vector[2].state, VECTOR_UNMAPPED);
	assert_int_equal(c.low.place, PLACE_UNMAPPED);
	capture_free(&c);
}

/* --- what QEMU prints --- */

static void registers_are_read(void **state)
{
	struct capture c = { 0 };

	(void)state;
	assert_true(hmp_registers("\nCPU#0\nR00=00000001 R01=00000002\nR13=deadbee0 R14=60100004 "
				  "R15=0033a800\nPSR=400001d3 -Z-- A S svc32\ns00=00000000\n",
				  &c));
	assert_int_equal(c.width, WIDTH_AARCH32);
	assert_true(c.secure);
	assert_string_equal(c.mode, "svc");
	assert_int_equal(capture_find_reg(&c.general, "r1")->value, 2);
	assert_int_equal(capture_find_reg(&c.general, "pc")->value, 0x33a800);
	assert_int_equal(capture_find_reg(&c.general, "lr")->value, 0x60100004);
	assert_int_equal(capture_find_reg(&c.general, "cpsr")->value, 0x400001d3);
	assert_null(capture_find_reg(&c.general, "s00"));
	capture_free(&c);
	assert_true(hmp_registers("\nCPU#0\n PC=0000000000000200 X00=0000000000000001\n"
				  "X30=0000000000000002  SP=0000000000000003\n"
				  "PSTATE=000003c5 ---- EL1h    FPU disabled\n",
				  &c));
	assert_int_equal(c.width, WIDTH_AARCH64);
	assert_false(c.secure);
	assert_string_equal(c.mode, "el1h");
	assert_int_equal(capture_find_reg(&c.general, "x30")->value, 2);
	assert_int_equal(capture_find_reg(&c.general, "sp")->bits, 64);
	capture_free(&c);
	assert_false(hmp_registers("RAX=0000000000000000 RBX=0000000000000000\n", &c));
	capture_free(&c);
}

static void monitor_texts_are_read(void **state)
{
	static const char roms[] =
		"/rom@etc/acpi/tables size=0x200000 name=\"etc/acpi/tables\"\n"
		"addr=0000000040100000 size=0x000024 mem=ram name=\"x/a.bin\"\n"
		"addr=0000000060000000 size=0x24 mem=ram name=\"k.elf ELF program "
		"header segment 0\"\n"
		"addr=0000000050000000 size=0x24 mem=ram name=\"k.elf ELF program "
		"header segment 1\"\n";
	char text[80];
	uint32_t word[4];
	uint64_t value;
	bool busy;

	(void)state;
	assert_true(hmp_status("VM status: paused (prelaunch)\n", text, sizeof(text)));
	assert_string_equal(text, "prelaunch");
	assert_true(hmp_status("VM status: running (single step mode)\n", text, sizeof(text)));
	assert_string_equal(text, "running");
	assert_false(hmp_status("unknown command: 'info status'\n", text, sizeof(text)));
	assert_true(hmp_physical("gpa: 0x40000000\n", &value) && value == 0x40000000);
	assert_true(hmp_physical("gpa: 0\n", &value) && value == 0);
	assert_false(hmp_physical("Unmapped\n", &value));
	assert_true(hmp_words("0000000000000000: 0x1 0x2\n0000000000000008: 0xffffffff 0x4\n", word,
			      4));
	assert_int_equal(word[2], 0xffffffff);
	assert_false(hmp_words("Cannot access memory\n", word, 4));
	assert_true(hmp_rom(roms, "/y/a.bin", &value) && value == 0x40100000);
	assert_true(hmp_rom(roms, "k.elf", &value) && value == 0x50000000);
	assert_false(hmp_rom(roms, "bin", &value));
	assert_true(
		hmp_gdb_server("x: filename=null\ngdb: filename=disconnected:tcp:127.0.0.1:4444,"
			       "server=on\n",
			       text, sizeof(text), &busy));
	assert_string_equal(text, "127.0.0.1:4444");
	assert_false(busy);
	assert_true(
		hmp_gdb_server("gdb: filename=unix:g.sock,server=on\n", text, sizeof(text), &busy));
	assert_string_equal(text, "unix:g.sock");
	assert_true(busy);
	hmp_board("virt-7.2-machine", text, sizeof(text));
	assert_string_equal(text, "virt");
	hmp_board("vexpress-a9-machine", text, sizeof(text));
	assert_string_equal(text, "vexpress-a9");
}

static void memory_map_is_that_of_the_processor(void **state)
{
	static const char text[] =
		"FlatView #0\n AS \"I/O\", root: io\n Root memory region: io\n"
		"  0000000000000000-000000000000ffff (prio 0, i/o): io\n\n"
		"FlatView #1\n AS \"memory\", root: system\n AS \"cpu-memory-0\", root: system\n"
		"  0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0\n"
		"  0000000040000000-0000000047ffffff (prio 0, ram): mach-virt.ram @0000 x\n\n";
	struct capture c = { 0 };

	(void)state;
	assert_true(hmp_memory_map(text, "cpu-memory-0", &c));
	assert_int_equal(c.n_regions, 2);
	assert_string_equal(c.region[0].kind, "romd");
	assert_int_equal(c.region[1].last, 0x47ffffff);
	assert_false(hmp_memory_map(text, "cpu-secure-memory-0", &c));
	capture_free(&c);
}

static void answers_end_with_the_prompt(void **state)
{
	static const char echoed[] = "i\033[K\033[Dinfo\r\nVM status: running\r\n(qemu) ";
	char *text = monitor_hmp_answer(echoed, strlen(echoed));

	(void)state;
	assert_string_equal(text, "VM status: running\n");
	free(text);
	assert_null(monitor_hmp_answer(echoed, strlen(echoed) - 1));
	assert_int_equal(monitor_qmp_line("{\"QMP\":{}}", 10, 1, &text), QMP_GREETING);
	assert_int_equal(monitor_qmp_line("{\"event\":\"STOP\"}", 16, 1, &text), QMP_OTHER);
	assert_int_equal(monitor_qmp_line("{\"return\":\"x\",\"id\":1}", 21, 2, &text), QMP_OTHER);
	assert_int_equal(monitor_qmp_line("{\"return\":\"x\",\"id\":2}", 21, 2, &text), QMP_RETURN);
	assert_string_equal(text, "x");
	free(text);
}

/* --- packets --- */

static enum gdb_taken take(const char *bytes, struct buffer *packet)
{
	struct buffer in = { 0 };
	enum gdb_taken taken;

	buffer_append(&in, bytes, strlen(bytes));
	taken = gdb_take(&in, packet);
	buffer_free(&in);
	return taken;
}

static void packets_are_taken(void **state)
{
	struct buffer packet = { 0 };

	(void)state;
	assert_int_equal(take("", &packet), GDB_NOTHING);
	assert_int_equal(take("+$OK#9a", &packet), GDB_ACK);
	assert_int_equal(take("noise$OK#9a", &packet), GDB_PACKET);
	assert_string_equal((const char *)packet.data, "OK");
	assert_int_equal(take("$OK#9b", &packet), GDB_DAMAGED);
	assert_int_equal(take("$OK#9", &packet), GDB_NOTHING);
	assert_int_equal(take("$0* #7a", &packet), GDB_PACKET);
	assert_string_equal((const char *)packet.data, "0000");
	assert_int_equal(take("$}\003#80", &packet), GDB_PACKET);
	assert_string_equal((const char *)packet.data, "#");
	buffer_free(&packet);
}

static void target_descriptions_are_read(void **state)
{
	static const char text[] =
		"<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
		"<architecture>arm</architecture><xi:include href=\"core.xml\"/><feature "
		"name=\"f\">"
		"<reg name=\"r0\" bitsize=\"32\"/><reg name=\"cpsr\" bitsize=\"32\" regnum=\"25\"/>"
		"<reg name=\"VBAR\" bitsize=\"64\"/></feature></target>";
	struct gdb_target t = { 0 };

	(void)state;
	assert_true(gdb_parse_annex(&t, text, strlen(text)));
	assert_string_equal(t.architecture, "arm");
	assert_string_equal(t.include[0], "core.xml");
	assert_int_equal(t.n, 3);
	assert_int_equal(t.reg[2].number, 26);
	assert_int_equal(t.reg[2].bits, 64);
	assert_false(gdb_parse_annex(&t, "<target>", 8));
	gdb_target_free(&t);
}

/* --- images --- */

static void image_headers_say_where(void **state)
{
	uint8_t uimage[64] = { 0x27, 0x05, 0x19, 0x56 };
	struct capture_image image = { 0 };

	(void)state;
	memcpy(&uimage[16], "\x60\x10\x00\x00\x60\x10\x00\x40", 8);
	capture_image_addresses(&image, uimage, sizeof(uimage));
	assert_true(image.has_load && image.load == 0x60100000 && image.entry == 0x60100040);
	image = (struct capture_image){ 0 };
	capture_image_addresses(&image, (const uint8_t *)"\177ELF", 4);
	assert_false(image.has_load);
}

static void cpus_have_names(void **state)
{
	char name[32];

	(void)state;
	capture_cpu_of_midr(0x411fd070, name, sizeof(name));
	assert_string_equal(name, "cortex-a57");
	capture_cpu_of_midr(0x12345678, name, sizeof(name));
	assert_string_equal(name, "MIDR 0x12345678");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector_instructions_are_told_apart),
		cmocka_unit_test(base_follows_the_registers),
		cmocka_unit_test(each_vector_has_one_of_three_states),
		cmocka_unit_test(registers_are_read),
		cmocka_unit_test(monitor_texts_are_read),
		cmocka_unit_test(memory_map_is_that_of_the_processor),
		cmocka_unit_test(answers_end_with_the_prompt),
		cmocka_unit_test(packets_are_taken),
		cmocka_unit_test(target_descriptions_are_read),
		cmocka_unit_test(image_headers_say_where),
		cmocka_unit_test(cpus_have_names),
	};

	diag_silence(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
