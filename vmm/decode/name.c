/* Mnemonics for reports: loads and stores, and what else leads to an exit. */
#include "internal.h"

#include <stddef.h>

struct named {
	uint32_t mask, value;
	const char *name;
};

static const struct named a64_names[] = {
	{ 0xffe0001f, 0xd4000001, "svc" },
	{ 0xffe0001f, 0xd4000002, "hvc" },
	{ 0xffe0001f, 0xd4000003, "smc" },
	{ 0xffe0001f, 0xd4200000, "brk" },
	{ 0xffff0000, 0x00000000, "udf" },
	{ 0xfffff01f, 0xd503201f, "hint" },
	{ 0xfff00000, 0xd5300000, "mrs" },
	{ 0xfff00000, 0xd5100000, "msr" },
	{ 0xffe00000, 0xd5000000, "msr" },
	{ 0xfff80000, 0xd5080000, "sys" },
	{ 0x7c000000, 0x14000000, "b" },
	{ 0xff000010, 0x54000000, "b" },
	{ 0xfffffc1f, 0xd61f0000, "br" },
	{ 0xfffffc1f, 0xd63f0000, "blr" },
	{ 0xfffffc1f, 0xd65f0000, "ret" },
	{ 0xffffffff, 0xd69f03e0, "eret" },
};

static const struct named arm_names[] = {
	{ 0x0f000000, 0x0f000000, "svc" },
	{ 0x0ff000f0, 0x01400070, "hvc" },
	{ 0x0ff000f0, 0x01600070, "smc" },
	{ 0x0ff000f0, 0x01200070, "bkpt" },
	{ 0x0ff000f0, 0x07f000f0, "udf" },
	{ 0x0ffffff0, 0x012fff10, "bx" },
	{ 0x0ffffff0, 0x012fff30, "blx" },
	{ 0x0e000000, 0x0a000000, "b" },
	{ 0x0f100010, 0x0e100010, "mrc" },
	{ 0x0f100010, 0x0e000010, "mcr" },
};

static const struct named thumb_names[] = {
	{ 0xff00, 0xdf00, "svc" },
	{ 0xff00, 0xde00, "udf" },
	{ 0xff00, 0xbe00, "bkpt" },
	{ 0xff87, 0x4700, "bx" },
	{ 0xff87, 0x4780, "blx" },
	{ 0xf800, 0xe000, "b" },
};

#define FIND(list, insn) find(list, sizeof(list) / sizeof((list)[0]), insn)
static const char *find(const struct named *list, unsigned n, uint32_t insn)
{
	for (unsigned i = 0; i < n; i++)
		if ((insn & list[i].mask) == list[i].value)
			return list[i].name;
	return NULL;
}

const char *decode_mnemonic(uint32_t pstate, uint32_t insn)
{
	const struct decode_state s = { .pstate = pstate };
	struct decode d;
	const char *name;

	decode(&d, &s, insn);
	if (d.name != NULL)
		return d.name;
	if (!(pstate & DECODE_PSTATE_AARCH32))
		name = FIND(a64_names, insn);
	else if (pstate & DECODE_PSTATE_THUMB)
		name = FIND(thumb_names, insn & 0xffff);
	else
		name = insn >> 28 == 15 ? NULL : FIND(arm_names, insn);
	return name != NULL ? name : "unknown";
}
