#pragma once

#include <stddef.h>

void *memset(void *to, int value, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
