/* Breakpoints and watchpoints, and RAM without their traces. */
#include "debug.h"

#include <selvage/base.h>
#include <string.h>

struct debug_stub stub;

static void poke(uint8_t *host, const void *from, size_t n)
{
	memcpy(host, from, n);
	debug_publish(host, n);
}

/* By where we see the memory: the guest may see it at several addresses. */
static struct debug_soft *find_soft(const struct vm *vm, uint64_t gpa)
{
	struct debug_soft *table = stub.soft;
	const uint8_t *host = gmem_span(&vm->mem, gpa, 1);

	for (unsigned i = 0; host != NULL && i < DEBUG_SOFT; i++) {
		if (table[i].bytes != 0 && table[i].host == host)
			return &table[i];
	}
	return NULL;
}

enum gdb_point debug_soft_at(const struct vm *vm, uint64_t gpa)
{
	const struct debug_soft *s = find_soft(vm, gpa);

	if (s == NULL)
		return GDB_NO_POINT;
	return s->hard ? GDB_HARDWARE : GDB_SOFTWARE;
}

static bool soft_insert(struct vm *vm, uint64_t gpa, uint64_t kind)
{
	struct debug_soft new = { .gpa = gpa };
	uint8_t insn[4];

	if (find_soft(vm, gpa) != NULL)
		return true;
	new.bytes = (uint8_t)debug_soft_insn(vm, kind, insn);
	new.host = gmem_span(&vm->mem, gpa, new.bytes);
	for (unsigned i = 0; new.bytes != 0 && new.host != NULL &&i < DEBUG_SOFT; i++) {
		if (stub.soft[i].bytes != 0)
			continue;
		memcpy(new.saved, new.host, new.bytes);
		poke(new.host, insn, new.bytes);
		stub.soft[i] = new;
		return true;
	}
	return false;
}

/* Unless the guest has written something else there since, or has it no more. */
static void soft_remove(struct vm *vm, struct debug_soft *s)
{
	uint8_t insn[4];

	if (gmem_span(&vm->mem, s->gpa, s->bytes) == s->host &&
	    debug_soft_insn(vm, s->bytes, insn) == s->bytes &&
	    memcmp(s->host, insn, s->bytes) == 0)
		poke(s->host, s->saved, s->bytes);
	s->bytes = 0;
}

/* How many bytes s and [host, host + n) share, from *at on. */
static size_t shared(const struct debug_soft *s, const uint8_t *host, size_t n,
		     const uint8_t **at)
{
	uintptr_t from = (uintptr_t)host, mine = (uintptr_t)s->host;
	uintptr_t end = min_u64(mine + s->bytes, from + n);

	*at = mine > from ? s->host : host;
	return (uintptr_t)*at < end ? end - (uintptr_t)*at : 0;
}

bool debug_ram_read(struct vm *vm, uint64_t gpa, void *to, size_t n)
{
	const uint8_t *host = gmem_span(&vm->mem, gpa, n), *at;
	uint8_t *bytes = to;

	if (host == NULL)
		return n == 0;
	memcpy(to, host, n);
	for (unsigned i = 0; i < DEBUG_SOFT; i++) {
		const struct debug_soft *s = &stub.soft[i];
		size_t share = shared(s, host, n, &at);

		if (share > 0)
			memcpy(bytes + (at - host), s->saved + (at - s->host), share);
	}
	return true;
}

bool debug_ram_write(struct vm *vm, uint64_t gpa, const void *from, size_t n)
{
	uint8_t *host = gmem_span(&vm->mem, gpa, n);
	const uint8_t *bytes = from, *at;
	uint8_t insn[4];

	if (host == NULL)
		return n == 0;
	poke(host, from, n);
	for (unsigned i = 0; i < DEBUG_SOFT; i++) {
		struct debug_soft *s = &stub.soft[i];
		size_t share = shared(s, host, n, &at);

		if (share == 0)
			continue;
		memcpy(s->saved + (at - s->host), bytes + (at - host), share);
		if (debug_soft_insn(vm, s->bytes, insn) == s->bytes)
			poke(s->host, insn, s->bytes);
	}
	return true;
}

static bool hard_change(struct vm *vm, const struct debug_hard *point, bool insert)
{
	bool watch = point->type != GDB_HARDWARE && point->type != GDB_POINTS;
	struct debug_hard *table = watch ? stub.watchpoint : stub.breakpoint;
	struct debug_hard *room = NULL;

	for (unsigned i = 0; i < DEBUG_HARD; i++) {
		struct debug_hard *h = &table[i];

		if (h->used && h->type == point->type && h->at == point->at &&
		    h->size == point->size) {
			h->used = insert;
			return watch ? debug_watch_set(vm, i, h) : debug_hard_set(vm, i, h);
		}
		if (!h->used && room == NULL)
			room = h;
	}
	if (!insert || room == NULL)
		return !insert;
	*room = *point;
	room->used = watch ? debug_watch_set(vm, (unsigned)(room - table), point)
			   : debug_hard_set(vm, (unsigned)(room - table), point);
	return room->used;
}

bool debug_point(struct vm *vm, struct vcpu_sel4 *view, enum gdb_point type, bool insert,
		 uint64_t at, uint64_t kind)
{
	const struct debug_hard point = { .used = true, .type = type, .at = at, .size = kind };
	struct debug_soft *s;
	uint64_t gpa;

	if (type != GDB_SOFTWARE && hard_change(vm, &point, insert) && insert)
		return true;
	if (type > GDB_HARDWARE)
		return !insert;
	/* In memory, also where the processor has no breakpoint left. */
	if (!debug_translate(vm, view, at, &gpa))
		return false;
	if (insert && !soft_insert(vm, gpa, kind))
		return false;
	s = find_soft(vm, gpa);
	if (s != NULL && insert)
		s->hard = type == GDB_HARDWARE;
	else if (s != NULL && !s->site && s->hard == (type == GDB_HARDWARE))
		soft_remove(vm, s);
	return true;
}

bool debug_site_add(struct vm *vm, uint64_t at, unsigned bytes)
{
	const struct debug_hard point = {
		.used = true, .type = GDB_POINTS, .at = at, .size = bytes
	};

	if (!hard_change(vm, &point, true)) {
		if (!soft_insert(vm, at, bytes))
			return false;
		find_soft(vm, at)->site = true;
	}
	stub.sites = true;
	return true;
}

static struct debug_hard *find_hard_site(uint64_t at)
{
	for (unsigned i = 0; i < DEBUG_HARD; i++) {
		struct debug_hard *h = &stub.breakpoint[i];

		if (h->used && h->type == GDB_POINTS && h->at == at)
			return h;
	}
	return NULL;
}

bool debug_site_at(struct vm *vm, struct vcpu_sel4 *view, uint64_t at)
{
	const struct debug_soft *s;
	uint64_t gpa;

	s = debug_translate(vm, view, at, &gpa) ? find_soft(vm, gpa) : NULL;
	return (s != NULL && s->site) || find_hard_site(at) != NULL;
}

void debug_site_remove(struct vm *vm, uint64_t at)
{
	struct debug_hard *h = find_hard_site(at), gone;

	if (h == NULL)
		return;
	gone = *h;
	(void)hard_change(vm, &gone, false);
}

void debug_points_clear(struct vm *vm)
{
	for (unsigned i = 0; i < DEBUG_SOFT; i++) {
		if (stub.soft[i].bytes != 0 && !stub.soft[i].site)
			soft_remove(vm, &stub.soft[i]);
	}
	for (unsigned i = 0; i < DEBUG_HARD; i++) {
		struct debug_hard *b = &stub.breakpoint[i], *w = &stub.watchpoint[i];

		if (b->used && b->type != GDB_POINTS) {
			b->used = false;
			(void)debug_hard_set(vm, i, b);
		}
		if (w->used) {
			w->used = false;
			(void)debug_watch_set(vm, i, w);
		}
	}
}
