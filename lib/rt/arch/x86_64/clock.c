#include <selvage/rt_arch.h>

#include <abi/bootinfo.h>
#include <selvage/procinfo.h>
#include <selvage/rt.h>
#include <string.h>

#define HZ_PER_MHZ 1000000u

/* Of the root task: the kernel has counted it. */
static uint64_t boot_hz(const struct abi_bootinfo *bi)
{
	const char *at = (const char *)bi + 4096, *end = at + bi->extra_len;
	struct abi_extra_chunk chunk; /* in a row, not aligned */
	uint32_t mhz;

	for (; at < end; at += chunk.len) {
		memcpy(&chunk, at, sizeof(chunk));
		if (chunk.id == ABI_EXTRA_TSC_MHZ) {
			memcpy(&mhz, at + sizeof(chunk), sizeof(mhz));
			return (uint64_t)mhz * HZ_PER_MHZ;
		}
	}
	rt_panic("no TSC frequency in the boot information");
}

uint64_t clock_arch_hz(void)
{
	static uint64_t hz;

	if (!hz)
		hz = rt_bootinfo() ? boot_hz(rt_bootinfo()) : procinfo_get()->counter_hz;
	return hz;
}
