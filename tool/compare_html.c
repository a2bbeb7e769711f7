/* A comparison as one page of HTML that needs nothing else. */
#include <string.h>

#include "compare.h"

static const char style[] =
	"body{font:15px/1.5 sans-serif;max-width:72em;margin:2em auto;padding:0 1em;color:#222}"
	"table{border-collapse:collapse;width:100%;margin:1em 0}"
	"th,td{border:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}"
	"th{background:#f3f3f3}code{font-size:90%}"
	".plausible{background:#e2f3e2}.mapped-without-code{background:#fdf1d3}"
	".unmapped{background:#fbe0de}.unknown{background:#eee}"
	".verdict{padding:.8em 1em;border-left:.4em solid #446;background:#f3f5fa}"
	"@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}"
	"th,.verdict{background:#282830}td{border-color:#444}"
	".plausible{background:#1d3b1d}.mapped-without-code{background:#443814}"
	".unmapped{background:#4a1f1c}.unknown{background:#333}}";

/* What files said is text, never markup. */
static void put_escaped(const char *text, FILE *out)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		case '"': fputs("&quot;", out); break;
		default: fputc(*text, out);
		}
	}
}

static void put_cell(const char *tag, const char *text, FILE *out)
{
	fprintf(out, "<%s>", tag);
	put_escaped(*text ? text : "not known", out);
	fprintf(out, "</%s>", tag);
}

static void put_fact(const struct comparison *c, const char *name, const char *a, const char *b,
		     FILE *out)
{
	(void)c;
	fputs("<tr>", out);
	put_cell("th", name, out);
	put_cell("td", a, out);
	put_cell("td", b, out);
	fputs("</tr>\n", out);
}

static void put_address_fact(const struct comparison *c, const char *name, const uint64_t value[2],
			     const bool known[2], FILE *out)
{
	char text[2][24] = { "", "" };

	for (unsigned i = 0; i < 2; i++) {
		if (known[i])
			snprintf(text[i], sizeof(text[i]), "0x%llx", (unsigned long long)value[i]);
	}
	put_fact(c, name, text[0], text[1], out);
}

static void put_facts(const struct comparison *c, FILE *out)
{
	const struct capture *a = c->side[0].capture, *b = c->side[1].capture;
	const bool both[2] = { true, true }, loads[2] = { a->image.has_load, b->image.has_load };

	fputs("<table>\n<tr><th></th><th>first</th><th>second</th></tr>\n", out);
	put_fact(c, "file", c->side[0].file, c->side[1].file, out);
	put_fact(c, "SHA-256 of the file", c->side[0].sha256, c->side[1].sha256, out);
	put_fact(c, "taken", a->started, b->started, out);
	put_fact(c, "source", a->source, b->source, out);
	put_fact(c, "version", a->version, b->version, out);
	put_fact(c, "accelerator", a->accel_ran, b->accel_ran, out);
	put_fact(c, "board", a->board, b->board, out);
	put_fact(c, "CPU model", a->cpu, b->cpu, out);
	put_fact(c, "register width", capture_width_names[a->width], capture_width_names[b->width],
		 out);
	put_fact(c, "image (SHA-256)", a->image.sha256, b->image.sha256, out);
	put_address_fact(c, "load address", (const uint64_t[]){ a->image.load, b->image.load },
			 loads, out);
	put_fact(c, "guest was", a->state, b->state, out);
	put_address_fact(c, "vector base", (const uint64_t[]){ a->base, b->base }, both, out);
	put_fact(c, "vector base by", a->base_rule, b->base_rule, out);
	put_fact(c, "vector table", compare_table_names[c->side[0].table],
		 compare_table_names[c->side[1].table], out);
	fputs("</table>\n", out);
}

static void put_vector(const struct capture *k, size_t i, FILE *out)
{
	const struct capture_vector *v = &k->vector[i];

	if (i >= k->n_vectors) {
		fputs("<td></td>", out);
		return;
	}
	fprintf(out, "<td class=\"%s\">%s", vector_state_names[v->state],
		vector_state_names[v->state]);
	if (v->state == VECTOR_NO_CODE || v->state == VECTOR_PLAUSIBLE) {
		fprintf(out, "<br><code>0x%08x ", v->word);
		put_escaped(v->text, out);
		fputs("</code>", out);
	}
	fputs("<br>", out);
	put_escaped(v->reason, out);
	fputs("</td>", out);
}

static void put_vectors(const struct comparison *c, FILE *out)
{
	const struct capture *a = c->side[0].capture, *b = c->side[1].capture;
	const struct capture *all = a->n_vectors >= b->n_vectors ? a : b;

	fputs("<table>\n<tr><th>vector</th><th>first</th><th>second</th></tr>\n", out);
	for (size_t i = 0; i < all->n_vectors; i++) {
		if (!compare_shows(c, i))
			continue;
		fputs("<tr>", out);
		put_cell("th", all->vector[i].name, out);
		put_vector(a, i, out);
		put_vector(b, i, out);
		fputs("</tr>\n", out);
	}
	fputs("</table>\n", out);
}

static void put_list(const char *title, const char text[][COMPARE_REASON], size_t n, FILE *out)
{
	if (n == 0)
		return;
	fprintf(out, "<p>%s</p>\n<ul>\n", title);
	for (size_t i = 0; i < n; i++)
		put_cell("li", text[i], out);
	fputs("\n</ul>\n", out);
}

void compare_print_html(const struct comparison *c, FILE *out)
{
	fprintf(out,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<title>Captures compared</title>\n<style>%s</style></head><body>\n"
		"<h1>Captures compared</h1>\n<div class=\"verdict\"><strong>Verdict: %s</strong>"
		"<br>",
		style, compare_verdict_name(c->verdict));
	put_escaped(c->text[0], out);
	fprintf(out, "<br>Confidence: %s</div>\n<p>", compare_confidence_names[c->confidence]);
	put_escaped(c->text[1], out);
	fputs("</p>\n", out);
	put_list("Why they cannot be compared:", c->reason, c->n_reasons, out);
	put_list("What lowers the confidence:", c->doubt, c->n_doubts, out);
	put_list("Control registers that differ:", c->difference, c->n_differences, out);
	fputs("<h2>Vectors</h2>\n", out);
	put_vectors(c, out);
	fputs("<h2>Evidence</h2>\n", out);
	put_facts(c, out);
	fputs("</body></html>\n", out);
}
