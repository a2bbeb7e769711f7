/* lib/gdb: framing, packets and rights, on a machine that this file plays. */
#include <selvage/gdb.h>

#include "unit.h"

#include <selvage/fmt.h>
#include <string.h>

#define RAM 0x1000u

static struct {
	char sent[65536];
	size_t n_sent;
	uint64_t reg[2][5];
	uint8_t ram[256];
	enum gdb_action action[GDB_VCPUS];
	unsigned halts, resumes, detaches, kills, snapshots, points;
	enum gdb_point point;
	uint64_t point_at;
	bool second_off, hides;
	unsigned begins;
} m;

static struct gdb g;

static void fake_send(void *opaque, const void *bytes, size_t n)
{
	(void)opaque;
	assert_true(m.n_sent + n < sizeof(m.sent));
	memcpy(m.sent + m.n_sent, bytes, n);
	m.n_sent += n;
	m.sent[m.n_sent] = '\0';
}

static bool fake_is_on(void *opaque, unsigned vcpu)
{
	(void)opaque;
	return vcpu == 0 || !m.second_off;
}

static unsigned fake_reg_bytes(void *opaque, unsigned reg)
{
	(void)opaque;
	if (m.hides && reg == 1)
		return 10 | GDB_NOT_SHOWN;
	return reg == 2 ? 4 : 8;
}

static void fake_begin(void *opaque)
{
	(void)opaque;
	m.begins++;
}

static bool fake_regs_read(void *opaque, unsigned vcpu, unsigned first, unsigned n,
			   uint64_t *values)
{
	(void)opaque;
	memcpy(values, &m.reg[vcpu][first], n * sizeof(*values));
	return true;
}

static bool fake_reg_write(void *opaque, unsigned vcpu, unsigned reg, uint64_t value)
{
	(void)opaque;
	m.reg[vcpu][reg] = value;
	return reg != 4;
}

static bool fake_place(bool physical, uint64_t *at, size_t n)
{
	*at -= physical ? 0 : RAM;
	return *at <= sizeof(m.ram) && n <= sizeof(m.ram) - *at;
}

static bool fake_mem_read(void *opaque, unsigned vcpu, bool physical, uint64_t at, void *to,
			  size_t n)
{
	(void)opaque;
	(void)vcpu;
	if (!fake_place(physical, &at, n))
		return false;
	memcpy(to, m.ram + at, n);
	return true;
}

static bool fake_mem_write(void *opaque, unsigned vcpu, bool physical, uint64_t at,
			   const void *from, size_t n)
{
	(void)opaque;
	(void)vcpu;
	if (!fake_place(physical, &at, n))
		return false;
	memcpy(m.ram + at, from, n);
	return true;
}

static bool fake_point(void *opaque, unsigned vcpu, enum gdb_point type, bool insert,
		       uint64_t at, uint64_t kind)
{
	(void)opaque;
	(void)vcpu;
	m.points += insert;
	m.point = type;
	m.point_at = at;
	return kind == 4;
}

static void fake_snapshot(void *opaque)
{
	(void)opaque;
	m.snapshots++;
}

static void fake_halt(void *opaque)
{
	(void)opaque;
	m.halts++;
}

static void fake_resume(void *opaque, const enum gdb_action *action)
{
	(void)opaque;
	m.resumes++;
	memcpy(m.action, action, sizeof(m.action));
}

static void fake_detach(void *opaque)
{
	(void)opaque;
	m.detaches++;
}

static void fake_kill(void *opaque)
{
	(void)opaque;
	m.kills++;
}

static void fake_describe(void *opaque, unsigned vcpu, char *text, size_t size)
{
	(void)opaque;
	fmt_print(text, size, "v%u", vcpu);
}

static size_t fake_memory_map(void *opaque, char *xml, size_t size)
{
	(void)opaque;
	return fmt_print(xml, size, "<memory-map}>");
}

static bool fake_monitor(void *opaque, struct gdb *stub, const char *command)
{
	(void)opaque;
	if (strcmp(command, "long") == 0) {
		for (unsigned i = 0; i < 30; i++)
			gdb_print(stub, "0123456789012345678901234567890123456789");
	}
	gdb_print(stub, command);
	return strcmp(command, "no") != 0;
}

static struct gdb_target target = {
	.n_vcpus = 2,
	.n_core = 3,
	.n_regs = 5,
	.xml = "<target/>",
	.send = fake_send,
	.begin = fake_begin,
	.is_on = fake_is_on,
	.reg_bytes = fake_reg_bytes,
	.regs_read = fake_regs_read,
	.reg_write = fake_reg_write,
	.mem_read = fake_mem_read,
	.mem_write = fake_mem_write,
	.point = fake_point,
	.snapshot = fake_snapshot,
	.halt = fake_halt,
	.resume = fake_resume,
	.detach = fake_detach,
	.kill = fake_kill,
	.describe = fake_describe,
	.memory_map = fake_memory_map,
	.monitor = fake_monitor,
};

static void start(bool control)
{
	memset(&m, 0, sizeof(m));
	target.control = control;
	gdb_init(&g, &target);
}

static void raw(const char *text)
{
	m.n_sent = 0;
	m.sent[0] = '\0';
	gdb_receive(&g, (const uint8_t *)text, strlen(text));
}

static const char *framed(const char *body, char *out, size_t size)
{
	uint8_t sum = 0;

	for (const char *c = body; *c != '\0'; c++)
		sum = (uint8_t)(sum + (uint8_t)*c);
	fmt_print(out, size, "$%s#%02x", body, sum);
	return out;
}

/* What is said to `packet`: acknowledgement and one answer. */
#define ANSWER(packet, expected)                                       \
	do {                                                           \
		static char in_[2 * GDB_PACKET], out_[2 * GDB_PACKET]; \
		out_[0] = '+';                                         \
		framed(expected, out_ + 1, sizeof(out_) - 1);          \
		raw(framed(packet, in_, sizeof(in_)));                 \
		assert_string_equal(m.sent, out_);                     \
	} while (0)
/* A packet with no answer yet. */
#define SILENT(packet)                                 \
	do {                                           \
		static char in_[2 * GDB_PACKET];       \
		raw(framed(packet, in_, sizeof(in_))); \
		assert_string_equal(m.sent, "+");      \
	} while (0)
#define STOP(...) gdb_stopped(&g, &(struct gdb_stop){ __VA_ARGS__ })

static void framing(void **state)
{
	(void)state;
	start(false);
	raw("$qC#b4");
	assert_string_equal(m.sent, "+$QC01#f5");
	raw("$qC#b5");
	assert_string_equal(m.sent, "-");
	raw("-");
	assert_string_equal(m.sent, "$QC01#f5");
	raw("+++ #q $q$qC#B4");
	assert_string_equal(m.sent, "+$QC01#f5");
	raw("$qC#zz$qC#4");
	assert_string_equal(m.sent, "");
	raw("4");
	assert_string_equal(m.sent, "-");
}

static void it_is_not_sent_again_for_ever(void **state)
{
	(void)state;
	start(false);
	raw("$qC#b4");
	raw("----------");
	assert_int_equal(m.n_sent, 3 * strlen("$QC01#f5"));
	raw("$QStartNoAckMode#b0");
	raw("-");
	assert_string_equal(m.sent, "");
}

static void too_long_a_packet(void **state)
{
	static char body[GDB_PACKET + 2];

	(void)state;
	start(false);
	memset(body, 'q', GDB_PACKET);
	ANSWER(body, "");
	body[GDB_PACKET] = 'q';
	ANSWER(body, "E.packet too long");
	ANSWER("qC", "QC01");
}

static void acknowledgements_end_and_begin(void **state)
{
	(void)state;
	start(false);
	ANSWER("QStartNoAckMode", "OK");
	raw("$qC#b4");
	assert_string_equal(m.sent, "$QC01#f5");
	raw("$qSupported#37");
	assert_int_equal(m.sent[0], '+');
	ANSWER("qC", "QC01");
}

static void registers(void **state)
{
	(void)state;
	start(true);
	m.reg[0][0] = 0x1122334455667788;
	m.reg[0][2] = 0xaabbccdd11223344;
	m.reg[1][4] = 5;
	ANSWER("g", "88776655443322110000000000000000"
		    "44332211");
	ANSWER("p2", "44332211");
	ANSWER("Hg2", "OK");
	ANSWER("p4", "0500000000000000");
	ANSWER("p5", "E01");
	ANSWER("P1=0807060504030201", "E.the VM is not stopped");
	raw("$qSupported#37");
	assert_int_equal(m.begins, 1);
	SILENT("?");
	STOP(.point = GDB_NO_POINT);
	ANSWER("P1=0807060504030201", "OK");
	assert_int_equal(m.reg[0][1], 0x0102030405060708);
	ANSWER("P1=08", "E01");
	ANSWER("P4=0000000000000000", "E01");
	ANSWER("G010000000000000002000000000000000300000", "E01");
	assert_int_equal(m.reg[0][0], 0x1122334455667788);
	ANSWER("G0100000000000000020000000000000003000000", "OK");
	assert_int_equal(m.reg[0][2], 3);
	m.hides = true; /* what GDB wants to hear of, and nobody can read */
	ANSWER("p1", "xxxxxxxxxxxxxxxxxxxx");
	ANSWER("P1=00112233445566778899", "E01");
	ANSWER("g", "0100000000000000xxxxxxxxxxxxxxxxxxxx03000000");
	ANSWER("G0400000000000000xxxxxxxxxxxxxxxxxxxx05000000", "OK");
	ANSWER("G0400000000000000xxxxxxxxxxxxxxxxxxxx050000", "E01");
	assert_int_equal(m.reg[0][0], 4);
	assert_int_equal(m.reg[0][1], 2);
	assert_int_equal(m.reg[0][2], 5);
}

static void memory(void **state)
{
	(void)state;
	start(true);
	memcpy(m.ram, "selvage", 7);
	ANSWER("m1000,7", "73656c76616765");
	ANSWER("m0,7", "E01");
	ANSWER("Qqemu.PhyMemMode:1", "OK");
	ANSWER("qqemu.PhyMemMode", "1");
	ANSWER("m0,2", "7365");
	ANSWER("mfffffffffffffffe,7", "E01");
	ANSWER("m1", "E01");
	ANSWER("M0,1:41", "E.the VM is not stopped");
	SILENT("?");
	STOP(.point = GDB_NO_POINT);
	ANSWER("M0,2:4142", "OK");
	ANSWER("X2,3:a}\x03z", "OK");
	assert_memory_equal(m.ram, "ABa#zge", 7);
	ANSWER("M0,2:41", "E.not mapped, or no RAM");
	ANSWER("M0,1:4142", "E.not mapped, or no RAM");
	ANSWER("Mff,2:4142", "E.not mapped, or no RAM");
	ANSWER("M0,ffffffffffffffff:41", "E01");
	ANSWER("X0,0:", "OK");
}

static void stopping_and_going_on(void **state)
{
	char reply[64];

	(void)state;
	start(true);
	SILENT("?");
	assert_int_equal(m.halts, 1);
	raw("\x03");
	assert_int_equal(m.halts, 1);
	STOP(.point = GDB_NO_POINT);
	assert_string_equal(m.sent, framed("T05thread:01;", reply, sizeof(reply)));
	ANSWER("?", "T05thread:01;");
	ANSWER("vCont?", "vCont;c;C;s;S");
	SILENT("vCont;s:2;c:1");
	assert_int_equal(m.action[0], GDB_GO);
	assert_int_equal(m.action[1], GDB_STEP);
	m.n_sent = 0;
	STOP(.signal = GDB_SIGTRAP, .vcpu = 1, .point = GDB_WATCH_READ, .address = 0x1234);
	assert_string_equal(m.sent, framed("T05rwatch:1234;thread:02;", reply, sizeof(reply)));
	SILENT("vCont;c:1");
	assert_int_equal(m.action[1], GDB_STAY);
	raw("\x03");
	assert_int_equal(m.halts, 2);
	STOP(.point = GDB_NO_POINT);
	assert_string_equal(m.sent, framed("T02thread:01;", reply, sizeof(reply)));
	SILENT("c");
	ANSWER("c", "E.the VM is not stopped");
	m.n_sent = 0;
	STOP(.signal = GDB_SIGTRAP, .point = GDB_SOFTWARE);
	assert_string_equal(m.sent, framed("T05swbreak:;thread:01;", reply, sizeof(reply)));
	ANSWER("vCont;x", "E.vCont");
	ANSWER("vCont;s:9", "E.vCont");
	ANSWER("c1000", "E.going on elsewhere: write the pc first");
	SILENT("s");
	assert_int_equal(m.action[0], GDB_STEP);
	assert_int_equal(m.action[1], GDB_GO);
}

static void points(void **state)
{
	(void)state;
	start(true);
	ANSWER("Z0,1000,4", "E.the VM is not stopped");
	SILENT("?");
	STOP(.point = GDB_NO_POINT);
	ANSWER("Z2,1000,4", "OK");
	assert_int_equal(m.point, GDB_WATCH_WRITE);
	assert_int_equal(m.point_at, 0x1000);
	ANSWER("z1,1000,4", "OK");
	ANSWER("Z0,1000,5", "E01");
	ANSWER("Z5,1000,4", "");
	ANSWER("Z0,1000", "E01");
}

static void threads(void **state)
{
	(void)state;
	start(true);
	ANSWER("qfThreadInfo", "m01,02");
	ANSWER("qsThreadInfo", "l");
	ANSWER("qThreadExtraInfo,2", "7631");
	ANSWER("T2", "OK");
	m.second_off = true;
	ANSWER("qfThreadInfo", "m01");
	ANSWER("T2", "E01");
	ANSWER("Hg2", "E.no such thread");
	ANSWER("Hc-1", "OK");
	ANSWER("Hg0", "OK");
	ANSWER("Hx1", "E.no such thread");
	ANSWER("qThreadExtraInfo,3", "E.no such thread");
	ANSWER("qAttached", "1");
}

static void descriptions(void **state)
{
	(void)state;
	start(true);
	ANSWER("qXfer:features:read:target.xml:0,100", "l<target/>");
	ANSWER("qXfer:features:read:target.xml:0,4", "m<tar");
	ANSWER("qXfer:features:read:target.xml:4,5", "lget/>");
	ANSWER("qXfer:features:read:target.xml:9,5", "l");
	ANSWER("qXfer:features:read:target.xml:a,5", "E01");
	ANSWER("qXfer:features:read:other.xml:0,5", "E00");
	ANSWER("qXfer:memory-map:read::0,100", "l<memory-map}]>");
	ANSWER("qXfer:memory-map:read::0,", "E01");
	ANSWER("qXfer:auxv:read::0,10", "");
	ANSWER("vMustReplyEmpty", "");
}

static void monitor_commands(void **state)
{
	(void)state;
	start(true);
	raw("$qRcmd,6d6170#8b");
	assert_string_equal(m.sent, "+$O6d6170#b7$OK#9a");
	raw("$qRcmd,6c6f6e67#60");
	assert_int_equal(m.n_sent, 1 + 30 * (2 * 40 + 5) + 2 * 4 + 5 + 6);
	ANSWER("qRcmd,6", "E.command too long, or no text");
	ANSWER("qRcmd,zz", "E.command too long, or no text");
}

static void what_observe_allows(void **state)
{
	static const char *const refused[] = { "vCont;s:1;c", "s", "Z0,1000,4",
					       "z0,1000,4", "M1000,1:41", "X1000,0:",
					       "P0=0000000000000000", "G00", "vKill;1" };
	char in[128];

	(void)state;
	start(false);
	ANSWER("?", "T05thread:01;");
	assert_int_equal(m.snapshots, 1);
	ANSWER("m1000,1", "00");
	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		raw(framed(refused[i], in, sizeof(in)));
		assert_memory_equal(m.sent, "+$E.no right to ", 16);
	}
	raw("$k#6b");
	SILENT("vCont;c");
	raw("\x03");
	assert_string_equal(m.sent, "$T02thread:01;#04");
	assert_int_equal(m.snapshots, 2);
	assert_int_equal(m.halts + m.resumes + m.kills + m.points, 0);
	ANSWER("D", "OK");
}

static void the_end_of_a_session(void **state)
{
	(void)state;
	start(true);
	ANSWER("QStartNoAckMode", "OK");
	raw("$?#3f");
	STOP(.point = GDB_NO_POINT);
	raw("$D#44");
	assert_string_equal(m.sent, "$OK#9a");
	assert_int_equal(m.detaches, 1);
	ANSWER("M1000,1:41", "E.the VM is not stopped");
	SILENT("?");
	ANSWER("vKill;1", "OK");
	assert_int_equal(m.kills, 1);
	SILENT("k");
	assert_int_equal(m.kills, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing),
		cmocka_unit_test(it_is_not_sent_again_for_ever),
		cmocka_unit_test(too_long_a_packet),
		cmocka_unit_test(acknowledgements_end_and_begin),
		cmocka_unit_test(registers),
		cmocka_unit_test(memory),
		cmocka_unit_test(stopping_and_going_on),
		cmocka_unit_test(points),
		cmocka_unit_test(threads),
		cmocka_unit_test(descriptions),
		cmocka_unit_test(monitor_commands),
		cmocka_unit_test(what_observe_allows),
		cmocka_unit_test(the_end_of_a_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
