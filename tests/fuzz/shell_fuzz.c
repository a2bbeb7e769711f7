/* Any keys for the debug shell, and any answers of init: what is typed stays a line,
 * what is written is text, and requests are lines that init could take. */
#include "shell.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t left;

static void check_text(void *opaque, const char *text, size_t n)
{
	(void)opaque;
	for (size_t i = 0; i < n; i++)
		if ((text[i] < ' ' || text[i] > '~') && strchr("\r\n\033", text[i]) == NULL)
			abort();
}

/* The next line of the input is the answer. */
static void answer(void *opaque, const char *request, void (*take)(void *context, char *line),
		   void *context)
{
	char line[SHELL_ANSWER];
	size_t n = 0;

	(void)opaque;
	if (strlen(request) + 2 > CONTROL_MAX_LINE || strpbrk(request, "\r\n") != NULL)
		abort();
	while (left > 0 && n < sizeof(line) - 1 && *input != '\n') {
		line[n++] = (char)*input++;
		left--;
	}
	line[n] = '\0';
	take(context, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct shell_env env = { NULL, check_text, answer };
	static struct shell shell;

	shell_init(&shell, &env);
	input = data;
	left = size;
	while (left > 0) {
		uint8_t key = *input++;

		left--;
		shell_key(&shell, key);
		if (shell.edit.size >= EDIT_LINE || shell.edit.cursor > shell.edit.size ||
		    strlen(shell.edit.line) > EDIT_LINE - 1)
			abort();
	}
	return 0;
}
