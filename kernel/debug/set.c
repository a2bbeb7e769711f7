/* A hash set that is emptied by counting up a generation. */
#include "check.h"

#define BITS 16
#define SIZE (1u << BITS)
#define KEY_BITS 56

static struct {
	word_t key; /* kind << 56 | key, folded */
	word_t generation;
} table[SIZE];
static word_t generation;
static unsigned used;

void set_clear(void)
{
	generation++;
	used = 0;
}

bool set_full(void) { return used >= SIZE / 4 * 3; }

static unsigned find(word_t key)
{
	unsigned i = (unsigned)(key * 0x9e3779b97f4a7c15ull >> (64 - BITS));

	while (table[i].generation == generation && table[i].key != key)
		i = (i + 1) % SIZE;
	return i;
}

static word_t key_of(enum set_kind kind, word_t key) { return (word_t)kind << KEY_BITS ^ key; }

bool set_has(enum set_kind kind, word_t key)
{
	return table[find(key_of(kind, key))].generation == generation;
}

bool set_add(enum set_kind kind, word_t key)
{
	unsigned i = find(key_of(kind, key));

	if (table[i].generation == generation)
		return false;
	if (!set_full()) {
		table[i].key = key_of(kind, key);
		table[i].generation = generation;
		used++;
	}
	return true;
}
