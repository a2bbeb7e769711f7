/* A fault record that a person can act on. */
#include "report.h"

#include "arch/aarch64/walk.h"

#include <selvage/client.h>
#include <selvage/log.h>

typedef unsigned long long ull;

static const char *const reason_names[] = {
	[VCPU_EXIT_MMIO] = "mmio",
	[VCPU_EXIT_MMIO_OPAQUE] = "mmio-opaque",
	[VCPU_EXIT_FETCH] = "fetch",
	[VCPU_EXIT_HYPERCALL] = "hypercall",
	[VCPU_EXIT_SECURE_CALL] = "secure-call",
	[VCPU_EXIT_SYSREG] = "sysreg",
	[VCPU_EXIT_WAIT_IRQ] = "wfi",
	[VCPU_EXIT_WAIT_EVENT] = "wfe",
	[VCPU_EXIT_UNDEFINED] = "undefined",
	[VCPU_EXIT_MAINTENANCE] = "maintenance",
	[VCPU_EXIT_TIMER] = "timer",
	[VCPU_EXIT_DEBUG] = "debug",
	[VCPU_EXIT_UNKNOWN] = "unknown",
};

static bool is_abort(const struct vcpu_exit *e)
{
	return e->reason == VCPU_EXIT_MMIO || e->reason == VCPU_EXIT_FETCH ||
	       e->reason == VCPU_EXIT_MMIO_OPAQUE;
}

static void report_syndrome(const struct vcpu_exit *e)
{
	log_error("  syndrome %llx: %s%s%s", (ull)e->syndrome,
		  vcpu_esr_class(e->syndrome), is_abort(e) ? ", " : "",
		  is_abort(e) ? vcpu_esr_fault(e->syndrome) : "");
	if (e->reason == VCPU_EXIT_MMIO)
		log_error("  %s of %u bytes, register x%u, value %llx",
			  e->write ? "store" : "load", e->size, e->reg,
			  (ull)e->value);
}

static void report_registers(struct vcpu *v)
{
	log_error("  pc %016llx  pstate %llx  sp_el0 %016llx  sp_el1 %016llx",
		  (ull)vcpu_get(v, VCPU_PC), (ull)vcpu_get(v, VCPU_PSTATE),
		  (ull)vcpu_get(v, VCPU_SP_EL0),
		  (ull)vcpu_get(v, vcpu_field(ABI_VCPU_SP_EL1)));
	for (unsigned i = 0; i < 31; i += 4) {
		char line[120];
		size_t used = 0;

		for (unsigned j = i; j < i + 4 && j < 31; j++)
			used += fmt_print(line + used, sizeof(line) - used,
					  " x%-2u %016llx", j,
					  (ull)vcpu_get(v, VCPU_X0 + j));
		log_error(" %s", line);
	}
	log_error("  elr_el1 %llx  spsr_el1 %llx  esr_el1 %llx  "
		  "far_el1 %llx  vbar_el1 %llx  sctlr_el1 %llx",
		  (ull)vcpu_get(v, vcpu_field(ABI_VCPU_ELR_EL1)),
		  (ull)vcpu_get(v, vcpu_field(ABI_VCPU_SPSR_EL1)),
		  (ull)vcpu_get(v, vcpu_field(ABI_VCPU_ESR_EL1)),
		  (ull)vcpu_get(v, vcpu_field(ABI_VCPU_FAR_EL1)),
		  (ull)vcpu_get(v, vcpu_field(ABI_VCPU_VBAR_EL1)),
		  (ull)vcpu_get(v, vcpu_field(ABI_VCPU_SCTLR_EL1)));
}

/* The instruction, through the guest's own page tables. */
static void report_instruction(struct vm_vcpu *vc)
{
	struct vcpu *v = &vc->cpu.cpu;
	uint64_t gpa;
	uint32_t insn;

	if (!walk_vcpu(&vc->vm->mem, v, vcpu_get(v, VCPU_PC), &gpa))
		log_error("  instruction: the guest's page tables do not map the pc");
	else if (!gmem_read_u32(&vc->vm->mem, gpa, &insn))
		log_error("  instruction: the pc is at %llx, which is no memory",
			  (ull)gpa);
	else
		log_error("  instruction %08x at guest-physical %llx", insn,
			  (ull)gpa);
}

static void report_map(struct vm *vm, uint64_t gpa)
{
	const struct bus_region *below = NULL, *above = NULL;

	for (unsigned i = 0; i < vm->mem.n_regions; i++)
		log_error("  memory %llx..%llx", (ull)vm->mem.region[i].gpa,
			  (ull)(vm->mem.region[i].gpa +
				vm->mem.region[i].size - 1));
	for (unsigned i = 0; i < vm->bus.n_regions; i++) {
		const struct bus_region *r = &vm->bus.region[i];

		if (r->base <= gpa && (below == NULL || r->base > below->base))
			below = r;
		if (r->base > gpa && (above == NULL || r->base < above->base))
			above = r;
	}
	if (below != NULL)
		log_error("  device below: %s %llx..%llx", below->name,
			  (ull)below->base, (ull)(below->base + below->size - 1));
	if (above != NULL)
		log_error("  device above: %s %llx..%llx", above->name,
			  (ull)above->base, (ull)(above->base + above->size - 1));
}

static const char *likely_cause(struct vm *vm, const struct vcpu_exit *e)
{
	const struct gmem_region *ram = &vm->mem.region[0];

	if (!is_abort(e))
		return "the guest uses something that this monitor does not offer";
	if (e->syndrome & REPORT_S1PTW)
		return "the guest's page tables stand outside its memory";
	if (gmem_holds(&vm->mem, e->gpa, 1))
		return "guest memory that is not mapped as it should be: "
		       "a fault of the system, not of the guest";
	if (e->reason == VCPU_EXIT_MMIO_OPAQUE &&
	    bus_find(&vm->bus, e->gpa) != NULL)
		return "a device register used with an instruction of several "
		       "registers or with write-back";
	if (e->gpa >= ram->gpa && e->gpa - ram->gpa < 4 * ram->size)
		return "just above the memory: give the VM more (key `memory` of the VM)";
	if (e->gpa < 0x1000)
		return "a null pointer, or a jump to address 0";
	return "a device that this VM does not have (keys `board` and `devices` "
	       "of the VM), or a wild pointer";
}

static void report_json(struct vm_vcpu *vc, const struct vcpu_exit *e,
			const char *what)
{
	log_error("{\"vm_fault\":{\"vm\":\"%s\",\"vcpu\":%u,\"reason\":\"%s\","
		  "\"pc\":\"%llx\",\"gpa\":\"%llx\",\"esr\":\"%llx\",\"what\":\"%s\"}}",
		  vc->vm->info->vm.name, vc->index, reason_names[e->reason],
		  (ull)vcpu_get(&vc->cpu.cpu, VCPU_PC), (ull)e->gpa,
		  (ull)e->syndrome, what);
}

static void report_history(struct vm *vm)
{
	char line[200];
	size_t used = 0;

	for (unsigned i = 0; i < sizeof(vm->exits) / sizeof(vm->exits[0]); i++) {
		if (vm->exits[i] != 0)
			used += fmt_print(line + used, sizeof(line) - used,
					  " %s %llu", reason_names[i],
					  (ull)vm->exits[i]);
	}
	if (used != 0)
		log_error("  exits so far:%s", line);
}

_Noreturn void report_stop(struct vm_vcpu *vc, const struct vcpu_exit *e,
			   const char *what)
{
	struct vm *vm = vc->vm;

	debug_fatal(vc, e);
	console_flush(&vm->console);
	log_error("VM %s stopped: vCPU %u: %s", vm->info->vm.name, vc->index,
		  what);
	if (is_abort(e))
		log_error("  guest-physical address %llx", (ull)e->gpa);
	report_syndrome(e);
	log_error("  likely cause: %s", likely_cause(vm, e));
	report_registers(&vc->cpu.cpu);
	report_instruction(vc);
	if (is_abort(e))
		report_map(vm, e->gpa);
	report_history(vm);
	report_json(vc, e, what);
	init_vm_off(VM_STOP_FAULT);
}
