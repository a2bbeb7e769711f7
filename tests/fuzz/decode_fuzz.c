/* Any instruction in any state: accesses stay within their bounds, and one that
 * fails leaves the state as it was. */
#include "decode.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned allowed;

static bool bus(void *opaque, const struct decode_access *a, bool write, uint64_t *value)
{
	(void)opaque;
	if (write && a->size < 8 && *value >> (8 * a->size) != 0)
		abort();
	if (!write)
		*value = ~0ull >> (64 - 8 * a->size);
	return allowed-- != 0;
}

static void look(const struct decode *d)
{
	if (d->n > DECODE_MAX_ACCESSES || (d->bytes != 2 && d->bytes != 4) ||
	    (d->refused == NULL && d->name == NULL) || (d->refused != NULL && d->n != 0))
		abort();
	if (d->writeback && d->base >= 32)
		abort();
	for (unsigned i = 0; i < d->n; i++) {
		const struct decode_access *a = &d->access[i];

		if (a->reg > DECODE_ZERO || a->size == 0 || a->size > 8 ||
		    (a->size & (a->size - 1)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_state s, before;
	const struct decode_access *failed = NULL;
	struct decode d;
	uint32_t insn;

	if (size < sizeof(insn) + 1 + sizeof(s))
		return 0;
	memcpy(&insn, data, sizeof(insn));
	memcpy(&s, data + sizeof(insn) + 1, sizeof(s));
	s.big_endian = data[4] & 1;
	before = s;
	decode(&d, &s, insn, &decode_narrow);
	look(&d);
	if (d.refused != NULL)
		return 0;
	allowed = data[4] >> 1;
	if (!decode_run(&d, &s, bus, NULL, &failed) &&
	    (failed == NULL || memcmp(&s.x, &before.x, sizeof(s.x)) != 0 || s.pc != before.pc ||
	     s.pstate != before.pstate))
		abort();
	return 0;
}
