/* A hostile guest at the distributor and its CPU interface in software, in a
 * machine of two vCPUs with lines that move. */
#include <dev/gicc.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VCPUS 2u

static struct machine {
	struct vgic gic;
	struct gicc gicc[VCPUS];
	unsigned lines[VCPUS];
} m;

static void set_lines(void *opaque, unsigned lines)
{
	unsigned *known = opaque;

	/* The vCPU has one pin for each, and the interface signals one interrupt. */
	if (*known == lines || lines > GICC_FIQ)
		abort();
	*known = lines;
}

static uint64_t read_lr(void *opaque, unsigned vcpu, unsigned index)
{
	(void)opaque;
	return m.gicc[vcpu].lr[index];
}

static void write_lr(void *opaque, unsigned vcpu, unsigned index, uint64_t value)
{
	(void)opaque;
	gicc_write_lr(&m.gicc[vcpu], index, value);
}

static void settle(void)
{
	int i;

	for (unsigned v = 0; v < VCPUS; v++) {
		while ((i = gicc_ended(&m.gicc[v])) >= 0)
			vgic_maintenance(&m.gic, v, i);
		vgic_flush(&m.gic, v);
	}
	for (unsigned v = 0; v < VCPUS; v++)
		vgic_flush(&m.gic, v);
}

static void check(unsigned v)
{
	struct mmio iar = { .offset = 0x18, .size = 4 };

	/* What is signalled can be read, in one register or the other. */
	if (m.lines[v] == 0)
		return;
	(void)gicc_access(&m.gicc[v], &iar);
	if (iar.value == 1023)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vgic_config config = {
		.version = 2,
		.n_vcpus = VCPUS,
		.n_irqs = 96,
		.n_lrs = GICC_LRS,
		.lr_readback = true,
	};
	const struct vgic_env env = { .read_lr = read_lr, .write_lr = write_lr };

	for (unsigned v = 0; v < VCPUS; v++) {
		m.lines[v] = 0;
		gicc_init(&m.gicc[v], &(struct gicc_env){ &m.lines[v], set_lines });
	}
	if (!vgic_init(&m.gic, &config, &env))
		abort();
	for (; size >= 6; data += 6, size -= 6) {
		const unsigned v = data[0] & 1u;
		struct mmio a = { .size = (uint8_t)(1u << (data[0] >> 1 & 3u)),
				  .write = data[0] & 8u,
				  .value = (uint32_t)data[2] << (data[3] & 24u) | data[4] };

		switch (data[0] >> 4 & 3u) {
		case 0:
			a.offset = (data[1] & 0xf0u) << 4 | (data[1] & 0xfu) << 2;
			(void)vgic_dist_access(&m.gic, v, &a);
			break;
		case 1:
			vgic_set_level(&m.gic, v, 16u + data[1] % 80u, data[2] & 1u);
			break;
		default:
			a.size = 4;
			a.offset = data[1] == 0xff ? 0x1000u : (uint32_t)data[1] & ~3u;
			if (gicc_access(&m.gicc[v], &a) == MMIO_FAULT)
				abort();
		}
		settle();
		check(v);
	}
	return 0;
}
