/* Any capability dump: compared with a model, it gives differences, and the model can
 * be asked afterwards. */
#include "audit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(void *context, const char *difference)
{
	*(size_t *)context += strlen(difference) > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sysdesc *two;
	struct topology t;
	uint8_t into[256];
	unsigned absent;
	size_t told = 0;

	if (!two) {
		two = calloc(1, sizeof(*two) + 2 * sizeof(two->vm[0]));
		two->n_vms = 2;
		for (unsigned i = 0; i < 2; i++) {
			struct sysdesc_vm *vm = &two->vm[i];

			vm->name[0] = (char)('a' + i);
			vm->vcpus = vm->n_regions = 1;
			vm->region[0].size = 4096;
			vm->region[0].from = SYSDESC_OWN_MEMORY;
		}
	}
	topology_of(&t, two);
	if (audit_compare(&t, (const char *)data, size, tell, &told, &absent) != told)
		abort();
	if (topology_domains(&t, into) > t.n_components)
		abort();
	topology_reach(&t, t.n_components - 1, into);
	topology_free(&t);
	return 0;
}
