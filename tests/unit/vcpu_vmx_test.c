/* lib/vcpu under VT-x, on a VMCS that this file plays: an interrupt that waits for the
 * guest's window is on its way whenever another thread asks. */
#include <selvage/vcpu_vmx.h>

#include "unit.h"

#include <selvage/sel4.h>
#include <string.h>

#define PRIMARY 0x4002u /* SDM 3, B.3.1 */
#define EVENT 0x4016u
#define PRIMARY_WINDOW 4u
#define REASON_WINDOW 7u
#define RFLAGS_OPEN 0x202u
#define VECTOR 0x31u
/* Words of an exit: vmx.c. */
enum { AT_EVENT = 2,
       AT_REASON,
       AT_RFLAGS = 7 };

static struct abi_ipcbuf buffer;
_Thread_local struct abi_ipcbuf *sel4_ipcbuf;

static struct {
	uint64_t value[0x8000];
	struct vmx_vcpu *watched;
	unsigned watches;
} k;

static uint64_t *word(struct sel4_trap *t, unsigned i)
{
	return i < SEL4_MSG_REGS ? &t->mr[i] : &buffer.msg[i];
}

/* Another thread, in the middle of a call. */
static void watch(void)
{
	struct vmx_vcpu *x = k.watched;
	const struct abi_ipcbuf mine = buffer;
	uint64_t reg[ABI_VCPU_REG_COUNT];

	if (x == NULL)
		return;
	k.watched = NULL;
	assert_int_equal(vmx_read_set(x, 1ull << ABI_VCPU_IRQ, reg), ABI_OK);
	assert_int_equal(reg[ABI_VCPU_IRQ], ABI_VCPU_IRQ_PENDING | VECTOR);
	k.watches++;
	k.watched = x;
	buffer = mine;
}

static void transfer(struct sel4_trap *t, bool write)
{
	const bool list = t->mr[0] == ABI_VCPU_FIELDS;
	const unsigned step = write ? 2 : 1, n = (unsigned)(t->info & 127);

	for (unsigned i = list; i < n; i += step) {
		uint64_t *field = &k.value[*word(t, i) % 0x8000];

		if (write)
			*field = *word(t, i + 1);
		else
			*word(t, list ? i - 1 : i) = *field;
	}
	t->info = 0;
}

void sel4_arch_trap(int64_t number, struct sel4_trap *t)
{
	const bool write = msginfo_label(t->info) == ABI_INV_X86_VCPU_WRITE_VMCS;

	assert_int_equal(number, ABI_SYS_CALL);
	if (write)
		watch();
	transfer(t, write);
	if (write)
		watch();
}

uint64_t sel4_arch_trap_bare(int64_t number, uint64_t cap, uint64_t info)
{
	(void)number;
	(void)cap;
	return info;
}

static struct vmx_vcpu make(void)
{
	struct vmx_vcpu x;

	memset(&k, 0, sizeof(k));
	sel4_ipcbuf = &buffer;
	assert_true(vmx_vcpu_init(&x, 11));
	assert_true(x.on);
	return x;
}

static void ask(struct vmx_vcpu *x, uint64_t irq)
{
	uint64_t reg[ABI_VCPU_REG_COUNT];

	reg[ABI_VCPU_IRQ] = irq;
	assert_int_equal(vmx_write_set(x, 1ull << ABI_VCPU_IRQ, reg), ABI_OK);
	assert_true(k.value[PRIMARY] & PRIMARY_WINDOW);
	assert_false(k.value[EVENT] & ABI_VCPU_EVENT_VALID);
}

/* Whether it is the monitor's. */
static bool window(struct vmx_vcpu *x, uint64_t *label)
{
	uint64_t mr[SEL4_MSG_REGS] = { [AT_EVENT] = k.value[EVENT], [AT_REASON] = REASON_WINDOW };

	memset(&buffer, 0, sizeof(buffer));
	buffer.msg[AT_RFLAGS] = RFLAGS_OPEN;
	return vmx_exit(x, label, mr);
}

static void test_pending(void **state)
{
	struct vmx_vcpu x = make();
	uint64_t label;

	(void)state;
	ask(&x, ABI_VCPU_IRQ_PENDING | VECTOR);
	k.watched = &x;
	assert_false(window(&x, &label));
	assert_int_equal(k.watches, 2);
	assert_int_equal(k.value[EVENT], ABI_VCPU_EVENT_VALID | VECTOR);
	assert_false(k.value[PRIMARY] & PRIMARY_WINDOW);
	watch();
}

static void test_asked(void **state)
{
	struct vmx_vcpu x = make();
	uint64_t label = 0;

	(void)state;
	ask(&x, ABI_VCPU_IRQ_WINDOW);
	assert_true(window(&x, &label));
	assert_int_equal(label >> ABI_EXIT_REASON_SHIFT & 0xff, ABI_EXIT_WINDOW);
	assert_true(label & ABI_EXIT_OPEN);
	assert_false(label & ABI_EXIT_IRQ_PENDING);
	assert_false(k.value[PRIMARY] & PRIMARY_WINDOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
