#include <dev/reg.h>

static uint32_t *field_of(const struct dev_reg *r, void *device)
{
	if (r->field == DEV_REG_NO_FIELD)
		return NULL;
	return (uint32_t *)(void *)((char *)device + r->field);
}

static const struct dev_reg *find(const struct dev_reg *table, size_t n,
				  uint64_t offset)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].offset == offset)
			return &table[i];
	return NULL;
}

static enum mmio_outcome reg_read(const struct dev_reg *r, void *device,
				  struct mmio *m)
{
	const uint32_t *field = field_of(r, device);

	if (r->read)
		return mmio_done(m, r->read(device));
	return mmio_done(m, field ? *field : r->reset);
}

static enum mmio_outcome reg_write(const struct dev_reg *r, void *device,
				   struct mmio *m)
{
	uint32_t *field = field_of(r, device);
	uint32_t value = (uint32_t)(m->value & mmio_mask(m)) & r->writable;

	if (r->write)
		r->write(device, value);
	else if (field && r->writable)
		*field = (*field & ~r->writable) | value;
	else
		return mmio_ignore(m, "read-only register");
	return MMIO_HANDLED;
}

enum mmio_outcome dev_reg_access(const struct dev_reg *table, size_t n,
				 void *device, struct mmio *m)
{
	const struct dev_reg *r;

	if (!mmio_valid(m) || m->size > 4)
		return mmio_ignore(m, "access size");
	r = find(table, n, m->offset);
	if (!r)
		return mmio_ignore(m, "no such register");
	return m->write ? reg_write(r, device, m) : reg_read(r, device, m);
}

void dev_reg_reset(const struct dev_reg *table, size_t n, void *device)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t *field = field_of(&table[i], device);

		if (field)
			*field = table[i].reset;
	}
}
