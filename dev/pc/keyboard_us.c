#include <dev/pc/keyboard_us.h>

/* The keys that have characters: without and with shift. */
static const struct {
	char plain, shifted;
	uint8_t code;
} keys[] = {
	{ '`', '~', 0x0e },
	{ '1', '!', 0x16 },
	{ '2', '@', 0x1e },
	{ '3', '#', 0x26 },
	{ '4', '$', 0x25 },
	{ '5', '%', 0x2e },
	{ '6', '^', 0x36 },
	{ '7', '&', 0x3d },
	{ '8', '*', 0x3e },
	{ '9', '(', 0x46 },
	{ '0', ')', 0x45 },
	{ '-', '_', 0x4e },
	{ '=', '+', 0x55 },
	{ '[', '{', 0x54 },
	{ ']', '}', 0x5b },
	{ '\\', '|', 0x5d },
	{ ';', ':', 0x4c },
	{ '\'', '"', 0x52 },
	{ ',', '<', 0x41 },
	{ '.', '>', 0x49 },
	{ '/', '?', 0x4a },
	{ ' ', ' ', 0x29 },
	{ '\t', '\t', 0x0d },
	{ '\n', '\n', 0x5a },
	{ '\r', '\r', 0x5a },
	{ '\b', '\b', 0x66 },
	{ 0x7f, 0x7f, 0x66 },
	{ 0x1b, 0x1b, 0x76 },
};

static const uint8_t letters[26] = {
	0x1c, 0x32, 0x21, 0x23, 0x24, 0x2b, 0x34, 0x33, 0x43, 0x3b, 0x42, 0x4b, 0x3a, 0x31,
	0x44, 0x4d, 0x15, 0x2d, 0x1b, 0x2c, 0x3c, 0x2a, 0x1d, 0x22, 0x35, 0x1a
};

bool keyboard_us(char character, struct key_stroke *stroke)
{
	unsigned c = (unsigned char)character;

	*stroke = (struct key_stroke){ 0 };
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (character != keys[i].plain && character != keys[i].shifted)
			continue;
		stroke->code = keys[i].code;
		stroke->shift = character != keys[i].plain;
		return true;
	}
	stroke->shift = c >= 'A' && c <= 'Z';
	stroke->control = c >= 1 && c <= 26;
	if (!stroke->shift && !stroke->control && (c < 'a' || c > 'z'))
		return false;
	stroke->code = letters[(c & 0x1f) - 1];
	return true;
}
