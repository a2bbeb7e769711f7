/*
 * The record of a fault that nothing handles, and the end of the VM; and a few
 * words on those before it, which the guest itself got to handle.
 *
 * The record is text in the log, one line a section: `fault SECTION: key=value
 * ...`, values with blanks in quotes. `selvage faults` makes JSON of it
 * (docs/schema/fault.schema.json).
 */
#pragma once

#include "diagnose.h"

#include <selvage/log.h>
#include <selvage/vcpu.h>
#include <stdbool.h>
#include <stdint.h>

struct vm;
struct vm_vcpu;

#define REPORT_EARLIER 8u
/* Faults that were injected into the guest. The same one again is counted. */
struct report_ring {
	uint64_t n; /* distinct ones so far */
	struct report_earlier {
		const char *what; /* static */
		uint64_t pc, address, count;
		unsigned vcpu;
	} entry[REPORT_EARLIER];
};

/* Under the lock: an exception is about to be injected. */
void report_note(struct vm_vcpu *vc, const struct vcpu_exit *e, const char *what);
/*
 * Under the lock, from vc's handler: writes the record to the log and has init
 * take this VM down. Other VMs go on.
 */
_Noreturn void report_stop(struct vm_vcpu *vc, const struct vcpu_exit *e,
			   const char *what);

#define report_say(section, ...) log_error("fault " section ": " __VA_ARGS__)
#define REPORT_YES(condition) ((condition) ? "yes" : "no")

/* Whether it has an address. */
static inline bool report_is_access(const struct vcpu_exit *e)
{
	return e->reason == VCPU_EXIT_MMIO || e->reason == VCPU_EXIT_FETCH ||
	       e->reason == VCPU_EXIT_MMIO_OPAQUE;
}

/* arch/ */
/* What the hardware says of the exit. */
void report_arch_syndrome(const struct vcpu_exit *e);
/* Of an access: of a walk of the guest's own tables. */
bool report_arch_is_walk(const struct vcpu_exit *e);
void report_arch_registers(struct vm_vcpu *vc);
/* The instruction; what took the vCPU into its vectors; its tables. */
void report_arch_code(struct vm_vcpu *vc, const struct vcpu_exit *e);
/* What depends on registers: all but kind, first and what stands at gpa. */
void report_arch_facts(struct vm_vcpu *vc, const struct vcpu_exit *e, struct fault_facts *f);
