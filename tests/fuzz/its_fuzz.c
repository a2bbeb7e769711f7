/* A hostile guest at an ITS and at its redistributors: commands and registers of
 * any kind, in memory that ends, with messages and ends of interrupts in between.
 * Only LPIs that the guest has, or interrupts of the distributor, get into list
 * registers, each into one at a time. */
#include <dev/its.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VCPUS 2u
#define LRS 4u
#define N_IRQS 96u
#define N_LPIS 128u
#define RAM 0x40000000ull
#define RAM_BYTES 0x3000u /* queue, then configuration */

static struct {
	struct vgic gic;
	struct its its;
	uint64_t lr[VCPUS][LRS];
	uint8_t ram[RAM_BYTES];
	uint32_t at;
} m;

static uint64_t read_lr(void *opaque, unsigned v, unsigned i)
{
	(void)opaque;
	return m.lr[v][i];
}

static void write_lr(void *opaque, unsigned v, unsigned i, uint64_t value)
{
	uint32_t intid = (uint32_t)value;

	(void)opaque;
	if (value & VGIC_LR_STATE) {
		if (intid >= N_IRQS && intid - VGIC_FIRST_LPI >= N_LPIS)
			abort();
		for (unsigned k = 0; k < LRS; k++)
			if (k != i && (m.lr[v][k] & VGIC_LR_STATE) &&
			    (uint32_t)m.lr[v][k] == intid)
				abort();
	}
	m.lr[v][i] = value;
}

static bool read_ram(void *opaque, uint64_t gpa, void *to, size_t bytes)
{
	(void)opaque;
	if (gpa < RAM || gpa - RAM > RAM_BYTES - bytes)
		return false;
	memcpy(to, &m.ram[gpa - RAM], bytes);
	return true;
}

static void lpis_on(void *opaque)
{
	(void)opaque;
	its_reload(&m.its);
}

/* A command that is often nearly right. */
static void command(const uint8_t *d)
{
	const uint64_t c[4] = {
		(d[0] & 0x1f) | (uint64_t)(d[1] & 0x3f) << 34 | (uint64_t)(d[1] >> 7) << 32,
		(d[2] & 0x3f) | (8180ull + d[3]) << 32,
		(d[4] & 0x1f) | (uint64_t)(d[4] >> 6) << 16 | (uint64_t)(d[2] >> 7) << 63,
		(uint64_t)(d[3] & 3) << 16,
	};

	memcpy(&m.ram[m.at], c, sizeof(c));
	m.at = (m.at + 32) % 4096;
	(void)its_access(&m.its,
			 &(struct mmio){ .offset = 0x88, .size = 8, .write = true, .value = m.at });
}

static void registers(const uint8_t *d)
{
	static const uint32_t offset[] = { 0, 4, 8, 0x80, 0x84, 0x88, 0x90,
					   0x100, 0x108, 0xffe8, 0xfff8, 0x10040, 0x1fff8 };
	struct mmio a = { .offset = offset[d[1] % (sizeof(offset) / sizeof(offset[0]))],
			  .size = d[0] & 0x40 ? 8 : 4,
			  .write = d[0] & 0x80,
			  .value = (uint64_t)d[2] << 56 | (RAM - 0x1000 + ((uint64_t)d[3] << 8)) |
				   d[4] };

	if (a.offset % a.size == 0 && its_access(&m.its, &a) == MMIO_FAULT)
		abort();
}

static void redistributor(const uint8_t *d)
{
	static const uint32_t offset[] = { 0, 8, 0x70, 0x74, 0x78, 0x7c };
	struct mmio a = { .offset = (d[1] & 1u) * VGIC_V3_REDIST_BYTES + offset[d[1] / 2u % 6u],
			  .size = d[0] & 0x40 ? 8 : 4,
			  .write = d[0] & 0x80,
			  .value = (RAM + ((uint64_t)d[3] << 8)) | d[4] };

	if (a.offset % a.size == 0)
		(void)vgic_redist_access(&m.gic, &a);
}

/* The guest takes, ends or leaves what stands in a list register. */
static void guest(const uint8_t *d)
{
	uint64_t *lr = &m.lr[d[1] & 1u][d[1] >> 1 & 3u];

	if (!(*lr & VGIC_LR_STATE))
		return;
	if (*lr & VGIC_LR_STATE_PENDING)
		*lr = (*lr & ~VGIC_LR_STATE) | VGIC_LR_STATE_ACTIVE;
	else
		*lr &= ~VGIC_LR_STATE;
	if (!(*lr & VGIC_LR_STATE) && (*lr & VGIC_LR_EOI)) {
		*lr &= ~VGIC_LR_EOI;
		vgic_maintenance(&m.gic, d[1] & 1u, d[1] >> 1 & 3u);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vgic_config config = { .version = 3,
					    .n_vcpus = VCPUS,
					    .n_irqs = N_IRQS,
					    .n_lrs = LRS,
					    .lr_readback = true,
					    .n_lpis = N_LPIS };
	const struct vgic_env env = { .read_lr = read_lr,
				      .write_lr = write_lr,
				      .lpis_on = lpis_on };
	struct mmio on = { .size = 4, .write = true, .value = 3 };

	memset(&m, 0, sizeof(m));
	memset(&m.ram[0x1000], 0xa1, 0x1000);
	if (!vgic_init(&m.gic, &config, &env))
		abort();
	its_init(&m.its, &m.gic, &(struct its_env){ NULL, read_ram });
	(void)vgic_dist_access(&m.gic, 0, &on);
	if (size != 0 && (data[0] & 1u)) { /* as a driver begins */
		for (unsigned v = 0; v < VCPUS; v++) {
			redistributor((const uint8_t[]){ 0xc0, (uint8_t)(4 | v), 0, 0x10, 13 });
			redistributor((const uint8_t[]){ 0x80, (uint8_t)v, 0, 0, 1 });
		}
		registers((const uint8_t[]){ 0xc0, 3, 0x80, 0x10, 0 });
		registers((const uint8_t[]){ 0x80, 0, 0, 0, 1 });
	}
	for (; size >= 6; data += 6, size -= 6) {
		switch (data[5] % 8u) {
		case 0: registers(data); break;
		case 1: redistributor(data); break;
		case 2: guest(data); break;
		case 3: m.ram[0x1000 + data[0] % 0xffu] = data[1]; break;
		case 4: (void)its_message(&m.its, data[0] % 40u, data[1] % 40u); break;
		default: command(data); break;
		}
		for (unsigned v = 0; v < VCPUS; v++)
			vgic_flush(&m.gic, v);
	}
	return 0;
}
