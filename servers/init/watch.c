#include "watch.h"

#include "board.h"
#include "vm.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/fmt.h>
#include <selvage/vmm_info.h>
#include <string.h>

typedef unsigned long long ull;

static void by_reason(const char *kind, const char *vm, const uint64_t value[], bool ticks,
		      char *text, size_t size)
{
	static const char *const names[VMM_STATS_REASONS] = VMM_STATS_REASON_NAMES;
	size_t n = fmt_print(text, size, "{\"kind\":\"%s\",\"vm\":\"%s\"", kind, vm);

	for (unsigned i = 0; i < VMM_STATS_REASONS; i++)
		if (value[i] != 0)
			n += fmt_print(text + n, size - n, ",\"%s\":%llu", names[i],
				       (ull)(ticks ? clock_ticks_to_us(value[i]) : value[i]));
	(void)fmt_print(text + n, size - n, "}");
}

static void counts(unsigned vm, const struct vmm_stats *s, char *text, size_t size)
{
	fmt_print(text, size,
		  "{\"kind\":\"counts\",\"vm\":\"%s\",\"cpu_us\":%llu,\"interrupts\":%llu,"
		  "\"faults\":%llu,\"misuses\":%llu,\"virtio_requests\":%llu,"
		  "\"virtio_bytes\":%llu,\"virtio_breaks\":%llu,"
		  "\"net_packets\":%llu,\"net_bytes\":%llu}",
		  vm_description(vm)->name, (ull)vm_cpu_us(vm), (ull)s->interrupts,
		  (ull)s->faults, (ull)s->misuses, (ull)s->virtio_requests,
		  (ull)s->virtio_bytes, (ull)s->virtio_breaks, (ull)s->net_packets,
		  (ull)s->net_bytes);
}

bool watch_stats(const struct control_subject *subject, unsigned n, char *text, size_t size)
{
	static struct vmm_stats s;
	unsigned vm = n / 3;

	(void)subject;
	if (vm == SYSDESC_MAX_VMS)
		fmt_print(text, size, "{\"kind\":\"clock\",\"now_us\":%llu}",
			  (ull)clock_ticks_to_us(clock_now()));
	if (vm >= SYSDESC_MAX_VMS)
		return n == 3 * SYSDESC_MAX_VMS;
	if (!vm_exists(vm) || !vm_lives(vm))
		return true;
	vm_watch(vm, VMM_WATCH_TIME, true);
	vm_stats(vm, &s);
	if (n % 3 == 0)
		counts(vm, &s, text, size);
	else if (n % 3 == 1)
		by_reason("exits", vm_description(vm)->name, s.exits, false, text, size);
	else
		by_reason("exit_us", vm_description(vm)->name, s.exit_ticks, true, text, size);
	return true;
}

/* A monitor's word for a device: only what can stand in a string of JSON. */
static void name_of(char to[VMM_STATS_REGION_NAME + 1], const struct vmm_stats_region *r)
{
	memset(to, 0, VMM_STATS_REGION_NAME + 1);
	for (unsigned i = 0; i < VMM_STATS_REGION_NAME && r->name[i] != '\0'; i++) {
		char c = r->name[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		to[i] = plain || c == '-' || c == '_' ? c : '?';
	}
}

static void region(const char *name, const char *kind, uint64_t base, uint64_t bytes, char *text,
		   size_t size)
{
	fmt_print(text, size, "{\"name\":\"%s\",\"kind\":\"%s\",", name, kind);
	fmt_print(text + strlen(text), size - strlen(text),
		  "\"base\":\"0x%llx\",\"size\":\"0x%llx\"}", (ull)base, (ull)bytes);
}

bool watch_map(const struct control_subject *s, unsigned n, char *text, size_t size)
{
	const struct sysdesc_vm *d = vm_description(s->vm);
	static struct vmm_stats stats;
	char name[VMM_STATS_REGION_NAME + 1];

	if (n < d->n_regions) {
		region("ram", sysdesc_owns(&d->region[n]) ? "ram" : "alias",
		       d->region[n].gpa, d->region[n].size, text, size);
		return true;
	}
	n -= d->n_regions;
	vm_stats(s->vm, &stats);
	if (n >= stats.n_regions || n >= VMM_STATS_REGIONS)
		return false;
	name_of(name, &stats.region[n]);
	region(name, "device", stats.region[n].base, stats.region[n].size, text, size);
	return true;
}

#define REGISTERS_A_LINE 4u

/* As the kernel has them: those of an exit that its monitor works on may be about to
 * change. */
bool watch_regs(const struct control_subject *s, unsigned n, char *text, size_t size)
{
	const struct process *p = vm_process(s->vm);
	uint64_t context[ABI_CTX_COUNT] = { 0 };
	unsigned i = n * REGISTERS_A_LINE;
	const char *name;
	uint64_t value;
	size_t used = 0;

	if (!vm_lives(s->vm) ||
	    sel4_tcb_read_registers(p->time[1 + s->number].tcb[0], 0, ABI_CTX_COUNT, context) !=
		    ABI_OK)
		return false;
	while (i < (n + 1) * REGISTERS_A_LINE &&
	       board_vcpu_register(p, s->number, context, i, &name, &value)) {
		used += fmt_print(text + used, size - used, "%s\"%s\":\"0x%llx\"",
				  i % REGISTERS_A_LINE == 0 ? "{" : ",", name, (ull)value);
		i++;
	}
	if (used == 0)
		return false;
	(void)fmt_print(text + used, size - used, "}");
	return true;
}

#define MEM_MAX 4096u
#define MEM_LINE 32u

bool watch_mem_sound(const struct control_subject *s)
{
	const struct sysdesc_vm *d = vm_description(s->vm);

	for (uint32_t i = 0; i < d->n_regions; i++)
		if (sysdesc_owns(&d->region[i]) &&
		    range_within_u64(s->number, s->count, d->region[i].gpa, d->region[i].size))
			return s->count > 0 && s->count <= MEM_MAX;
	return false;
}

bool watch_mem(const struct control_subject *s, unsigned n, char *text, size_t size)
{
	uint64_t end = s->number + s->count;
	/* Lines end where an aligned one does: none lies in two pages. */
	uint64_t at = n == 0 ? s->number : align_down_u64(s->number, MEM_LINE) + n * MEM_LINE;
	uint64_t stop = min_u64(align_down_u64(at, MEM_LINE) + MEM_LINE, end);
	uint8_t bytes[MEM_LINE];
	size_t used;

	if (at >= end || !vm_read(s->vm, at, bytes, (unsigned)(stop - at)))
		return false;
	used = fmt_print(text, size, "{\"at\":\"0x%llx\",\"hex\":\"", (ull)at);
	for (unsigned i = 0; i < stop - at; i++)
		used += fmt_print(text + used, size - used, "%02x", bytes[i]);
	(void)fmt_print(text + used, size - used, "\"}");
	return true;
}
