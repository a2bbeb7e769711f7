/* Exit message to struct vcpu_exit. */
#pragma once

#include <abi/vcpu.h>
#include <selvage/vcpu.h>

static inline unsigned exit_reason(uint64_t label)
{
	return (unsigned)(label >> ABI_EXIT_REASON_SHIFT) & ABI_EXIT_REASON_MASK;
}

static inline unsigned exit_bytes(uint64_t label)
{
	return (unsigned)(label >> ABI_EXIT_BYTES_SHIFT) & ABI_EXIT_BYTES_MASK;
}

static inline uint32_t exit_detail(uint64_t label)
{
	return (uint32_t)(label >> ABI_EXIT_DETAIL_SHIFT) & ABI_EXIT_DETAIL_MASK;
}

/* Whether the message is of the kind with an address and registers to decode. */
static inline bool exit_is_access(uint64_t label)
{
	return exit_reason(label) >= ABI_EXIT_FIRST_ACCESS;
}

/* It is VT-x's own: vmx_exit comes first. */
static inline bool exit_is_raw(uint64_t label)
{
	return (uint8_t)label == ABI_EXT_FAULT_EXIT && exit_reason(label) == ABI_EXIT_VMX;
}

/* mr: the message's words. Any label is accepted. */
void vcpu_decode_exit(uint64_t label, const uint64_t mr[4], struct vcpu_exit *e);
