/* modules_check: all modules of an accepted list can be read. */
#include <selvage/modules.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t sum;

static void use(const struct modules *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		const uint8_t *bytes = (const uint8_t *)list + list->item[i].offset;

		sum += strlen(list->item[i].cmdline);
		sum += bytes[0] + bytes[list->item[i].bytes - 1];
	}
}

/* The input gives number, offsets, sizes and ends of the command lines; the rest is filled. */
static void fill(struct modules *list, const uint8_t *data, size_t size)
{
	list->magic = MODULES_MAGIC;
	for (size_t i = 0; i < size; i++) {
		struct modules_item *m = &list->item[i / 5 % MODULES_MAX];

		switch (i % 5) {
		case 0: list->n = data[i] % (MODULES_MAX + 2); break;
		case 1: m->offset = sizeof(*list) - 16 + data[i]; break;
		case 2: m->bytes = data[i] % 16; break;
		case 3: m->bytes -= data[i] == 0xff; break;
		default: memset(m->cmdline, 'x', data[i] + 1u); break;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t bytes = sizeof(struct modules) + (size > 0 ? data[0] : 0);
	struct modules *list = calloc(1, bytes);
	uint8_t *copy = malloc(size + 1);

	memcpy(copy, data, size);
	if (modules_check(copy, size) == NULL)
		use((struct modules *)copy);
	fill(list, data, size);
	if (modules_check(list, bytes) == NULL)
		use(list);
	free(copy);
	free(list);
	return 0;
}
