/* Packets: registers, memory, breakpoints, threads, the end of a session. */
#include "gdb_impl.h"

#include <selvage/base.h>
#include <string.h>

void gdb_init(struct gdb *g, const struct gdb_target *target)
{
	memset(g, 0, sizeof(*g));
	g->target = target;
}

static void say_ok(struct gdb *g, bool ok)
{
	gdb_say(g, ok ? "OK" : "E01");
}

/* --- registers, in the target's byte order: little-endian --- */

static void put_value(struct gdb *g, unsigned reg, uint64_t value)
{
	unsigned n = g->target->reg_bytes(g->target->opaque, reg);

	for (unsigned i = 0; i < (n & ~GDB_NOT_SHOWN); i++) {
		if (n & GDB_NOT_SHOWN)
			gdb_put_text(g, "xx");
		else
			gdb_put_byte(g, (uint8_t)(value >> 8 * i));
	}
}

static bool is_shown(struct gdb *g, unsigned reg)
{
	return !(g->target->reg_bytes(g->target->opaque, reg) & GDB_NOT_SHOWN);
}

static bool take_value(struct gdb *g, unsigned reg, uint64_t *value)
{
	unsigned n = g->target->reg_bytes(g->target->opaque, reg);
	uint8_t byte;

	*value = 0;
	if (n & GDB_NOT_SHOWN) { /* whatever it says */
		for (unsigned i = 0; i < 2 * (n & ~GDB_NOT_SHOWN); i++)
			if (gdb_next(g) < 0)
				return false;
		return true;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!gdb_take_byte(g, &byte))
			return false;
		*value |= (uint64_t)byte << 8 * i;
	}
	return true;
}

static void read_registers(struct gdb *g, unsigned first, unsigned n)
{
	const struct gdb_target *t = g->target;
	uint64_t values[GDB_MAX_REGS];

	if (!t->regs_read(t->opaque, g->vcpu, first, n, values)) {
		gdb_say(g, "E01");
		return;
	}
	gdb_begin(g);
	for (unsigned i = 0; i < n; i++)
		put_value(g, first + i, values[i]);
	gdb_end(g);
}

static void write_registers(struct gdb *g)
{
	const struct gdb_target *t = g->target;
	uint64_t values[GDB_MAX_REGS];
	bool ok = true;

	if (!gdb_may(g, "write registers"))
		return;
	for (unsigned i = 0; i < t->n_core && ok; i++)
		ok = take_value(g, i, &values[i]);
	for (unsigned i = 0; i < t->n_core && ok; i++)
		ok = !is_shown(g, i) || t->reg_write(t->opaque, g->vcpu, i, values[i]);
	say_ok(g, ok);
}

static void one_register(struct gdb *g, bool write)
{
	const struct gdb_target *t = g->target;
	uint64_t reg, value;

	if (!gdb_take_number(g, &reg) || reg >= t->n_regs) {
		gdb_say(g, "E01");
		return;
	}
	if (!write)
		read_registers(g, (unsigned)reg, 1);
	else if (gdb_may(g, "write registers"))
		say_ok(g, is_shown(g, (unsigned)reg) && gdb_take(g, '=') &&
				  take_value(g, (unsigned)reg, &value) &&
				  t->reg_write(t->opaque, g->vcpu, (unsigned)reg, value));
}

/* --- memory --- */

static bool take_range(struct gdb *g, uint64_t *at, uint64_t *n)
{
	return gdb_take_number(g, at) && gdb_take(g, ',') && gdb_take_number(g, n);
}

static void read_memory(struct gdb *g)
{
	const struct gdb_target *t = g->target;
	uint8_t bytes[GDB_PACKET / 2];
	uint64_t at, n;

	if (!take_range(g, &at, &n)) {
		gdb_say(g, "E01");
		return;
	}
	n = min_u64(n, sizeof(bytes)); /* less than asked for is allowed */
	if (!t->mem_read(t->opaque, g->vcpu, g->physical, at, bytes, n)) {
		gdb_say(g, "E01"); /* GDB takes no text here */
		return;
	}
	gdb_begin(g);
	for (uint64_t i = 0; i < n; i++)
		gdb_put_byte(g, bytes[i]);
	gdb_end(g);
}

static void write_memory(struct gdb *g, bool binary)
{
	const struct gdb_target *t = g->target;
	uint8_t bytes[GDB_PACKET];
	uint64_t at, n, i = 0;

	if (!gdb_may(g, "write memory"))
		return;
	if (!take_range(g, &at, &n) || !gdb_take(g, ':') || n > sizeof(bytes)) {
		gdb_say(g, "E01");
		return;
	}
	while (i < n && (binary ? gdb_take_binary(g, &bytes[i]) : gdb_take_byte(g, &bytes[i])))
		i++;
	if (i < n || !gdb_at_end(g) ||
	    !t->mem_write(t->opaque, g->vcpu, g->physical, at, bytes, n))
		gdb_say(g, "E.not mapped, or no RAM");
	else
		gdb_say(g, "OK");
}

static void change_point(struct gdb *g, bool insert)
{
	const struct gdb_target *t = g->target;
	uint64_t type, at, kind;

	if (!gdb_may(g, "set breakpoints"))
		return;
	if (!gdb_take_number(g, &type) || !gdb_take(g, ',') || !take_range(g, &at, &kind))
		gdb_say(g, "E01");
	else if (type >= GDB_POINTS)
		gdb_say(g, "");
	else
		say_ok(g, t->point(t->opaque, g->vcpu, (enum gdb_point)type, insert, at, kind));
}

/* --- threads, sessions --- */

static void choose_thread(struct gdb *g)
{
	int for_what = gdb_next(g);
	unsigned vcpu;

	if ((for_what != 'g' && for_what != 'c') || !gdb_thread_take(g, &vcpu) ||
	    (vcpu != GDB_VCPUS && !gdb_thread_is(g, vcpu))) {
		gdb_say(g, "E.no such thread");
		return;
	}
	if (for_what == 'g' && vcpu != GDB_VCPUS)
		g->vcpu = (uint8_t)vcpu;
	gdb_say(g, "OK");
}

static void is_alive(struct gdb *g)
{
	unsigned vcpu;

	say_ok(g, gdb_thread_take(g, &vcpu) && vcpu != GDB_VCPUS && gdb_thread_is(g, vcpu));
}

static void end_session(struct gdb *g)
{
	g->target->detach(g->target->opaque);
	g->stopped = g->stopping = g->awaited = g->physical = false;
	g->vcpu = 0;
}

static void detach(struct gdb *g)
{
	end_session(g);
	gdb_say(g, "OK");
	g->no_ack = false;
}

static void kill_vm(struct gdb *g, bool answer)
{
	if (!g->target->control) {
		if (answer)
			(void)gdb_may(g, "kill");
		return;
	}
	if (answer)
		gdb_say(g, "OK");
	g->target->kill(g->target->opaque);
}

static void verbose(struct gdb *g)
{
	if (gdb_take_word(g, "Cont"))
		gdb_vcont(g);
	else if (gdb_take_word(g, "Kill"))
		kill_vm(g, true);
	else
		gdb_say(g, "");
}

void gdb_packet(struct gdb *g)
{
	int c = gdb_next(g);

	switch (c) {
	case '?':
		gdb_why(g);
		break;
	case 'g':
		read_registers(g, 0, g->target->n_core);
		break;
	case 'G':
		write_registers(g);
		break;
	case 'p':
		one_register(g, false);
		break;
	case 'P':
		one_register(g, true);
		break;
	case 'm':
		read_memory(g);
		break;
	case 'M':
		write_memory(g, false);
		break;
	case 'X':
		write_memory(g, true);
		break;
	case 'c':
	case 'C':
		gdb_continue(g, false, c == 'C');
		break;
	case 's':
	case 'S':
		gdb_continue(g, true, c == 'S');
		break;
	case 'Z':
		change_point(g, true);
		break;
	case 'z':
		change_point(g, false);
		break;
	case 'H':
		choose_thread(g);
		break;
	case 'T':
		is_alive(g);
		break;
	case 'D':
		detach(g);
		break;
	case 'k':
		kill_vm(g, false);
		break;
	case 'v':
		verbose(g);
		break;
	case 'q':
		gdb_query(g);
		break;
	case 'Q':
		gdb_set(g);
		break;
	default:
		gdb_say(g, "");
		break;
	}
}
