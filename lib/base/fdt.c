#include <selvage/fdt.h>

#include <selvage/base.h>

#define FDT_MAGIC 0xd00dfeedu
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE 2
#define FDT_PROP 3
#define FDT_NOP 4
#define FDT_END 9
/* Header, in words. */
enum { H_MAGIC,
       H_TOTAL,
       H_STRUCT,
       H_STRINGS,
       H_RSVMAP };
#define HEADER_BYTES 40

struct walk {
	const uint8_t *dtb;
	uint32_t total, at, strings;
	struct fdt_node stack[FDT_DEPTH + 1];
	unsigned depth; /* of the open node; 0: none */
	bool open;      /* its properties are being read */
};

static bool same(const char *a, const char *b)
{
	for (; *a == *b; a++, b++)
		if (!*a)
			return true;
	return false;
}

static bool header_ok(const uint8_t *dtb, size_t bytes)
{
	return bytes >= HEADER_BYTES && load_be32(dtb) == FDT_MAGIC &&
	       load_be32(dtb + 4 * H_TOTAL) <= bytes;
}

/* A NUL-terminated string that lies inside; NULL if it does not. */
static const char *string_at(const struct walk *w, uint32_t at)
{
	for (uint32_t i = at; i < w->total; i++)
		if (!w->dtb[i])
			return (const char *)w->dtb + at;
	return NULL;
}

static void set_prop(struct fdt_node *n, const char *name, struct fdt_prop p)
{
	if (same(name, "compatible"))
		n->compatible = p;
	else if (same(name, "device_type"))
		n->device_type = p;
	else if (same(name, "reg"))
		n->reg = p;
	else if (same(name, "method"))
		n->method = p;
	else if (same(name, "status"))
		n->status = p;
	else if (same(name, "no-map"))
		n->no_map = true;
	else if (same(name, "#address-cells") && p.bytes == 4)
		n->address_cells = load_be32(p.data);
	else if (same(name, "#size-cells") && p.bytes == 4)
		n->size_cells = load_be32(p.data);
}

static bool read_prop(struct walk *w)
{
	if (w->total - w->at < 8)
		return false;
	uint32_t bytes = load_be32(w->dtb + w->at);
	uint32_t name_at = load_be32(w->dtb + w->at + 4);
	const char *name = name_at < w->total ? string_at(w, w->strings + name_at) : NULL;

	w->at += 8;
	if (!name || bytes > w->total - w->at)
		return false;
	if (w->depth >= 1 && w->depth <= FDT_DEPTH)
		set_prop(&w->stack[w->depth], name, (struct fdt_prop){ w->dtb + w->at, bytes });
	w->at += (bytes + 3) & ~3u;
	return w->at <= w->total;
}

static void visit_open(struct walk *w, fdt_visit *visit, void *arg)
{
	if (w->open && w->depth >= 1 && w->depth <= FDT_DEPTH)
		visit(&w->stack[w->depth], arg);
	w->open = false;
}

static bool begin_node(struct walk *w)
{
	const char *name = string_at(w, w->at);

	if (!name)
		return false;
	while (w->dtb[w->at])
		w->at++;
	w->at = (w->at + 4) & ~3u;
	w->depth++;
	w->open = true;
	if (w->depth <= FDT_DEPTH)
		w->stack[w->depth] = (struct fdt_node){
			.name = name,
			.parent = w->depth > 1 ? &w->stack[w->depth - 1] : NULL,
			.address_cells = 2, /* the specification's defaults */
			.size_cells = 1,
		};
	return w->at <= w->total;
}

bool fdt_walk(const void *dtb, size_t bytes, fdt_visit *visit, void *arg)
{
	/* Boot runs once on one core; too large for its stack otherwise. */
	static struct walk w;

	if (!header_ok(dtb, bytes))
		return false;
	w = (struct walk){ .dtb = dtb, .total = load_be32((const uint8_t *)dtb + 4 * H_TOTAL) };
	w.at = load_be32(w.dtb + 4 * H_STRUCT);
	w.strings = load_be32(w.dtb + 4 * H_STRINGS);
	if (w.strings > w.total)
		return false;
	/* Bounded: every token moves `at` forward. */
	while (w.at <= w.total - 4) {
		uint32_t token = load_be32(w.dtb + w.at);
		w.at += 4;
		switch (token) {
		case FDT_BEGIN_NODE:
			visit_open(&w, visit, arg);
			if (!begin_node(&w))
				return false;
			break;
		case FDT_END_NODE:
			visit_open(&w, visit, arg);
			if (!w.depth)
				return false;
			w.depth--;
			break;
		case FDT_PROP:
			if (!read_prop(&w))
				return false;
			break;
		case FDT_NOP:
			break;
		case FDT_END:
			return w.depth == 0;
		default:
			return false;
		}
	}
	return false;
}

static uint64_t read_cells(const uint8_t *p, unsigned cells)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < cells; i++)
		v = v << 32 | load_be32(p + 4 * i);
	return v;
}

bool fdt_reg(const struct fdt_node *n, unsigned i, uint64_t *addr, uint64_t *size)
{
	unsigned ac = n->parent ? n->parent->address_cells : 0;
	unsigned sc = n->parent ? n->parent->size_cells : 0;
	uint32_t step = 4 * (ac + sc);

	if (ac < 1 || ac > 2 || sc > 2 || n->reg.bytes / step <= i)
		return false;
	*addr = read_cells(n->reg.data + i * step, ac);
	*size = read_cells(n->reg.data + i * step + 4 * ac, sc);
	return true;
}

bool fdt_prop_has(struct fdt_prop p, const char *s)
{
	uint32_t i = 0;

	if (!p.bytes || p.data[p.bytes - 1])
		return false; /* not a list of strings */
	while (i < p.bytes) {
		if (same((const char *)p.data + i, s))
			return true;
		while (p.data[i])
			i++;
		i++;
	}
	return false;
}

bool fdt_reservation(const void *dtb, size_t bytes, unsigned i, uint64_t *addr,
		     uint64_t *size)
{
	const uint8_t *d = dtb;

	if (!header_ok(d, bytes))
		return false;
	uint64_t at = load_be32(d + 4 * H_RSVMAP) + 16ull * i;
	if (at > load_be32(d + 4 * H_TOTAL) - 16ull)
		return false;
	*addr = load_be64(d + at);
	*size = load_be64(d + at + 8);
	return *size != 0;
}
