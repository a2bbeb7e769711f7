#include "device.h"

#include "board.h"
#include "service.h"

#include <selvage/base.h>
#include <selvage/log.h>
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

static bool map_window(struct process *p, uint64_t at, uint64_t bytes, uint64_t vaddr)
{
	const uint64_t page = bit_u64(ABI_PAGE_BITS);

	for (uint64_t done = 0; done < bytes; done += page) {
		cap_t frame = mem_device_frame(at + done);
		cap_t copy = frame == 0 ? 0 : mem_copy(&p->mem, frame, ABI_RIGHTS_ALL);

		if (copy == 0 || map_page(&p->mem, p->vspace, copy, vaddr + done, MAP_RW,
					  MAP_DEVICE) != ABI_OK)
			return false;
	}
	return true;
}

bool device_map(struct process *p, uint64_t page, uint64_t vaddr, const char *what)
{
	return map_window(p, page, bit_u64(ABI_PAGE_BITS), vaddr) &&
	       note(p, mem_device_frame(page), "Device", what, page, 0);
}

static bool give_registers(struct process *p, const struct board_device *d, const char *what)
{
	uint64_t first = align_down_u64(d->window[0].at, bit_u64(ABI_PAGE_BITS));

	for (unsigned i = 0; i < SERVE_WINDOWS; i++) {
		uint64_t page = align_down_u64(d->window[i].at, bit_u64(ABI_PAGE_BITS));
		uint64_t bytes = d->window[i].at + d->window[i].bytes - page;

		if (d->window[i].bytes != 0 &&
		    !map_window(p, page, bytes,
				PROC_DEVICE_BASE + (uint64_t)i * SERVE_WINDOW_BYTES))
			return false;
	}
	return note(p, mem_device_frame(first), "Device", what, first, 0) &&
	       process_tell(p, offsetof(struct serve_info, device), &d->how, sizeof(d->how));
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

bool device_give(struct process *p, uint32_t kind, const char *what)
{
	struct board_device d = { 0 };

	if (!board_find_device(kind, &d)) {
		log_error("this machine has no %s that a server can drive", what);
		return true;
	}
	return give_registers(p, &d, what) && give_memory(p, what) &&
	       service_give_irq(p, PROC_CAP_DEVICE_IRQ, d.irq, true, SERVER_NTFN | SERVE_BIT_IRQ);
}
