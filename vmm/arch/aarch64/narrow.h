/* What a VM with 32-bit registers needs beside what every VM has. */
#pragma once

#include "report_arch.h"
#include "sysreg.h"
#include "walk.h"

#include <decode.h>

struct narrow_hooks {
	const struct decode_narrow *decode;
	walk_narrow_fn walk;
	enum sysreg_action (*sysreg)(uint16_t code, bool write, uint64_t *value); /* of CP15 */
	void (*report_registers)(struct vm_vcpu *vc);
	/* Of a vCPU that stands `offset` bytes behind its vectors' base. False: at
	 * none of them. */
	bool (*report_origin)(struct vm_vcpu *vc, uint64_t offset, struct report_origin *o);
};

/* report_narrow.c */
void report_narrow_registers(struct vm_vcpu *vc);
bool report_narrow_origin(struct vm_vcpu *vc, uint64_t offset, struct report_origin *o);
