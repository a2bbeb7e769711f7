/* Mnemonics for reports: loads and stores, and what else leads to an exit. */
#include "internal.h"

#include <stddef.h>

static const struct decode_named a64_names[] = {
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

const char *decode_find(const struct decode_named *list, unsigned n, uint32_t insn)
{
	for (unsigned i = 0; i < n; i++)
		if ((insn & list[i].mask) == list[i].value)
			return list[i].name;
	return NULL;
}

const char *decode_mnemonic(uint32_t pstate, uint32_t insn, const struct decode_narrow *narrow)
{
	const struct decode_state s = { .pstate = pstate };
	const char *name = NULL;
	struct decode d;

	decode(&d, &s, insn, narrow);
	if (d.name != NULL)
		return d.name;
	if (!(pstate & DECODE_PSTATE_AARCH32))
		name = DECODE_FIND(a64_names, insn);
	else if (narrow != NULL)
		name = narrow->name(pstate, insn);
	return name != NULL ? name : "unknown";
}
