#include "watch.h"

#include "vm.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/fmt.h>
#include <selvage/vmm_info.h>

typedef unsigned long long ull;

static void by_reason(const char *kind, const char *vm, const uint64_t value[], bool ticks,
		      char *text, size_t size)
{
	static const char *const names[VMM_STATS_REASONS] = VMM_STATS_REASON_NAMES;
	size_t n = fmt_print(text, size, "{\"kind\":\"%s\",\"vm\":\"%s\"", kind, vm);

	for (unsigned i = 0; i < VMM_STATS_REASONS; i++)
		n += fmt_print(text + n, size - n, ",\"%s\":%llu", names[i],
			       (ull)(ticks ? clock_ticks_to_us(value[i]) : value[i]));
	(void)fmt_print(text + n, size - n, "}");
}

static void counts(unsigned vm, const struct vmm_stats *s, char *text, size_t size)
{
	fmt_print(text, size,
		  "{\"kind\":\"counts\",\"vm\":\"%s\",\"cpu_us\":%llu,\"interrupts\":%llu,"
		  "\"faults\":%llu,\"misuses\":%llu,\"virtio_requests\":%llu,"
		  "\"virtio_bytes\":%llu,\"virtio_breaks\":%llu}",
		  vm_description(vm)->name, (ull)vm_cpu_us(vm), (ull)s->interrupts,
		  (ull)s->faults, (ull)s->misuses, (ull)s->virtio_requests,
		  (ull)s->virtio_bytes, (ull)s->virtio_breaks);
}

bool watch_stats(unsigned n, char *text, size_t size)
{
	static struct vmm_stats s;
	unsigned vm = n / 3;

	if (vm == SYSDESC_MAX_VMS)
		fmt_print(text, size, "{\"kind\":\"clock\",\"now_us\":%llu}",
			  (ull)clock_ticks_to_us(clock_now()));
	if (vm >= SYSDESC_MAX_VMS)
		return n == 3 * SYSDESC_MAX_VMS;
	if (!vm_exists(vm) || !vm_lives(vm))
		return true;
	vm_watch(vm, VMM_WATCH_TIME);
	vm_stats(vm, &s);
	if (n % 3 == 0)
		counts(vm, &s, text, size);
	else if (n % 3 == 1)
		by_reason("exits", vm_description(vm)->name, s.exits, false, text, size);
	else
		by_reason("exit_us", vm_description(vm)->name, s.exit_ticks, true, text, size);
	return true;
}
