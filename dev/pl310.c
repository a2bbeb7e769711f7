#include <dev/pl310.h>
#include <dev/reg.h>

#define FIELD(name) offsetof(struct pl310, name)
#define NONE DEV_REG_NO_FIELD

/* DDI 0246H table 3-1, in two tables: the places of one are too few. What is
 * named nowhere reads as zero, and a write of it has been carried out. */
static const struct dev_reg low[DEV_REG_PLACES] = {
	DEV_REG("reg0_cache_id", 0x000, NONE, 0x410000c8, 0, NULL, NULL),
	DEV_REG("reg0_cache_type", 0x004, NONE, 0x1c100100, 0, NULL, NULL),
};

static const struct dev_reg control[DEV_REG_PLACES] = {
	DEV_REG("reg1_control", 0x100, FIELD(control), 0, 0x1, NULL, NULL),
	DEV_REG("reg1_aux_control", 0x104, FIELD(aux_control), 0x02020000, UINT32_MAX, NULL, NULL),
	DEV_REG("reg1_tag_ram_control", 0x108, FIELD(tag_latency), 0, UINT32_MAX, NULL, NULL),
	DEV_REG("reg1_data_ram_control", 0x10c, FIELD(data_latency), 0, UINT32_MAX, NULL, NULL),
};

static const struct dev_reg filter[DEV_REG_PLACES] = {
	DEV_REG("reg12_filtering_start", 0xc00, FIELD(filter_start), 0, 0xfff00001, NULL, NULL),
	DEV_REG("reg12_filtering_end", 0xc04, FIELD(filter_end), 0, 0xfff00000, NULL, NULL),
};

enum mmio_outcome pl310_access(struct pl310 *c, struct mmio *m)
{
	switch (m->offset >> 8) {
	case 0x0:
		return dev_reg_access(low, c, m);
	case 0x1:
		return dev_reg_access(control, c, m);
	case 0xc:
		return dev_reg_access(filter, c, m);
	default:
		return m->write ? MMIO_HANDLED : mmio_done(m, 0);
	}
}

void pl310_reset(struct pl310 *c)
{
	dev_reg_reset(control, c);
	dev_reg_reset(filter, c);
}
