/* Any scan codes: keys are a few bytes that a terminal could send, or the screen's own. */
#include "keys.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct key *key)
{
	if (key->n > KEY_TEXT || key->view > 2 || key->scroll > 2 ||
	    (key->n == 0 && key->view == 0 && key->scroll == 0))
		abort();
	for (unsigned i = 0; i < key->n; i++)
		if (key->text[i] == '\0' || (unsigned char)key->text[i] > 0x7f)
			abort();
	if (key->n > 1 && memcmp(key->text, "\033[", 2) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keys keys;
	struct key key;

	keys_init(&keys);
	for (size_t i = 0; i < size; i++)
		if (keys_take(&keys, data[i], &key))
			check(&key);
	return 0;
}
