/* Lines of init's answers: objects of JSON with texts and numbers in them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The next member from *at on, which begins at the line's start; key and value are
 * cut to their sizes, NUL included, and hold nothing that a terminal would obey.
 * False: there is none, or it is no such line. */
bool answer_next(const char **at, char *key, size_t key_size, char *value, size_t value_size);
/* The value of that key. */
bool answer_get(const char *line, const char *key, char *value, size_t size);
