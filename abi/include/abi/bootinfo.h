/* What the root task finds: slots, boot information, extra chunks. */
#pragma once

#include <abi/config.h>
#include <stddef.h>
#include <stdint.h>

enum abi_root_slot {
	ABI_ROOT_NULL = 0,
	ABI_ROOT_TCB = 1,
	ABI_ROOT_CNODE = 2,
	ABI_ROOT_VSPACE = 3,
	ABI_ROOT_IRQ_CONTROL = 4,
	ABI_ROOT_ASID_CONTROL = 5,
	ABI_ROOT_ASID_POOL = 6,
	ABI_ROOT_IO_PORT = 7,
	ABI_ROOT_IO_SPACE = 8,
	ABI_ROOT_BOOTINFO = 9,
	ABI_ROOT_IPC_BUFFER = 10,
	ABI_ROOT_DOMAIN = 11,
	ABI_ROOT_SMMU_SID = 12,
	ABI_ROOT_SMMU_CB = 13,
	ABI_ROOT_SCHED_CONTEXT = 14,
	ABI_ROOT_SMC = 15,
	ABI_ROOT_FIRST_DYNAMIC = 16,
};

#define ABI_BOOT_UNTYPEDS 230

struct abi_region {
	uint64_t start, end; /* slots [start, end) */
};

struct abi_untyped_desc {
	uint64_t paddr;
	uint8_t size_bits;
	uint8_t is_device;
	uint8_t pad[6];
};

struct abi_bootinfo {
	uint64_t extra_len; /* bytes of extra chunks at bootinfo + 4096 */
	uint64_t node_id;
	uint64_t num_nodes;
	uint64_t num_iopt_levels;
	uint64_t ipc_buffer;
	struct abi_region empty;
	struct abi_region shared_frames;
	struct abi_region user_image_frames;
	struct abi_region user_image_paging;
	struct abi_region io_space_caps;
	struct abi_region extra_bi_pages;
	uint64_t init_thread_cnode_bits;
	uint64_t init_thread_domain;
	struct abi_region sched_control;
	struct abi_region untyped;
	struct abi_untyped_desc untyped_list[ABI_BOOT_UNTYPEDS];
};

_Static_assert(offsetof(struct abi_bootinfo, empty) == 40, "empty");
_Static_assert(offsetof(struct abi_bootinfo, init_thread_cnode_bits) == 136, "bits");
_Static_assert(offsetof(struct abi_bootinfo, sched_control) == 152, "schedcontrol");
_Static_assert(offsetof(struct abi_bootinfo, untyped_list) == 184, "untypedList");
_Static_assert(sizeof(struct abi_bootinfo) == 3864, "bootinfo size");

/* clang-format off */
enum abi_extra_id {
	ABI_EXTRA_PADDING = 0,
	ABI_EXTRA_VBE = 1,         /* x86-64, as the rest up to 5 */
	ABI_EXTRA_MEMORY_MAP = 2,  /* of Multiboot */
	ABI_EXTRA_ACPI_RSDP = 3,
	ABI_EXTRA_FRAMEBUFFER = 4,
	ABI_EXTRA_TSC_MHZ = 5,
	ABI_EXTRA_FDT = 6,         /* AArch64 */
};
/* clang-format on */

struct abi_extra_chunk {
	uint64_t id;
	uint64_t len; /* bytes, this header included */
};
