#include <selvage/payload.h>

#include <stdbool.h>

#include <selvage/crc32.h>

static bool name_terminated(const char name[PAYLOAD_NAME])
{
	for (size_t i = 0; i < PAYLOAD_NAME; i++) {
		if (name[i] == '\0')
			return i > 0;
	}
	return false;
}

static bool name_equal(const char *a, const char *b)
{
	size_t i = 0;

	while (i < PAYLOAD_NAME && a[i] == b[i]) {
		if (a[i] == '\0')
			return true;
		i++;
	}
	return false;
}

static bool kind_known(uint32_t kind)
{
	return kind == PAYLOAD_DESCRIPTION || kind == PAYLOAD_PROCESS ||
	       kind == PAYLOAD_GUEST;
}

static bool items_overlap(const struct payload_item *a,
			  const struct payload_item *b)
{
	return a->offset < b->offset + b->size &&
	       b->offset < a->offset + a->size;
}

/* What is wrong with one item on its own, or NULL. */
static const char *check_item(const struct payload_header *h,
			      const struct payload_item *item,
			      uint64_t index_end)
{
	if (!name_terminated(item->name))
		return "a payload item has no name or one without an end";
	if (!kind_known(item->kind))
		return "a payload item is of an unknown kind";
	if (item->size == 0)
		return "a payload item is empty";
	if (item->offset % PAYLOAD_ALIGN != 0)
		return "a payload item is not aligned";
	if (item->size >= PAYLOAD_LARGE_ALIGN &&
	    item->offset % PAYLOAD_LARGE_ALIGN != 0)
		return "a large payload item is not aligned to 2 MiB";
	if (item->offset < index_end)
		return "a payload item overlaps the index";
	if (item->offset > h->size || item->size > h->size - item->offset)
		return "a payload item lies outside the payload area";
	return NULL;
}

/* Bound: PAYLOAD_MAX squared over two. */
static const char *check_pairs(const struct payload_header *h)
{
	for (uint32_t i = 0; i < h->n_items; i++) {
		for (uint32_t j = i + 1; j < h->n_items; j++) {
			const struct payload_item *a = &h->item[i];
			const struct payload_item *b = &h->item[j];

			if (items_overlap(a, b))
				return "two payload items overlap";
			if (a->kind == b->kind && name_equal(a->name, b->name))
				return "two payload items have one name";
		}
	}
	return NULL;
}

static uint32_t index_checksum(const struct payload_header *h)
{
	return crc32_update(0, h->item, h->n_items * sizeof(h->item[0]));
}

static const char *check_header(const struct payload_header *h, size_t size)
{
	if (h->magic != PAYLOAD_MAGIC)
		return "no payload area here: wrong magic number";
	if (h->version != PAYLOAD_VERSION)
		return "the payload area is of another version";
	if (h->n_items == 0 || h->n_items > PAYLOAD_MAX)
		return "the payload area's number of items is out of range";
	if (h->size > size || h->size < sizeof(*h) ||
	    (h->size - sizeof(*h)) / sizeof(h->item[0]) < h->n_items)
		return "the payload area is cut short";
	if (h->crc32 != index_checksum(h))
		return "the payload index is damaged: wrong checksum";
	return NULL;
}

const char *payload_check(const void *area, size_t size)
{
	const struct payload_header *h = area;
	const char *wrong;
	uint64_t index_end;
	uint32_t descriptions = 0;

	if (size < sizeof(*h) || (uintptr_t)area % _Alignof(uint64_t) != 0)
		return "no payload area here: too small or not aligned";
	wrong = check_header(h, size);
	if (wrong)
		return wrong;
	index_end = sizeof(*h) + h->n_items * sizeof(h->item[0]);
	for (uint32_t i = 0; i < h->n_items; i++) {
		wrong = check_item(h, &h->item[i], index_end);
		if (wrong)
			return wrong;
		descriptions += h->item[i].kind == PAYLOAD_DESCRIPTION;
	}
	if (descriptions != 1)
		return "the payload area has not exactly one description";
	return check_pairs(h);
}

int payload_item_intact(const struct payload_header *h, uint32_t index)
{
	const struct payload_item *item;

	if (index >= h->n_items)
		return 0;
	item = &h->item[index];
	return crc32_update(0, (const uint8_t *)h + item->offset,
			    item->size) == item->crc32;
}

int payload_find(const struct payload_header *h, uint32_t kind,
		 const char *name)
{
	for (uint32_t i = 0; i < h->n_items; i++) {
		if (h->item[i].kind == kind &&
		    name_equal(h->item[i].name, name))
			return (int)i;
	}
	return -1;
}
