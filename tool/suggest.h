/* "Did you mean ...?": the nearest of a set of words. */
#pragma once

#include <stddef.h>

/*
 * The name in an array of `n` structures of `stride` bytes, each of which
 * starts with a `const char *`, that is nearest to `word` by edit distance;
 * NULL if none is near (a third of the word's letters, at least one).
 */
const char *suggest_near(const char *word, const void *names, size_t n,
			 size_t stride);
