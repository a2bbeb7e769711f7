#include <selvage/fmt.h>

#include <selvage/base.h>

struct sink {
	void (*put)(void *ctx, char c);
	void *ctx;
	size_t n;
};

struct spec {
	bool left;
	bool zero;
	bool alternate;
	bool has_precision;
	unsigned width;
	unsigned precision;
	unsigned longs; /* 0: int, 1: long, 2: long long */
};

static void put(struct sink *s, char c)
{
	s->put(s->ctx, c);
	s->n++;
}

static void pad(struct sink *s, char c, size_t have, size_t want)
{
	for (; have < want; have++)
		put(s, c);
}

/* The sign or prefix stands before zeros but after spaces. */
static void put_field(struct sink *s, const struct spec *f, const char *prefix,
		      const char *text, size_t len)
{
	size_t prefix_len = 0;
	size_t all;

	while (prefix[prefix_len])
		prefix_len++;
	all = prefix_len + len;
	if (!f->left && !f->zero)
		pad(s, ' ', all, f->width);
	for (size_t i = 0; i < prefix_len; i++)
		put(s, prefix[i]);
	if (!f->left && f->zero)
		pad(s, '0', all, f->width);
	for (size_t i = 0; i < len; i++)
		put(s, text[i]);
	if (f->left)
		pad(s, ' ', all, f->width);
}

static void put_number(struct sink *s, const struct spec *f, const char *prefix,
		       unsigned long long v, unsigned base, const char *digits)
{
	char text[20]; /* 2^64 has 20 decimal digits */
	size_t at = sizeof(text);

	do {
		text[--at] = digits[v % base];
		v /= base;
	} while (v);
	put_field(s, f, prefix, text + at, sizeof(text) - at);
}

static void put_hex(struct sink *s, const struct spec *f, const char *prefix,
		    unsigned long long v, const char *digits)
{
	put_number(s, f, f->alternate && v ? prefix : "", v, 16, digits);
}

static void put_string(struct sink *s, struct spec *f, const char *text)
{
	size_t len = 0;

	if (!text)
		text = "(null)";
	while ((!f->has_precision || len < f->precision) && text[len])
		len++;
	f->zero = false;
	put_field(s, f, "", text, len);
}

/* va_list may be an array type: it travels in a structure. */
struct args {
	va_list list;
};

static unsigned long long take_unsigned(struct args *a, const struct spec *f)
{
	if (f->longs >= 2)
		return va_arg(a->list, unsigned long long);
	if (f->longs == 1)
		return va_arg(a->list, unsigned long);
	return va_arg(a->list, unsigned int);
}

static void put_signed(struct sink *s, struct args *a, const struct spec *f)
{
	long long v;

	if (f->longs >= 2)
		v = va_arg(a->list, long long);
	else if (f->longs == 1)
		v = va_arg(a->list, long);
	else
		v = va_arg(a->list, int);
	/* Negated as unsigned: the smallest number has no positive twin. */
	put_number(s, f, v < 0 ? "-" : "",
		   v < 0 ? 0ull - (unsigned long long)v : (unsigned long long)v,
		   10, "0123456789");
}

/* Digits or `*`. The value is bounded so that padding is, too. */
static const char *parse_count(const char *p, struct args *a, unsigned *count,
			       bool *negative)
{
	unsigned n = 0;

	*negative = false;
	if (*p == '*') {
		int given = va_arg(a->list, int);

		*negative = given < 0;
		n = given < 0 ? 0u - (unsigned)given : (unsigned)given;
		p++;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		n = n < 1000 ? n * 10 + (unsigned)(*p - '0') : n;
	*count = min_u32(n, 1000);
	return p;
}

static const char *parse_sizes(const char *p, struct spec *f)
{
	for (;; p++) {
		if (*p == 'l')
			f->longs++;
		else if (*p == 'z')
			f->longs = sizeof(size_t) > sizeof(long) ? 2 : 1;
		else if (*p == 'j')
			f->longs = 2;
		else if (*p != 'h')
			return p;
	}
}

static const char *parse_spec(const char *p, struct args *a, struct spec *f)
{
	bool negative;

	for (;; p++) {
		if (*p == '-')
			f->left = true;
		else if (*p == '0')
			f->zero = true;
		else if (*p == '#')
			f->alternate = true;
		else
			break;
	}
	p = parse_count(p, a, &f->width, &negative);
	f->left |= negative;
	if (*p == '.') {
		p = parse_count(p + 1, a, &f->precision, &negative);
		f->has_precision = !negative;
	}
	return parse_sizes(p, f);
}

/* Returns false for a conversion it does not know. */
static bool convert(struct sink *s, char conversion, struct args *a,
		    struct spec *f)
{
	static const char lower[] = "0123456789abcdef";
	char c;

	switch (conversion) {
	case 'd':
	case 'i':
		put_signed(s, a, f);
		return true;
	case 'u':
		put_number(s, f, "", take_unsigned(a, f), 10, lower);
		return true;
	case 'x':
		put_hex(s, f, "0x", take_unsigned(a, f), lower);
		return true;
	case 'X':
		put_hex(s, f, "0X", take_unsigned(a, f), "0123456789ABCDEF");
		return true;
	case 'p':
		put_number(s, f, "0x", (uintptr_t)va_arg(a->list, void *), 16, lower);
		return true;
	case 'c':
		c = (char)va_arg(a->list, int);
		f->zero = false;
		put_field(s, f, "", &c, 1);
		return true;
	case 's':
		put_string(s, f, va_arg(a->list, const char *));
		return true;
	case '%':
		put(s, '%');
		return true;
	default:
		return false;
	}
}

size_t fmt_emitv(void (*put_char)(void *ctx, char c), void *ctx,
		 const char *format, va_list list)
{
	struct sink s = { .put = put_char, .ctx = ctx };
	struct args a;

	va_copy(a.list, list);
	for (const char *p = format; *p; p++) {
		const char *start = p;
		struct spec f = { 0 };

		if (*p != '%') {
			put(&s, *p);
			continue;
		}
		p = parse_spec(p + 1, &a, &f);
		if (convert(&s, *p, &a, &f))
			continue;
		while (start < p)
			put(&s, *start++);
		if (!*p)
			break;
		put(&s, *p);
	}
	va_end(a.list);
	return s.n;
}

size_t fmt_emit(void (*put_char)(void *ctx, char c), void *ctx,
		const char *format, ...)
{
	va_list list;
	size_t n;

	va_start(list, format);
	n = fmt_emitv(put_char, ctx, format, list);
	va_end(list);
	return n;
}

struct buffer {
	char *out;
	size_t size; /* for characters, the NUL excluded */
	size_t fill;
};

static void put_to_buffer(void *ctx, char c)
{
	struct buffer *b = ctx;

	if (b->fill < b->size)
		b->out[b->fill++] = c;
}

size_t fmt_printv(char *out, size_t size, const char *format, va_list args)
{
	struct buffer b = { .out = out, .size = size ? size - 1 : 0 };

	fmt_emitv(put_to_buffer, &b, format, args);
	if (size)
		out[b.fill] = '\0';
	return b.fill;
}

size_t fmt_print(char *out, size_t size, const char *format, ...)
{
	va_list list;
	size_t n;

	va_start(list, format);
	n = fmt_printv(out, size, format, list);
	va_end(list);
	return n;
}
