/* Segments, pages and the accesses themselves. SDM volume 1, 3.3.7; volume 3, 5.3. */
#include "internal.h"

#define PAGE 0x1000u

static bool canonical(uint64_t linear)
{
	return (uint64_t)((int64_t)(linear << 16) >> 16) == linear;
}

static bool outside(const struct x86_segment *s, uint64_t offset, unsigned size, enum access access)
{
	uint64_t last = offset + size - 1, top = s->big ? 0xffffffff : 0xffff;

	if (access != WRITE && !s->readable)
		return true;
	if (access != READ && !s->writable)
		return true;
	return s->expand_down ? offset <= s->limit || last > top : last > s->limit;
}

static enum x86_result linear_of(struct run *r, unsigned segment, uint64_t offset, unsigned size,
				 enum access access, uint64_t *linear)
{
	unsigned vector = segment == X86_SS ? X86_SS_FAULT : X86_GP;
	struct x86_segment s;

	if (r->s->mode == X86_64) {
		*linear = offset;
		if (segment >= X86_FS) {
			r->env->segment(r->env->opaque, segment, &s);
			*linear += s.base;
		}
		if (canonical(*linear) && canonical(*linear + size - 1))
			return X86_DONE;
		return x86_raise(r, vector);
	}
	r->env->segment(r->env->opaque, segment, &s);
	if (outside(&s, offset, size, access))
		return x86_raise(r, vector);
	*linear = (uint32_t)(s.base + offset);
	return X86_DONE;
}

static enum x86_result translate(struct run *r, unsigned way, uint64_t linear, bool write,
				 uint64_t *gpa)
{
	uint64_t page = linear & ~(uint64_t)(PAGE - 1);

	if (!r->seen[way].valid || r->seen[way].page != page || (write && !r->seen[way].write)) {
		uint32_t error_code = 0;

		if (!r->env->translate(r->env->opaque, linear, write, gpa, &error_code)) {
			x86_raise(r, X86_PF);
			r->out->error_code = error_code;
			r->out->cr2 = linear;
			return X86_EXCEPTION;
		}
		r->seen[way].valid = true;
		r->seen[way].write = write;
		r->seen[way].page = page;
		r->seen[way].gpa = *gpa & ~(uint64_t)(PAGE - 1);
	}
	*gpa = r->seen[way].gpa | (linear & (PAGE - 1));
	return X86_DONE;
}

enum x86_result x86_find(struct run *r, unsigned way, unsigned segment, uint64_t offset,
			 unsigned size, enum access access, struct place *p)
{
	const struct x86_env *env = r->env;
	unsigned left;
	uint64_t linear = 0;

	TRY(linear_of(r, segment, offset, size, access, &linear));
	left = PAGE - (linear & (PAGE - 1));
	p->size = (uint8_t)size;
	p->first = (uint8_t)(left < size ? left : size);
	if (r->one_access && env->known && (env->known_write || access == READ) &&
	    p->first == size && ((env->known_gpa - linear) & (PAGE - 1)) < size) {
		p->gpa[0] = (env->known_gpa & ~(uint64_t)(PAGE - 1)) | (linear & (PAGE - 1));
		return X86_DONE;
	}
	TRY(translate(r, way, linear, access != READ, &p->gpa[0]));
	if (p->first == size)
		return X86_DONE;
	linear += p->first;
	if (r->s->mode != X86_64)
		linear = (uint32_t)linear;
	return translate(r, way, linear, access != READ, &p->gpa[1]);
}

static bool plain(const struct place *p)
{
	return p->first == p->size && p->size <= 8 && !(p->size & (p->size - 1));
}

/* In pieces that a device can take, in the order of their addresses. */
static bool pieces(struct run *r, const struct place *p, uint8_t *bytes, bool write)
{
	for (unsigned done = 0; done < p->size;) {
		bool second = done >= p->first;
		unsigned left = (second ? p->size : p->first) - done, size = 8;
		uint64_t gpa = p->gpa[second] + done - (second ? p->first : 0), value = 0;

		while (size > left)
			size /= 2;
		for (unsigned n = 0; write && n < size; n++)
			value |= (uint64_t)bytes[done + n] << 8 * n;
		if (write && !r->env->write(r->env->opaque, gpa, size, value))
			return false;
		if (!write && !r->env->read(r->env->opaque, gpa, size, &value))
			return false;
		for (unsigned n = 0; !write && n < size; n++)
			bytes[done + n] = (uint8_t)(value >> 8 * n);
		done += size;
	}
	return true;
}

static enum x86_result failed(struct run *r)
{
	return x86_refuse(r, "nothing answers the access");
}

enum x86_result x86_get_bytes(struct run *r, const struct place *p, uint8_t *bytes)
{
	return pieces(r, p, bytes, false) ? X86_DONE : failed(r);
}

enum x86_result x86_put_bytes(struct run *r, const struct place *p, const uint8_t *bytes)
{
	uint8_t copy[32];

	for (unsigned n = 0; n < p->size; n++)
		copy[n] = bytes[n];
	return pieces(r, p, copy, true) ? X86_DONE : failed(r);
}

enum x86_result x86_get(struct run *r, const struct place *p, uint64_t *value)
{
	uint8_t bytes[8];

	*value = 0;
	if (plain(p)) {
		if (!r->env->read(r->env->opaque, p->gpa[0], p->size, value))
			return failed(r);
		*value &= x86_mask(p->size);
		return X86_DONE;
	}
	if (!pieces(r, p, bytes, false))
		return failed(r);
	for (unsigned n = 0; n < p->size; n++)
		*value |= (uint64_t)bytes[n] << 8 * n;
	return X86_DONE;
}

enum x86_result x86_put(struct run *r, const struct place *p, uint64_t value)
{
	uint8_t bytes[8];

	if (plain(p))
		return r->env->write(r->env->opaque, p->gpa[0], p->size,
				     value & x86_mask(p->size))
			       ? X86_DONE
			       : failed(r);
	for (unsigned n = 0; n < p->size; n++)
		bytes[n] = (uint8_t)(value >> 8 * n);
	return pieces(r, p, bytes, true) ? X86_DONE : failed(r);
}

uint64_t x86_offset(const struct run *r, const struct x86_state *s)
{
	const struct x86_insn *i = r->i;
	uint64_t offset = (uint64_t)i->displacement;

	if (i->base == X86_RIP_REGISTER)
		offset += r->next;
	else if (i->base != X86_NO_REGISTER)
		offset += s->reg[i->base];
	if (i->index != X86_NO_REGISTER)
		offset += s->reg[i->index] * i->scale;
	return offset & x86_mask(i->address);
}

enum x86_result x86_check_target(struct run *r, uint64_t target)
{
	struct x86_segment s;

	if (r->s->mode == X86_64)
		return canonical(target) ? X86_DONE : x86_raise(r, X86_GP);
	r->env->segment(r->env->opaque, X86_CS, &s);
	return target <= s.limit ? X86_DONE : x86_raise(r, X86_GP);
}
