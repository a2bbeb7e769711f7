#include "exit_names.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ESR_EL2.EC (Arm ARM, D17.2.37). */
static const char *of_esr(uint32_t esr, char text[EXIT_NAME])
{
	switch (esr >> 26) {
	case 0x01: return esr & 1 ? "wfe" : "wfi";
	case 0x12:
	case 0x16: return "hypercall";
	case 0x13:
	case 0x17: return "secure call";
	case 0x18: return "sysreg";
	case 0x20: return "fetch";
	case 0x24: return "mmio";
	default: snprintf(text, EXIT_NAME, "class 0x%02x", esr >> 26); return text;
	}
}

/* AMD's APM volume 2, appendix C: those from here on that are one of their kind. */
#define SVM_NAMED 0x60u
static const char *const svm_names[] = {
	"interrupt", "nmi", "smi", "init", "irq-window", "cr0 write", "idtr read", "gdtr read",
	"ldtr read", "tr read", "idtr write", "gdtr write", "ldtr write", "tr write", "rdtsc",
	"rdpmc", "pushf", "popf", "cpuid", "rsm", "iret", "int n", "invd", "pause", "hlt", "invlpg",
	"invlpga", "port", "msr", "task-switch", "ferr freeze", "shutdown", "vmrun", "hypercall",
	"vmload", "vmsave", "stgi", "clgi", "skinit", "rdtscp", "icebp", "wbinvd", "monitor",
	"mwait", "mwait", "xsetbv", "rdpru"
};
#define SVM_PAGE 0x400u
#define SVM_INVALID UINT32_MAX

static const char *of_svm(uint32_t code, char text[EXIT_NAME])
{
	if (code < 0x40)
		snprintf(text, EXIT_NAME, "%s%u %s", code & 0x20 ? "dr" : "cr", code & 15,
			 code & 0x10 ? "write" : "read");
	else if (code < SVM_NAMED)
		snprintf(text, EXIT_NAME, "exception %u", code & 31);
	else if (code - SVM_NAMED < sizeof(svm_names) / sizeof(svm_names[0]))
		return svm_names[code - SVM_NAMED];
	else if (code == SVM_PAGE)
		return "nested page";
	else if (code == SVM_INVALID)
		return "bad-state";
	else
		snprintf(text, EXIT_NAME, "code 0x%x", code);
	return text;
}

/* Intel's SDM volume 3, appendix C; none: reserved. */
static const char *const vmx_names[] = {
	"exception", "interrupt", "shutdown", "init", "sipi", "smi", "smi", "irq-window",
	"nmi window", "task-switch", "cpuid", "getsec", "hlt", "invd", "invlpg", "rdpmc", "rdtsc",
	"rsm", "hypercall", "vmclear", "vmlaunch", "vmptrld", "vmptrst", "vmread", "vmresume",
	"vmwrite", "vmxoff", "vmxon", "cr access", "dr access", "port", "msr read", "msr write",
	"bad-state", "bad-state", NULL, "mwait", "monitor trap", NULL, "monitor", "pause",
	"machine check", NULL, "tpr", "apic access", "eoi", "gdtr or idtr", "ldtr or tr",
	"nested page", "nested page table", "invept", "rdtscp", "timer", "invvpid", "wbinvd",
	"xsetbv", "apic write", "rdrand", "invpcid", "vmfunc", NULL, "rdseed", "page log full",
	"xsaves", "xrstors"
};
#define VMX_FAILED UINT32_MAX /* the instruction did */
#define VMX_REASON 0xffffu    /* beside it: that the entry failed */

static const char *of_vmx(uint32_t reason, char text[EXIT_NAME])
{
	const uint32_t basic = reason & VMX_REASON;

	if (reason == VMX_FAILED)
		return "bad-state";
	if (basic < sizeof(vmx_names) / sizeof(vmx_names[0]) && vmx_names[basic])
		return vmx_names[basic];
	snprintf(text, EXIT_NAME, "reason %u", basic);
	return text;
}

static const struct {
	const char *name;
	const char *(*of)(uint32_t number, char text[EXIT_NAME]);
} kinds[] = {
	[EXIT_CODES_ESR] = { "esr", of_esr },
	[EXIT_CODES_SVM] = { "svm", of_svm },
	[EXIT_CODES_VMX] = { "vmx", of_vmx },
};

enum exit_codes exit_codes_of(const char *name)
{
	unsigned i = sizeof(kinds) / sizeof(kinds[0]);

	while (--i > 0 && strcmp(kinds[i].name, name) != 0)
		;
	return (enum exit_codes)i;
}

const char *exit_name(enum exit_codes codes, uint32_t number, char text[EXIT_NAME])
{
	return kinds[codes].of(number, text);
}
