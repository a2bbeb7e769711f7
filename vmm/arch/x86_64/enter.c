#include "enter.h"

#include <selvage/base.h>
#include <selvage/vcpu_arch.h>

/* In the order of enum pc_sreg. */
static const struct {
	enum vcpu_reg segment, base;
} sreg[PC_SREGS] = {
	[PC_ES] = { VCPU_ES, VCPU_ES_BASE },
	[PC_CS] = { VCPU_CS, VCPU_CS_BASE },
	[PC_SS] = { VCPU_SS, VCPU_SS_BASE },
	[PC_DS] = { VCPU_DS, VCPU_DS_BASE },
	[PC_FS] = { VCPU_FS, VCPU_FS_BASE },
	[PC_GS] = { VCPU_GS, VCPU_GS_BASE },
	[PC_LDTR] = { VCPU_LDTR, VCPU_LDTR_BASE },
	[PC_TR] = { VCPU_TR, VCPU_TR_BASE },
};

static void set_table(struct vcpu *v, enum vcpu_reg limit, enum vcpu_reg base,
		      const struct pc_table *t)
{
	vcpu_set(v, limit, VCPU_SEG(0, 0, t->limit));
	vcpu_set(v, base, t->base);
}

void vcpu_enter(struct vcpu *v, const struct pc_entry *e)
{
	_Static_assert((int)VCPU_RDI == (int)PC_RDI && (int)VCPU_R8 == (int)PC_R8, "order");
	for (unsigned i = 0; i < PC_GPRS; i++)
		vcpu_set(v, VCPU_RAX + i, e->gpr[i]);
	for (unsigned i = 0; i < PC_SREGS; i++) {
		const struct pc_segment *s = &e->segment[i];

		vcpu_set(v, sreg[i].segment, VCPU_SEG(s->selector, s->attributes, s->limit));
		vcpu_set(v, sreg[i].base, s->base);
	}
	set_table(v, VCPU_GDTR, VCPU_GDTR_BASE, &e->gdtr);
	set_table(v, VCPU_IDTR, VCPU_IDTR_BASE, &e->idtr);
	vcpu_set(v, VCPU_CR0, e->cr0);
	vcpu_set(v, VCPU_CR3, e->cr3);
	vcpu_set(v, VCPU_CR4, e->cr4);
	vcpu_set(v, VCPU_EFER, e->efer);
	vcpu_set(v, VCPU_RIP, e->rip);
	vcpu_set(v, VCPU_RFLAGS, e->rflags);
}
