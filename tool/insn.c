#include "insn.h"

#include <capstone/capstone.h>
#include <stdio.h>

#include "diag.h"

static bool open_decoder(enum insn_set set, csh *handle)
{
	static const struct {
		cs_arch arch;
		cs_mode mode;
	} modes[] = { [INSN_ARM] = { CS_ARCH_ARM, CS_MODE_ARM },
		      [INSN_THUMB] = { CS_ARCH_ARM, CS_MODE_THUMB },
		      [INSN_A64] = { CS_ARCH_ARM64, CS_MODE_ARM },
		      [INSN_X86_16] = { CS_ARCH_X86, CS_MODE_16 },
		      [INSN_X86_32] = { CS_ARCH_X86, CS_MODE_32 },
		      [INSN_X86_64] = { CS_ARCH_X86, CS_MODE_64 } };

	if (cs_open(modes[set].arch, modes[set].mode, handle) != CS_ERR_OK) {
		diag_error("libcapstone was built without Arm or x86");
		return false;
	}
	cs_option(*handle, CS_OPT_DETAIL, CS_OPT_ON);
	return true;
}

/* Writing R15: by B, by LDR from a literal, or by anything else. */
static struct insn classify_arm(const cs_insn *i, enum insn_set set)
{
	const cs_arm *arm = &i->detail->arm;
	const cs_arm_op *first = &arm->operands[0], *second = &arm->operands[1];
	/* PC reads two instructions ahead, in Thumb rounded down (DDI 0487 F1.2). */
	uint64_t pc = set == INSN_ARM ? i->address + 8 : (i->address + 4) & ~3ull;
	struct insn insn = { .kind = INSN_PLAIN };

	if (i->id == ARM_INS_UDF || arm->cc != ARM_CC_AL)
		insn.kind = i->id == ARM_INS_UDF ? INSN_NONE : INSN_PLAIN;
	else if ((i->id == ARM_INS_B || i->id == ARM_INS_BL || i->id == ARM_INS_BLX) &&
		 arm->op_count == 1 && first->type == ARM_OP_IMM)
		insn = (struct insn){ INSN_JUMP, (uint32_t)first->imm };
	else if (i->id == ARM_INS_LDR && arm->op_count >= 2 && first->type == ARM_OP_REG &&
		 first->reg == ARM_REG_PC && second->type == ARM_OP_MEM &&
		 second->mem.base == ARM_REG_PC && second->mem.index == ARM_REG_INVALID)
		insn = (struct insn){ INSN_LITERAL,
				      (uint32_t)(pc + (uint64_t)(int64_t)second->mem.disp) };
	else if (i->id == ARM_INS_BX || (i->id == ARM_INS_BLX && first->type == ARM_OP_REG) ||
		 (arm->op_count >= 1 && first->type == ARM_OP_REG && first->reg == ARM_REG_PC &&
		  (first->access & CS_AC_WRITE)))
		insn.kind = INSN_REGISTER;
	return insn;
}

static struct insn classify_a64(const cs_insn *i, uint32_t word)
{
	const cs_arm64 *a64 = &i->detail->arm64;

	if (word >> 16 == 0) /* UDF */
		return (struct insn){ .kind = INSN_NONE };
	if ((i->id == ARM64_INS_B || i->id == ARM64_INS_BL) && a64->cc <= ARM64_CC_INVALID &&
	    a64->op_count == 1 && a64->operands[0].type == ARM64_OP_IMM)
		return (struct insn){ INSN_JUMP, (uint64_t)a64->operands[0].imm };
	return (struct insn){ .kind = i->id == ARM64_INS_BR || i->id == ARM64_INS_ERET
					      ? INSN_REGISTER
					      : INSN_PLAIN };
}

/* The first instruction of the bytes, NULL if it is none; its text, or that of what is there. */
static cs_insn *disassemble(enum insn_set set, const uint8_t *bytes, size_t n, uint64_t address,
			    char *text, size_t room)
{
	static csh handles[INSN_DATA];
	cs_insn *decoded;

	if (set == INSN_DATA || (!handles[set] && !open_decoder(set, &handles[set])) ||
	    cs_disasm(handles[set], bytes, n, address, 1, &decoded) == 0)
		return NULL;
	snprintf(text, room, "%s%s%s", decoded->mnemonic, *decoded->op_str ? " " : "",
		 decoded->op_str);
	return decoded;
}

struct insn insn_decode(enum insn_set set, uint32_t word, uint64_t address, char *text, size_t room)
{
	const uint8_t bytes[4] = { (uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16),
				   (uint8_t)(word >> 24) };
	struct insn insn = { .kind = INSN_NONE };
	cs_insn *decoded;

	snprintf(text, room, ".word 0x%08x", word);
	decoded = disassemble(set, bytes, sizeof(bytes), address, text, room);
	if (!decoded)
		return insn;
	/* Zeros are `andeq r0, r0, r0`: no code, whatever a decoder says. */
	if (word != 0 && word != UINT32_MAX)
		insn = set == INSN_A64 ? classify_a64(decoded, word) : classify_arm(decoded, set);
	cs_free(decoded, 1);
	return insn;
}

static struct insn classify_x86(const cs_insn *i)
{
	const cs_x86 *x86 = &i->detail->x86;

	switch (i->id) {
	case X86_INS_INT3: /* what freed code is filled with */
	case X86_INS_UD0:
	case X86_INS_UD2:
	case X86_INS_UD2B: return (struct insn){ .kind = INSN_NONE };
	case X86_INS_JMP:
		if (x86->op_count == 1 && x86->operands[0].type == X86_OP_IMM)
			return (struct insn){ INSN_JUMP, (uint64_t)x86->operands[0].imm };
		return (struct insn){ .kind = INSN_REGISTER };
	default: return (struct insn){ .kind = INSN_PLAIN };
	}
}

struct insn insn_decode_x86(enum insn_set set, const uint8_t bytes[INSN_X86_BYTES],
			    uint64_t address, char *text, size_t room)
{
	struct insn insn = { .kind = INSN_NONE };
	cs_insn *decoded;

	snprintf(text, room, ".byte 0x%02x, 0x%02x", bytes[0], bytes[1]);
	decoded = disassemble(set, bytes, INSN_X86_BYTES, address, text, room);
	if (!decoded)
		return insn;
	/* Zeros are `add byte ptr [rax], al`. */
	if (bytes[0] != 0 || bytes[1] != 0)
		insn = classify_x86(decoded);
	cs_free(decoded, 1);
	return insn;
}
