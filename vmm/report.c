/* A fault record that a person can act on. */
#include "report.h"

#include "vm.h"

#include <selvage/client.h>
#include <selvage/fmt.h>

typedef unsigned long long ull;

static const char *const reason_names[VMM_STATS_REASONS] = VMM_STATS_REASON_NAMES;
_Static_assert(VCPU_EXIT_INSTRUCTION + 1 == VMM_STATS_REASONS, "a name for each");

void report_note(struct vm_vcpu *vc, const struct vcpu_exit *e, const char *what)
{
	struct report_ring *ring = &vc->vm->faults;
	uint64_t pc = vcpu_get(&vc->cpu.cpu, VCPU_PC);
	struct report_earlier *last = &ring->entry[(ring->n - 1) % REPORT_EARLIER];

	vc->vm->stats->faults++;
	if (ring->n != 0 && last->what == what && last->pc == pc && last->vcpu == vc->index) {
		last->count++;
		return;
	}
	ring->entry[ring->n++ % REPORT_EARLIER] = (struct report_earlier){
		.what = what, .pc = pc, .address = e->gva, .count = 1, .vcpu = vc->index
	};
}

static enum fault_kind kind_of(const struct vcpu_exit *e)
{
	if (!report_is_access(e))
		return FAULT_OTHER;
	if (e->reason == VCPU_EXIT_FETCH)
		return FAULT_FETCH;
	return e->write ? FAULT_STORE : FAULT_LOAD;
}

static const struct bus_region *region_at(struct vm *vm, uint64_t gpa)
{
	const struct bus_region *r = bus_find(&vm->bus, gpa);

	return r != vm->bus.elsewhere ? r : NULL;
}

static const char *device_at(struct vm *vm, uint64_t gpa)
{
	const struct bus_region *r = region_at(vm, gpa);

	return r != NULL ? r->name : NULL;
}

static uint64_t exits_of(const struct vm *vm)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < VMM_STATS_REASONS; i++)
		n += vm->stats->exits[i];
	return n;
}

static void report_cause(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct vm *vm = vc->vm;
	struct fault_facts f = {
		.kind = kind_of(e),
		.table_walk = report_is_access(e) && report_arch_is_walk(e),
		.first = exits_of(vm) <= 1,
		.in_memory = gmem_holds(&vm->mem, e->gpa, 1),
		.undecodable = e->reason != VCPU_EXIT_FETCH && device_at(vm, e->gpa) != NULL,
		.gpa = e->gpa,
		.entry = vm->entry & ~1ull,
		.ram = vm->mem.region[0].gpa,
		.ram_bytes = vm->mem.region[0].size,
		.gic_version = vm->info->gic_version,
		.board_a9 = vm->info->vm.board == SYSDESC_BOARD_VEXPRESS_A9,
		.board_pc = vm->info->vm.board == SYSDESC_BOARD_PC,
		.device = device_at(vm, e->gpa),
	};
	struct diagnosis d;

	report_arch_facts(vc, e, &f);
	diagnose(&f, &d);
	report_say("cause", "code=%s text=\"%s\"", d.code, d.text);
	if (d.key != NULL)
		report_say("cause", "key=%s%s%s%s", d.key, d.value != NULL ? " value=\"" : "",
			   d.value != NULL ? d.value : "", d.value != NULL ? "\"" : "");
}

static void report_access(const struct vcpu_exit *e)
{
	static const char *const kinds[] = { "fetch", "load", "store" };

	report_arch_syndrome(e);
	if (!report_is_access(e))
		return;
	report_say("access", "kind=%s gpa=0x%llx gva=0x%llx", kinds[kind_of(e)], (ull)e->gpa,
		   (ull)e->gva);
	if (e->reason == VCPU_EXIT_MMIO)
		report_say("access", "size=%u register=%u value=0x%llx", e->size, e->reg,
			   (ull)e->value);
}

static void report_device(const struct bus_region *r, const char *where)
{
	if (r != NULL)
		report_say("device", "name=\"%s\" start=0x%llx end=0x%llx where=%s", r->name,
			   (ull)r->base, (ull)(r->base + r->size - 1), where);
}

static void report_map(struct vm *vm, uint64_t gpa)
{
	const struct bus_region *below = NULL, *above = NULL;
	const struct bus_region *at = region_at(vm, gpa);

	report_say("stage2", "gpa=0x%llx memory=%s device=%s", (ull)gpa,
		   REPORT_YES(gmem_holds(&vm->mem, gpa, 1)), REPORT_YES(at != NULL));
	for (unsigned i = 0; i < vm->mem.n_regions && i < 8; i++)
		report_say("memory", "start=0x%llx end=0x%llx", (ull)vm->mem.region[i].gpa,
			   (ull)(vm->mem.region[i].gpa + vm->mem.region[i].size - 1));
	for (unsigned i = 0; i < vm->bus.n_regions; i++) {
		const struct bus_region *r = &vm->bus.region[i];

		if (r->base <= gpa && r != at && (below == NULL || r->base > below->base))
			below = r;
		if (r->base > gpa && (above == NULL || r->base < above->base))
			above = r;
	}
	report_device(below, "below");
	report_device(at, "at");
	report_device(above, "above");
}

static void report_earlier(const struct report_ring *ring)
{
	uint64_t first = ring->n > REPORT_EARLIER ? ring->n - REPORT_EARLIER : 0;

	for (uint64_t i = first; i < ring->n; i++) {
		const struct report_earlier *f = &ring->entry[i % REPORT_EARLIER];

		report_say("earlier",
			   "n=%llu what=\"%s\" pc=0x%llx address=0x%llx vcpu=%u times=%llu",
			   (ull)(i + 1), f->what, (ull)f->pc, (ull)f->address, f->vcpu,
			   (ull)f->count);
	}
}

static void report_exits(struct vm *vm)
{
	char line[200];
	size_t used = 0;

	for (unsigned i = 0; i < VMM_STATS_REASONS; i++) {
		if (vm->stats->exits[i] != 0)
			used += fmt_print(line + used, sizeof(line) - used, " %s=%llu",
					  reason_names[i], (ull)vm->stats->exits[i]);
	}
	report_say("exits", "%s", used != 0 ? line + 1 : "");
}

_Noreturn void report_stop(struct vm_vcpu *vc, const struct vcpu_exit *e,
			   const char *what)
{
	struct vm *vm = vc->vm;
	const char *name = vm->info->vm.name;

	console_flush(&vm->console);
	log_error("VM %s stopped: vCPU %u: %s", name, vc->index, what);
	report_say("begin", "vm=%s vcpu=%u width=%u reason=%s what=\"%s\"", name, vc->index,
		   vm->info->vm.width, reason_names[e->reason], what);
	report_cause(vc, e);
	report_access(e);
	report_arch_code(vc, e);
	report_arch_registers(vc);
	if (report_is_access(e))
		report_map(vm, e->gpa);
	report_earlier(&vm->faults);
	report_exits(vm);
	report_say("end", "vm=%s", name);
	if (vm->hooks.debug != NULL)
		vm->hooks.debug->fatal(vc, e);
	init_vm_off(VM_STOP_FAULT);
}
