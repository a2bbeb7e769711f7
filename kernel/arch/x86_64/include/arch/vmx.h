/* VT-x: fields, controls and instructions (Intel SDM 3, chapters 25 to 28, appendices A and B). */
#pragma once

#include <arch/cpu.h>
#include <kernel/types.h>

#define MSR_FEATURE_CONTROL 0x3a
#define MSR_VMX_BASIC 0x480
#define MSR_VMX_PIN 0x481 /* then primary, exit, entry; TRUE ones from 0x48d on */
#define MSR_VMX_MISC 0x485
#define MSR_VMX_SECONDARY 0x48b
#define MSR_VMX_EPT_VPID 0x48c
#define MSR_VMX_TRUE_PIN 0x48d

/* IO_MAP is two. */
/* clang-format off */
enum vmcs_field {
	VMCS_VPID = 0, VMCS_HOST_SELECTOR = 0xc00, VMCS_IO_MAP = 0x2000, VMCS_MSR_MAP = 0x2004,
	VMCS_EXIT_LOAD = 0x2008, VMCS_ENTRY_LOAD = 0x200a, VMCS_TSC_OFFSET = 0x2010,
	VMCS_EPTP = 0x201a, VMCS_XSS_MAP = 0x202c, VMCS_GPA = 0x2400, VMCS_LINK = 0x2800,
	VMCS_DEBUGCTL = 0x2802, VMCS_PAT = 0x2804, VMCS_EFER = 0x2806, VMCS_HOST_PAT = 0x2c00,
	VMCS_HOST_EFER = 0x2c02, VMCS_PIN = 0x4000, VMCS_PRIMARY = 0x4002,
	VMCS_EXCEPTIONS = 0x4004, VMCS_EXIT = 0x400c, VMCS_EXIT_LOADS = 0x4010,
	VMCS_ENTRY = 0x4012, VMCS_ENTRY_LOADS = 0x4014, VMCS_EVENT = 0x4016,
	VMCS_SECONDARY = 0x401e, VMCS_ERROR = 0x4400, VMCS_REASON = 0x4402,
	VMCS_EXIT_EVENT = 0x4404, VMCS_BYTES = 0x440c, VMCS_SHADOW = 0x4824,
	VMCS_ACTIVITY = 0x4826, VMCS_TIMER = 0x482e, VMCS_CR0_MASK = 0x6000,
	VMCS_CR4_MASK = 0x6002, VMCS_QUALIFICATION = 0x6400, VMCS_CR0 = 0x6800,
	VMCS_CR3 = 0x6802, VMCS_CR4 = 0x6804, VMCS_DR7 = 0x681a, VMCS_RSP = 0x681c,
	VMCS_RIP = 0x681e, VMCS_RFLAGS = 0x6820, VMCS_HOST_CR0 = 0x6c00, VMCS_HOST_CR3 = 0x6c02,
	VMCS_HOST_CR4 = 0x6c04, VMCS_HOST_GS_BASE = 0x6c08, VMCS_HOST_TR_BASE = 0x6c0a,
	VMCS_HOST_GDTR_BASE = 0x6c0c, VMCS_HOST_IDTR_BASE = 0x6c0e, VMCS_HOST_RSP = 0x6c14,
	VMCS_HOST_RIP = 0x6c16,
};
enum vmx_reason {
	VMX_EXCEPTION = 0, VMX_INTERRUPT = 1, VMX_PORT = 30, VMX_MACHINE_CHECK = 41,
	VMX_PAGE = 48, VMX_TIMER = 52, VMX_FAILED = -1, /* the instruction itself did */
};
/* clang-format on */
#define PIN_TIMER (1u << 6)
#define ENTRY_LONG (1u << 9)
#define CR4_VMXE (1ull << 13)

/* clang-format off */
static inline word_t vmread(unsigned field)
{
	word_t value;

	__asm__ volatile("vmread %1, %0" : "=r"(value) : "r"((word_t)field) : "cc");
	return value;
}
static inline void vmwrite(unsigned field, word_t value)
{
	__asm__ volatile("vmwrite %1, %0" ::"r"((word_t)field), "r"(value) : "cc");
}
/* clang-format on */
