/* The trace ring: events for userland, in a frame that it gave. */
#include <kernel/trace.h>

#include <kernel/arch.h>
#include <kernel/invoke.h>

static struct slot ring; /* a copy of the frame's capability, or empty */
static word_t written;

bool trace_is_on(void) { return cap_type(ring.cap) != CAP_NULL; }

static word_t slots(void)
{
	word_t bytes = 1ull << arch_cap_size_bits(ring.cap);

	return (bytes - sizeof(struct abi_trace_ring)) / sizeof(struct abi_trace_event);
}

void trace_event(const struct tcb *t, enum abi_trace_kind kind, word_t detail)
{
	struct abi_trace_ring *r = arch_ipc_buffer(ring.cap, 0, true);

	if (!r) { /* the frame is gone */
		arch_trace(false);
		return;
	}
	r->event[written % slots()] = (struct abi_trace_event){
		.time = arch_now(),
		.thread = t ? t->trace_id : 0,
		.pc = t ? arch_pc(t) : 0,
		.kind = kind,
		.detail = (int32_t)detail,
	};
	__atomic_store_n(&r->written, ++written, __ATOMIC_RELEASE);
}

/* SchedControl_SetTrace: a frame, or no capability. */
int trace_set(struct invocation *inv)
{
	struct cap c = cap_null();
	struct abi_trace_ring *r;

	if (inv->extra_count) {
		if (!arch_ipc_buffer(inv_extra(inv, 0), 0, true))
			return inv_invalid_cap(inv, 1);
		int error = cap_derive(inv->extra[0], inv_extra(inv, 0), &c);
		if (error)
			return error;
	}
	slot_delete_short(&ring);
	arch_trace(inv->extra_count);
	if (!inv->extra_count)
		return ABI_OK;
	slot_insert_copy(&ring, c, inv->extra[0]);
	written = 0;
	r = arch_ipc_buffer(c, 0, true);
	r->version = ABI_TRACE_VERSION;
	r->slots = (uint32_t)slots();
	r->written = 0;
	return ABI_OK;
}
