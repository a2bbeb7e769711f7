/* Writing the file format of captures, which docs/schema/capture.schema.json states. */
#include <cJSON.h>
#include <stdio.h>

#include "capture.h"

static void add_hex(cJSON *object, const char *key, uint64_t value, unsigned bits)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%0*llx", (int)bits / 4, (unsigned long long)value);
	cJSON_AddStringToObject(object, key, text);
}

static void add_address(cJSON *object, const char *key, bool known, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	if (known)
		cJSON_AddStringToObject(object, key, text);
	else
		cJSON_AddNullToObject(object, key);
}

static void add_text(cJSON *object, const char *key, const char *text)
{
	if (*text)
		cJSON_AddStringToObject(object, key, text);
	else
		cJSON_AddNullToObject(object, key);
}

static void add_regs(cJSON *object, const char *key, const struct capture_regs *regs)
{
	cJSON *list = cJSON_AddObjectToObject(object, key);

	for (size_t i = 0; i < regs->n; i++)
		add_hex(list, regs->reg[i].name, regs->reg[i].value, regs->reg[i].bits);
}

static void add_window(cJSON *object, const char *key, const struct capture_window *window)
{
	cJSON *o = cJSON_AddObjectToObject(object, key), *words, *texts;

	add_address(o, "address", true, window->address);
	add_address(o, "physical", window->has_physical, window->physical);
	cJSON_AddStringToObject(o, "place", capture_place_names[window->place]);
	words = cJSON_AddArrayToObject(o, "words");
	texts = cJSON_AddArrayToObject(o, "instructions");
	for (unsigned i = 0; i < CAPTURE_WORDS && window->place == PLACE_MEMORY; i++) {
		char text[16];

		snprintf(text, sizeof(text), "0x%08x", window->word[i]);
		cJSON_AddItemToArray(words, cJSON_CreateString(text));
		cJSON_AddItemToArray(texts, cJSON_CreateString(window->text[i]));
	}
}

static cJSON *vector_object(const struct capture_vector *v)
{
	cJSON *o = cJSON_CreateObject();
	bool read = v->state == VECTOR_NO_CODE || v->state == VECTOR_PLAUSIBLE;

	cJSON_AddStringToObject(o, "name", v->name);
	add_address(o, "address", true, v->address);
	cJSON_AddStringToObject(o, "state", vector_state_names[v->state]);
	cJSON_AddBoolToObject(o, "required", v->required);
	if (read)
		add_hex(o, "word", v->word, 32);
	else
		cJSON_AddNullToObject(o, "word");
	add_text(o, "instruction", read ? v->text : "");
	add_text(o, "reason", v->reason);
	add_address(o, "target", v->has_target, v->target);
	return o;
}

static void add_vectors(cJSON *root, const struct capture *c)
{
	cJSON *o = cJSON_AddObjectToObject(root, "vectors"), *list;

	add_address(o, "base", true, c->base);
	cJSON_AddBoolToObject(o, "base_known", c->base_known);
	cJSON_AddStringToObject(o, "base_rule", c->base_rule);
	cJSON_AddBoolToObject(o, "thumb", c->thumb_vectors);
	add_window(o, "window", &c->vectors);
	list = cJSON_AddArrayToObject(o, "entries");
	for (size_t i = 0; i < c->n_vectors; i++)
		cJSON_AddItemToArray(list, vector_object(&c->vector[i]));
}

static void add_origin(cJSON *root, const struct capture *c)
{
	cJSON *o = cJSON_AddObjectToObject(root, "time");

	cJSON_AddStringToObject(o, "started", c->started);
	cJSON_AddStringToObject(o, "finished", c->finished);
	o = cJSON_AddObjectToObject(root, "source");
	cJSON_AddStringToObject(o, "kind", c->source);
	cJSON_AddStringToObject(o, "protocol", c->protocol);
	cJSON_AddStringToObject(o, "address", c->address);
	add_text(o, "version", c->version);
	o = cJSON_AddObjectToObject(root, "accelerator");
	cJSON_AddStringToObject(o, "ran", c->accel_ran);
	add_text(o, "claimed", c->accel_claimed);
	add_text(o, "evidence", c->accel_evidence);
	o = cJSON_AddObjectToObject(root, "machine");
	add_text(o, "board", c->board);
	add_text(o, "type", c->machine);
	add_text(o, "cpu", c->cpu);
	cJSON_AddNumberToObject(o, "vcpus", c->vcpus);
}

static void add_guest(cJSON *root, const struct capture *c)
{
	cJSON *o = cJSON_AddObjectToObject(root, "guest");

	add_text(o, "name", c->guest_name);
	cJSON_AddStringToObject(o, "state", c->state);
	cJSON_AddStringToObject(o, "width", capture_width_names[c->width]);
	add_text(o, "mode", c->mode);
	cJSON_AddBoolToObject(o, "secure", c->secure);
	o = cJSON_AddObjectToObject(root, "image");
	add_text(o, "file", c->image.file);
	add_text(o, "sha256", c->image.sha256);
	if (c->image.has_crc32)
		add_hex(o, "crc32", c->image.crc32, 32);
	else
		cJSON_AddNullToObject(o, "crc32");
	cJSON_AddNumberToObject(o, "bytes", (double)c->image.bytes);
	add_address(o, "load_address", c->image.has_load, c->image.load);
	add_address(o, "entry", c->image.has_entry, c->image.entry);
	o = cJSON_AddObjectToObject(root, "registers");
	add_regs(o, "general", &c->general);
	add_regs(o, "system", &c->system);
}

static void add_map(cJSON *root, const struct capture *c)
{
	cJSON *list = cJSON_AddArrayToObject(root, "memory_map");

	for (size_t i = 0; i < c->n_regions; i++) {
		cJSON *o = cJSON_CreateObject();

		add_address(o, "first", true, c->region[i].first);
		add_address(o, "last", true, c->region[i].last);
		cJSON_AddStringToObject(o, "kind", c->region[i].kind);
		cJSON_AddStringToObject(o, "name", c->region[i].name);
		cJSON_AddItemToArray(list, o);
	}
}

char *capture_to_json(const struct capture *c)
{
	cJSON *root = cJSON_CreateObject(), *notes;
	char *text;

	cJSON_AddStringToObject(root, "format", CAPTURE_FORMAT);
	cJSON_AddNumberToObject(root, "version", CAPTURE_VERSION);
	add_origin(root, c);
	add_guest(root, c);
	add_vectors(root, c);
	add_window(root, "low_memory", &c->low);
	add_map(root, c);
	notes = cJSON_AddArrayToObject(root, "notes");
	for (size_t i = 0; i < c->n_notes; i++)
		cJSON_AddItemToArray(notes, cJSON_CreateString(c->note[i]));
	text = cJSON_Print(root);
	cJSON_Delete(root);
	return text;
}
