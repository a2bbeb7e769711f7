/* I/O ports: ranges that are issued once at a time, and accesses by the kernel. */
#include <arch/cpu.h>
#include <arch/vspace.h>
#include <kernel/invoke.h>

#define PORTS 65536u

/* A bit for each port that is somebody's. */
static word_t issued[PORTS / 64];

/* The range's bits in word `w`, which has some. */
static word_t bits_in(unsigned w, unsigned first, unsigned last)
{
	word_t from = w == first / 64 ? ~0ull << first % 64 : ~0ull;

	return w == last / 64 ? from & ~0ull >> (63 - last % 64) : from;
}

static void mark(unsigned first, unsigned last, bool on)
{
	for (unsigned w = first / 64; w <= last / 64; w++) {
		word_t bits = bits_in(w, first, last);
		issued[w] = on ? issued[w] | bits : issued[w] & ~bits;
	}
}

static bool is_free(unsigned first, unsigned last)
{
	for (unsigned w = first / 64; w <= last / 64; w++)
		if (issued[w] & bits_in(w, first, last))
			return false;
	return true;
}

/* Issue: first, last, index, depth; root. */
int io_port_control_invoke(struct invocation *inv)
{
	uint16_t first = (uint16_t)inv_arg(inv, 0), last = (uint16_t)inv_arg(inv, 1);
	struct slot *dest;

	if (last < first)
		return inv_invalid_argument(inv, 1);
	if (!is_free(first, last))
		return ABI_REVOKE_FIRST;
	int error = inv_lookup_empty(inv, inv_extra(inv, 0), inv_arg(inv, 2), inv_arg(inv, 3),
				     &dest);
	if (error)
		return error;
	mark(first, last, true);
	slot_insert_child(dest, cap_make(CAP_IO_PORT, 0, 0, first | (word_t)last << 16), inv->slot);
	return ABI_OK;
}

void io_port_release(struct cap c) { mark((uint16_t)c.w1, (uint16_t)(c.w1 >> 16), false); }

int io_port_invoke(struct invocation *inv)
{
	/* Label to log2 of the bytes; the accesses that write come second. */
	unsigned n = (unsigned)(inv->label - ABI_INV_X86_IO_PORT_IN8), size = 1u << n % 3;
	uint16_t port = (uint16_t)inv_arg(inv, 0);
	uint32_t v = n < 3 ? 0 : (uint32_t)inv_arg(inv, 1);

	if (port < (uint16_t)inv->cap.w1 || port + size - 1 > inv->cap.w1 >> 16)
		return ABI_ILLEGAL_OPERATION;
	switch (n) {
	case 0: v = in8(port); break;
	case 1: v = in16(port); break;
	case 2: v = in32(port); break;
	case 3: out8(port, (uint8_t)v); return ABI_OK;
	case 4: out16(port, (uint16_t)v); return ABI_OK;
	default: out32(port, v); return ABI_OK;
	}
	inv_result(inv, 0, v);
	return ABI_OK;
}
