/* What a guest's exit was, by the number that a trace has of it. */
#pragma once

#include <stdint.h>

/* Whose numbers: init says so (servers/init/machine.h). */
enum exit_codes { EXIT_CODES_ESR,
		  EXIT_CODES_SVM,
		  EXIT_CODES_VMX };

#define EXIT_NAME 24

/* ESR, of whatever it does not know. */
enum exit_codes exit_codes_of(const char *name);
/* A fixed name, or one that is put into `text`: of every number. */
const char *exit_name(enum exit_codes codes, uint32_t number, char text[EXIT_NAME]);
