/* Construction of the VM, and what its threads share. */
#include "vm.h"

#include "arch/aarch64/arch.h"
#include "boot/load.h"
#include "devices.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/log.h>
#include <string.h>

/* Traps that the VMM asks for where the kernel has them. */
#define TRAPS ABI_EXT_TRAP_MASK

#define LOG_EACH 4u

unsigned long long vm_count(struct vm *vm, enum vm_event event)
{
	uint64_t n = ++vm->events[event];

	vm->stats->misuses++;
	return n <= LOG_EACH || (n & (n - 1)) == 0 ? n : 0;
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

void vm_deliver_irqs(struct vm *vm, struct vm_vcpu *self)
{
	uint32_t work;

	if (self != NULL)
		vgic_flush(&vm->gic, self->index);
	work = vgic_work(&vm->gic);
	while (work != 0) {
		struct vm_vcpu *vc = &vm->vcpu[__builtin_ctz(work)];

		work &= work - 1;
		if (vc == self || vc->index >= vm->info->n_vcpus)
			continue;
		vgic_flush(&vm->gic, vc->index);
		if (vc->waiting && !vc->parked)
			sel4_signal(vc->wake);
	}
}

void vm_vcpu_reset(struct vm_vcpu *vc, uint64_t entry, uint64_t context)
{
	struct vcpu *v = &vc->cpu.cpu;

	vcpu_reset(v, entry);
	vcpu_set(v, vcpu_field(ABI_VCPU_VMPIDR_EL2), VM_MPIDR(vc->index));
	vcpu_set(v, vcpu_field(ABI_VCPU_CNTVOFF), vm_offset(vc->vm));
	vcpu_set(v, VCPU_X0, context);
}

bool vm_vcpu_start(struct vm_vcpu *vc)
{
	vtime_start(vc);
	if (!vcpu_sel4_start(&vc->cpu))
		return false;
	vc->started = true;
	if (vc->vm->hooks.debug != NULL)
		vc->vm->hooks.debug->started(vc);
	psci_running(&vc->vm->psci, vc->index);
	return true;
}

static bool power_on(void *opaque, unsigned vcpu, uint64_t entry,
		     uint64_t context)
{
	struct vm *vm = opaque;
	struct vm_vcpu *vc = &vm->vcpu[vcpu];

	if (vm->time_stands)
		return false;
	if (!vc->started) {
		vm_vcpu_reset(vc, entry, context);
		return vm_vcpu_start(vc);
	}
	vc->entry = entry;
	vc->context = context;
	vc->parked = false;
	sel4_signal(vc->wake);
	return true;
}

static bool entry_valid(void *opaque, uint64_t entry)
{
	const struct vm *vm = opaque;

	/* Of 32 bits, bit 0 chooses Thumb. */
	if (vm->info->vm.width == 32 && (entry & 1))
		return gmem_holds(&vm->mem, entry - 1, 2);
	return (entry & 3) == 0 && gmem_holds(&vm->mem, entry, 4);
}

/* False: it cannot be as wide as it should. */
static bool init_vcpu(struct vm *vm, unsigned i)
{
	struct vm_vcpu *vc = &vm->vcpu[i];
	const struct vcpu_caps caps = {
		.tcb = VMM_CAP_VCPU(i) + VMM_VCPU_TCB,
		.vcpu = VMM_CAP_VCPU(i) + VMM_VCPU_OBJ,
		.fault_ep = VMM_CAP_VCPU(i) + VMM_VCPU_FAULT_EP,
		.reply = VMM_CAP_VCPU(i) + VMM_VCPU_REPLY,
		.ready = VMM_CAP_VCPU(i) + VMM_VCPU_WAKE,
		.features = vm->features,
	};

	vc->vm = vm;
	vc->index = i;
	vc->wake = VMM_CAP_VCPU(i) + VMM_VCPU_WAKE;
	vcpu_sel4_init(&vc->cpu, &caps);
	if ((vm->features & ABI_EXTF_VCPU_TRAPS) &&
	    (vm->features & ABI_EXTF_VCPU_STATE) &&
	    sel4_ext_vcpu_set_traps(caps.vcpu, TRAPS) != ABI_OK)
		log_warning("vCPU %u: the guest sees the machine's own ID registers",
			    i);
	if (vm->board->midr != 0 && !vcpu_sel4_write(&vc->cpu, ABI_EXTV_VPIDR, vm->board->midr))
		log_warning("vCPU %u: the guest sees the machine's own MIDR", i);
	return vm->info->vm.width == 64 || vcpu_sel4_narrow(&vc->cpu);
}

static const char *init_memory(struct vm *vm)
{
	const struct sysdesc_vm *d = &vm->info->vm;

	for (unsigned i = 0; i < d->n_regions; i++) {
		const struct sysdesc_region *r = &d->region[i];
		void *host = (void *)(uintptr_t)vmm_region_vaddr(d, i);

		if (r->alias != SYSDESC_OWN_MEMORY)
			host = gmem_span(&vm->mem, r->alias, r->size);
		if (host == NULL || !gmem_add(&vm->mem, r->gpa, r->size, host))
			return "memory regions that overlap or are too many";
	}
	return NULL;
}

static void say_what_lacks(const struct vm *vm)
{
	if (!(vm->features & ABI_EXTF_EXIT_MESSAGE))
		log_info("this kernel has no exit messages: exits take seL4's "
			 "slower way");
	if (!(vm->features & ABI_EXTF_VCPU_STATE))
		log_warning("this kernel does not let list registers be read: "
			    "interrupts are injected one way only");
	if (!(vm->features & ABI_EXTF_DIRECT_IRQ))
		log_info("this kernel has no direct interrupts: timer and SGIs take "
			 "an exit each");
	if (!(vm->features & ABI_EXTF_VCPU_TRAPS))
		log_warning("this kernel does not trap ID registers: the guest "
			    "sees the machine's own");
}

/* Those that the VM needs, and its board; the one place that looks whether this
 * image has them. */
static const char *install_parts(struct vm *vm)
{
	const struct sysdesc_vm *d = &vm->info->vm;
	uint32_t needed = vmm_parts_of(d, vm->info->host_gic);

	vm->board = d->board == board_virt.number ? &board_virt : NULL;
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
	const struct psci_env env = {
		.opaque = vm,
		.cpu_on = power_on,
		.entry_valid = entry_valid,
	};
	const char *error;

	vm->info = info;
	vm->stats = (void *)PROC_STATS_VADDR;
	vm->n_irqs = VM_IRQS;
	if (info->n_vcpus < 1 || info->n_vcpus > SYSDESC_MAX_VCPUS)
		return "a number of vCPUs that no board has";
	vm->features = sel4_ext_query(PROC_CAP_TCB);
	error = install_parts(vm);
	if (error != NULL)
		return error;
	say_what_lacks(vm);
	mutex_init(&vm->lock, VMM_CAP_LOCK);
	vm->sysreg = (struct sysreg_config){
		.gic_version = info->gic_version,
		.pa_bits = SELVAGE_PA_BITS,
	};
	error = init_memory(vm);
	if (error != NULL)
		return error;
	for (unsigned i = 0; i < info->n_vcpus; i++) {
		if (!init_vcpu(vm, i))
			return "a 32-bit guest, which this kernel or processor cannot run";
	}
	console_init(&vm->console,
		     info->console_ring ? (void *)PROC_RING_BASE : NULL,
		     PROC_CAP_SERIAL_NTFN);
	psci_init(&vm->psci, info->n_vcpus, &env);
	error = vm_gic_init(vm);
	if (error != NULL)
		return error;
	if (!devices_init(vm))
		return "devices that do not fit on the bus";
	for (unsigned i = 0; error == NULL && i < vm->n_parts; i++) {
		if (vm->part[i]->init != NULL)
			error = vm->part[i]->init(vm);
	}
	tell_map(vm);
	return error;
}

const char *vm_load(struct vm *vm)
{
	struct boot_entry entry;
	const char *error = boot_load(vm, &entry);

	if (error != NULL)
		return error;
	vm->virtual_offset = vm->features != 0 ? clock_now() : 0; /* vtime.c */
	vm->load = entry.load;
	vm->entry = entry.pc;
	vm->started_at = clock_now();
	if (vm->hooks.loaded != NULL)
		vm->hooks.loaded(vm);
	vm_vcpu_reset(&vm->vcpu[0], entry.pc, entry.x[0]);
	for (unsigned i = 1; i < 4; i++)
		vcpu_set(&vm->vcpu[0].cpu.cpu, VCPU_X0 + i, entry.x[i]);
	return NULL;
}
