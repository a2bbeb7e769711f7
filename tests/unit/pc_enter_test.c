/* vmm/arch/x86_64: the state of an entry in a vCPU's registers. */
#include "enter.h"

#include "unit.h"

#include <selvage/base.h>
#include <selvage/vcpu_arch.h>

static void expect(struct vcpu *v, unsigned reg, uint64_t value)
{
	assert_true(v->dirty & vcpu_bit(reg));
	assert_int_equal(v->reg[reg], value);
}

static void long_mode(void **state)
{
	struct vcpu v = { 0 };
	struct pc_entry e;

	(void)state;
	pc_entry_long(&e, 0x1000, 0x2000, 0x1000200);
	for (unsigned i = 0; i < PC_GPRS; i++)
		e.gpr[i] = 0x100 + i;
	vcpu_enter(&v, &e);
	expect(&v, VCPU_RAX, 0x100);
	expect(&v, VCPU_RBX, 0x100 + PC_RBX);
	expect(&v, VCPU_RSI, 0x100 + PC_RSI);
	expect(&v, VCPU_R15, 0x10f);
	expect(&v, VCPU_RIP, 0x1000200);
	expect(&v, VCPU_RFLAGS, 2);
	expect(&v, VCPU_CR0, 0x80000011);
	expect(&v, VCPU_CR3, 0x2000);
	expect(&v, VCPU_CR4, 0x20);
	expect(&v, VCPU_EFER, 0x500);
	expect(&v, VCPU_CS,
	       VCPU_SEG(0x10, VCPU_ATTR_CODE | VCPU_ATTR_LONG | VCPU_ATTR_GRANULAR, UINT32_MAX));
	expect(&v, VCPU_GS,
	       VCPU_SEG(0x18, VCPU_ATTR_DATA | VCPU_ATTR_DB | VCPU_ATTR_GRANULAR, UINT32_MAX));
	expect(&v, VCPU_TR, VCPU_SEG(0x20, VCPU_ATTR_TSS_BUSY, 0x67));
	expect(&v, VCPU_LDTR, VCPU_SEG(0, VCPU_ATTR_LDT, 0));
	expect(&v, VCPU_GDTR, (PC_GDT_BYTES - 1ull) << 32);
	expect(&v, VCPU_GDTR_BASE, 0x1000);
	expect(&v, VCPU_IDTR, 0);
}

static void real_mode(void **state)
{
	struct vcpu v = { 0 };
	struct pc_entry e;

	(void)state;
	pc_entry_real(&e, 0x1000, 0x234);
	vcpu_enter(&v, &e);
	expect(&v, VCPU_CS, VCPU_SEG(0x1000, VCPU_ATTR_CODE, 0xffff));
	expect(&v, VCPU_CS_BASE, 0x10000);
	expect(&v, VCPU_SS, VCPU_SEG(0, VCPU_ATTR_DATA, 0xffff));
	expect(&v, VCPU_RIP, 0x234);
	expect(&v, VCPU_CR0, 0x10);
	expect(&v, VCPU_IDTR, 0x3ffull << 32);
	/* What a vCPU has and an entry says nothing of stays as after reset. */
	assert_false(v.dirty & (vcpu_bit(VCPU_CR2) | vcpu_bit(VCPU_DR7) | vcpu_bit(VCPU_PAT)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_mode),
		cmocka_unit_test(real_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
