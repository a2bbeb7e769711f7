/* sysdesc_check: whatever it accepts, its own reader's promises hold. */
#include <selvage/sysdesc.h>

#include <stdlib.h>
#include <string.h>

#define N_PAYLOADS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int condition)
{
	if (!condition)
		abort();
}

static void use(const struct sysdesc *d)
{
	for (uint32_t i = 0; i < d->n_vms; i++) {
		const struct sysdesc_vm *vm = &d->vm[i];

		need(strlen(vm->name) > 0);
		need(strlen(vm->cmdline) < SYSDESC_CMDLINE);
		need(vm->kernel < N_PAYLOADS);
		need(vm->budget_us > 0 && vm->budget_us <= vm->period_us);
		for (uint32_t j = 0; j < vm->n_regions; j++)
			need(vm->region[j].gpa + vm->region[j].size >
			     vm->region[j].gpa);
		need(vm->width == 32 || vm->width == 64);
		need(vm->n_pieces <= SYSDESC_MAX_PIECES && vm->n_vectors <= SYSDESC_VECTORS);
		for (uint32_t j = 0; j < vm->n_connections; j++)
			need(sysdesc_connections(d)[sysdesc_connection_of(d, i, j)].driver == i);
		for (uint32_t j = 0; j < vm->n_pieces; j++)
			need(sysdesc_region_of(vm, vm->piece[j].gpa, vm->piece[j].bytes) != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sysdesc *d = malloc(size + 1);

	memcpy(d, data, size);
	if (!sysdesc_check(d, size, N_PAYLOADS))
		use(d);
	/* Past the checksum, which a fuzzer does not guess. */
	if (size >= sizeof(*d)) {
		d->magic = SYSDESC_MAGIC;
		d->version = SYSDESC_VERSION;
		d->n_vms = (uint32_t)((size - sizeof(*d)) / sizeof(d->vm[0]));
		d->n_connections = (uint32_t)((size - sizeof(*d)) % sizeof(d->vm[0]) /
					      sizeof(struct sysdesc_connection));
		d->size = (uint32_t)sysdesc_bytes(d->n_vms, d->n_connections);
		d->crc32 = sysdesc_checksum(d);
		if (!sysdesc_check(d, size, N_PAYLOADS))
			use(d);
	}
	free(d);
	return 0;
}
