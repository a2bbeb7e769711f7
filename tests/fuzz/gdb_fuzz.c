/* The debug stub's protocol, fed with anything: the host's side of the serial
 * line may be under an attacker's control. Byte 0 chooses the right; 0x04 in
 * the stream lets the VM come to stand. */
#include <selvage/gdb.h>

#include <selvage/fmt.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gdb g;
static uint8_t ram[4096];
static size_t sent;
static bool control;

static void do_send(void *opaque, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;
	uint8_t sum = 0;

	(void)opaque;
	/* One acknowledgement, or one packet that is whole and right. */
	for (size_t i = 1; n > 1 && i < n - 3; i++) {
		if (from[i] == '$' || from[i] == '#')
			abort();
		sum = (uint8_t)(sum + from[i]);
	}
	if (n > 1) {
		const char said[3] = { (char)from[n - 2], (char)from[n - 1] };

		if (from[0] != '$' || n > GDB_PACKET + 4 || from[n - 3] != '#' ||
		    strtoul(said, NULL, 16) != sum)
			abort();
	}
	sent += n;
}

static bool is_on(void *opaque, unsigned vcpu)
{
	(void)opaque;
	if (vcpu >= 3)
		abort();
	return vcpu != 2;
}

static unsigned reg_bytes(void *opaque, unsigned reg)
{
	(void)opaque;
	if (reg >= GDB_MAX_REGS)
		abort();
	if (reg == 3)
		return 10 | GDB_NOT_SHOWN;
	return reg % 2 ? 4 : 8;
}

static bool regs_read(void *opaque, unsigned vcpu, unsigned first, unsigned n,
		      uint64_t *values)
{
	(void)opaque;
	if (vcpu >= 3 || first + n > GDB_MAX_REGS)
		abort();
	memset(values, 0x5a, n * sizeof(*values));
	return true;
}

static void needs_control(void)
{
	if (!control || !g.stopped)
		abort();
}

static bool reg_write(void *opaque, unsigned vcpu, unsigned reg, uint64_t value)
{
	(void)opaque;
	(void)value;
	needs_control();
	return vcpu < 3 && reg < GDB_MAX_REGS;
}

static bool mem_read(void *opaque, unsigned vcpu, bool physical, uint64_t at, void *to,
		     size_t n)
{
	(void)opaque;
	(void)vcpu;
	(void)physical;
	if (at > sizeof(ram) || n > sizeof(ram) - at)
		return false;
	memcpy(to, ram + at, n);
	return true;
}

static bool mem_write(void *opaque, unsigned vcpu, bool physical, uint64_t at,
		      const void *from, size_t n)
{
	(void)opaque;
	(void)vcpu;
	(void)physical;
	needs_control();
	if (at > sizeof(ram) || n > sizeof(ram) - at)
		return false;
	memcpy(ram + at, from, n);
	return true;
}

static bool change_point(void *opaque, unsigned vcpu, enum gdb_point type, bool insert,
			 uint64_t at, uint64_t kind)
{
	(void)opaque;
	(void)vcpu;
	(void)insert;
	needs_control();
	return type < GDB_POINTS && at < kind;
}

static void snapshot(void *opaque)
{
	(void)opaque;
	if (control)
		abort();
}

static void halt(void *opaque)
{
	(void)opaque;
	if (!control || g.stopped)
		abort();
}

static void resume(void *opaque, const enum gdb_action *action)
{
	(void)opaque;
	if (!control || action[0] > GDB_STEP)
		abort();
}

static void detach(void *opaque) { (void)opaque; }

static void end(void *opaque)
{
	(void)opaque;
	if (!control)
		abort();
}

static void describe(void *opaque, unsigned vcpu, char *text, size_t size)
{
	(void)opaque;
	fmt_print(text, size, "vCPU %u", vcpu);
}

static size_t memory_map(void *opaque, char *xml, size_t size)
{
	(void)opaque;
	memset(xml, '#', size - 1);
	return size - 1;
}

static bool monitor(void *opaque, struct gdb *stub, const char *command)
{
	(void)opaque;
	gdb_print(stub, command);
	return command[0] != 'x';
}

static struct gdb_target target = {
	.n_vcpus = 3,
	.n_core = 33,
	.n_regs = GDB_MAX_REGS,
	.xml = "<target>$#}*</target>",
	.send = do_send,
	.is_on = is_on,
	.reg_bytes = reg_bytes,
	.regs_read = regs_read,
	.reg_write = reg_write,
	.mem_read = mem_read,
	.mem_write = mem_write,
	.point = change_point,
	.snapshot = snapshot,
	.halt = halt,
	.resume = resume,
	.detach = detach,
	.kill = end,
	.describe = describe,
	.memory_map = memory_map,
	.monitor = monitor,
};

/* Packets without a checksum get the right one: else none would get through. */
static void feed(const uint8_t *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++) {
		if (data[i] == 4)
			gdb_stopped(&g, &(struct gdb_stop){ .vcpu = 1, .point = data[i] % 7 });
		gdb_receive(&g, &data[i], 1);
		sum = data[i] == '$' ? 0 : (uint8_t)(sum + data[i]);
		if (data[i] == '#' && g.state != 0) {
			sum = (uint8_t)(sum - '#');
			gdb_receive(&g, (const uint8_t *)&digits[sum >> 4], 1);
			gdb_receive(&g, (const uint8_t *)&digits[sum & 15], 1);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	control = target.control = data[0] & 1;
	gdb_init(&g, &target);
	sent = 0;
	feed(data + 1, size - 1);
	/* No host gets much more out than it puts in: the largest answer to a
	 * packet of so many bytes. */
	if (sent > size * (GDB_PACKET + 16))
		abort();
	return 0;
}
