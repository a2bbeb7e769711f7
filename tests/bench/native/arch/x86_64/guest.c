/*
 * Rows with a guest in real mode that times its exits by the TSC, as
 * guests/micropc does; this task is the least of a monitor, on lib/vcpu, in the
 * other address space. Timing and the loop's parts between are 2 of each figure.
 */
#include "machine.h"

#include <abi/ext.h>
#include <selvage/rt.h>
#include <selvage/vcpu_sel4.h>
#include <string.h>

#define GUEST_CODE 0x1000u
#define GUEST_TIMES 0x2000u /* a page for each row */
#define WINDOW 0x70000000ull
#define ROWS 4u
#define PAGES (2 + ROWS)
#define GUEST_ROUNDS 1000u
#define DOORBELL 0x50
#define WRITE_BACK 6
#define RIGHTS (ABI_RIGHT_READ | ABI_RIGHT_WRITE)

extern const char guest_exits[], guest_exits_end[];
__asm__(".section .rodata\n"
	".code16\n"
	".macro timed row, instruction:vararg\n"
	"mov $1020, %ebp\n"
	"mov $0x2000 + \\row * 0x1000, %edi\n"
	"1: rdtsc\n"
	"mov %eax, %esi\n"
	"\\instruction\n"
	"rdtsc\n"
	"sub %esi, %eax\n"
	"mov %eax, (%edi)\n"
	"add $4, %edi\n"
	"dec %ebp\n"
	"jnz 1b\n"
	".endm\n"
	"guest_exits:\n"
	"timed 0, vmmcall\n"
	"timed 1, cpuid\n"
	"timed 2, inb $0x60, %al\n"
	"timed 3, outb %al, $0x50\n"
	"hlt\n"
	"guest_exits_end:\n"
	".code64\n"
	".previous\n");

static struct vcpu_sel4 monitor;
static cap_t done;

/* Passive: the guest pays for its exits. */
static void monitor_helper(void *arg)
{
	struct vcpu *v = &monitor.cpu;
	struct vcpu_exit e;

	(void)arg;
	for (;;) {
		vcpu_run(v, &e);
		switch (e.reason) {
		case VCPU_EXIT_HYPERCALL:
			vcpu_set(v, VCPU_RAX, 0);
			vcpu_advance(v);
			break;
		case VCPU_EXIT_FEATURES: vcpu_finish_cpuid(v, 1, 2, 3, 4); break;
		case VCPU_EXIT_PORT: vcpu_finish_in(v, &e, 5); break;
		default: sel4_signal(done); break; /* HLT, and again */
		}
	}
}

/* VMMCALL is SVM's. */
static void use_vmcall(uint8_t *code)
{
	static const uint8_t vmmcall[] = { 0x0f, 0x01, 0xd9 };

	while (memcmp(code, vmmcall, sizeof(vmmcall)) != 0)
		code++;
	code[2] = 0xc1;
}

static void map_guest(cap_t ept, const uint8_t *window)
{
	for (unsigned level = 0; level < 3; level++)
		MUST(sel4_ept_table_map(make(pool, ABI_OBJ_EPT_PDPT + level, 0),
					ABI_INV_X86_EPT_PDPT_MAP + 2 * level, ept, 0));
	for (unsigned i = 0; i < PAGES; i++) {
		cap_t frame = make(pool, ABI_OBJ_SMALL_PAGE, 0);

		map_into(ABI_ROOT_VSPACE, copy_of(frame), (uintptr_t)window + i * PAGE,
			 ABI_VM_DEFAULT);
		MUST(sel4_page_map_ept(frame, ept, i * PAGE, RIGHTS, WRITE_BACK));
	}
}

void measure_guest(void)
{
	static const char *const rows[ROWS] = { "hypercall_stub", "cpuid_stub",
						"pio_stub", "doorbell_stub" };
	uint8_t *memory = (uint8_t *)WINDOW;
	struct vcpu_caps caps = {
		.tcb = make(pool, ABI_OBJ_TCB, 0),
		.fault_ep = make(pool, ABI_OBJ_ENDPOINT, 0),
		.reply = make(pool, ABI_OBJ_REPLY, 0),
		.features = sel4_ext_query(ABI_ROOT_TCB),
	};

	if (!(caps.features & ABI_EXTF_EXIT_MESSAGE))
		return;
	cap_t ept = make(pool, ABI_OBJ_EPT_PML4, 0), sc = make(pool, ABI_OBJ_SCHED_CONTEXT, 8);
	caps.vcpu = make(pool, ABI_OBJ_VCPU, 0);
	done = make(pool, ABI_OBJ_NOTIFICATION, 0);
	MUST(sel4_asid_pool_assign(ABI_ROOT_ASID_POOL, ept));
	map_guest(ept, memory);
	memcpy(memory + GUEST_CODE, guest_exits, (size_t)(guest_exits_end - guest_exits));
	if (!vcpu_sel4_init(&monitor, &caps))
		rt_panic("monitor");
	if (monitor.vmx.on)
		use_vmcall(memory + GUEST_CODE);
	vcpu_reset(&monitor.cpu);
	vcpu_set(&monitor.cpu, VCPU_CS, VCPU_SEG(0, VCPU_ATTR_CODE, 0xffff));
	vcpu_set(&monitor.cpu, VCPU_CS_BASE, 0);
	vcpu_set(&monitor.cpu, VCPU_RIP, GUEST_CODE);
	MUST(sel4_tcb_configure(caps.tcb, ABI_ROOT_CNODE, ABI_ROOT_VSPACE, 0, 0, 0, 0));
	MUST(sel4_tcb_set_ept_root(caps.tcb, ept));
	MUST(sel4_vcpu_set_tcb(caps.vcpu, caps.tcb));
	MUST(sel4_ext_vcpu_set_doorbell(caps.vcpu, 0, DOORBELL, ABI_DOORBELL_PORT | 1, 0,
					make(pool, ABI_OBJ_NOTIFICATION, 0)));
	MUST(sel4_sched_control_configure(rt_bootinfo()->sched_control.start, sc, BUDGET_US,
					  BUDGET_US, 0, 0, 0));
	MUST(sel4_tcb_set_sched_params(caps.tcb, ABI_ROOT_TCB, sc, caps.fault_ep, 255,
				       PRIO_CLIENT - 1));
	if (!vcpu_flush(&monitor.cpu))
		rt_panic("monitor");
	start(5, monitor_helper, true);
	MUST(sel4_tcb_resume(caps.tcb));
	(void)sel4_wait(done);
	MUST(sel4_tcb_suspend(caps.tcb));
	for (unsigned row = 0; row < ROWS; row++) {
		const uint32_t *taken = (const uint32_t *)(const void *)(memory + GUEST_TIMES +
									 row * PAGE);

		for (unsigned i = 0; i < GUEST_ROUNDS + WARM_UP; i++)
			take_sample(i, taken[i]);
		report(rows[row], GUEST_ROUNDS);
	}
}
