#include <dev/reg.h>
#include <dev/vexpress.h>

#define LOCK_KEY 0xa05fu

/* SYS_CFGCTRL (DUI 0447J 4.4.20). */
#define CFG_START (1u << 31)
#define CFG_WRITE (1u << 30)
#define CFG_RESERVED (3u << 18)
#define CFG_DCC(ctrl) ((ctrl) >> 26 & 0xfu)
#define CFG_FUNCTION(ctrl) ((ctrl) >> 20 & 0x3fu)
#define CFG_SITE(ctrl) ((ctrl) >> 16 & 0x3u)
#define CFG_POSITION(ctrl) ((ctrl) >> 12 & 0xfu)
#define CFG_DEVICE(ctrl) ((ctrl)&0xfffu)
#define STAT_COMPLETE 1u
#define STAT_ERROR 2u

enum cfg_function { CFG_OSC = 1,
		    CFG_VOLT = 2,
		    CFG_MUXFPGA = 7,
		    CFG_SHUTDOWN = 8,
		    CFG_REBOOT = 9,
		    CFG_DVIMODE = 11 };

#define MOTHERBOARD 0u
#define DAUGHTERBOARD 1u
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const uint32_t mb_osc[VEXPRESS_MB_OSCILLATORS] = { 50000000, 23750000, 24000000,
							  24000000, 24000000, 24000000 };
static const uint32_t db_osc[VEXPRESS_DB_OSCILLATORS] = { 45000000, 23750000, 66670000 };
static const uint32_t mb_microvolts[] = { 3300000 };
static const uint32_t db_microvolts[] = { 1000000, 1000000, 1000000, 1800000, 900000, 3300000 };

static uint32_t *osc_of(struct vexpress *x, unsigned site, unsigned device)
{
	if (site == MOTHERBOARD && device < VEXPRESS_MB_OSCILLATORS)
		return &x->mb_osc[device];
	if (site == DAUGHTERBOARD && device < VEXPRESS_DB_OSCILLATORS)
		return &x->db_osc[device];
	return NULL;
}

static const uint32_t *volt_of(unsigned site, unsigned device)
{
	if (site == MOTHERBOARD)
		return device < LENGTH(mb_microvolts) ? &mb_microvolts[device] : NULL;
	return device < LENGTH(db_microvolts) ? &db_microvolts[device] : NULL;
}

static bool cfg_write(struct vexpress *x, uint32_t ctrl)
{
	const unsigned site = CFG_SITE(ctrl), device = CFG_DEVICE(ctrl);
	const bool first = site == MOTHERBOARD && device == 0;
	uint32_t *osc = osc_of(x, site, device);

	switch (CFG_FUNCTION(ctrl)) {
	case CFG_OSC:
		if (osc)
			*osc = x->cfg_data;
		return osc != NULL;
	case CFG_MUXFPGA: /* which LCD controller the connector shows, and how */
	case CFG_DVIMODE:
		return first;
	case CFG_SHUTDOWN:
		if (first)
			x->env.off(x->env.opaque);
		return first;
	case CFG_REBOOT:
		if (first)
			x->env.reset(x->env.opaque);
		return first;
	default:
		return false;
	}
}

static bool cfg_read(struct vexpress *x, uint32_t ctrl)
{
	const unsigned site = CFG_SITE(ctrl), device = CFG_DEVICE(ctrl);
	const uint32_t *value = NULL;

	if (CFG_FUNCTION(ctrl) == CFG_OSC)
		value = osc_of(x, site, device);
	else if (CFG_FUNCTION(ctrl) == CFG_VOLT)
		value = volt_of(site, device);
	if (value)
		x->cfg_data = *value;
	return value != NULL;
}

/* Requests are carried out at once. */
static void cfg_ctrl_write(void *device, uint32_t value)
{
	struct vexpress *x = device;
	bool ok;

	x->cfg_ctrl = value & ~(CFG_RESERVED | CFG_START);
	x->cfg_stat = STAT_COMPLETE;
	if (!(value & CFG_START))
		return;
	ok = CFG_DCC(value) == 0 && CFG_POSITION(value) == 0 && CFG_SITE(value) <= DAUGHTERBOARD &&
	     (value & CFG_WRITE ? cfg_write(x, value) : cfg_read(x, value));
	if (!ok)
		x->cfg_stat |= STAT_ERROR;
}

static uint32_t hz100_read(void *device)
{
	const struct vexpress *x = device;

	return (uint32_t)(x->env.now_ns(x->env.opaque) / 10000000u);
}

static uint32_t mhz24_read(void *device)
{
	const struct vexpress *x = device;
	uint64_t ns = x->env.now_ns(x->env.opaque);

	return (uint32_t)(ns / 1000u * 24u + ns % 1000u * 24u / 1000u);
}

static void lock_write(void *device, uint32_t value)
{
	((struct vexpress *)device)->lock = value == LOCK_KEY ? value : value & 0x7fffu;
}

static void flags_set(void *device, uint32_t value)
{
	struct vexpress *x = device;

	x->flags |= value;
	if (x->flags != 0)
		x->env.start(x->env.opaque, x->flags);
}

static void flags_clear(void *device, uint32_t value)
{
	((struct vexpress *)device)->flags &= ~value;
}

static void nvflags_set(void *device, uint32_t value)
{
	((struct vexpress *)device)->nvflags |= value;
}

static void nvflags_clear(void *device, uint32_t value)
{
	((struct vexpress *)device)->nvflags &= ~value;
}

#define FIELD(name) offsetof(struct vexpress, name)
#define NONE DEV_REG_NO_FIELD
#define ALL UINT32_MAX
#define ZERO(name, offset) DEV_REG(name, offset, NONE, 0, 0, NULL, NULL)

/* DUI 0447J table 4-3; SYS_ID and SYS_PROCID0 of QEMU's vexpress-a9. */
static const struct dev_reg registers[DEV_REG_PLACES] = {
	DEV_REG("SYS_ID", 0x000, NONE, 0x1190f500, 0, NULL, NULL),
	ZERO("SYS_SW", 0x004),
	DEV_REG("SYS_LED", 0x008, FIELD(led), 0, ALL, NULL, NULL),
	DEV_REG("SYS_LOCK", 0x020, FIELD(lock), 0, 0xffff, NULL, lock_write),
	DEV_REG("SYS_100HZ", 0x024, NONE, 0, 0, hz100_read, NULL),
	DEV_REG("SYS_FLAGS", 0x030, FIELD(flags), 0, ALL, NULL, flags_set),
	DEV_REG("SYS_FLAGSCLR", 0x034, NONE, 0, ALL, NULL, flags_clear),
	DEV_REG("SYS_NVFLAGS", 0x038, FIELD(nvflags), 0, ALL, NULL, nvflags_set),
	DEV_REG("SYS_NVFLAGSCLR", 0x03c, NONE, 0, ALL, NULL, nvflags_clear),
	DEV_REG("SYS_PCICTL", 0x044, NONE, 1, 0, NULL, NULL),
	ZERO("SYS_MCI", 0x048),
	DEV_REG("SYS_FLASH", 0x04c, FIELD(flash), 0, 0x3, NULL, NULL),
	ZERO("SYS_CFGSW", 0x058),
	DEV_REG("SYS_24MHZ", 0x05c, NONE, 0, 0, mhz24_read, NULL),
	ZERO("SYS_MISC", 0x060),
	DEV_REG("SYS_PROCID0", 0x084, NONE, 0x0c000191, 0, NULL, NULL),
	DEV_REG("SYS_PROCID1", 0x088, NONE, 0xff000000, 0, NULL, NULL),
	DEV_REG("SYS_CFGDATA", 0x0a0, FIELD(cfg_data), 0, ALL, NULL, NULL),
	DEV_REG("SYS_CFGCTRL", 0x0a4, FIELD(cfg_ctrl), 0, ALL, NULL, cfg_ctrl_write),
	DEV_REG("SYS_CFGSTAT", 0x0a8, FIELD(cfg_stat), 0, 0x3, NULL, NULL),
};

enum mmio_outcome vexpress_access(struct vexpress *x, struct mmio *m)
{
	return dev_reg_access(registers, x, m);
}

void vexpress_reset(struct vexpress *x)
{
	uint32_t kept = x->nvflags;

	dev_reg_reset(registers, x);
	x->nvflags = kept;
	for (unsigned i = 0; i < VEXPRESS_MB_OSCILLATORS; i++)
		x->mb_osc[i] = mb_osc[i];
	for (unsigned i = 0; i < VEXPRESS_DB_OSCILLATORS; i++)
		x->db_osc[i] = db_osc[i];
}

void vexpress_init(struct vexpress *x, const struct vexpress_env *env)
{
	*x = (struct vexpress){ .env = *env };
	vexpress_reset(x);
}
