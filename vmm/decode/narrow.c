/* 32-bit code: dispatch, and mnemonics of what is no load or store. */
#include "a32.h"

#include <stddef.h>

static const struct decode_named arm_names[] = {
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

static const struct decode_named thumb_names[] = {
	{ 0xff00, 0xdf00, "svc" },
	{ 0xff00, 0xde00, "udf" },
	{ 0xff00, 0xbe00, "bkpt" },
	{ 0xff87, 0x4700, "bx" },
	{ 0xff87, 0x4780, "blx" },
	{ 0xf800, 0xe000, "b" },
};

static void narrow_decode(struct decode *d, const struct decode_state *state, uint32_t insn)
{
	if (state->pstate & DECODE_PSTATE_THUMB)
		decode_thumb(d, state, insn);
	else
		decode_arm(d, state, insn);
}

static const char *narrow_name(uint32_t pstate, uint32_t insn)
{
	if (pstate & DECODE_PSTATE_THUMB)
		return DECODE_FIND(thumb_names, insn & 0xffff);
	return insn >> 28 == 15 ? NULL : DECODE_FIND(arm_names, insn);
}

const struct decode_narrow decode_narrow = { narrow_decode, narrow_name };
