/* The vGIC under the fuzzer's choice of accesses, lines, SGIs and guest
 * behaviour, against the reference (tests/unit/vgic_sim.h). VGIC_VERSION is
 * set by the build. */
#include "../unit/vgic_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vgic_sim_options options = { .version = VGIC_VERSION };

	if (size < 2)
		return 0;
	options.n_vcpus = 1 + (data[0] & 7);
	options.n_irqs = data[0] & 0x10 ? 288 : 64;
	options.lr_readback = !(data[0] & 0x20);
	options.n_lrs = 1 + (data[1] & 15);
	vgic_sim_run(&options, data + 2, size - 2);
	return 0;
}
