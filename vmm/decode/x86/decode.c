/* From bytes to struct x86_insn: Zydis decodes, this picks what `run` needs. */
#include "internal.h"

#include <Zydis/Zydis.h>
#include <string.h>

static bool prepare(ZydisDecoder *decoder, enum x86_mode mode)
{
	static const struct {
		uint8_t machine, stack;
	} of[] = {
		[X86_16] = { ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16 },
		[X86_32] = { ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32 },
		[X86_64] = { ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64 },
	};

	/* Without CET 3E before an indirect jump is a segment override as elsewhere. */
	return ZYAN_SUCCESS(ZydisDecoderInit(decoder, of[mode].machine, of[mode].stack)) &&
	       ZYAN_SUCCESS(ZydisDecoderEnableMode(decoder, ZYDIS_DECODER_MODE_CET, ZYAN_FALSE));
}

static bool within(unsigned z, unsigned first, unsigned n, struct x86_operand *o, unsigned kind)
{
	if (z < first || z >= first + n)
		return false;
	o->kind = (uint8_t)kind;
	o->reg = (uint8_t)(z - first);
	return true;
}

/* AL CL DL BL, AH CH DH BH, SPL BPL SIL DIL, R8B... */
static bool byte_register(unsigned z, struct x86_operand *o)
{
	if (within(z, ZYDIS_REGISTER_AH, 4, o, X86_HIGH) ||
	    within(z, ZYDIS_REGISTER_AL, 4, o, X86_GPR))
		return true;
	if (!within(z, ZYDIS_REGISTER_SPL, 12, o, X86_GPR))
		return false;
	o->reg = (uint8_t)(o->reg + X86_RSP);
	return true;
}

static bool reg_operand(unsigned z, struct x86_operand *o)
{
	return byte_register(z, o) || within(z, ZYDIS_REGISTER_AX, 16, o, X86_GPR) ||
	       within(z, ZYDIS_REGISTER_EAX, 16, o, X86_GPR) ||
	       within(z, ZYDIS_REGISTER_RAX, 16, o, X86_GPR) ||
	       within(z, ZYDIS_REGISTER_ES, X86_SEGMENTS, o, X86_SELECTOR) ||
	       within(z, ZYDIS_REGISTER_XMM0, 16, o, X86_XMM) ||
	       within(z, ZYDIS_REGISTER_YMM0, 16, o, X86_XMM) ||
	       within(z, ZYDIS_REGISTER_MM0, 8, o, X86_MMX);
}

static bool address_register(unsigned z, uint8_t *reg)
{
	struct x86_operand o;

	*reg = X86_NO_REGISTER;
	if (z == ZYDIS_REGISTER_NONE)
		return true;
	if (z == ZYDIS_REGISTER_RIP || z == ZYDIS_REGISTER_EIP) {
		*reg = X86_RIP_REGISTER;
		return true;
	}
	if (!reg_operand(z, &o) || o.kind != X86_GPR)
		return false;
	*reg = o.reg;
	return true;
}

static bool memory_operand(struct x86_insn *insn, const ZydisDecodedInstruction *z,
			   const ZydisDecodedOperandMem *mem)
{
	if (mem->type != ZYDIS_MEMOP_TYPE_MEM || mem->segment < ZYDIS_REGISTER_ES ||
	    mem->segment > ZYDIS_REGISTER_GS)
		return false;
	insn->segment = (uint8_t)(mem->segment - ZYDIS_REGISTER_ES);
	insn->scale = mem->scale;
	insn->displacement = mem->disp.value;
	if (!address_register(mem->base, &insn->base) ||
	    !address_register(mem->index, &insn->index))
		return false;
	/* Zydis 4.0 takes R13D for the base of a SIB byte that has none (its issue 592). */
	if (z->attributes & ZYDIS_ATTRIB_HAS_SIB && !z->raw.modrm.mod && z->raw.sib.base == 5) {
		insn->base = X86_NO_REGISTER;
		insn->displacement = z->raw.disp.value;
	}
	return true;
}

static bool convert(struct x86_insn *insn, unsigned k, const ZydisDecodedInstruction *z,
		    const ZydisDecodedOperand *from)
{
	struct x86_operand *o = &insn->operand[k];

	if (from->size > 8 * 32)
		return false;
	o->size = (uint8_t)(from->size / 8);
	switch (from->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER: return reg_operand(from->reg.value, o);
	case ZYDIS_OPERAND_TYPE_MEMORY:
		o->kind = X86_MEMORY;
		return memory_operand(insn, z, &from->mem);
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		o->kind = X86_IMMEDIATE;
		insn->imm = from->imm.value.u;
		return true;
	default: return false;
	}
}

/* A string's element and the segment of its source; the operands are fixed.
 * Hardware repeats for either prefix where only one is documented. */
static void string_of(struct x86_insn *insn, const ZydisDecodedInstruction *z)
{
	static const struct {
		ZydisInstructionAttributes attribute;
		uint8_t segment;
	} overrides[] = {
		{ ZYDIS_ATTRIB_HAS_SEGMENT_CS, X86_CS },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_SS, X86_SS },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_ES, X86_ES },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_FS, X86_FS },
		{ ZYDIS_ATTRIB_HAS_SEGMENT_GS, X86_GS },
	};

	insn->segment = X86_DS;
	for (unsigned n = 0; n < sizeof(overrides) / sizeof(overrides[0]); n++)
		if (z->attributes & overrides[n].attribute)
			insn->segment = overrides[n].segment;
	insn->size = z->opcode & 1 ? (uint8_t)(z->operand_width / 8) : 1;
	if (insn->sub >= STRING_INS && insn->size == 8)
		insn->size = 4;
	for (unsigned n = 0; n < z->raw.prefix_count; n++) {
		uint8_t value = z->raw.prefixes[n].value;

		if (value == 0xf2 || value == 0xf3) {
			insn->until_equal = value == 0xf2;
			insn->repeat = value == 0xf3;
		}
	}
}

/* MOVSD and CMPSD are the names of vector instructions too. */
static bool is_string(const ZydisDecodedInstruction *z)
{
	return z->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
	       z->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
}

static void operation_of(struct x86_insn *insn, const ZydisDecodedInstruction *z)
{
	const struct x86_named *named = x86_op_of(z->mnemonic);

	if (named) {
		insn->op = named->op;
		insn->sub = named->sub;
	}
	if (insn->op == OP_STRING && !is_string(z)) {
		insn->op = z->mnemonic == ZYDIS_MNEMONIC_MOVSD ? OP_VECTOR : OP_UNKNOWN;
		insn->sub = VECTOR_WHOLE;
	}
	if (z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		insn->op = OP_UNKNOWN;
}

static enum x86_result refused(struct x86_outcome *outcome, const char *why)
{
	outcome->why = why;
	return X86_REFUSED;
}

static enum x86_result raised(struct x86_outcome *outcome, unsigned vector)
{
	outcome->vector = (uint8_t)vector;
	outcome->has_error_code = vector == X86_GP;
	outcome->error_code = 0;
	return X86_EXCEPTION;
}

static enum x86_result undecoded(ZyanStatus status, size_t n, struct x86_outcome *outcome)
{
	switch (status) {
	case ZYDIS_STATUS_NO_MORE_DATA:
		if (n < X86_MAX_BYTES)
			return refused(outcome, "bytes of the instruction are missing");
		return raised(outcome, X86_GP);
	case ZYDIS_STATUS_INSTRUCTION_TOO_LONG: return raised(outcome, X86_GP);
	case ZYDIS_STATUS_BAD_REGISTER:
	case ZYDIS_STATUS_ILLEGAL_LOCK:
	case ZYDIS_STATUS_ILLEGAL_LEGACY_PFX:
	case ZYDIS_STATUS_ILLEGAL_REX: return raised(outcome, X86_UD);
	default: return refused(outcome, "bytes that the decoder does not know");
	}
}

enum x86_result x86_decode(struct x86_insn *insn, enum x86_mode mode,
			   const uint8_t bytes[static X86_BUFFER], size_t n,
			   struct x86_outcome *outcome)
{
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[3];
	ZydisDecoderContext context;
	ZydisDecoder decoder;
	ZyanStatus status;

	*insn = (struct x86_insn){ .base = X86_NO_REGISTER, .index = X86_NO_REGISTER };
	if (!prepare(&decoder, mode))
		return refused(outcome, "no mode of the processor");
	status = ZydisDecoderDecodeInstruction(&decoder, &context, bytes,
					       n < X86_MAX_BYTES ? n : X86_MAX_BYTES, &z);
	if (!ZYAN_SUCCESS(status))
		return undecoded(status, n, outcome);
	insn->bytes = z.length;
	insn->address = (uint8_t)(z.address_width / 8);
	insn->size = (uint8_t)(z.operand_width / 8);
	insn->vex = z.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
	insn->locked = z.attributes & ZYDIS_ATTRIB_HAS_LOCK;
	operation_of(insn, &z);
	if (insn->op == OP_UNKNOWN)
		return refused(outcome, "an instruction that is not carried out on a device");
	if (insn->op == OP_XLAT || insn->op == OP_STRING) {
		string_of(insn, &z);
		return X86_DONE;
	}
	if (z.operand_count_visible > 3)
		return refused(outcome, "an instruction with more than three operands");
	status = ZydisDecoderDecodeOperands(&decoder, &context, &z, operands,
					    z.operand_count_visible);
	for (unsigned k = 0; k < z.operand_count_visible; k++)
		if (!ZYAN_SUCCESS(status) || !convert(insn, k, &z, &operands[k]))
			return refused(outcome, "an operand that is not carried out on a device");
	return X86_DONE;
}

/* The cache's key: so many bytes as the instruction has. */
static void mask_of(unsigned bytes, uint64_t mask[2])
{
	mask[0] = bytes >= 8 ? ~0ull : ~(~0ull << 8 * bytes);
	mask[1] = bytes > 8 ? ~(~0ull << 8 * (bytes - 8)) : 0;
}

const struct x86_insn *x86_decode_cached(struct x86_cache *cache, const struct x86_state *state,
					 const uint8_t bytes[static X86_BUFFER], size_t n,
					 enum x86_result *result, struct x86_outcome *outcome)
{
	struct x86_cached *line = &cache->line[(state->rip ^ state->rip >> 6) % X86_CACHE_LINES];
	uint64_t word[2];

	memcpy(word, bytes, sizeof(word));
	*result = X86_DONE;
	if (line->mode == state->mode && !((word[0] ^ line->word[0]) & line->mask[0]) &&
	    !((word[1] ^ line->word[1]) & line->mask[1]) && line->insn.bytes <= n)
		return &line->insn;
	*result = x86_decode(&line->insn, state->mode, bytes, n, outcome);
	line->mode = *result == X86_DONE ? state->mode : 0;
	if (*result != X86_DONE)
		return NULL;
	mask_of(line->insn.bytes, line->mask);
	line->word[0] = word[0];
	line->word[1] = word[1];
	return &line->insn;
}
