/* Privileged instructions that a guest does not have, or that do nothing here. */
#include "arch.h"

#include <selvage/log.h>
#include <string.h>

static void say(struct vm_vcpu *vc, const char *what)
{
	const unsigned long long n = vm_count(vc->vm, NULL, what);

	if (n != 0)
		log_warning("vCPU %u: %s at %llx (%llu so far)", vc->index, what,
			    (unsigned long long)vcpu_get(&vc->cpu.cpu, VCPU_RIP), n);
}

/* An instruction of three bytes, 0F first, behind any prefixes: REX and these, how many
 * bytes they all are. 0: there is none such. */
static unsigned fetch_control(struct vm_vcpu *vc, uint8_t insn[4])
{
	static const uint8_t prefixes[] = { 0xf0, 0xf2, 0xf3, 0x66, 0x67, 0x2e,
					    0x36, 0x3e, 0x26, 0x64, 0x65 };
	uint8_t bytes[15] = { 0 };
	const unsigned n = emulate_fetch(vc, bytes, sizeof(bytes));
	unsigned at = 0;

	insn[0] = 0;
	for (; at + 3 <= n && bytes[at] != 0x0f; at++) {
		if ((bytes[at] & 0xf0) == 0x40)
			insn[0] = bytes[at];
		else if (memchr(prefixes, bytes[at], sizeof(prefixes)) != NULL)
			insn[0] = 0; /* REX counts just before 0F */
		else
			return 0;
	}
	if (at + 3 > n)
		return 0;
	memcpy(insn + 1, bytes + at, 3);
	return at + 3;
}

/* Whether a MOV to a control register is next. */
static bool moves_to_control(struct vm_vcpu *vc)
{
	uint8_t insn[4];

	return fetch_control(vc, insn) != 0 && insn[2] == 0x22;
}

/*
 * QEMU's SVM makes this of a reserved bit that the guest writes to CR3 or CR4; a
 * processor raises #GP. An exception that is still to be delivered says that the
 * registers had been refused before.
 */
void state_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	if ((vcpu_get(&vc->cpu.cpu, VCPU_EVENT) & ABI_VCPU_EVENT_VALID) || !moves_to_control(vc))
		report_stop(vc, e, "registers that the processor refuses");
	report_note(vc, e, "reserved bits of a control register: #GP");
	vcpu_inject_protection(&vc->cpu.cpu);
}

/* MOV to or from CR8: how many bytes, and which register. 0: it is something else. */
static unsigned decode_cr8(struct vm_vcpu *vc, unsigned *reg)
{
	uint8_t insn[4];
	const unsigned n = fetch_control(vc, insn);

	if (n == 0 || (insn[2] & 0xfd) != 0x20)
		return 0;
	*reg = (insn[3] & 7u) | (insn[0] & 1u) << 3;
	return n;
}

/* Of a VM with a local APIC CR8 is the upper half of the task priority. */
void control_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	struct lapic *lapic = &vc->vm->pc.lapic;
	struct vcpu *v = &vc->cpu.cpu;
	unsigned reg = 0;
	const unsigned bytes = e->code == 8 ? decode_cr8(vc, &reg) : 0;

	if (bytes == 0)
		report_stop(vc, e, "a control register that the processor should have");
	if (e->write && vcpu_get(v, reg) >> 4 != 0) {
		report_note(vc, e, "reserved bits of a control register: #GP");
		vcpu_inject_protection(v);
		return;
	}
	if (e->write)
		lapic_set_cr8(lapic, (unsigned)vcpu_get(v, reg));
	else
		vcpu_set(v, reg, lapic_cr8(lapic));
	vcpu_set(v, VCPU_RIP, vcpu_get(v, VCPU_RIP) + bytes);
	vcpu_set(v, VCPU_SHADOW, 0);
	if (is_stepped(vc))
		vcpu_inject_step(v);
}

void instruction_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	switch (e->code) {
	case ABI_EXIT_INVD: /* and WBINVD: caches are the machine's */
		vcpu_advance(&vc->cpu.cpu);
		return;
	case ABI_EXIT_RDPMC: /* no such counter */
		report_note(vc, e, "RDPMC: #GP");
		vcpu_inject_protection(&vc->cpu.cpu);
		return;
	default: /* MONITOR, MWAIT, XSETBV: CPUID has none of them */
		undefined_exit(vc, e);
		return;
	}
}

/* An exception that a debugger asked for. */
void debug_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	if (vc->vm->hooks.debug != NULL)
		vc->vm->hooks.debug->event(vc, e);
	else
		vcpu_inject_exception(&vc->cpu.cpu, (uint8_t)e->code, false, 0);
}

/* There are no hypercalls. */
void hypercall_exit(struct vm_vcpu *vc)
{
	vcpu_set(&vc->cpu.cpu, VCPU_RAX, ~0ull);
	vcpu_advance(&vc->cpu.cpu);
}

void undefined_exit(struct vm_vcpu *vc, const struct vcpu_exit *e)
{
	say(vc, "an instruction that this processor does not have");
	report_note(vc, e, "an instruction that the vCPU does not have: #UD");
	vcpu_inject_undefined(&vc->cpu.cpu);
}
