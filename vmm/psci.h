/*
 * PSCI 1.1 (Arm DEN 0022D.b) and the version calls of SMCCC 1.1 (DEN 0028)
 * for the vCPUs of one VM. State and decisions only: what a call does to a
 * vCPU or the VM is carried out by the callbacks and the returned action.
 *
 * One caller at a time (the VM's lock).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PSCI_MAX_VCPUS 8

enum psci_power { PSCI_OFF = 0,
		  PSCI_ON = 1,
		  PSCI_ON_PENDING = 2 };

/* What the calling vCPU does after the call. */
enum psci_action {
	PSCI_RETURN,  /* goes on with *result in x0 */
	PSCI_STANDBY, /* waits as WFI does, then goes on so */
	PSCI_PARK,    /* is off until somebody switches it on */
	PSCI_VM_OFF,
	PSCI_VM_RESET,
};

struct psci_env {
	void *opaque;
	/* Starts a vCPU that is off at `entry` with x0 = `context`. False: it
	 * cannot be started now. */
	bool (*cpu_on)(void *opaque, unsigned vcpu, uint64_t entry,
		       uint64_t context);
	/* Whether `entry` is an address that can be executed. */
	bool (*entry_valid)(void *opaque, uint64_t entry);
};

struct psci {
	struct psci_env env;
	unsigned n_vcpus;
	enum psci_power power[PSCI_MAX_VCPUS];
};

void psci_init(struct psci *p, unsigned n_vcpus, const struct psci_env *env);
/* vCPU `vcpu` runs now: it was started by CPU_ON or at boot. */
void psci_running(struct psci *p, unsigned vcpu);
/*
 * A hypercall of `vcpu` with x0-x3 in args[]. *result is x0 afterwards, set
 * whenever the action is PSCI_RETURN or PSCI_STANDBY; no call changes another
 * register. Any function number is accepted: unknown ones return
 * NOT_SUPPORTED.
 */
enum psci_action psci_call(struct psci *p, unsigned vcpu,
			   const uint64_t args[4], uint64_t *result);
/* Whether the function number is one that psci_call knows. */
bool psci_known(uint32_t function);
