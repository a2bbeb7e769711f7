/* A kernel that behaves as plain seL4 (make EXTENSIONS=0). */
#include "guest.h"

extern const char guest_hvc[];

static void no_extension(void)
{
	uint64_t mr[4] = { 0 }, v;
	cap_t vcpu = kt_make(ABI_OBJ_VCPU, 0);

	for (uint64_t label = ABI_EXT_BASE; label < ABI_EXT_BASE + 32; label++) {
		CHECK_EQ(sel4_invoke(ABI_ROOT_TCB, label, 0, 1, mr), ABI_ILLEGAL_OPERATION);
		CHECK_EQ(sel4_invoke(vcpu, label, 0, 1, mr), ABI_ILLEGAL_OPERATION);
	}
	CHECK_OK(sel4_vcpu_read_regs(vcpu, ABI_VCPU_REG_COUNT - 1, &v));
	CHECK_ERROR1(sel4_vcpu_read_regs(vcpu, ABI_VCPU_REG_COUNT, &v), ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(sel4_vcpu_read_regs(vcpu, ABI_EXTV_LR0, &v), ABI_INVALID_ARGUMENT, 1);
	CHECK_ERROR1(sel4_vcpu_write_regs(vcpu, ABI_EXTV_LR0, 0), ABI_INVALID_ARGUMENT, 1);
}

static void what_the_root_task_has(void)
{
	const struct abi_bootinfo *info = rt_bootinfo();
	bool found = false;

	CHECK(kt_is_empty(ABI_ROOT_SMC));
	for (uint64_t i = 0; i < info->untyped.end - info->untyped.start; i++) {
		const struct abi_untyped_desc *u = &info->untyped_list[i];

		if (u->paddr - 0x40000000 < 0x20000000) {
			CHECK(u->is_device);
			found = true;
		}
	}
	CHECK(found);
}

/* As built: runs on, or stands while the guest does not run and begins at 0. */
static void virtual_time(void)
{
	struct kt_guest g = kt_guest(1);
	uint64_t first = 0, second = 0;

	kt_guest_start(&g, guest_hvc, 0);
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_VCPU_CNTVOFF, &first));
	for (volatile unsigned i = 0; i < 100000; i++)
		;
	kt_guest_skip(&g);
	CHECK_OK(sel4_vcpu_read_regs(g.vcpu, ABI_VCPU_CNTVOFF, &second));
	CHECK(first == 0 ? second == 0 : second > first + 1000);
	/* What follows wants the counter as it is. */
	CHECK_OK(sel4_vcpu_write_regs(g.vcpu, ABI_VCPU_CNTVOFF, 0));
}

static const struct kt_case cases[] = {
	{ "plain: no extension", no_extension },
	{ "plain: slots and memory of the root task", what_the_root_task_has },
	{ "plain: a guest's virtual time", virtual_time },
};
KT_GROUP(kt_plain_kernel);
