/* Results and flags. Where the manual leaves a flag open it is as it was. */
#include "internal.h"

static unsigned msb(uint64_t value, unsigned size)
{
	return value >> (8 * size - 1) & 1;
}

static uint64_t flag(bool set, uint64_t bit)
{
	return set ? bit : 0;
}

static void put(uint64_t *flags, uint64_t which, uint64_t value)
{
	*flags = (*flags & ~which) | value;
}

static uint64_t of_result(uint64_t value, unsigned size)
{
	return flag(!value, ZF) | flag(msb(value, size), SF) |
	       flag(!__builtin_parity((unsigned)value & 0xff), PF);
}

static uint64_t add(uint64_t a, uint64_t b, unsigned carry, unsigned size, uint64_t *flags)
{
	uint64_t r = (a + b + carry) & x86_mask(size);

	put(flags, ARITHMETIC,
	    of_result(r, size) | flag(msb((a & b) | ((a | b) & ~r), size), CF) |
		    ((a ^ b ^ r) & AF) | flag(msb((a ^ r) & (b ^ r), size), OF));
	return r;
}

static uint64_t subtract(uint64_t a, uint64_t b, unsigned borrow, unsigned size, uint64_t *flags)
{
	uint64_t r = (a - b - borrow) & x86_mask(size);

	put(flags, ARITHMETIC,
	    of_result(r, size) | flag(msb((~a & b) | ((~a | b) & r), size), CF) |
		    ((a ^ b ^ r) & AF) | flag(msb((a ^ b) & (a ^ r), size), OF));
	return r;
}

static uint64_t logic(uint64_t r, unsigned size, uint64_t *flags)
{
	put(flags, ARITHMETIC & ~AF, of_result(r, size));
	return r;
}

uint64_t x86_alu(enum x86_alu op, uint64_t a, uint64_t b, unsigned size, uint64_t *flags)
{
	switch (op) {
	case ALU_ADD: return add(a, b, 0, size, flags);
	case ALU_ADC: return add(a, b, *flags & CF, size, flags);
	case ALU_SBB: return subtract(a, b, *flags & CF, size, flags);
	case ALU_SUB:
	case ALU_CMP: return subtract(a, b, 0, size, flags);
	case ALU_OR: return logic(a | b, size, flags);
	case ALU_XOR: return logic(a ^ b, size, flags);
	case ALU_AND:
	case ALU_TEST: break;
	}
	return logic(a & b, size, flags);
}

uint64_t x86_unary(enum x86_unary op, uint64_t a, unsigned size, uint64_t *flags)
{
	uint64_t carry = *flags & CF, r;

	if (op == UNARY_NOT)
		return ~a & x86_mask(size);
	if (op == UNARY_NEG)
		return subtract(0, a, 0, size, flags);
	r = op == UNARY_INC ? add(a, 1, 0, size, flags) : subtract(a, 1, 0, size, flags);
	put(flags, CF, carry);
	return r;
}

/* ROL, ROR, RCL and RCR have flags of their own: CF and OF, and only those. */
static uint64_t rotate(enum x86_shift op, uint64_t a, unsigned count, unsigned size,
		       uint64_t *flags)
{
	bool left = op == SHIFT_ROL || op == SHIFT_RCL;
	bool through = op == SHIFT_RCL || op == SHIFT_RCR;
	unsigned carry = *flags & CF, top = 8 * size - 1;

	for (unsigned n = count % (8 * size + through); n; n--) {
		unsigned out = left ? msb(a, size) : a & 1;
		uint64_t in = through ? carry : out;

		a = left ? (a << 1 | in) & x86_mask(size) : a >> 1 | in << top;
		carry = out;
	}
	if (!through)
		carry = left ? a & 1 : msb(a, size);
	put(flags, CF | OF,
	    flag(carry, CF) |
		    flag(left ? msb(a, size) != carry : msb(a, size) != (a >> (top - 1) & 1), OF));
	return a;
}

static uint64_t shift(enum x86_shift op, uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
	unsigned bits = 8 * size;
	uint64_t r, carry;
	bool overflow = false;

	if (op == SHIFT_SHL) {
		r = a << count & x86_mask(size);
		carry = count <= bits ? a >> (bits - count) & 1 : 0;
		overflow = msb(r, size) != carry;
	} else if (op == SHIFT_SHR) {
		r = a >> count;
		carry = a >> (count - 1) & 1;
		overflow = msb(a, size);
	} else {
		int64_t wide = (int64_t)x86_sign(a, size);

		r = (uint64_t)(wide >> count) & x86_mask(size);
		carry = (uint64_t)(wide >> (count - 1)) & 1;
	}
	put(flags, ARITHMETIC & ~AF, of_result(r, size) | flag(carry, CF) | flag(overflow, OF));
	return r;
}

uint64_t x86_shift(enum x86_shift op, uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
	count &= size == 8 ? 63 : 31;
	if (!count)
		return a;
	if (op < SHIFT_SHL)
		return rotate(op, a, count, size, flags);
	return shift(op, a, count, size, flags);
}

uint64_t x86_double_shift(bool right, uint64_t a, uint64_t b, unsigned count, unsigned size,
			  uint64_t *flags)
{
	unsigned bits = 8 * size;
	uint64_t r = a, carry = 0;

	count &= size == 8 ? 63 : 31;
	if (!count)
		return a;
	/* Of 16 bits the count may be larger; then the result is undefined. */
	for (unsigned n = 0; n < count; n++) {
		if (right) {
			carry = r & 1;
			r = r >> 1 | (b & 1) << (bits - 1);
			b >>= 1;
		} else {
			carry = msb(r, size);
			r = (r << 1 | msb(b, size)) & x86_mask(size);
			b = b << 1 & x86_mask(size);
		}
	}
	put(flags, ARITHMETIC & ~AF,
	    of_result(r, size) | flag(carry, CF) | flag(msb(r ^ a, size), OF));
	return r;
}

uint64_t x86_scan(enum x86_scan op, uint64_t a, uint64_t old, unsigned size, uint64_t *flags)
{
	unsigned bits = 8 * size, lowest, highest;
	uint64_t r;

	if (op == SCAN_POPCNT) {
		put(flags, ARITHMETIC, flag(!a, ZF));
		return (uint64_t)__builtin_popcountll(a);
	}
	lowest = a ? (unsigned)__builtin_ctzll(a) : bits;
	highest = a ? 63 - (unsigned)__builtin_clzll(a) : 0;
	if (op == SCAN_BSF || op == SCAN_BSR) {
		put(flags, ZF, flag(!a, ZF));
		if (!a)
			return old;
		return op == SCAN_BSF ? lowest : highest;
	}
	r = op == SCAN_TZCNT ? lowest : a ? bits - 1 - highest
					  : bits;
	put(flags, CF | ZF, flag(!a, CF) | flag(!r, ZF));
	return r;
}

bool x86_condition(unsigned condition, uint64_t flags)
{
	bool less = !(flags & SF) != !(flags & OF), yes = false;

	switch (condition >> 1 & 7) {
	case 0: yes = flags & OF; break;
	case 1: yes = flags & CF; break;
	case 2: yes = flags & ZF; break;
	case 3: yes = flags & (CF | ZF); break;
	case 4: yes = flags & SF; break;
	case 5: yes = flags & PF; break;
	case 6: yes = less; break;
	case 7: yes = less || flags & ZF; break;
	}
	return yes != (condition & 1);
}

uint64_t x86_multiply(bool is_signed, uint64_t a, uint64_t b, unsigned size, uint64_t *high,
		      uint64_t *flags)
{
	unsigned __int128 wide;
	uint64_t low;
	bool overflow;

	if (is_signed)
		wide = (unsigned __int128)((__int128)(int64_t)x86_sign(a, size) *
					   (int64_t)x86_sign(b, size));
	else
		wide = (unsigned __int128)a * b;
	low = (uint64_t)wide & x86_mask(size);
	*high = (uint64_t)(wide >> 8 * size) & x86_mask(size);
	overflow = is_signed ? *high != (x86_sign(low, size) >> 63 ? x86_mask(size) : 0) : *high;
	put(flags, CF | OF, flag(overflow, CF | OF));
	return low;
}

/* high:low of 2 * size bytes by a divisor that is greater than high: by hand,
 * so that it needs nothing of the compiler's library. */
static void divide(uint64_t *low, uint64_t *high, uint64_t divisor, unsigned size)
{
	uint64_t rest = *high, quotient = 0;

	for (unsigned n = 8 * size; n; n--) {
		bool over = rest >> 63;

		rest = rest << 1 | (*low >> (n - 1) & 1);
		quotient <<= 1;
		if (over || rest >= divisor) {
			rest -= divisor;
			quotient |= 1;
		}
	}
	*low = quotient;
	*high = rest;
}

bool x86_divide(bool is_signed, uint64_t *low, uint64_t *high, uint64_t divisor, unsigned size)
{
	uint64_t mask = x86_mask(size), l = *low, h = *high;
	bool negative = is_signed && msb(h, size), minus = is_signed && msb(divisor, size);
	uint64_t limit = is_signed ? mask >> 1 : mask;

	if (negative) {
		l = -l & mask;
		h = (~h + !l) & mask;
	}
	if (minus)
		divisor = -divisor & mask;
	if (h >= divisor)
		return false;
	divide(&l, &h, divisor, size);
	if (l > limit + (is_signed && negative != minus))
		return false;
	*low = (negative != minus ? -l : l) & mask;
	*high = (negative ? -h : h) & mask;
	return true;
}
