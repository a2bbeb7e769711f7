/* Capabilities: derivation, rights, data, identity. */
#include <kernel/cap.h>

#include <abi/error.h>
#include <kernel/arch.h>
#include <kernel/cnode.h>
#include <kernel/endpoint.h>
#include <kernel/slot.h>
#include <kernel/untyped.h>

int cap_derive(const struct slot *src, struct cap c, struct cap *out)
{
	*out = c;
	switch (cap_type(c)) {
	case CAP_UNTYPED: return slot_has_children(src) ? ABI_REVOKE_FIRST : ABI_OK;
	case CAP_NULL:
	case CAP_IRQ_CONTROL:
	case CAP_ZOMBIE:
		*out = cap_null();
		return ABI_OK;
	default: return cap_type(c) >= CAP_ARCH_FIRST ? arch_cap_derive(c, out) : ABI_OK;
	}
}

struct cap cap_mask_rights(struct cap c, word_t rights)
{
	switch (cap_type(c)) {
	case CAP_ENDPOINT:
	case CAP_NOTIFICATION:
	case CAP_REPLY: return cap_make(cap_type(c), cap_addr(c), cap_rights(c) & rights, c.w1);
	default: return cap_type(c) >= CAP_ARCH_FIRST ? arch_cap_mask_rights(c, rights) : c;
	}
}

static struct cap cnode_update_guard(struct cap c, word_t data)
{
	unsigned bits = (unsigned)(data & ABI_CNODE_GUARD_SIZE_MASK);
	word_t guard = data >> ABI_CNODE_GUARD_SHIFT;

	if (bits + cap_cnode_radix(c) > 64)
		return cap_null();
	return cap_cnode(cap_object(c), cap_cnode_radix(c), bits,
			 guard & ((1ull << bits) - 1)); /* bits < 64 */
}

struct cap cap_update_data(struct cap c, word_t data, bool preserve)
{
	switch (cap_type(c)) {
	case CAP_ENDPOINT:
	case CAP_NOTIFICATION:
		if (preserve || c.w1 != 0)
			return cap_null();
		c.w1 = data;
		return c;
	case CAP_CNODE: return cnode_update_guard(c, data);
	default: return cap_type(c) >= CAP_ARCH_FIRST ? arch_cap_update_data(c, data, preserve) : c;
	}
}

bool cap_same_object(struct cap a, struct cap b)
{
	enum cap_type type = cap_type(a);

	if (type != cap_type(b))
		return false;
	switch (type) {
	case CAP_NULL:
	case CAP_ZOMBIE: /* a zombie was the last capability */
		return false;
	case CAP_UNTYPED:
		return cap_addr(a) == cap_addr(b) &&
		       cap_untyped_bits(a) == cap_untyped_bits(b);
	case CAP_SCHED_CONTROL: return cap_sub(a) == cap_sub(b);
	case CAP_IRQ_HANDLER:
	case CAP_SGI_SIGNAL: return a.w0 == b.w0 && a.w1 == b.w1;
	default:
		if (type >= CAP_ARCH_FIRST)
			return arch_cap_same_object(a, b);
		return cap_addr(a) == cap_addr(b);
	}
}

/* log2 bytes of a portable object, 0 if it has no memory. */
static unsigned object_bits(struct cap c)
{
	switch (cap_type(c)) {
	case CAP_UNTYPED:
	case CAP_SCHED_CONTEXT: return (unsigned)cap_sub_field(c, 0, 6);
	case CAP_ENDPOINT: return ABI_ENDPOINT_BITS;
	case CAP_NOTIFICATION: return ABI_NOTIFICATION_BITS;
	case CAP_REPLY: return ABI_REPLY_BITS;
	case CAP_CNODE: return cap_cnode_radix(c) + ABI_SLOT_BITS;
	case CAP_TCB: return ABI_TCB_BITS;
	case CAP_ZOMBIE:
		if (cap_sub_field(c, 6, 1))
			return ABI_TCB_BITS;
		return (unsigned)cap_sub_field(c, 0, 6) + ABI_SLOT_BITS;
	default: return 0;
	}
}

bool cap_region(struct cap c, paddr_t *base, unsigned *bits)
{
	*base = cap_addr(c);
	*bits = cap_type(c) >= CAP_ARCH_FIRST ? (unsigned)arch_cap_size_bits(c) : object_bits(c);
	return *bits != 0;
}
