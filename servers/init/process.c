#include "process.h"

#include "self.h"

#include <selvage/base.h>
#include <selvage/log.h>
#include <selvage/rt_arch.h>
#include <selvage/servers.h>
#include <string.h>

struct process processes[PROCESS_MAX];
cap_t init_endpoint;
cap_t init_sched_control;
uint64_t process_counter_hz;
uint32_t process_log_level;

#define PAGE 4096u
#define ROW 64u /* as many as are made at once */

/* Fresh pages of one arena, with page tables of another: large ones where they fit, unless
 * the caller wants each frame. Many are made at once, for what there is of blocks and slots
 * is little beside them. */
static bool map_new(struct mem_arena *pages, struct mem_arena *tables, cap_t vspace,
		    uint64_t vaddr, unsigned count, cap_t *frames)
{
	const uint64_t large_bytes = bit_u64(ABI_LARGE_PAGE_BITS);
	const uint64_t end = vaddr + (uint64_t)count * PAGE;
	cap_t row[ROW];

	for (uint64_t at = vaddr; at < end;) {
		const uint64_t next = align_up_u64(at + 1, large_bytes);
		const bool large = frames == NULL && at % large_bytes == 0 && next <= end;
		const uint64_t stop = frames == NULL && !large ? min_u64(next, end) : end;
		const unsigned bits = large ? ABI_LARGE_PAGE_BITS : ABI_PAGE_BITS;
		const unsigned n = (unsigned)min_u64((stop - at) >> bits, ROW);

		if (!mem_objects(pages, large ? ABI_OBJ_LARGE_PAGE : ABI_OBJ_SMALL_PAGE,
				 large ? bits : 0, n, row))
			return false;
		for (unsigned i = 0; i < n; i++, at += bit_u64(bits)) {
			if (map_page(tables, vspace, row[i], at, MAP_RW, MAP_DATA) != ABI_OK)
				return false;
			if (frames != NULL)
				*frames++ = row[i];
		}
	}
	return true;
}

bool process_map_new(struct mem_arena *arena, cap_t vspace, uint64_t vaddr,
		     unsigned count, cap_t *frames)
{
	return map_new(arena, arena, vspace, vaddr, count, frames);
}

bool process_note(struct process *p, const struct grant *grant)
{
	if (p->n_grants == PROCESS_GRANTS)
		return false;
	p->grants[p->n_grants++] = *grant;
	return true;
}

static bool note_memory(struct process *p, const struct process *holder, cap_t frame,
			unsigned count, const char *what)
{
	const struct grant grant = {
		.holder = holder->number,
		.rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE,
		.slot = GRANT_MAPPED,
		.object = (uint32_t)frame,
		.type = "Memory",
		.what = what,
		.bytes = (uint64_t)count * PAGE,
	};

	return process_note(p, &grant);
}

bool process_note_pages(struct process *p, cap_t frame, unsigned count, const char *what)
{
	return note_memory(p, p, frame, count, what);
}

bool process_share_frames(struct process *p, struct process *with, const cap_t *frames,
			  unsigned count, uint64_t vaddr, const char *what)
{
	for (unsigned i = 0; i < count; i++) {
		cap_t copy = mem_copy(&p->mem, frames[i], ABI_RIGHTS_ALL);

		/* Its page tables outlive p: others' frames are in them too. */
		if (copy == 0 ||
		    map_page(&with->mem, with->vspace, copy, vaddr + (uint64_t)i * PAGE, MAP_RW,
			     MAP_DATA) != ABI_OK)
			return false;
	}
	return note_memory(p, with, frames[0], count, what);
}

/* Zeroed pages of what the program may write. */
static bool map_data(struct process *p, uint64_t vaddr, uint64_t bytes)
{
	return map_new(&p->data, &p->mem, p->vspace, vaddr, (unsigned)(bytes / PAGE), NULL);
}

/* A page with these bytes in it, then mapped for the process. */
static cap_t map_filled(struct process *p, struct mem_arena *arena, uint64_t vaddr,
			const void *bytes, size_t size, unsigned rights)
{
	cap_t frame = mem_object(arena, ABI_OBJ_SMALL_PAGE);
	void *page = frame == 0 ? NULL : self_scratch(frame);

	if (page == NULL)
		return 0;
	memcpy(page, bytes, size);
	self_scratch_end();
	return map_page(&p->mem, p->vspace, frame, vaddr, rights, MAP_DATA) == ABI_OK ? frame : 0;
}

/* Read-only segments are the payload's own pages, shared by all. */
static bool map_shared_segment(struct process *p, const struct elf_segment *s)
{
	uint64_t first = align_down_u64(s->offset, PAGE);
	uint64_t last = align_up_u64(s->offset + s->file_bytes, PAGE);

	if (((s->offset ^ s->vaddr) & (PAGE - 1)) != 0 || s->file_bytes != s->memory_bytes)
		return false;
	for (uint64_t at = first; at < last; at += PAGE) {
		cap_t copy = mem_copy(&p->mem, p->image->frames.frame[at / PAGE],
				      ABI_RIGHT_READ);

		if (copy == 0 ||
		    map_page(&p->mem, p->vspace, copy,
			     align_down_u64(s->vaddr, PAGE) + (at - first), MAP_RO,
			     s->executable ? MAP_CODE : MAP_DATA) != ABI_OK)
			return false;
	}
	return true;
}

static bool map_private_segment(struct process *p, const struct elf_segment *s)
{
	uint64_t end = align_up_u64(s->vaddr + s->memory_bytes, PAGE);
	const uint8_t *source = p->image->elf.bytes + s->offset;

	if ((s->vaddr & (PAGE - 1)) != 0)
		return false;
	for (uint64_t at = s->vaddr; at < end; at += PAGE) {
		uint64_t done = at - s->vaddr;
		size_t n = done >= s->file_bytes ? 0 : (size_t)min_u64(s->file_bytes - done, PAGE);

		if (n == 0)
			return map_data(p, at, end - at);
		if (map_filled(p, &p->data, at, source + done, n, MAP_RW) == 0)
			return false;
	}
	return true;
}

static bool map_segments(struct process *p, bool writable,
			 bool (*map)(struct process *p, const struct elf_segment *s))
{
	struct elf_segment s;

	for (unsigned i = 0; elf_segment_get(&p->image->elf, i, &s); i++)
		if (s.memory_bytes != 0 && s.writable == writable && !map(p, &s))
			return false;
	return true;
}

static bool map_writable(struct process *p)
{
	return map_segments(p, true, map_private_segment) &&
	       map_data(p, PROC_STACK_TOP - p->stack_bytes, p->stack_bytes) &&
	       map_data(p, PROC_HEAP_BASE, p->heap_bytes);
}

static bool map_info(struct process *p, const struct process_spec *spec)
{
	static union {
		struct procinfo info;
		uint8_t page[PAGE];
	} u;

	memset(&u, 0, sizeof(u));
	u.info.magic = PROCINFO_MAGIC;
	u.info.version = PROCINFO_VERSION;
	u.info.size = (uint32_t)(sizeof(u.info) + spec->detail_bytes);
	u.info.kind = spec->kind;
	memcpy(u.info.name, p->name, sizeof(u.info.name));
	u.info.stack_bytes = spec->stack_bytes;
	u.info.heap_bytes = spec->heap_bytes;
	u.info.log_ring = PROC_LOG_RING;
	u.info.counter_hz = process_counter_hz;
	u.info.log_level = process_log_level;
	if (sizeof(u.info) + spec->detail_bytes > PAGE)
		return false;
	memcpy(u.info.detail, spec->detail, spec->detail_bytes);
	p->info = map_filled(p, &p->mem, PROC_INFO_VADDR, &u, u.info.size, MAP_RO);
	if (p->info != 0)
		p->info = mem_copy_own(&p->mem, p->info, ABI_RIGHTS_ALL);
	return p->info != 0;
}

static bool tell(struct process *p, size_t at, const void *bytes, size_t size)
{
	uint8_t *page = self_scratch(p->info);

	if (page == NULL)
		return false;
	memcpy(page + at, bytes, size);
	self_scratch_end();
	return true;
}

bool process_tell(struct process *p, size_t offset, const void *bytes, size_t size)
{
	return tell(p, sizeof(struct procinfo) + offset, bytes, size);
}

bool process_set_log_level(struct process *p, uint32_t level)
{
	return tell(p, offsetof(struct procinfo, log_level), &level, sizeof(level));
}

bool process_thread(struct process *p, cap_t tcb, unsigned thread, unsigned priority,
		    cap_t sched_context)
{
	cap_t buffer = mem_object(&p->mem, ABI_OBJ_SMALL_PAGE);
	cap_t fault_ep = mem_mint(&p->mem, p->fault_ep,
				  ABI_RIGHT_WRITE | ABI_RIGHT_GRANT_REPLY,
				  PROCESS_BADGE(p->number, thread));
	uint64_t vaddr = PROC_IPCBUF_BASE + (uint64_t)thread * PAGE;

	return buffer != 0 && fault_ep != 0 &&
	       map_page(&p->mem, p->vspace, buffer, vaddr, MAP_RW, MAP_DATA) == ABI_OK &&
	       sel4_tcb_configure(tcb, p->cnode, p->vspace, buffer,
				  sel4_cnode_data(0, 64u - p->cnode_bits), 0,
				  vaddr) == ABI_OK &&
	       sel4_tcb_set_sched_params(tcb, ABI_ROOT_TCB, sched_context, fault_ep,
					 priority, priority) == ABI_OK;
}

static bool make_objects(struct process *p)
{
	p->cnode = mem_object_sized(&p->mem, ABI_OBJ_CNODE, p->cnode_bits);
	p->vspace = mem_object(&p->mem, ABI_OBJ_VSPACE);
	p->tcb[0] = mem_object(&p->mem, ABI_OBJ_TCB);
	p->ntfn = mem_object(&p->mem, ABI_OBJ_NOTIFICATION);
	p->service_ep = mem_object(&p->mem, ABI_OBJ_ENDPOINT);
	return p->cnode != 0 && p->vspace != 0 && p->tcb[0] != 0 && p->ntfn != 0 &&
	       p->service_ep != 0 &&
	       sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, p->vspace) == ABI_OK;
}

static bool make_thread(struct process *p, const struct process_spec *spec)
{
	cap_t sc = mem_object_sized(&p->mem, ABI_OBJ_SCHED_CONTEXT, 8);

	p->time[0] = (struct process_time){ .sc = sc, .tcb = { p->tcb[0] }, .badge = p->number };
	return sc != 0 && process_set_time(p, 0, spec->budget_us, spec->period_us) &&
	       process_thread(p, p->tcb[0], 0, spec->priority, sc);
}

bool process_set_time(struct process *p, unsigned thread, uint64_t budget_us,
		      uint64_t period_us)
{
	struct process_time *t = &p->time[thread];

	if (sel4_sched_control_configure(init_sched_control, t->sc, budget_us, period_us, 6,
					 t->badge, 0) != ABI_OK)
		return false;
	t->budget_us = budget_us;
	t->period_us = period_us;
	return true;
}

static bool freeze(struct process_time *t)
{
	for (unsigned i = 0; i < ARRAY_SIZE(t->tcb); i++) {
		if (t->tcb[i] == 0 || sel4_sched_context_unbind_object(t->sc, t->tcb[i]) != ABI_OK)
			continue;
		t->frozen = t->tcb[i];
		return true;
	}
	return false;
}

/* A context that nobody has is as good as new once it is configured: else a
 * thread that waits could not have it back before its budget is. */
static bool thaw(struct process *p, unsigned thread)
{
	struct process_time *t = &p->time[thread];

	if (t->frozen == 0)
		return true;
	if (!process_set_time(p, thread, t->budget_us, t->period_us) ||
	    sel4_sched_context_bind(t->sc, t->frozen) != ABI_OK)
		return false;
	t->frozen = 0;
	return true;
}

bool process_freeze(struct process *p)
{
	bool ok = true;

	for (unsigned i = 0; i < PROCESS_THREADS && ok; i++)
		ok = p->time[i].sc == 0 || freeze(&p->time[i]);
	if (!ok)
		(void)process_thaw(p);
	return ok;
}

bool process_thaw(struct process *p)
{
	bool ok = true;

	for (unsigned i = 0; i < PROCESS_THREADS; i++)
		ok = thaw(p, i) && ok;
	return ok;
}

uint64_t process_consumed_us(struct process *p)
{
	uint64_t sum = 0, us;

	for (unsigned i = 0; i < PROCESS_THREADS; i++)
		if (p->time[i].sc != 0 && sel4_sched_context_consumed(p->time[i].sc, &us) == ABI_OK)
			sum += us;
	return sum;
}

static bool map_memory(struct process *p, const struct process_spec *spec)
{
	return map_segments(p, false, map_shared_segment) && map_info(p, spec) &&
	       process_map_new(&p->mem, p->vspace, PROC_LOG_RING,
			       ARRAY_SIZE(p->log_frames), p->log_frames) &&
	       process_note_pages(p, p->log_frames[0], ARRAY_SIZE(p->log_frames),
				  "own log ring") &&
	       map_writable(p);
}

/* What every process holds. */
static bool grant_common(struct process *p)
{
	p->reply = mem_object(&p->mem, ABI_OBJ_REPLY);
	return p->reply != 0 &&
	       process_grant(p, p, PROC_CAP_TCB, p->tcb[0], ABI_RIGHTS_ALL, 0, "TCB",
			     "main thread") &&
	       process_grant(p, p, PROC_CAP_INIT_EP, init_endpoint,
			     ABI_RIGHT_WRITE | ABI_RIGHT_GRANT_REPLY,
			     PROCESS_BADGE(p->number, 0), "Endpoint", "requests to init") &&
	       process_grant(p, p, PROC_CAP_NTFN, p->ntfn, ABI_RIGHTS_ALL, 0,
			     "Notification", "own signals") &&
	       process_grant(p, p, PROC_CAP_REPLY, p->reply, ABI_RIGHTS_ALL, 0, "Reply",
			     "reply object of the main thread");
}

bool process_create(struct process *p, unsigned number, const struct process_spec *spec)
{
	memset(p, 0, sizeof(*p));
	p->number = (uint8_t)number;
	p->kind = spec->kind;
	p->cnode_bits = (uint8_t)spec->cnode_bits;
	p->stack_bytes = spec->stack_bytes;
	p->heap_bytes = spec->heap_bytes;
	p->fault_ep = spec->fault_ep != 0 ? spec->fault_ep : init_endpoint;
	strncpy(p->name, spec->name, sizeof(p->name) - 1);
	p->image = images_process(spec->image);
	if (p->image == NULL)
		return false;
	mem_open(&p->mem, MEM_CHUNK_BITS);
	mem_open(&p->data, MEM_SMALL_CHUNK_BITS);
	if (make_objects(p) && map_memory(p, spec) && make_thread(p, spec) &&
	    grant_common(p)) {
		p->state = PROCESS_RUNNING;
		return true;
	}
	process_destroy(p);
	return false;
}

bool process_start(struct process *p)
{
	uint64_t regs[ABI_CTX_COUNT] = { 0 };

	regs[ABI_CTX_PC] = p->image->elf.entry;
	regs[ABI_CTX_SP] = PROC_STACK_TOP;
	regs[RT_ARCH_ARG0] = PROC_INFO_VADDR;
	return sel4_tcb_write_registers(p->tcb[0], 1, ABI_CTX_COUNT, regs) == ABI_OK;
}

bool process_reset(struct process *p)
{
	if (sel4_tcb_suspend(p->tcb[0]) != ABI_OK)
		return false;
	mem_close(&p->data);
	mem_open(&p->data, MEM_SMALL_CHUNK_BITS);
	return map_writable(p);
}

uint64_t process_held_bytes(const struct process *p)
{
	return p->mem.arena.taken_bytes + p->data.arena.taken_bytes;
}

/* What it was given because of others goes with its CNode and address spaces. */
static void forget_held(unsigned holder)
{
	for (unsigned i = 0; i < PROCESS_MAX; i++) {
		struct process *p = &processes[i];
		unsigned kept = 0;

		for (unsigned j = 0; j < p->n_grants; j++)
			if ((p->grants[j].holder & ~GRANT_GUEST) != holder)
				p->grants[kept++] = p->grants[j];
		p->n_grants = kept;
	}
}

void process_forget(struct process *p, cap_t object)
{
	unsigned kept = 0;

	for (unsigned j = 0; j < p->n_grants; j++)
		if (p->grants[j].object != object)
			p->grants[kept++] = p->grants[j];
	p->n_grants = kept;
}

void process_destroy(struct process *p)
{
	mem_close(&p->data);
	mem_close(&p->mem);
	p->state = PROCESS_NONE;
	p->n_grants = 0;
	forget_held(p->number);
}

bool process_grant(struct process *p, struct process *holder, unsigned slot,
		   cap_t src, uint64_t rights, uint64_t badge, const char *type,
		   const char *what)
{
	const struct grant grant = {
		.holder = holder->number,
		.rights = (uint8_t)rights,
		.slot = (uint16_t)slot,
		.object = (uint32_t)src,
		.type = type,
		.what = what,
	};

	return sel4_cnode_mint(holder->cnode, slot, holder->cnode_bits, ABI_ROOT_CNODE, src,
			       CSPACE_DEPTH, rights, badge) == ABI_OK &&
	       process_note(p, &grant);
}
