/* 32-bit registers, as a part. */
#include "narrow.h"

static const struct narrow_hooks hooks = {
	.decode = &decode_narrow,
	.walk = walk_narrow,
	.sysreg = sysreg_narrow,
	.report_registers = report_narrow_registers,
	.report_origin = report_narrow_origin,
};

static void install(struct vm *vm)
{
	vm->hooks.narrow = &hooks;
}

const struct vm_part part_narrow = {
	.bit = VMM_PART_NARROW,
	.install = install,
};
