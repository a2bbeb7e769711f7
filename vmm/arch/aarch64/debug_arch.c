/* Breakpoints, single step and debug exceptions of AArch64 and AArch32
 * (Arm ARM D2), by the kernel's extension VCPU_SET_DEBUG. */
#include "arch.h"
#include "gdb/debug.h"
#include "insn.h"

#include <selvage/base.h>
#include <selvage/fmt.h>
#include <selvage/log.h>
#include <string.h>

#define EC(esr) ((unsigned)((esr) >> 26) & 0x3f)
#define EC_BREAKPOINT 0x30u
#define EC_STEP 0x32u
#define EC_WATCHPOINT 0x34u
#define ESR_IL (1ull << 25)
#define IT_MASK 0x0600fc00ull

#define BCR(bas) (0x7u | (bas) << 5) /* E, EL1 and EL0 */
#define WCR(lsc, bas, mask) (0x7ull | (uint64_t)(lsc) << 3 | (uint64_t)(bas) << 5 | (mask) << 24)
#define WATCH_MAX_BITS 31u
#define VMCR_ENABLE 3u /* VENG0, VENG1 */

bool debug_possible(const struct vm *vm) { return vm->features & ABI_EXTF_VCPU_DEBUG; }

/* It never changes. */
void debug_begin(struct vm *vm) { (void)vm; }

unsigned debug_width(const struct vm *vm)
{
	return vm->info->vm.width;
}

void debug_identity(struct vm *vm, char *text, size_t size)
{
	uint64_t midr = 0;

	if (!vcpu_sel4_read(&vm->vcpu[0].cpu, ABI_EXTV_VPIDR, &midr))
		(void)vcpu_sel4_read(&vm->vcpu[0].cpu, ABI_EXTV_ID0, &midr);
	fmt_print(text, size, "\"accelerator\":\"selvage-el2\",\"cpu_midr\":\"0x%llx\"",
		  (unsigned long long)midr);
}

uint64_t debug_flags(struct vcpu *v, const char **name)
{
	*name = "cpsr";
	return vcpu_get(v, VCPU_PSTATE);
}

bool debug_translate(const struct vm *vm, struct vcpu_sel4 *view, uint64_t gva, uint64_t *gpa)
{
	return insn_translate(vm, &view->cpu, gva, gpa);
}

/* BRK #0x51; BKPT #0x51 in ARM and in Thumb (kinds 2 and 3). */
unsigned debug_soft_insn(const struct vm *vm, uint64_t kind, uint8_t insn[4])
{
	static const uint8_t brk[4] = { 0x20, 0x0a, 0x20, 0xd4 };
	static const uint8_t bkpt_a32[4] = { 0x71, 0x05, 0x20, 0xe1 };
	static const uint8_t bkpt_t32[2] = { 0x51, 0xbe };

	if (kind == 4) {
		memcpy(insn, debug_width(vm) == 64 ? brk : bkpt_a32, 4);
		return 4;
	}
	if (debug_width(vm) == 64 || (kind != 2 && kind != 3))
		return 0;
	memcpy(insn, bkpt_t32, 2);
	return 2;
}

void debug_publish(void *host, size_t n)
{
	uint64_t at = (uintptr_t)host;

	(void)sel4_vspace_clean_data(PROC_CAP_VSPACE, at, at + n);
	(void)sel4_vspace_unify_instruction(PROC_CAP_VSPACE, at, at + n);
}

void debug_woken(struct vm_vcpu *vc, uint64_t badges)
{
	if (badges & VMM_WAKE_TIMER)
		vc->vtimer.armed = 0;
}

static bool set_all(struct vm *vm, unsigned field, uint64_t value)
{
	for (unsigned i = 0; i < vm->info->n_vcpus; i++) {
		if (!vcpu_sel4_write(&vm->vcpu[i].cpu, field, value))
			return false;
	}
	return true;
}

bool debug_hard_set(struct vm *vm, unsigned i, const struct debug_hard *b)
{
	/* Thumb instructions are on halfwords. */
	uint64_t bas = b->size == 4 ? 0xf : 3ull << (b->at & 2);

	return set_all(vm, ABI_EXTV_DBGBCR0 + i, 0) &&
	       (!b->used || (set_all(vm, ABI_EXTV_DBGBVR0 + i, b->at) &&
			     set_all(vm, ABI_EXTV_DBGBCR0 + i, BCR(bas))));
}

/* False: the processor cannot watch such a range. */
static bool watch_control(const struct debug_hard *w, uint64_t *control)
{
	static const uint8_t lsc[GDB_POINTS] = { [GDB_WATCH_WRITE] = 2,
						 [GDB_WATCH_READ] = 1,
						 [GDB_WATCH_BOTH] = 3 };
	uint64_t offset = w->at & 7, bits;

	if (w->size >= 1 && w->size <= 8 - offset) {
		*control = WCR(lsc[w->type], mask_u64((unsigned)w->size) << offset, 0ull);
		return true;
	}
	if (w->size < 8 || (w->size & (w->size - 1)) != 0 || (w->at & (w->size - 1)) != 0)
		return false;
	bits = (uint64_t)__builtin_ctzll(w->size);
	*control = WCR(lsc[w->type], 0xffu, bits);
	return bits <= WATCH_MAX_BITS;
}

bool debug_watch_set(struct vm *vm, unsigned i, const struct debug_hard *w)
{
	uint64_t control = 0;

	if (!watch_control(w, &control))
		return false;
	return set_all(vm, ABI_EXTV_DBGWCR0 + i, 0) &&
	       (!w->used || (set_all(vm, ABI_EXTV_DBGWVR0 + i, w->at & ~7ull) &&
			     set_all(vm, ABI_EXTV_DBGWCR0 + i, control)));
}

void debug_set_mode(struct vm_vcpu *vc, enum debug_mode mode)
{
	static const uint64_t bits[] = {
		[DEBUG_OFF] = 0,
		[DEBUG_EVENTS] = ABI_EXT_DEBUG_EVENTS,
		[DEBUG_STEP] = ABI_EXT_DEBUG_EVENTS | ABI_EXT_DEBUG_STEP,
	};

	if (sel4_ext_vcpu_set_debug(vc->cpu.caps.vcpu, bits[mode]) != ABI_OK)
		log_error("vCPU %u: the kernel refuses to debug it", vc->index);
}

/* ITSTATE goes on with each instruction of an IT block (F1.2.2). */
static uint64_t it_advance(uint64_t pstate)
{
	uint64_t it = (pstate >> 25 & 3) | (pstate >> 8 & 0xfc);

	it = it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
	return (pstate & ~IT_MASK) | (it & 3) << 25 | (it & 0xfc) << 8;
}

void debug_skip(struct vcpu *v, unsigned bytes)
{
	vcpu_set(v, VCPU_PC, vcpu_get(v, VCPU_PC) + bytes);
	if (v->narrow)
		vcpu_set(v, VCPU_PSTATE, it_advance(vcpu_get(v, VCPU_PSTATE)));
}

void debug_settle(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct vcpu *v = &vc->cpu.cpu;

	if (v->advance && !(v->dirty & vcpu_bit(VCPU_PC)))
		debug_skip(v, e->syndrome & ESR_IL ? 4 : 2);
	v->advance = false;
}

/* Not by PSTATE, which the instruction that is stepped may read or write. */
void debug_irqs_mask(struct vm_vcpu *vc)
{
	uint64_t vmcr;

	if (stub.vcpu[vc->index].masked != 0 || !vcpu_sel4_read(&vc->cpu, ABI_EXTV_VMCR, &vmcr))
		return;
	stub.vcpu[vc->index].masked = vmcr & VMCR_ENABLE;
	(void)vcpu_sel4_write(&vc->cpu, ABI_EXTV_VMCR, vmcr & ~(uint64_t)VMCR_ENABLE);
}

void debug_irqs_unmask(struct vm_vcpu *vc)
{
	uint64_t vmcr;

	if (stub.vcpu[vc->index].masked == 0 || !vcpu_sel4_read(&vc->cpu, ABI_EXTV_VMCR, &vmcr))
		return;
	/* If the guest has written it since, that counts. */
	if ((vmcr & VMCR_ENABLE) == 0)
		(void)vcpu_sel4_write(&vc->cpu, ABI_EXTV_VMCR, vmcr | stub.vcpu[vc->index].masked);
	stub.vcpu[vc->index].masked = 0;
}

void debug_delay(struct vm *vm, uint64_t ticks)
{
	vm->virtual_offset += ticks;
	for (unsigned i = 0; i < vm->info->n_vcpus; i++)
		(void)vcpu_sel4_write(&vm->vcpu[i].cpu, ABI_VCPU_CNTVOFF, vm_offset(vm));
}

enum debug_what debug_what(struct vm_vcpu *vc, const struct vcpu_exit *e, uint64_t *address)
{
	(void)vc;
	*address = e->gva;
	switch (EC(e->syndrome)) {
	case EC_STEP:
		return DEBUG_WHAT_STEP;
	case EC_BREAKPOINT:
		return DEBUG_WHAT_HARD;
	case EC_WATCHPOINT:
		return DEBUG_WHAT_WATCH;
	default:
		return DEBUG_WHAT_SOFT;
	}
}

void debug_reflect(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	vcpu_inject_break(&vc->cpu.cpu, e->syndrome);
}
