/* Stopping, going on, and telling why it stopped. */
#include "gdb_impl.h"

bool gdb_may(struct gdb *g, const char *what)
{
	if (!g->target->control) {
		gdb_begin(g);
		gdb_put_text(g, "E.no right to ");
		gdb_put_text(g, what);
		gdb_put_text(g, ": the VM's description says `debug: observe`");
		gdb_end(g);
		return false;
	}
	if (!g->stopped) {
		gdb_say(g, "E.the VM is not stopped");
		return false;
	}
	return true;
}

static void put_point(struct gdb *g, const struct gdb_stop *stop)
{
	static const char *const names[GDB_POINTS] = { "swbreak", "hwbreak", "watch", "rwatch",
						       "awatch" };

	if (stop->point >= GDB_POINTS)
		return;
	gdb_put_text(g, names[stop->point]);
	gdb_put(g, ':');
	if (stop->point >= GDB_WATCH_WRITE)
		gdb_put_number(g, stop->address);
	gdb_put(g, ';');
}

static void stop_reply(struct gdb *g)
{
	g->awaited = false;
	gdb_begin(g);
	gdb_put(g, 'T');
	gdb_put_byte(g, g->stop.signal);
	put_point(g, &g->stop);
	gdb_put_text(g, "thread:");
	gdb_thread_put(g, g->stop.vcpu);
	gdb_put(g, ';');
	gdb_end(g);
}

void gdb_stopped(struct gdb *g, const struct gdb_stop *stop)
{
	g->stopping = false;
	g->stopped = true;
	g->stop = *stop;
	if (stop->signal == 0)
		g->stop.signal = g->asked_by;
	g->vcpu = stop->vcpu;
	if (g->awaited)
		stop_reply(g);
}

static void halt(struct gdb *g, enum gdb_signal signal)
{
	g->awaited = true;
	g->asked_by = (uint8_t)signal;
	if (g->target->control) {
		g->stopping = true;
		g->target->halt(g->target->opaque);
		return;
	}
	g->target->snapshot(g->target->opaque);
	gdb_stopped(g, &(struct gdb_stop){ .point = GDB_NO_POINT });
}

void gdb_why(struct gdb *g)
{
	if (g->stopped)
		stop_reply(g);
	else if (!g->stopping)
		halt(g, GDB_SIGTRAP);
}

void gdb_interrupt(struct gdb *g)
{
	if (!g->stopped && !g->stopping)
		halt(g, GDB_SIGINT);
}

static void go(struct gdb *g, const enum gdb_action *action)
{
	g->stopped = false;
	g->awaited = true;
	if (g->target->control)
		g->target->resume(g->target->opaque, action);
	else
		g->target->detach(g->target->opaque);
}

/* What may be done with `action`; answers if not. */
static bool may_go(struct gdb *g, const enum gdb_action *action)
{
	if (g->target->control)
		return gdb_may(g, "");
	for (unsigned i = 0; i < GDB_VCPUS; i++) {
		if (action[i] == GDB_STEP)
			return gdb_may(g, "step");
	}
	return true;
}

/* c, s and their like with a signal, which no VM takes. */
void gdb_continue(struct gdb *g, bool step, bool with_signal)
{
	enum gdb_action action[GDB_VCPUS];
	uint64_t ignored;

	for (unsigned i = 0; i < GDB_VCPUS; i++)
		action[i] = step && i == g->vcpu ? GDB_STEP : GDB_GO;
	if (!may_go(g, action))
		return;
	if (with_signal)
		(void)gdb_take_number(g, &ignored);
	if (!gdb_at_end(g)) /* an address */
		gdb_say(g, "E.going on elsewhere: write the pc first");
	else
		go(g, action);
}

static bool take_action(struct gdb *g, enum gdb_action *action)
{
	uint64_t ignored;
	int c = gdb_next(g);

	if (c != 'c' && c != 'C' && c != 's' && c != 'S')
		return false;
	*action = c == 's' || c == 'S' ? GDB_STEP : GDB_GO;
	return c == 'c' || c == 's' || gdb_take_number(g, &ignored);
}

/* ;action[:thread]...; of several that fit a vCPU the first one counts. */
static bool take_actions(struct gdb *g, enum gdb_action *action)
{
	for (unsigned i = 0; i < GDB_VCPUS; i++)
		action[i] = GDB_STAY;
	while (gdb_take(g, ';')) {
		enum gdb_action a;
		unsigned vcpu = GDB_VCPUS;

		if (!take_action(g, &a) || (gdb_take(g, ':') && !gdb_thread_take(g, &vcpu)))
			return false;
		for (unsigned i = 0; i < GDB_VCPUS; i++) {
			if ((vcpu == GDB_VCPUS || vcpu == i) && action[i] == GDB_STAY)
				action[i] = a;
		}
	}
	return gdb_at_end(g);
}

void gdb_vcont(struct gdb *g)
{
	enum gdb_action action[GDB_VCPUS];

	if (gdb_take(g, '?')) {
		gdb_say(g, "vCont;c;C;s;S");
		return;
	}
	if (!take_actions(g, action))
		gdb_say(g, "E.vCont");
	else if (may_go(g, action))
		go(g, action);
}
