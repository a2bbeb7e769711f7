#include "vm_make.h"

#include "balloon.h"
#include "connect.h"
#include "connect_vm.h"
#include "guest_space.h"
#include "reserve.h"
#include "self.h"
#include "service.h"
#include "upload.h"

#include <selvage/base.h>
#include <selvage/chacha.h>
#include <selvage/fmt.h>
#include <selvage/log.h>
#include <selvage/mux.h>
#include <selvage/ring.h>
#include <selvage/time_proto.h>
#include <selvage/vmm_image.h>
#include <selvage/vmm_info.h>
#include <string.h>

#define VMM_PRIORITY 110
#define HANDLER_STACK 0x4000u
/* Handler stacks lie above the main thread's, with gaps between. */
#define HANDLER_STACK_TOP(i) (PROC_STACK_TOP + ((uint64_t)(i) + 1) * 0x40000)
#define DEBUG_STACK_TOP HANDLER_STACK_TOP(SYSDESC_MAX_VCPUS)
#define DEBUG_BUDGET_US 1000u
#define DEBUG_PERIOD_US 10000u
/* Of the machine's virtio devices. */
#define VIRTIO_SLOT 0x200u
#define VIRTIO_STATUS 0x70u
#define VIRTIO_RESET_TRIES 1000000u

_Static_assert(sizeof(struct procinfo) + sizeof(struct vmm_info) <= 4096,
	       "what a monitor is told fits into a page");

static const struct machine *machine;

void vm_make_init(const struct machine *m) { machine = m; }

/* Guest RAM being mapped: one region, for the guest and for its VMM. */
struct ram {
	struct process *p;
	unsigned index;  /* of the VM */
	uint32_t number; /* of the region */
	cap_t guest;
	const struct sysdesc_vm *vm;
	const struct sysdesc_region *region;
	uint64_t vaddr; /* of the region, in the VMM */
	cap_t first;    /* frame */
};

/* Whether a large page fits at the offset: what aliases show of it, they show
 * of all of it, and by a large page too. */
static bool large_fits(const struct ram *r, uint64_t at)
{
	const uint64_t size = bit_u64(ABI_LARGE_PAGE_BITS);
	uint64_t gpa = r->region->gpa + at;

	if (!is_aligned_u64(gpa, size) || r->region->size - at < size)
		return false;
	for (uint32_t i = 0; i < r->vm->n_regions; i++) {
		const struct sysdesc_region *q = &r->vm->region[i];

		if (!sysdesc_owns(q) &&
		    range_overlaps_u64(gpa, size, q->from, q->size) &&
		    (!range_within_u64(gpa, size, q->from, q->size) ||
		     !is_aligned_u64(q->gpa ^ q->from, size)))
			return false;
	}
	return true;
}

static bool map_own(struct ram *r, cap_t frame, uint64_t at)
{
	cap_t copy = mem_copy_own(&r->p->mem, frame, ABI_RIGHTS_ALL);

	return copy != 0 && map_page(&r->p->mem, r->p->vspace, copy, r->vaddr + at, MAP_RW,
				     MAP_DATA) == ABI_OK;
}

static bool map_alias(struct ram *r, cap_t frame, uint64_t gpa)
{
	cap_t copy = mem_copy_own(&r->p->mem, frame, ABI_RIGHTS_ALL);

	return copy != 0 &&
	       guest_space_map(&r->p->mem, r->guest, copy, gpa, MAP_CODE) == ABI_OK;
}

static bool map_ram_page(struct ram *r, cap_t frame, uint64_t at)
{
	uint64_t gpa = r->region->gpa + at;

	if (guest_space_map(&r->p->mem, r->guest, frame, gpa, MAP_CODE) != ABI_OK ||
	    !map_own(r, frame, at) ||
	    !connect_memory(r->p, r->index, r->number, at, frame))
		return false;
	for (uint32_t i = 0; i < r->vm->n_regions; i++) {
		const struct sysdesc_region *q = &r->vm->region[i];

		if (!sysdesc_owns(q) && gpa - q->from < q->size &&
		    !map_alias(r, frame, q->gpa + (gpa - q->from)))
			return false;
	}
	return true;
}

#define TABLE_SLOTS (4096 / sizeof(uint32_t))

/* Notes the frames' slots for those who debug. What has no room cannot be read. */
static bool note_frames(struct process *p, const cap_t *frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned at = p->ram_frames++, table = at / TABLE_SLOTS;
		uint32_t *page;

		if (table >= ARRAY_SIZE(p->ram_table))
			return true;
		if (p->ram_table[table] == 0)
			p->ram_table[table] = mem_object(&p->mem, ABI_OBJ_SMALL_PAGE);
		page = p->ram_table[table] == 0 ? NULL : self_scratch(p->ram_table[table]);
		if (page == NULL)
			return false;
		page[at % TABLE_SLOTS] = (uint32_t)frames[i];
		self_scratch_end();
	}
	return true;
}

cap_t vm_make_frame(const struct process *p, const struct sysdesc_vm *vm, uint64_t gpa,
		    unsigned *bits, uint64_t *offset)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < vm->n_regions; i++) {
		const struct ram r = { .vm = vm, .region = &vm->region[i] };
		uint64_t at = 0;

		if (!sysdesc_owns(r.region))
			continue;
		for (; at < r.region->size && n < p->ram_frames; at += 1ull << *bits, n++) {
			*bits = large_fits(&r, at) ? ABI_LARGE_PAGE_BITS : ABI_PAGE_BITS;
			*offset = gpa - r.region->gpa - at;
			if (gpa < r.region->gpa + at || *offset >> *bits != 0)
				continue;
			const uint32_t *page = n / TABLE_SLOTS < ARRAY_SIZE(p->ram_table)
						       ? self_scratch(p->ram_table[n / TABLE_SLOTS])
						       : NULL;
			cap_t frame = page == NULL ? 0 : page[n % TABLE_SLOTS];

			self_scratch_end();
			return frame;
		}
	}
	return 0;
}

/* A large page that a balloon can give back. 0: out of memory. */
static unsigned map_alone(struct ram *r, uint64_t at, bool *kept)
{
	cap_t frame = balloon_page(r->p, r->index, r->guest, r->region->gpa + at, r->vaddr + at,
				   kept);

	if (at == 0)
		r->first = frame;
	return frame != 0 && (r->vm->debug == SYSDESC_DEBUG_NONE || note_frames(r->p, &frame, 1))
		       ? 1u << (ABI_LARGE_PAGE_BITS - ABI_PAGE_BITS)
		       : 0;
}

/* Pages of one size from the offset on; returns how many, 0: out of memory. */
static unsigned map_run(struct ram *r, uint64_t at)
{
	bool large = large_fits(r, at), kept;
	unsigned bits = large ? ABI_LARGE_PAGE_BITS : ABI_PAGE_BITS, n = 0;
	const uint64_t place = sysdesc_place(r->region);
	cap_t frames[64];

	if (large && balloon_suits(r->vm, r->index, r->number)) {
		n = map_alone(r, at, &kept);
		if (!kept)
			return n;
	}
	while (n < ARRAY_SIZE(frames) && at + ((uint64_t)n << bits) < r->region->size &&
	       large_fits(r, at + ((uint64_t)n << bits)) == large)
		n++;
	if (place != 0 ? !large || !reserve_pages(r->index, &r->p->mem, place + at, n, frames)
		       : !mem_objects(&r->p->mem, large ? ABI_OBJ_LARGE_PAGE : ABI_OBJ_SMALL_PAGE,
				      large ? bits : 0, n, frames))
		return 0;
	if (at == 0)
		r->first = frames[0];
	for (unsigned i = 0; i < n; i++)
		if (!map_ram_page(r, frames[i], at + ((uint64_t)i << bits)))
			return 0;
	if (r->vm->debug != SYSDESC_DEBUG_NONE && !note_frames(r->p, frames, n))
		return 0;
	return n << (bits - ABI_PAGE_BITS);
}

static bool note_memory(struct process *p, unsigned holder, cap_t first, unsigned rights,
			const char *what, uint64_t bytes)
{
	const struct grant grant = {
		.holder = (uint8_t)holder,
		.rights = (uint8_t)rights,
		.slot = GRANT_MAPPED,
		.object = (uint32_t)first,
		.type = "Memory",
		.what = what,
		.bytes = bytes,
	};

	return process_note(p, &grant);
}

static bool map_region(struct process *p, unsigned vm_index, cap_t guest,
		       const struct sysdesc_vm *vm, uint32_t index)
{
	struct ram r = { p, vm_index, index,
			 guest, vm, &vm->region[index], vmm_region_vaddr(vm, index), 0 };

	if (!sysdesc_owns(r.region))
		return true;
	for (uint64_t at = 0; at < r.region->size;) {
		uint64_t pages = map_run(&r, at);

		if (pages == 0)
			return false;
		at += pages << ABI_PAGE_BITS;
	}
	p->mem.ram_bytes += r.region->size;
	return note_memory(p, p->number, r.first, MAP_RW, "guest RAM", r.region->size) &&
	       note_memory(p, p->number | GRANT_GUEST, r.first, MAP_RW, "guest RAM",
			   r.region->size) &&
	       connect_region(p, vm_index, index, r.first);
}

/* Slots of virtio's share pages. */
static bool has_page(const struct sysdesc_passthrough *d, unsigned n, uint64_t page)
{
	for (unsigned i = 0; i < n; i++)
		if (align_down_u64(d[i].paddr, 4096) == page)
			return true;
	return false;
}

/* Its registers where they are in the machine, its interrupt to the monitor. */
static bool pass_device(struct process *p, cap_t guest, const struct sysdesc_passthrough *d,
			unsigned i)
{
	const uint64_t page = align_down_u64(d->paddr, 4096);
	const cap_t frame = mem_device_frame(page);
	const struct grant grant = {
		.holder = (uint8_t)(p->number | GRANT_GUEST),
		.rights = MAP_RW,
		.slot = GRANT_MAPPED,
		.object = (uint32_t)frame,
		.type = "Device",
		.what = "device of the machine",
		.at = d->paddr,
	};
	cap_t copy = frame == 0 ? 0 : mem_copy(&p->mem, frame, ABI_RIGHTS_ALL);

	return copy != 0 && process_note(p, &grant) &&
	       (has_page(d - i, i, page) ||
		guest_space_map(&p->mem, guest, copy, page, MAP_DEVICE) == ABI_OK) &&
	       service_give_irq(p, VMM_CAP_PASSTHROUGH(i), d->irq, true,
				VMM_NTFN_PASSTHROUGH(i));
}

/* Virtio over MMIO (virtio 1.2, 4.2.2): a device whose status is 0 uses no memory. The
 * guest had the page, and so all that is in it. */
static void reset_page(uint64_t page)
{
	const cap_t frame = mem_device_frame(page);
	char *at = frame == 0 ? NULL : self_view(frame, MAP_RW, MAP_DEVICE);

	if (at == NULL) {
		log_error("a device at 0x%lx was not reset", (unsigned long)page);
		return;
	}
	for (unsigned slot = 0; slot < 4096; slot += VIRTIO_SLOT) {
		volatile uint32_t *status = (void *)(at + slot + VIRTIO_STATUS);
		unsigned tries = VIRTIO_RESET_TRIES;

		*status = 0;
		while (*status != 0 && --tries > 0)
			continue;
		if (tries == 0)
			log_error("the device at 0x%lx does not reset", (unsigned long)page + slot);
	}
	self_unview(at);
}

void vm_make_quiet(const struct process *p, const struct sysdesc_vm *vm)
{
	for (unsigned i = 0; i < vm->n_passthrough && i < SYSDESC_MAX_PASSTHROUGH; i++) {
		const uint64_t page = align_down_u64(vm->passthrough[i].paddr, 4096);

		if (vm->passthrough[i].trusted_dma == 0 || has_page(vm->passthrough, i, page))
			continue;
		for (unsigned v = 0; v < vm->vcpus; v++)
			if (p->time[1 + v].tcb[0] != 0)
				(void)sel4_tcb_suspend(p->time[1 + v].tcb[0]);
		reset_page(page);
	}
}

static bool pass_devices(struct process *p, cap_t guest, const struct sysdesc_vm *vm)
{
	for (unsigned i = 0; i < vm->n_passthrough; i++)
		if (!pass_device(p, guest, &vm->passthrough[i], i))
			return false;
	return true;
}

static cap_t make_guest_space(struct process *p, unsigned index, const struct sysdesc_vm *vm)
{
	cap_t guest = guest_space_new(p);

	if (guest == 0)
		return 0;
	for (uint32_t i = 0; i < vm->n_regions; i++)
		if (!map_region(p, index, guest, vm, i))
			return 0;
	return guest_space_add_board(p, guest, vm, machine) && pass_devices(p, guest, vm) ? guest
											  : 0;
}

static bool image_of(unsigned index, uint32_t payload, struct image_frames *f, uint64_t *bytes)
{
	return upload_has(index) ? upload_image(index, payload, f, bytes)
				 : images_guest(payload, f, bytes);
}

/* Puts a guest image before the VMM's eyes; advances *vaddr past it. */
static bool map_image(struct process *p, unsigned index, uint32_t payload, uint64_t *vaddr)
{
	struct image_frames f;
	uint64_t bytes;

	if (!image_of(index, payload, &f, &bytes))
		return false;
	for (uint32_t i = 0; i < f.count; i++, *vaddr += bit_u64(f.bits)) {
		cap_t copy = mem_copy(&p->mem, f.frame[i], ABI_RIGHT_READ);

		if (copy == 0 ||
		    map_page(&p->mem, p->vspace, copy, *vaddr, MAP_RO, MAP_DATA) != ABI_OK)
			return false;
	}
	*vaddr = align_up_u64(*vaddr, PAYLOAD_LARGE_ALIGN);
	return true;
}

struct vcpu_objects {
	cap_t tcb, vcpu, sc, ep, reply, wake, handler;
};

static bool make_vcpu_objects(struct process *p, struct vcpu_objects *v)
{
	*v = (struct vcpu_objects){
		.tcb = mem_object(&p->mem, ABI_OBJ_TCB),
		.vcpu = mem_object(&p->mem, ABI_OBJ_VCPU),
		.sc = mem_object_sized(&p->mem, ABI_OBJ_SCHED_CONTEXT, 8),
		.ep = mem_object(&p->mem, ABI_OBJ_ENDPOINT),
		.reply = mem_object(&p->mem, ABI_OBJ_REPLY),
		.wake = mem_object(&p->mem, ABI_OBJ_NOTIFICATION),
		.handler = mem_object(&p->mem, ABI_OBJ_TCB),
	};
	return v->tcb != 0 && v->vcpu != 0 && v->sc != 0 && v->ep != 0 && v->reply != 0 &&
	       v->wake != 0 && v->handler != 0;
}

static bool set_up_guest_thread(struct process *p, const struct vcpu_objects *v,
				unsigned i, const struct sysdesc_vm *vm, cap_t guest,
				cap_t empty_cnode)
{
	cap_t fault_ep = mem_mint(&p->mem, v->ep, ABI_RIGHT_WRITE | ABI_RIGHT_GRANT_REPLY,
				  i + 1);

	p->vcpu[i] = v->vcpu;
	p->time[1 + i] = (struct process_time){
		.sc = v->sc,
		.tcb = { v->tcb, v->handler },
		.badge = i,
	};
	return fault_ep != 0 &&
	       guest_space_give(p, guest, v->tcb, empty_cnode) &&
	       sel4_tcb_set_sched_params(v->tcb, ABI_ROOT_TCB, 0, fault_ep, vm->priority,
					 vm->priority) == ABI_OK &&
	       sel4_vcpu_set_tcb(v->vcpu, v->tcb) == ABI_OK &&
	       process_set_time(p, 1 + i, vm->budget_us, vm->period_us);
}

static bool grant_timer(struct process *p, unsigned i, cap_t ntfn, uint64_t badge,
			const char *what)
{
	const unsigned slot = PROC_CAP_CLIENT_NTFN + (unsigned)p->number * TIME_TIMERS + i;
	struct process *time = service_process(PROC_TIME);

	return time != NULL && process_grant(p, time, slot, ntfn, ABI_RIGHT_WRITE, badge,
					     "Notification", what);
}

static bool grant_vcpu(struct process *p, const struct vcpu_objects *v, unsigned i)
{
	const unsigned base = VMM_CAP_VCPU(i);

	return process_grant(p, p, base + VMM_VCPU_TCB, v->tcb, ABI_RIGHTS_ALL, 0, "TCB",
			     "guest thread") &&
	       process_grant(p, p, base + VMM_VCPU_OBJ, v->vcpu, ABI_RIGHTS_ALL, 0, "VCPU",
			     "guest processor") &&
	       process_grant(p, p, base + VMM_VCPU_SC, v->sc, ABI_RIGHTS_ALL, 0,
			     "SchedContext", "guest's time") &&
	       process_grant(p, p, base + VMM_VCPU_FAULT_EP, v->ep, ABI_RIGHTS_ALL, 0,
			     "Endpoint", "guest's exits") &&
	       process_grant(p, p, base + VMM_VCPU_REPLY, v->reply, ABI_RIGHTS_ALL, 0,
			     "Reply", "answers to exits") &&
	       process_grant(p, p, base + VMM_VCPU_WAKE, v->wake, ABI_RIGHTS_ALL,
			     VMM_WAKE_SIGNAL, "Notification", "ends a WFI") &&
	       process_grant(p, p, base + VMM_VCPU_HANDLER, v->handler, ABI_RIGHTS_ALL, 0,
			     "TCB", "handler thread") &&
	       grant_timer(p, i, v->wake, VMM_WAKE_TIMER, "timer of a vCPU");
}

static bool make_vcpu(struct process *p, unsigned i, const struct sysdesc_vm *vm,
		      cap_t guest, cap_t empty_cnode)
{
	struct vcpu_objects v;

	if (!make_vcpu_objects(p, &v))
		return false;
	p->tcb[1 + i] = v.handler;
	return set_up_guest_thread(p, &v, i, vm, guest, empty_cnode) &&
	       process_map_new(&p->mem, p->vspace, HANDLER_STACK_TOP(i) - HANDLER_STACK,
			       HANDLER_STACK / 4096, NULL) &&
	       process_thread(p, v.handler, i + 1, vm->priority, 0) &&
	       grant_vcpu(p, &v, i);
}

static bool make_kick(struct process *p)
{
	cap_t bell = mem_object(&p->mem, ABI_OBJ_NOTIFICATION);
	cap_t irq = mem_object(&p->mem, ABI_OBJ_NOTIFICATION);

	return bell != 0 && irq != 0 &&
	       process_grant(p, p, VMM_CAP_DOORBELL, bell, ABI_RIGHTS_ALL, 0, "Notification",
			     "doorbell") &&
	       process_grant(p, p, VMM_CAP_KICK, p->ntfn, ABI_RIGHT_WRITE, VMM_NTFN_KICK,
			     "Notification", "the guest's kicks") &&
	       process_grant(p, p, VMM_CAP_KICK_IRQ, irq, ABI_RIGHTS_ALL, 0, "Notification",
			     "the kick device's interrupt");
}

static bool make_stats(struct process *p)
{
	cap_t frame;

	if (!process_map_new(&p->mem, p->vspace, PROC_STATS_VADDR, 1, &frame) ||
	    !note_memory(p, 0, frame, ABI_RIGHT_READ, "a monitor's counters", 4096) ||
	    !note_memory(p, p->number, frame, MAP_RW, "own counters", 4096))
		return false;
	p->stats = mem_copy_own(&p->mem, frame, ABI_RIGHT_READ);
	p->poke = mem_mint(&p->mem, p->ntfn, ABI_RIGHT_WRITE, VMM_NTFN_INIT);
	return p->stats != 0 && p->poke != 0;
}

static bool make_guest(struct process *p, unsigned index, const struct sysdesc_vm *vm)
{
	cap_t guest = make_guest_space(p, index, vm);
	cap_t empty = mem_object_sized(&p->mem, ABI_OBJ_CNODE, 1);
	cap_t lock = mem_object(&p->mem, ABI_OBJ_NOTIFICATION);

	p->guest = guest;
	if (guest == 0 || empty == 0 || lock == 0 ||
	    !process_grant(p, p, VMM_CAP_LOCK, lock, ABI_RIGHTS_ALL, 0, "Notification",
			   "the VM's lock") ||
	    !process_grant(p, p, PROC_CAP_VSPACE, p->vspace, ABI_RIGHTS_ALL, 0, "VSpace",
			   "own, for cache maintenance"))
		return false;
	for (unsigned i = 0; i < vm->vcpus; i++)
		if (!make_vcpu(p, i, vm, guest, empty))
			return false;
	if (vm->vcpus <= VMM_DEVICE_TIMER &&
	    !grant_timer(p, VMM_DEVICE_TIMER, p->ntfn, VMM_NTFN_TIMER, "timer of the devices"))
		return false;
	return !(vm->devices & SYSDESC_DEV_KICK) || make_kick(p);
}

/* The stub that a debugger talks to: a thread of the VM's own priority, with
 * time of its own, so that debugging costs other VMs no more than that. */
static bool make_debug(struct process *p, unsigned index, const struct sysdesc_vm *vm)
{
	const unsigned thread = vm->vcpus + 1;
	cap_t tcb = mem_object(&p->mem, ABI_OBJ_TCB);
	cap_t sc = mem_object_sized(&p->mem, ABI_OBJ_SCHED_CONTEXT, 8);
	cap_t ntfn = mem_object(&p->mem, ABI_OBJ_NOTIFICATION);
	cap_t frames[CHANNEL_BYTES / 4096];

	if (tcb == 0 || sc == 0 || ntfn == 0)
		return false;
	p->tcb[thread] = tcb;
	p->time[thread] = (struct process_time){ .sc = sc, .tcb = { tcb }, .badge = p->number };
	return process_set_time(p, thread, DEBUG_BUDGET_US, DEBUG_PERIOD_US) &&
	       process_thread(p, tcb, thread, vm->priority, sc) &&
	       process_map_new(&p->mem, p->vspace, DEBUG_STACK_TOP - HANDLER_STACK,
			       HANDLER_STACK / 4096, NULL) &&
	       process_map_new(&p->mem, p->vspace, PROC_RING_BASE + PROC_RING_STRIDE,
			       ARRAY_SIZE(frames), frames) &&
	       process_note_pages(p, frames[0], ARRAY_SIZE(frames), "debug channel") &&
	       process_grant(p, p, VMM_CAP_DEBUG_TCB, tcb, ABI_RIGHTS_ALL, 0, "TCB",
			     "debug stub") &&
	       process_grant(p, p, VMM_CAP_DEBUG_NTFN, ntfn, ABI_RIGHTS_ALL, 0, "Notification",
			     "what the debug stub waits for") &&
	       service_attach_debug(p, index, frames, vm->name, ntfn);
}

static bool connect(struct process *p, unsigned index, const char *name)
{
	cap_t frames[CHANNEL_BYTES / 4096];

	return service_attach_log(p) && service_attach_time(p) &&
	       process_map_new(&p->mem, p->vspace, PROC_RING_BASE, ARRAY_SIZE(frames),
			       frames) &&
	       process_note_pages(p, frames[0], ARRAY_SIZE(frames), "own channel") &&
	       service_attach_channel(p, MUX_CH_FIRST_VM + index, frames, name,
				      VMM_NTFN_SERIAL);
}

/* Each start of each VM gets randomness of its own: nothing of what one sees
 * tells about another's. */
static void derive_seed(struct vmm_info *info)
{
	static uint64_t made;
	uint8_t nonce[CHACHA_NONCE_BYTES] = { 0 }, block[CHACHA_BLOCK_BYTES];

	store_le64(nonce, ++made);
	info->has_seed = machine->has_seed;
	if (!info->has_seed)
		return;
	chacha_block(info->seed, machine->seed, 0, nonce);
	chacha_block(block, machine->seed, 1, nonce);
	memcpy(info->rng_key, block, sizeof(info->rng_key));
}

/* The disks' images follow each other as the kernel's and the initrd's do. */
static bool fill_disks(struct vmm_info *info, unsigned index, uint64_t vaddr)
{
	uint64_t room = PROC_DISK_BASE;

	for (uint32_t i = 0; i < info->vm.n_disks; i++) {
		const struct sysdesc_disk *d = &info->vm.disk[i];
		struct image_frames f;

		if (!image_of(index, d->image, &f, &info->disk[i].bytes))
			return false;
		info->disk[i].vaddr = vaddr;
		vaddr = align_up_u64(vaddr + ((uint64_t)f.count << f.bits), PAYLOAD_LARGE_ALIGN);
		if (d->mode != SYSDESC_DISK_COPY_ON_WRITE)
			continue;
		info->disk[i].room = room;
		room = align_up_u64(room + vmm_disk_room_bytes(info->disk[i].bytes),
				    PAYLOAD_LARGE_ALIGN);
	}
	return true;
}

static bool map_disks(struct process *p, const struct vmm_info *info, unsigned index,
		      uint64_t *vaddr)
{
	for (uint32_t i = 0; i < info->vm.n_disks; i++) {
		uint64_t pages = vmm_disk_room_bytes(info->disk[i].bytes) / 4096;

		if (!map_image(p, index, info->vm.disk[i].image, vaddr))
			return false;
		if (info->disk[i].room != 0 &&
		    !process_map_new(&p->mem, p->vspace, info->disk[i].room, (unsigned)pages, NULL))
			return false;
	}
	return true;
}

/* What the VMM is told; images' places are fixed, sizes known here. */
static bool fill_info(struct vmm_info *info, unsigned index, const struct sysdesc_vm *vm)
{
	struct image_frames f;
	uint64_t vaddr = PROC_PAYLOAD_BASE;

	*info = (struct vmm_info){
		.vm_index = index,
		.gic_version = vm->gic,
		.host_gic = machine->gic_version,
		.n_vcpus = vm->vcpus,
		.console_ring = 1,
		.handler_stack_bytes = HANDLER_STACK,
		.boot_epoch_s = machine->epoch_s,
		.boot_counter = machine->epoch_counter,
		.vm = *vm,
	};
	for (unsigned i = 0; i < vm->vcpus; i++)
		info->handler_stack_top[i] = HANDLER_STACK_TOP(i);
	info->debug_stack_top = DEBUG_STACK_TOP;
	derive_seed(info);
	if (!image_of(index, vm->kernel, &f, &info->kernel_bytes))
		return false;
	info->kernel_vaddr = vaddr;
	vaddr = align_up_u64(vaddr + ((uint64_t)f.count << f.bits), PAYLOAD_LARGE_ALIGN);
	if (vm->initrd != SYSDESC_NO_PAYLOAD) {
		if (!image_of(index, vm->initrd, &f, &info->initrd_bytes))
			return false;
		info->initrd_vaddr = vaddr;
		vaddr = align_up_u64(vaddr + ((uint64_t)f.count << f.bits), PAYLOAD_LARGE_ALIGN);
	}
	connect_describe(index, info);
	return fill_disks(info, index, vaddr);
}

const char *vm_monitor(const struct sysdesc_vm *vm)
{
	const uint32_t parts = vmm_parts_of(vm, machine->gic_version);

	for (unsigned i = vmm_image_next(0, parts); i < VMM_IMAGES;
	     i = vmm_image_next(i + 1, parts))
		if (images_process(vmm_images[i].name) != NULL)
			return vmm_images[i].name;
	log_error("vm %s: this system has no monitor with a part for %s", vm->name,
		  vmm_part_name(parts));
	return NULL;
}

bool vm_make(struct process *p, unsigned index, const struct sysdesc_vm *vm, const char *monitor,
	     const uint8_t kept[VMM_KEPT_BYTES])
{
	static struct vmm_info info;
	uint64_t vaddr = PROC_PAYLOAD_BASE;
	char name[PROC_NAME];
	struct process_spec spec = {
		.kind = PROC_VMM,
		.name = name,
		.image = monitor,
		.cnode_bits = 7,
		.priority = VMM_PRIORITY,
		.budget_us = 3000,
		.period_us = 10000,
		.heap_bytes = (uint64_t)vm->n_connections * VMM_LINK_HEAP,
		.stack_bytes = 0x4000,
		.detail = &info,
		.detail_bytes = sizeof(info),
	};

	fmt_print(name, sizeof(name), "vmm:%s", vm->name);
	if (!fill_info(&info, index, vm))
		return false;
	memcpy(info.kept, kept, sizeof(info.kept));
	if (info.n_served != 0)
		spec.cnode_bits++;
	return process_create(p, PROCESS_FIRST_VMM + index, &spec) &&
	       map_image(p, index, vm->kernel, &vaddr) &&
	       (vm->initrd == SYSDESC_NO_PAYLOAD || map_image(p, index, vm->initrd, &vaddr)) &&
	       map_disks(p, &info, index, &vaddr) &&
	       make_stats(p) && make_guest(p, index, vm) && connect(p, index, vm->name) &&
	       connect_vm(p, index) &&
	       connect_vm_server(p, index, &info) &&
	       (vm->debug == SYSDESC_DEBUG_NONE || make_debug(p, index, vm)) &&
	       process_start(p);
}
