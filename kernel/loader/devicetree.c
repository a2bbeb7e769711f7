#include "loader.h"

#include <libfdt.h>

static void must(int result, const char *what)
{
	if (result < 0)
		die(what, (uint64_t)(-result));
}

static uint64_t cells(const fdt32_t *p, int n)
{
	uint64_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 32 | fdt32_to_cpu(p[i]);
	return v;
}

static int find_or_add(void *dt, const char *name)
{
	int node = fdt_subnode_offset(dt, 0, name);

	if (node < 0)
		node = fdt_add_subnode(dt, 0, name);
	must(node, "devicetree: cannot add a node");
	return node;
}

static void note_payload(void *dt, uint64_t payload, uint64_t bytes)
{
	static const char hex[] = "0123456789abcdef";
	fdt64_t range[2] = { cpu_to_fdt64(payload), cpu_to_fdt64(bytes) };
	char name[] = "payload@0000000000000000";
	int digits = 1;

	must(fdt_setprop(dt, find_or_add(dt, "chosen"), "selvage,payload", range,
			 sizeof(range)),
	     "devicetree: no room in /chosen");
	while (digits < 16 && payload >> (4 * digits))
		digits++;
	for (int i = 0; i < digits; i++)
		name[8 + i] = hex[(payload >> (4 * (digits - 1 - i))) & 15];
	name[8 + digits] = 0;

	int parent = find_or_add(dt, "reserved-memory");
	must(fdt_setprop_u32(dt, parent, "#address-cells", 2), "devicetree: full");
	must(fdt_setprop_u32(dt, parent, "#size-cells", 2), "devicetree: full");
	must(fdt_setprop_empty(dt, parent, "ranges"), "devicetree: full");
	int child = fdt_add_subnode(dt, parent, name);
	must(child, "devicetree: cannot reserve the payload");
	must(fdt_setprop(dt, child, "reg", range, sizeof(range)), "devicetree: full");
	must(fdt_setprop_empty(dt, child, "no-map"), "devicetree: full");
}

uint64_t dt_size(const void *dtb)
{
	must(fdt_check_header(dtb), "no valid devicetree at x0");
	return fdt_totalsize(dtb);
}

uint64_t dt_prepare(const void *from, void *to, uint64_t room, uint64_t payload,
		    uint64_t payload_bytes)
{
	must(fdt_open_into(from, to, (int)room), "devicetree: cannot copy");
	if (payload_bytes)
		note_payload(to, payload, payload_bytes);
	must(fdt_pack(to), "devicetree: cannot pack");
	return fdt_totalsize(to);
}

int dt_is_ram(const void *dtb, uint64_t start, uint64_t end)
{
	int ac = fdt_address_cells(dtb, 0), sc = fdt_size_cells(dtb, 0), node = -1;

	if (ac < 1 || sc < 1 || ac > 2 || sc > 2)
		return 0;
	while ((node = fdt_node_offset_by_prop_value(dtb, node, "device_type", "memory",
						     sizeof("memory"))) >= 0) {
		int len;
		const fdt32_t *reg = fdt_getprop(dtb, node, "reg", &len);
		for (int n = reg ? len / 4 / (ac + sc) : 0; n > 0; n--, reg += ac + sc) {
			uint64_t base = cells(reg, ac), bytes = cells(reg + ac, sc);
			if (start >= base && end <= base + bytes)
				return 1;
		}
	}
	return 0;
}
