/* Any syndrome decodes to a record whose fields are in bounds. */
#include <selvage/vcpu.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vcpu_exit e;
	uint64_t words[2];

	if (size < sizeof(words))
		return 0;
	memcpy(words, data, sizeof(words));
	memset(&e, 0, sizeof(e));
	vcpu_decode_esr(words[0], &e);
	if (e.reason > VCPU_EXIT_UNKNOWN || e.reg > 31 || e.size > 8)
		abort();
	if (e.reason == VCPU_EXIT_MMIO && e.size == 0)
		abort();
	if (vcpu_esr_class(words[0]) == NULL || vcpu_esr_fault(words[0]) == NULL)
		abort();
	if (e.reason == VCPU_EXIT_SYSREG && e.reg2 > 31)
		abort();
	if (vcpu_r_number((unsigned)words[0] & 15, words[1]) > 31)
		abort();
	(void)vcpu_condition_holds(words[0], words[1]);
	if (e.reason == VCPU_EXIT_MMIO)
		(void)vcpu_extend(&e, words[1]);
	return 0;
}
