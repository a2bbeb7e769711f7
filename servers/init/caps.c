#include "caps.h"

#include "init_arch.h"
#include "process.h"

#include <selvage/base.h>
#include <selvage/fmt.h>
#include <string.h>

/* What init itself holds is not a grant; said in words. */
static const char *const init_holds[][2] = {
	{ "Untyped", "all memory that is free" },
	{ "IRQControl", "interrupts not given out" },
	{ "SchedControl", "to configure budgets" },
	{ "ASIDPool", "address space numbers" },
	INIT_ARCH_HOLDS,
};

static const char *holder_name(const struct grant *g)
{
	const struct process *p = &processes[g->holder & ~GRANT_GUEST];

	return g->holder == 0 ? "init" : p->name + (g->holder & GRANT_GUEST ? strlen("vmm:") : 0);
}

static void grant_line(const struct process *p, const struct grant *g, char *text, size_t size)
{
	char slot[8] = "null";

	if (g->slot != GRANT_MAPPED)
		fmt_print(slot, sizeof(slot), "%u", g->slot);
	fmt_print(text, size,
		  "{\"holder\":\"%s\",\"slot\":%s,\"type\":\"%s\",\"what\":\"%s\","
		  "\"for\":\"%s\",\"object\":%u,\"rights\":%u,\"at\":%lu,\"bytes\":%lu}",
		  holder_name(g), slot, g->type, g->what, p->name, g->object, g->rights,
		  (unsigned long)g->at, (unsigned long)g->bytes);
}

/* --- the slots themselves --------------------------------------------------- */

#define MAX_CNODE_BITS 10

/* Of one process: slots for which a grant is written down. */
static struct {
	unsigned holder;
	uint64_t slot[(1u << MAX_CNODE_BITS) / 64];
} written;

static void read_grants(unsigned holder)
{
	memset(&written, 0, sizeof(written));
	written.holder = holder;
	for (unsigned i = 0; i < PROCESS_MAX; i++)
		for (unsigned j = 0; j < processes[i].n_grants; j++) {
			const struct grant *g = &processes[i].grants[j];

			if (g->holder == holder && g->slot < 1u << MAX_CNODE_BITS)
				written.slot[g->slot / 64] |= bit_u64(g->slot % 64);
		}
}

/* Whether the kernel finds a capability there: what cannot be copied is one, too. */
static bool is_occupied(const struct process *p, unsigned slot)
{
	static cap_t spare;
	int error;

	if (spare == 0)
		spare = mem_slot(&init_arena);
	error = sel4_cnode_copy(ABI_ROOT_CNODE, spare, CSPACE_DEPTH, p->cnode, slot, p->cnode_bits,
				ABI_RIGHTS_ALL);
	if (error == ABI_OK)
		(void)cspace_delete(spare);
	return error != ABI_FAILED_LOOKUP;
}

/* A line only where the slot is not as it was written down. */
static void slot_line(const struct process *p, unsigned slot, char *text, size_t size)
{
	bool known, there = is_occupied(p, slot);

	if (slot == 0 || written.holder != p->number)
		read_grants(p->number);
	known = written.slot[slot / 64] & bit_u64(slot % 64);
	if (known != there)
		fmt_print(text, size,
			  "{\"holder\":\"%s\",\"slot\":%u,\"type\":\"%s\",\"what\":\"%s\"}",
			  p->name, slot, there ? "unknown" : "none",
			  there ? "init did not give it" : "init gave it, but it is gone");
}

static unsigned slots_of(const struct process *p)
{
	return p->state == PROCESS_NONE || p->number == 0 ? 0 : 1u << p->cnode_bits;
}

bool caps_line(const struct control_subject *subject, unsigned n, char *text, size_t size)
{
	(void)subject;
	if (n < ARRAY_SIZE(init_holds)) {
		fmt_print(text, size,
			  "{\"holder\":\"init\",\"slot\":null,\"type\":\"%s\",\"what\":\"%s\"}",
			  init_holds[n][0], init_holds[n][1]);
		return true;
	}
	n -= (unsigned)ARRAY_SIZE(init_holds);
	for (unsigned i = 0; i < PROCESS_MAX; n -= processes[i++].n_grants)
		if (n < processes[i].n_grants) {
			grant_line(&processes[i], &processes[i].grants[n], text, size);
			return true;
		}
	for (unsigned i = 0; i < PROCESS_MAX; n -= slots_of(&processes[i++]))
		if (n < slots_of(&processes[i])) {
			slot_line(&processes[i], n, text, size);
			return true;
		}
	return false;
}
