/* Reading the file format of captures: every value is checked before anything relies on it. */
#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "diag.h"
#include "files.h"

/* Where reading stands: the first thing that is wrong stays. */
struct reader {
	char *why;
	size_t room;
	bool bad;
};

static void wrong(struct reader *r, const char *key, const char *what)
{
	if (!r->bad)
		snprintf(r->why, r->room, "`%.40s` %s", key, what);
	r->bad = true;
}

static const cJSON *member(struct reader *r, const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!item)
		wrong(r, key, "is missing");
	return item;
}

static const cJSON *member_object(struct reader *r, const cJSON *object, const char *key)
{
	const cJSON *item = member(r, object, key);

	if (item && !cJSON_IsObject(item))
		wrong(r, key, "is no object");
	return item;
}

static const cJSON *member_array(struct reader *r, const cJSON *object, const char *key, int most)
{
	const cJSON *item = member(r, object, key);

	if (item && !cJSON_IsArray(item))
		wrong(r, key, "is no list");
	else if (item && cJSON_GetArraySize(item) > most)
		wrong(r, key, "is too long a list");
	return r->bad ? NULL : item;
}

/* Text or, where that is allowed, null. */
static void read_text(struct reader *r, const cJSON *object, const char *key, bool may_be_null,
		      char *to, size_t room)
{
	const cJSON *item = member(r, object, key);

	if (item && cJSON_IsString(item) && strlen(item->valuestring) < room)
		capture_set_text(to, room, item->valuestring, strlen(item->valuestring));
	else if (item && !(may_be_null && cJSON_IsNull(item)))
		wrong(r, key, cJSON_IsString(item) ? "is too long" : "is no text");
}
#define READ_TEXT(r, object, key, null, to) read_text(r, object, key, null, to, sizeof(to))

static bool parse_hex(const cJSON *item, uint64_t *value, unsigned *bits)
{
	const char *text = cJSON_IsString(item) ? item->valuestring : "";
	size_t n = strlen(text);

	if (n < 3 || n > 18 || text[0] != '0' || text[1] != 'x' ||
	    strspn(text + 2, "0123456789abcdef") != n - 2)
		return false;
	*value = strtoull(text, NULL, 16);
	*bits = n > 10 ? 64 : 32;
	return true;
}

/* True if there is one; null is allowed unless `known` is NULL. */
static void read_address(struct reader *r, const cJSON *object, const char *key, bool *known,
			 uint64_t *value)
{
	const cJSON *item = member(r, object, key);
	unsigned bits;
	bool good = item && parse_hex(item, value, &bits);

	if (known)
		*known = good;
	if (item && !good && !(known && cJSON_IsNull(item)))
		wrong(r, key, "is no address like \"0x40000000\"");
}

static bool read_bool(struct reader *r, const cJSON *object, const char *key)
{
	const cJSON *item = member(r, object, key);

	if (item && !cJSON_IsBool(item))
		wrong(r, key, "is neither true nor false");
	return cJSON_IsTrue(item);
}

static double read_number(struct reader *r, const cJSON *object, const char *key, double most)
{
	const cJSON *item = member(r, object, key);

	if (item && (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > most)) {
		wrong(r, key, "is no number in range");
		return 0;
	}
	return item ? item->valuedouble : 0;
}

static unsigned read_choice(struct reader *r, const cJSON *object, const char *key,
			    const char *const *names, unsigned n)
{
	const cJSON *item = member(r, object, key);

	for (unsigned i = 0; i < n && cJSON_IsString(item); i++) {
		if (strcmp(item->valuestring, names[i]) == 0)
			return i;
	}
	if (item)
		wrong(r, key, "is none of its values");
	return 0;
}

static void read_regs(struct reader *r, const cJSON *object, const char *key,
		      struct capture_regs *regs)
{
	const cJSON *list = member_object(r, object, key);
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		uint64_t value;
		unsigned bits;

		if (strlen(item->string) >= CAPTURE_SHORT || !parse_hex(item, &value, &bits))
			wrong(r, item->string, "is no register value like \"0x00000000\"");
		else if (!capture_add_reg(regs, item->string, value, bits))
			wrong(r, key, "has too many registers");
		if (r->bad)
			return;
	}
}

static void read_words(struct reader *r, const cJSON *words, const cJSON *texts,
		       struct capture_window *window)
{
	for (unsigned i = 0; i < CAPTURE_WORDS && !r->bad; i++) {
		const cJSON *text = cJSON_GetArrayItem(texts, (int)i);
		uint64_t value = 0;
		unsigned bits;

		if (!parse_hex(cJSON_GetArrayItem(words, (int)i), &value, &bits) ||
		    value > UINT32_MAX || !cJSON_IsString(text))
			wrong(r, "words", "does not hold eight words and their instructions");
		window->word[i] = (uint32_t)value;
		if (!r->bad)
			capture_set_text(window->text[i], sizeof(window->text[i]),
					 text->valuestring, strlen(text->valuestring));
	}
}

static void read_window(struct reader *r, const cJSON *object, const char *key,
			struct capture_window *window)
{
	const cJSON *o = member_object(r, object, key), *words, *texts;

	read_address(r, o, "address", NULL, &window->address);
	read_address(r, o, "physical", &window->has_physical, &window->physical);
	window->place = read_choice(r, o, "place", capture_place_names, N_PLACES);
	words = member_array(r, o, "words", CAPTURE_WORDS);
	texts = member_array(r, o, "instructions", CAPTURE_WORDS);
	if (window->place == PLACE_MEMORY)
		read_words(r, words, texts, window);
	else if (cJSON_GetArraySize(words) || cJSON_GetArraySize(texts))
		wrong(r, "words", "stands where there is no memory");
}

/* A state that its own word contradicts: the file was changed by hand, or is not ours. */
static bool contradicts(const struct capture_vector *v)
{
	return v->state == VECTOR_PLAUSIBLE && (v->word == 0 || v->word == UINT32_MAX);
}

static void read_vector(struct reader *r, const cJSON *o, struct capture_vector *v)
{
	uint64_t word = 0;
	bool has_word = false;

	READ_TEXT(r, o, "name", false, v->name);
	read_address(r, o, "address", NULL, &v->address);
	v->state = read_choice(r, o, "state", vector_state_names, N_VECTOR_STATES);
	v->required = read_bool(r, o, "required");
	read_address(r, o, "word", &has_word, &word);
	READ_TEXT(r, o, "instruction", true, v->text);
	READ_TEXT(r, o, "reason", true, v->reason);
	read_address(r, o, "target", &v->has_target, &v->target);
	v->word = (uint32_t)word;
	if (has_word != (v->state == VECTOR_NO_CODE || v->state == VECTOR_PLAUSIBLE) ||
	    word > UINT32_MAX || contradicts(v))
		wrong(r, "word", "contradicts the vector's state");
}

static void read_vectors(struct reader *r, const cJSON *root, struct capture *c)
{
	const cJSON *o = member_object(r, root, "vectors"), *list, *item;

	read_address(r, o, "base", NULL, &c->base);
	c->base_known = read_bool(r, o, "base_known");
	READ_TEXT(r, o, "base_rule", false, c->base_rule);
	c->thumb_vectors = read_bool(r, o, "thumb");
	read_window(r, o, "window", &c->vectors);
	list = member_array(r, o, "entries", CAPTURE_VECTORS_MAX);
	cJSON_ArrayForEach(item, list)
	{
		if (!r->bad)
			read_vector(r, item, &c->vector[c->n_vectors++]);
	}
	if (c->n_vectors != capture_table_length(c->width))
		wrong(r, "entries", "is not the whole table of that register width");
}

static void read_origin(struct reader *r, const cJSON *root, struct capture *c)
{
	const cJSON *o = member_object(r, root, "time");

	READ_TEXT(r, o, "started", false, c->started);
	READ_TEXT(r, o, "finished", false, c->finished);
	o = member_object(r, root, "source");
	READ_TEXT(r, o, "kind", false, c->source);
	READ_TEXT(r, o, "protocol", false, c->protocol);
	READ_TEXT(r, o, "address", false, c->address);
	READ_TEXT(r, o, "version", true, c->version);
	o = member_object(r, root, "accelerator");
	READ_TEXT(r, o, "ran", false, c->accel_ran);
	READ_TEXT(r, o, "claimed", true, c->accel_claimed);
	READ_TEXT(r, o, "evidence", true, c->accel_evidence);
	o = member_object(r, root, "machine");
	READ_TEXT(r, o, "board", true, c->board);
	READ_TEXT(r, o, "type", true, c->machine);
	READ_TEXT(r, o, "cpu", true, c->cpu);
	c->vcpus = (unsigned)read_number(r, o, "vcpus", 4096);
}

static void read_guest(struct reader *r, const cJSON *root, struct capture *c)
{
	const cJSON *o = member_object(r, root, "guest");
	uint64_t crc32 = 0;

	READ_TEXT(r, o, "name", true, c->guest_name);
	READ_TEXT(r, o, "state", false, c->state);
	c->width = read_choice(r, o, "width", capture_width_names, N_WIDTHS);
	READ_TEXT(r, o, "mode", true, c->mode);
	c->secure = read_bool(r, o, "secure");
	o = member_object(r, root, "image");
	READ_TEXT(r, o, "file", true, c->image.file);
	READ_TEXT(r, o, "sha256", true, c->image.sha256);
	read_address(r, o, "crc32", &c->image.has_crc32, &crc32);
	c->image.crc32 = (uint32_t)crc32;
	c->image.bytes = (uint64_t)read_number(r, o, "bytes", 1e15);
	read_address(r, o, "load_address", &c->image.has_load, &c->image.load);
	read_address(r, o, "entry", &c->image.has_entry, &c->image.entry);
	o = member_object(r, root, "registers");
	read_regs(r, o, "general", &c->general);
	read_regs(r, o, "system", &c->system);
}

static void read_map(struct reader *r, const cJSON *root, struct capture *c)
{
	const cJSON *list = member_array(r, root, "memory_map", CAPTURE_REGIONS_MAX), *item;

	cJSON_ArrayForEach(item, list)
	{
		struct capture_region region = { 0 };

		read_address(r, item, "first", NULL, &region.first);
		read_address(r, item, "last", NULL, &region.last);
		READ_TEXT(r, item, "kind", false, region.kind);
		READ_TEXT(r, item, "name", false, region.name);
		if (r->bad || !capture_add_region(c, &region))
			return;
	}
}

static void read_notes(struct reader *r, const cJSON *root, struct capture *c)
{
	const cJSON *list = member_array(r, root, "notes", CAPTURE_NOTES_MAX), *item;

	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item)) {
			wrong(r, "notes", "does not hold text");
			return;
		}
		capture_set_text(c->note[c->n_notes++], sizeof(c->note[0]), item->valuestring,
				 strlen(item->valuestring));
	}
}

static void read_root(struct reader *r, const cJSON *root, struct capture *c)
{
	char format[CAPTURE_SHORT] = "";
	struct reader quiet = { format, 0, false };

	if (cJSON_IsObject(root) && cJSON_GetObjectItemCaseSensitive(root, "format"))
		READ_TEXT(&quiet, root, "format", false, format);
	if (strcmp(format, CAPTURE_FORMAT) != 0) {
		snprintf(r->why, r->room,
			 "it is JSON, but no capture: it lacks "
			 "\"format\": \"" CAPTURE_FORMAT "\"");
		r->bad = true;
		return;
	}
	if ((int)read_number(r, root, "version", 1e6) != CAPTURE_VERSION)
		wrong(r, "version", "is not one that this program reads; take the capture again");
	read_origin(r, root, c);
	read_guest(r, root, c);
	read_vectors(r, root, c);
	read_window(r, root, "low_memory", &c->low);
	read_map(r, root, c);
	read_notes(r, root, c);
}

/* Whether an object begins that does not end. */
static bool cut_short(const char *text, size_t n)
{
	while (n > 0 && strchr(" \t\r\n", text[n - 1]))
		n--;
	return n > 0 && text[0] == '{' && text[n - 1] != '}';
}

bool capture_from_json(struct capture *capture, const char *text, size_t n, char *why, size_t room)
{
	struct reader r = { why, room, false };
	const char *end = NULL;
	cJSON *root = cJSON_ParseWithLengthOpts(text, n, &end, false);

	*capture = (struct capture){ 0 };
	if (!root) {
		if (cut_short(text, n))
			snprintf(why, room, "it ends in the middle; it was cut short");
		else
			snprintf(why, room, "it is no JSON: wrong at byte %zu",
				 end && end >= text ? (size_t)(end - text) : 0);
		return false;
	}
	read_root(&r, root, capture);
	cJSON_Delete(root);
	if (r.bad)
		capture_free(capture);
	return !r.bad;
}

static const char *why_not_mapped(int error)
{
	switch (error) {
	case EISDIR: return "it is a folder, not a capture";
	case EINVAL: return "it is no regular file";
	case ENODATA: return "it is empty";
	default: return strerror(error);
	}
}

bool capture_read(struct capture *capture, const char *path)
{
	struct file file = { 0 };
	char why[200];
	bool ok = false;

	if (!file_map(&file, path)) {
		diag_error_at(path, 0, "cannot be read: %s; `selvage capture` writes such files",
			      why_not_mapped(errno));
		return false;
	}
	if (file.size > CAPTURE_FILE_MAX)
		diag_error_at(path, 0,
			      "has %zu bytes, more than any capture (%u MiB); it is another file",
			      file.size, CAPTURE_FILE_MAX >> 20);
	else if (!capture_from_json(capture, (const char *)file.data, file.size, why, sizeof(why)))
		diag_error_at(path, 0, "is no capture that can be used: %s", why);
	else
		ok = true;
	file_unmap(&file);
	return ok;
}
