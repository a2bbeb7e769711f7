/* Construction of the VM, and what its threads share. */
#include "vm.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/log.h>
#include <string.h>

unsigned long long vm_count(struct vm *vm, const void *where, const char *why)
{
	vm->stats->misuses++;
	return causes_count(&vm->causes, where, why);
}

__attribute__((cold, noinline)) void
vm_misuse(struct vm_vcpu *vc, const char *name, const void *where, const struct mmio *m)
{
	const char *why = m->reason != NULL ? m->reason : "not supported";
	const unsigned long long n = vm_count(vc->vm, where, why);

	if (n != 0)
		log_warning("vCPU %u: %s: %s of %u bytes at offset %llx, pc %llx: %s "
			    "(%llu so far)",
			    vc->index, name, m->write ? "write" : "read", m->size,
			    (unsigned long long)m->offset,
			    (unsigned long long)vcpu_get(&vc->cpu.cpu, VCPU_PC), why, n);
}

bool vm_add(struct vm *vm, const char *name, struct board_range range, bus_handler handler,
	    void *device)
{
	const struct bus_region region = { name, range.base, range.size, handler, device, false };

	return bus_add(&vm->bus, &region);
}

uint64_t vm_now(const struct vm *vm)
{
	uint64_t now = clock_now() - vm_paused_ticks(vm);

	return (vm->clock.stands ? vm->clock.since : now) - vm->clock.stood;
}

uint64_t vm_vcpu_wait(struct vm_vcpu *vc)
{
	uint64_t badge;

	if (vc->vm->hooks.debug != NULL && vc->vm->hooks.debug->forbids_wait(vc))
		return 0;
	vc->waiting = true;
	mutex_unlock(&vc->vm->lock);
	badge = sel4_wait(vc->wake);
	vm_lock(vc->vm, vc);
	vc->waiting = false;
	return badge;
}

void vm_vcpu_yield(struct vm_vcpu *vc)
{
	const struct sysdesc_vm *d = &vc->vm->info->vm;

	/* A yield costs the rest of the budget, which only a thread that
	 * shares its time round robin gets back at once. */
	if (vc->vm->info->n_vcpus < 2 || d->budget_us < d->period_us)
		return;
	mutex_unlock(&vc->vm->lock);
	sel4_yield();
	vm_lock(vc->vm, vc);
}

static const char *init_memory(struct vm *vm)
{
	const struct sysdesc_vm *d = &vm->info->vm;

	for (unsigned i = 0; i < d->n_regions; i++) {
		const struct sysdesc_region *r = &d->region[i];
		void *host = (void *)(uintptr_t)vmm_region_vaddr(d, i);

		if (!sysdesc_owns(r))
			host = gmem_span(&vm->mem, r->from, r->size);
		if (host == NULL || !gmem_add(&vm->mem, r->gpa, r->size, host))
			return "memory regions that overlap or are too many";
	}
	return NULL;
}

/* Those that the VM needs, and its board; the one place that looks whether this
 * image has them. */
static const char *install_parts(struct vm *vm)
{
	const struct sysdesc_vm *d = &vm->info->vm;
	uint32_t needed = vmm_parts_of(d, vm->info->host_gic);

	vm->board = vm_arch_begin(vm);
	for (unsigned i = 0; vm_parts[i] != NULL; i++) {
		const struct vm_part *part = vm_parts[i];

		if (!(part->bit & needed))
			continue;
		needed &= ~part->bit;
		vm->part[vm->n_parts++] = part;
		if (part->board != NULL && part->board->number == d->board)
			vm->board = part->board;
		if (part->install != NULL)
			part->install(vm);
	}
	if (needed == 0)
		return vm->board != NULL ? NULL : "a board that this monitor does not know";
	log_error("this image of the monitor has no part for %s", vmm_part_name(needed));
	return "it needs another image of the monitor";
}

void vm_watch(struct vm *vm)
{
	const uint32_t watch = *(const volatile uint32_t *)&vm->info->watch;

	vm->timed = watch & VMM_WATCH_TIME;
	vm->traced = watch & VMM_WATCH_TRACE;
}

void vm_write_trace(struct vm *vm, enum vmm_traced what, uint32_t detail)
{
	struct vmm_trace *t = (void *)((uint8_t *)vm->stats + VMM_TRACE_OFFSET);

	t->event[t->written++ % VMM_TRACE_EVENTS] =
		(struct vmm_trace_event){ clock_now(), what, detail };
}

/* For whoever asks init what the guest's memory map is. */
static void tell_map(struct vm *vm)
{
	for (unsigned i = 0; i < min_u32(vm->bus.n_regions, VMM_STATS_REGIONS); i++) {
		const struct bus_region *r = &vm->bus.region[i];
		struct vmm_stats_region *to = &vm->stats->region[i];

		strncpy(to->name, r->name, sizeof(to->name) - 1);
		to->base = r->base;
		to->size = r->size;
		vm->stats->n_regions = i + 1;
	}
}

const char *vm_init(struct vm *vm, const struct vmm_info *info)
{
	const char *error;

	vm->info = info;
	vm->stats = (void *)PROC_STATS_VADDR;
	if (info->n_vcpus < 1 || info->n_vcpus > SYSDESC_MAX_VCPUS)
		return "a number of vCPUs that no board has";
	vm->features = sel4_ext_query(PROC_CAP_TCB);
	error = install_parts(vm);
	if (error != NULL)
		return error;
	mutex_init(&vm->lock, VMM_CAP_LOCK);
	error = init_memory(vm);
	if (error == NULL)
		error = vm_arch_init(vm);
	if (error != NULL)
		return error;
	console_init(&vm->console,
		     info->console_ring ? (void *)PROC_RING_BASE : NULL,
		     PROC_CAP_SERIAL_NTFN);
	error = vm_arch_init_devices(vm);
	for (unsigned i = 0; error == NULL && i < vm->n_parts; i++) {
		if (vm->part[i]->init != NULL)
			error = vm->part[i]->init(vm);
	}
	tell_map(vm);
	return error;
}
