#include "untyped_model.h"

void model_init(struct model *m)
{
	*m = (struct model){ .random = { 77 } };
}

static int find(const struct model *m, uint64_t root, uint64_t slot)
{
	for (int i = 0; i < MODEL_CAPS; i++)
		if (m->cap[i].used && m->cap[i].root == root &&
		    m->cap[i].slot == slot)
			return i;
	return -1;
}

static bool refuses(struct model *m)
{
	m->calls++;
	if (m->fail_from && m->calls >= m->fail_from)
		return true;
	m->failed = !m->failed && m->fail_one_in &&
		    !random_below(&m->random, m->fail_one_in);
	return m->failed;
}

static int put(struct model *m, const struct model_cap *c)
{
	for (int i = 0; i < MODEL_CAPS; i++) {
		if (m->cap[i].used)
			continue;
		m->cap[i] = *c;
		m->cap[i].used = true;
		return MODEL_OK;
	}
	return MODEL_FULL;
}

void model_add(struct model *m, uint64_t slot, uint64_t paddr, unsigned bits)
{
	put(m, &(struct model_cap){ .slot = slot, .bits = bits, .paddr = paddr, .parent = -1 });
}

static bool has_children(const struct model *m, int parent)
{
	for (int i = 0; i < MODEL_CAPS; i++)
		if (m->cap[i].used && m->cap[i].parent == parent)
			return true;
	return false;
}

int model_retype(struct model *m, uint64_t untyped, unsigned type,
		 unsigned bits, uint64_t root, uint64_t slot, unsigned count)
{
	int parent = find(m, 0, untyped);
	uint64_t start;

	if (refuses(m))
		return MODEL_INJECTED;
	if (parent < 0 || m->cap[parent].type != 0)
		return MODEL_NO_UNTYPED;
	if (!has_children(m, parent))
		m->cap[parent].mark = 0;
	for (unsigned i = 0; i < count; i++)
		if (find(m, root, slot + i) >= 0)
			return MODEL_SLOT_USED;
	start = align_up_u64(m->cap[parent].mark, bit_u64(bits));
	if (start + ((uint64_t)count << bits) > bit_u64(m->cap[parent].bits))
		return MODEL_NO_ROOM;
	for (unsigned i = 0; i < count; i++) {
		struct model_cap c = {
			.root = root,
			.slot = slot + i,
			.type = type,
			.bits = bits,
			.paddr = m->cap[parent].paddr + start + ((uint64_t)i << bits),
			.parent = parent,
		};

		if (put(m, &c))
			return MODEL_FULL;
	}
	m->cap[parent].mark = start + ((uint64_t)count << bits);
	return MODEL_OK;
}

static bool descends(const struct model *m, int i, int from)
{
	for (i = m->cap[i].parent; i >= 0; i = m->cap[i].parent)
		if (i == from)
			return true;
	return false;
}

static void delete_below(struct model *m, int from)
{
	bool doomed[MODEL_CAPS];

	for (int i = 0; i < MODEL_CAPS; i++)
		doomed[i] = m->cap[i].used && descends(m, i, from);
	for (int i = 0; i < MODEL_CAPS; i++)
		if (doomed[i])
			m->cap[i].used = false;
}

int model_copy(struct model *m, uint64_t dest, uint64_t slot)
{
	int i = find(m, 0, slot);
	struct model_cap c;

	if (refuses(m))
		return MODEL_INJECTED;
	if (i < 0)
		return MODEL_NO_UNTYPED;
	if (find(m, 0, dest) >= 0)
		return MODEL_SLOT_USED;
	c = m->cap[i];
	c.slot = dest;
	return put(m, &c);
}

int model_revoke(struct model *m, uint64_t slot)
{
	int i = find(m, 0, slot);

	m->revokes++;
	if (refuses(m))
		return MODEL_INJECTED;
	if (i < 0)
		return MODEL_NO_UNTYPED;
	delete_below(m, i);
	return MODEL_OK;
}

int model_delete(struct model *m, uint64_t slot)
{
	int i = find(m, 0, slot);

	m->deletes++;
	if (refuses(m))
		return MODEL_INJECTED;
	if (i >= 0) {
		delete_below(m, i);
		m->cap[i].used = false;
	}
	return MODEL_OK;
}

const struct model_cap *model_at(const struct model *m, uint64_t root,
				 uint64_t slot)
{
	int i = find(m, root, slot);

	return i < 0 ? NULL : &m->cap[i];
}

uint64_t model_mark(const struct model *m, uint64_t slot)
{
	int i = find(m, 0, slot);

	return i >= 0 && has_children(m, i) ? m->cap[i].mark : 0;
}

unsigned model_count(const struct model *m)
{
	unsigned n = 0;

	for (int i = 0; i < MODEL_CAPS; i++)
		n += m->cap[i].used;
	return n;
}
