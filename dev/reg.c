#include <dev/reg.h>

static uint32_t *field_of(const struct dev_reg *r, void *device)
{
	return (uint32_t *)(void *)((char *)device + r->field);
}

static enum mmio_outcome reg_read(const struct dev_reg *r, void *device,
				  struct mmio *m)
{
	if (r->read)
		return mmio_done(m, r->read(device));
	return mmio_done(m, r->field == DEV_REG_NO_FIELD ? r->reset : *field_of(r, device));
}

static enum mmio_outcome reg_write(const struct dev_reg *r, void *device,
				   struct mmio *m)
{
	uint32_t value = (uint32_t)(m->value & mmio_mask(m)) & r->writable;

	if (r->write) {
		r->write(device, value);
	} else if (r->writable) {
		uint32_t *field = field_of(r, device);

		*field = (*field & ~r->writable) | value;
	} else {
		return mmio_ignore(m, "read-only register");
	}
	return MMIO_HANDLED;
}

enum mmio_outcome dev_reg_access(const struct dev_reg table[DEV_REG_PLACES],
				 void *device, struct mmio *m)
{
	const struct dev_reg *r = &table[DEV_REG_AT(m->offset)];

	if (m->size > 4)
		return mmio_ignore(m, "access size");
	if (r->offset != m->offset)
		return mmio_ignore(m, "no such register");
	return m->write ? reg_write(r, device, m) : reg_read(r, device, m);
}

void dev_reg_reset(const struct dev_reg table[DEV_REG_PLACES], void *device)
{
	for (size_t i = 0; i < DEV_REG_PLACES; i++)
		if (table[i].name && table[i].field != DEV_REG_NO_FIELD)
			*field_of(&table[i], device) = table[i].reset;
}
