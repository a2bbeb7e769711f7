#include "device.h"

#include "service.h"

#include <selvage/base.h>
#include <selvage/serve.h>
#include <stddef.h>

static bool note(struct process *p, cap_t frame, const char *type, const char *what, uint64_t at,
		 uint64_t bytes)
{
	const struct grant grant = {
		.holder = p->number,
		.rights = ABI_RIGHT_READ | ABI_RIGHT_WRITE,
		.slot = GRANT_MAPPED,
		.object = (uint32_t)frame,
		.type = type,
		.what = what,
		.at = at,
		.bytes = bytes,
	};

	return process_note(p, &grant);
}

static bool give_registers(struct process *p, uint64_t paddr, const char *what)
{
	const uint64_t page = align_down_u64(paddr, bit_u64(ABI_PAGE_BITS));
	const uint64_t offset = paddr - page;
	cap_t frame = mem_device_frame(page);
	cap_t copy = frame == 0 ? 0 : mem_copy(&p->mem, frame, ABI_RIGHTS_ALL);

	return copy != 0 && note(p, frame, "Device", what, page, 0) &&
	       map_page(&p->mem, p->vspace, copy, PROC_DEVICE_BASE, MAP_RW, MAP_DEVICE) ==
		       ABI_OK &&
	       process_tell(p, offsetof(struct serve_info, device_offset), &offset,
			    sizeof(offset));
}

/* One large page: it is in one piece for the device too. */
static bool give_memory(struct process *p, const char *what)
{
	cap_t frame = mem_object(&p->mem, ABI_OBJ_LARGE_PAGE);
	uint64_t at;

	return frame != 0 && sel4_page_get_address(frame, &at) == ABI_OK &&
	       note(p, frame, "Memory", what, 0, bit_u64(ABI_LARGE_PAGE_BITS)) &&
	       map_page(&p->mem, p->vspace, frame, SERVE_DMA, MAP_RW, MAP_DATA) == ABI_OK &&
	       process_tell(p, offsetof(struct serve_info, dma_at), &at, sizeof(at));
}

bool device_give(struct process *p, uint64_t paddr, const char *what)
{
	return give_registers(p, paddr, what) && give_memory(p, what) &&
	       service_give_irq(p, PROC_CAP_DEVICE_IRQ, sysdesc_machine_irq(paddr), true,
				SERVER_NTFN | SERVE_BIT_IRQ);
}
