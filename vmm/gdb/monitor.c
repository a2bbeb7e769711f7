/* `monitor` commands and what the host is told about the VM. */
#include "debug.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/crc32.h>
#include <selvage/fmt.h>
#include <string.h>

#define LINE 512u

typedef unsigned long long ull;

static const char *state_of(const struct vm_vcpu *vc)
{
	if (!vc->started || vc->parked)
		return "off";
	if (stub.vcpu[vc->index].held)
		return "stopped";
	return vc->waiting ? "waiting" : "running";
}

void debug_describe(struct vm *vm, unsigned vcpu, char *text, size_t size)
{
	fmt_print(text, size, "vCPU %u, %s", vcpu, state_of(&vm->vcpu[vcpu]));
}

size_t debug_memory_map(const struct vm *vm, char *xml, size_t size)
{
	size_t n = fmt_print(xml, size, "<?xml version=\"1.0\"?>\n<memory-map>\n");

	for (unsigned i = 0; i < vm->mem.n_regions; i++)
		n += fmt_print(xml + n, size - n,
			       "<memory type=\"ram\" start=\"0x%llx\" length=\"0x%llx\"/>\n",
			       (ull)vm->mem.region[i].gpa, (ull)vm->mem.region[i].size);
	return n + fmt_print(xml + n, size - n, "</memory-map>\n");
}

static uint64_t ns(uint64_t ticks)
{
	uint64_t hz = clock_hz();

	return ticks / hz * 1000000000u + ticks % hz * 1000000000u / hz;
}

static void print_identity(struct vm *vm, struct gdb *g)
{
	static const char *const rights[] = { "none", "observe", "control" };
	const struct vmm_info *info = vm->info;
	const void *image = (const void *)(uintptr_t)info->kernel_vaddr;
	uint64_t now = clock_now();
	uint64_t stood = now - vm_paused_ticks(vm) - vm_now(vm);
	char line[LINE], hardware[LINE / 2];

	debug_identity(vm, hardware, sizeof(hardware));
	fmt_print(line, sizeof(line),
		  "{\"format\":\"selvage-identity 1\",\"vm\":\"%s\",\"debug\":\"%s\","
		  "\"hypervisor\":\"selvage\",%s,\"board\":\"%s\","
		  "\"width\":%u,\"vcpus\":%u,\"gic\":%u,",
		  info->vm.name, rights[debug_right(vm)], hardware, vm->board->name,
		  debug_width(vm), info->n_vcpus, info->gic_version);
	gdb_print(g, line);
	fmt_print(line, sizeof(line),
		  "\"image_bytes\":%llu,\"image_crc32\":\"0x%08x\",\"load\":\"0x%llx\","
		  "\"entry\":\"0x%llx\",\"counter_hz\":%llu,\"uptime_ns\":%llu,"
		  "\"stopped\":%s,\"stopped_ns\":%llu}\n",
		  (ull)info->kernel_bytes, crc32_update(0, image, info->kernel_bytes),
		  (ull)vm->load, (ull)vm->entry, (ull)clock_hz(), (ull)ns(now - vm->started_at),
		  vm->clock.stands ? "true" : "false", (ull)ns(stood));
	gdb_print(g, line);
}

static void print_region(struct gdb *g, bool first, const char *name, const char *kind,
			 uint64_t base, uint64_t size)
{
	char line[LINE];

	fmt_print(line, sizeof(line),
		  "%s{\"name\":\"%s\",\"kind\":\"%s\",\"base\":\"0x%llx\",\"size\":\"0x%llx\"}",
		  first ? "" : ",", name, kind, (ull)base, (ull)size);
	gdb_print(g, line);
}

static void print_map(struct vm *vm, struct gdb *g)
{
	gdb_print(g, "{\"format\":\"selvage-map 1\",\"regions\":[");
	for (unsigned i = 0; i < vm->mem.n_regions; i++)
		print_region(g, i == 0, "ram", "ram", vm->mem.region[i].gpa,
			     vm->mem.region[i].size);
	for (unsigned i = 0; i < vm->bus.n_regions; i++) {
		const struct bus_region *r = &vm->bus.region[i];

		print_region(g, false, r->name, "device", r->base, r->size);
	}
	if (vm->info->gic_version == 2 && vm->hooks.cpu_interface == NULL &&
	    vm->board->gicc.size != 0)
		print_region(g, false, "gicc", "device", vm->board->gicc.base,
			     vm->board->gicc.size);
	gdb_print(g, "]}\n");
}

static void print_vcpus(struct vm *vm, struct gdb *g)
{
	char line[LINE];

	for (unsigned i = 0; i < vm->info->n_vcpus; i++) {
		struct vm_vcpu *vc = &vm->vcpu[i];
		struct vcpu_sel4 *view;
		const char *name;
		uint64_t pc, flags;

		debug_lock(vm);
		view = debug_view(vm, i);
		pc = vcpu_get(&view->cpu, VCPU_PC);
		flags = debug_flags(&view->cpu, &name);
		debug_unlock(vm);
		fmt_print(line, sizeof(line),
			  "{\"vcpu\":%u,\"power\":\"%s\",\"state\":\"%s\",\"width\":%u,"
			  "\"pc\":\"0x%llx\",\"%s\":\"0x%llx\"}\n",
			  i, vc->started && !vc->parked ? "on" : "off", state_of(vc),
			  debug_width(vm), (ull)pc, name, (ull)flags);
		gdb_print(g, line);
	}
}

static bool parse_address(const char *text, uint64_t *value)
{
	unsigned n = 0;

	text += strspn(text, " ");
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	for (*value = 0; *text != '\0' && n < 16; text++, n++) {
		static const char digits[] = "0123456789abcdef";
		const char *at = strchr(digits, *text | 0x20);

		if (at == NULL)
			return false;
		*value = *value << 4 | (uint64_t)(at - digits);
	}
	return n > 0 && *text == '\0';
}

static void translate(struct vm *vm, struct gdb *g, const char *text)
{
	char line[LINE];
	uint64_t gva, gpa = 0;
	bool mapped;

	if (!parse_address(text, &gva)) {
		gdb_print(g, "translate ADDRESS: a hexadecimal number\n");
		return;
	}
	debug_lock(vm);
	mapped = debug_translate(vm, debug_view(vm, g->vcpu), gva, &gpa);
	debug_unlock(vm);
	if (mapped)
		fmt_print(line, sizeof(line), "0x%llx\n", (ull)gpa);
	else
		fmt_print(line, sizeof(line), "0x%llx is not mapped\n", (ull)gva);
	gdb_print(g, line);
}

bool debug_monitor(struct vm *vm, struct gdb *g, const char *command)
{
	if (strcmp(command, "identity") == 0)
		print_identity(vm, g);
	else if (strcmp(command, "map") == 0)
		print_map(vm, g);
	else if (strcmp(command, "vcpus") == 0)
		print_vcpus(vm, g);
	else if (strncmp(command, "translate ", 10) == 0)
		translate(vm, g, command + 10);
	else
		gdb_print(g, "identity           what this VM is, as JSON\n"
			     "map                its memory map, as JSON\n"
			     "vcpus              its processors, as JSON\n"
			     "translate ADDRESS  guest-virtual to guest-physical\n");
	return true;
}
