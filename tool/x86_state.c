#include "x86_state.h"

#include <stdio.h>

#define CR0_PE 1u
#define EFER_LMA (1u << 10)
#define EFLAGS_VM (1u << 17)

static uint64_t value_of(const struct capture_regs *regs, const char *name)
{
	const struct capture_reg *reg = capture_find_reg(regs, name);

	return reg ? reg->value : 0;
}

void x86_state_find(struct capture *c)
{
	const bool wide = value_of(&c->system, "efer") & EFER_LMA;
	const bool protected = value_of(&c->system, "cr0") & CR0_PE;

	c->width = wide ? WIDTH_X86_64 : protected ? WIDTH_X86_32
						   : WIDTH_X86_16;
	if (!wide && !protected)
		snprintf(c->mode, sizeof(c->mode), "real");
	else if (value_of(&c->general, "eflags") & EFLAGS_VM)
		snprintf(c->mode, sizeof(c->mode), "vm86");
	else
		snprintf(c->mode, sizeof(c->mode), "ring%u",
			 (unsigned)value_of(&c->general, "cs") & 3);
}

/* By family and model, as QEMU names them. */
static const struct {
	unsigned family, model;
	const char *name;
} models[] = {
	{ 0x0f, 0x6b, "qemu64" },
	{ 0x17, 0x01, "EPYC" },
	{ 0x17, 0x31, "EPYC-Rome" },
	{ 0x19, 0x01, "EPYC-Milan" },
	{ 0x06, 0x3c, "Haswell" },
	{ 0x06, 0x55, "Skylake-Server" },
	{ 0x06, 0x6a, "Icelake-Server" },
};

void x86_cpu_of_signature(uint32_t signature, char *to, size_t room)
{
	const unsigned base = signature >> 8 & 15;
	const unsigned family = base == 15 ? base + (signature >> 20 & 0xff) : base;
	const unsigned model = (signature >> 4 & 15) | (signature >> 16 & 15) << 4;

	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		if (models[i].family == family && models[i].model == model) {
			snprintf(to, room, "%s", models[i].name);
			return;
		}
	}
	snprintf(to, room, "CPUID 0x%08x", signature);
}
