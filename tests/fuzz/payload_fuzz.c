/* payload_check: items of an accepted area can be read. */
#include <selvage/crc32.h>
#include <selvage/payload.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct payload_header *h)
{
	for (uint32_t i = 0; i < h->n_items; i++) {
		(void)payload_item_intact(h, i);
		if (payload_find(h, h->item[i].kind, h->item[i].name) !=
		    (int)i)
			abort();
	}
}

static void seal(struct payload_header *h, size_t size)
{
	h->magic = PAYLOAD_MAGIC;
	h->version = PAYLOAD_VERSION;
	h->n_items %= 1 + (uint32_t)((size - sizeof(*h)) / sizeof(h->item[0]));
	h->crc32 = crc32_update(0, h->item, h->n_items * sizeof(h->item[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct payload_header *h = malloc(size + 1);

	memcpy(h, data, size);
	if (!payload_check(h, size))
		use(h);
	if (size >= sizeof(*h)) {
		seal(h, size);
		if (!payload_check(h, size))
			use(h);
	}
	free(h);
	return 0;
}
