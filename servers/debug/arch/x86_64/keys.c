#include "keys.h"

#include <dev/pc/keyboard_set1.h>
#include <dev/pc/keyboard_us.h>
#include <selvage/base.h>

#define BREAK 0x80u
#define EXTENDED 0xe0u
#define PAUSE 0xe1u /* e1 1d 45, and e1 9d c5 at once */
#define PAUSE_REST 2u
#define CAPS 0x3au
#define F1 0x3bu
#define PAGE_UP 0x49u
#define PAGE_DOWN 0x51u

enum { SHIFT_LEFT = 1 << 0,
       SHIFT_RIGHT = 1 << 1,
       CONTROL_LEFT = 1 << 2,
       CONTROL_RIGHT = 1 << 3,
       ALT_LEFT = 1 << 4,
       ALT_RIGHT = 1 << 5 };
#define SHIFT (SHIFT_LEFT | SHIFT_RIGHT)
#define CONTROL (CONTROL_LEFT | CONTROL_RIGHT)
#define ALT (ALT_LEFT | ALT_RIGHT)

/* The keypad's keys have no strokes of their own in the layout. */
static const struct {
	uint8_t code;
	char character;
} pad[] = { { 0x37, '*' }, { 0x4a, '-' }, { 0x4e, '+' } };

/* Behind 0xe0, and without it those of a keypad without Num Lock: CSI and that. */
static const struct {
	uint8_t code;
	char text[3];
} cursor_keys[] = {
	{ 0x48, "A" },
	{ 0x50, "B" },
	{ 0x4d, "C" },
	{ 0x4b, "D" },
	{ 0x47, "H" },
	{ 0x4f, "F" },
	{ 0x53, "3~" },
};

/* Of two characters on one key the later stays: CR, not LF, and DEL, not BS. */
void keys_init(struct keys *k)
{
	struct key_stroke stroke;

	*k = (struct keys){ 0 };
	for (unsigned c = 0; c < 0x80; c++) {
		if (!keyboard_us((char)c, &stroke) || stroke.control)
			continue;
		(stroke.shift ? k->shifted : k->plain)[keyboard_set1(stroke.code) % KEYS_CODES] =
			(char)c;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(pad); i++)
		k->plain[pad[i].code] = pad[i].character;
}

static unsigned modifier(uint8_t code, bool extended)
{
	switch (code) {
	case 0x2a: return extended ? 0 : SHIFT_LEFT; /* the extended ones are made up */
	case 0x36: return extended ? 0 : SHIFT_RIGHT;
	case 0x1d: return extended ? CONTROL_RIGHT : CONTROL_LEFT;
	case 0x38: return extended ? ALT_RIGHT : ALT_LEFT;
	default: return 0;
	}
}

static bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

static char character(const struct keys *k, uint8_t code)
{
	char c = k->plain[code];
	bool shift = (k->held & SHIFT) != 0;

	if (is_letter(c)) {
		if (k->held & CONTROL)
			return (char)(c & 0x1f);
		shift = shift != k->caps;
	}
	return shift && k->shifted[code] != '\0' ? k->shifted[code] : c;
}

static bool put_character(const struct keys *k, uint8_t code, struct key *key)
{
	key->text[0] = character(k, code);
	key->n = key->text[0] != '\0';
	return key->n > 0;
}

static bool put_cursor_key(uint8_t code, struct key *key)
{
	for (unsigned i = 0; i < ARRAY_SIZE(cursor_keys); i++) {
		if (cursor_keys[i].code != code)
			continue;
		key->text[key->n++] = 0x1b;
		key->text[key->n++] = '[';
		for (const char *c = cursor_keys[i].text; *c != '\0'; c++)
			key->text[key->n++] = *c;
		return true;
	}
	return false;
}

static bool put_screen_key(const struct keys *k, uint8_t code, struct key *key)
{
	if (k->held & ALT && (code == F1 || code == F1 + 1))
		key->view = (uint8_t)(code - F1 + 1);
	if (k->held & SHIFT && (code == PAGE_UP || code == PAGE_DOWN))
		key->scroll = code == PAGE_UP ? 1 : 2;
	return key->view != 0 || key->scroll != 0;
}

/* Of the extended keys that are characters there are two: Enter and '/' of the keypad. */
static bool press(struct keys *k, uint8_t code, bool extended, struct key *key)
{
	if (put_screen_key(k, code, key))
		return true;
	if (k->held & ALT)
		return false;
	return put_cursor_key(code, key) ||
	       ((!extended || code == 0x1c || code == 0x35) && put_character(k, code, key));
}

bool keys_take(struct keys *k, uint8_t code, struct key *key)
{
	const bool extended = k->extended;
	unsigned held;

	*key = (struct key){ 0 };
	k->extended = code == EXTENDED;
	if (k->skip > 0) {
		k->skip--;
		return false;
	}
	if (code == PAUSE)
		k->skip = PAUSE_REST;
	if (code == EXTENDED || code == PAUSE)
		return false;
	held = modifier(code % KEYS_CODES, extended);
	k->held = (uint8_t)(code & BREAK ? k->held & ~held : k->held | held);
	if (code & BREAK || held != 0)
		return false;
	if (code == CAPS && !extended)
		k->caps = !k->caps;
	return press(k, code, extended, key);
}
