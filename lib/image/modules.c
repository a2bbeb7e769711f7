#include <selvage/modules.h>

#include <selvage/base.h>
#include <stdbool.h>

static bool is_sound(const struct modules_item *m, size_t size)
{
	return m->bytes != 0 && m->offset >= sizeof(struct modules) &&
	       range_within_u64(m->offset, m->bytes, 0, size) &&
	       m->cmdline[MODULES_CMDLINE - 1] == '\0';
}

const char *modules_check(const void *data, size_t size)
{
	const struct modules *list = data;

	if (size < sizeof(*list) || list->magic != MODULES_MAGIC)
		return "no list of modules";
	if (list->n == 0 || list->n > MODULES_MAX)
		return "a list of modules without one, or with too many";
	for (uint32_t i = 0; i < list->n; i++)
		if (!is_sound(&list->item[i], size))
			return "a module that is not within the list's bytes";
	return NULL;
}
