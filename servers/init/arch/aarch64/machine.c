#include "machine.h"

#include <libfdt.h>
#include <string.h>

/* Devicetree Specification 0.4, 2.3.6: `reg` with two cells each. */
static int reg_entry(const void *fdt, int node, int index, uint64_t *address,
		     uint64_t *size)
{
	int len;
	const fdt64_t *reg = fdt_getprop(fdt, node, "reg", &len);

	if (reg == NULL || len < (index + 1) * 16)
		return -1;
	*address = fdt64_ld(reg + 2 * index);
	*size = fdt64_ld(reg + 2 * index + 1);
	return 0;
}

static const char *read_payload(struct machine *m, const void *fdt)
{
	int len;
	int chosen = fdt_path_offset(fdt, "/chosen");
	const fdt64_t *p = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "selvage,payload", &len);

	if (p == NULL || len != 16)
		return "/chosen has no selvage,payload";
	m->payload_paddr = fdt64_ld(p);
	m->payload_bytes = fdt64_ld(p + 1);
	return NULL;
}

/* The first 32 bytes of the boot loader's randomness. */
static void read_seed(struct machine *m, const void *fdt)
{
	int len = 0;
	int chosen = fdt_path_offset(fdt, "/chosen");
	const void *seed = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "rng-seed", &len);

	m->has_seed = seed != NULL && len >= (int)sizeof(m->seed);
	if (m->has_seed)
		memcpy(m->seed, seed, sizeof(m->seed));
}

static const char *read_uart(struct machine *m, const void *fdt)
{
	uint64_t size;
	int len;
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl011");
	const fdt32_t *irq = node < 0 ? NULL : fdt_getprop(fdt, node, "interrupts", &len);

	if (irq == NULL || len < 12 || reg_entry(fdt, node, 0, &m->uart_at, &size))
		return "no usable arm,pl011 node";
	/* GIC binding: cell 0 is 0 for shared peripheral interrupts. */
	m->uart_irq = fdt32_ld(irq + 1) + (fdt32_ld(irq) == 0 ? 32 : 16);
	return NULL;
}

/* A machine may have none. */
static void read_rtc(struct machine *m, const void *fdt)
{
	uint64_t size;
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl031");

	if (node < 0 || reg_entry(fdt, node, 0, &m->rtc_paddr, &size))
		m->rtc_paddr = 0;
}

static const char *read_gic(struct machine *m, const void *fdt)
{
	uint64_t size;
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3");

	if (node >= 0) {
		m->gic_version = 3;
		return NULL;
	}
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,cortex-a15-gic");
	if (node < 0)
		node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-400");
	/* GICv2 binding: distributor, CPU interface, GICH, GICV. */
	if (node < 0 || reg_entry(fdt, node, 3, &m->gicv_paddr, &size))
		return "no GIC with virtualization extensions";
	m->gic_version = 2;
	return NULL;
}

/* The devicetree among the extra boot information, or NULL. */
static const void *find_fdt(const struct abi_bootinfo *bi, size_t *size)
{
	const uint8_t *at = (const uint8_t *)bi + 4096;
	const uint8_t *end = at + bi->extra_len;

	while (at + sizeof(struct abi_extra_chunk) <= end) {
		const struct abi_extra_chunk *chunk = (const void *)at;

		if (chunk->len < sizeof(*chunk) || chunk->len > (uint64_t)(end - at))
			break;
		if (chunk->id == ABI_EXTRA_FDT) {
			*size = chunk->len - sizeof(*chunk);
			return chunk + 1;
		}
		at += chunk->len;
	}
	return NULL;
}

const char *machine_exit_codes(void) { return "esr"; }

const char *machine_read(struct machine *m, const struct abi_bootinfo *bi)
{
	size_t size = 0;
	const void *fdt = find_fdt(bi, &size);
	const char *error;

	*m = (struct machine){ 0 };
	if (fdt == NULL || size < FDT_V1_SIZE || fdt_check_header(fdt) != 0 ||
	    fdt_totalsize(fdt) > size)
		return "no devicetree";
	error = read_payload(m, fdt);
	if (error == NULL)
		error = read_uart(m, fdt);
	if (error == NULL)
		error = read_gic(m, fdt);
	read_rtc(m, fdt);
	read_seed(m, fdt);
	return error;
}
