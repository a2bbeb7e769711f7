/* Members of a line of an answer that a running system gave, which may say anything. */
#pragma once

#include <cJSON.h>
#include <stdint.h>

/* Not negative and below 10^18; 0 for what is none. */
double answer_number(const cJSON *object, const char *key);
/* 0 for what is none or too large. */
uint32_t answer_number32(const cJSON *object, const char *key);
/* Empty for what is none. */
const char *answer_string(const cJSON *object, const char *key);
