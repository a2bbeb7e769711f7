/*
 * The debug shell: commands that a person types, as requests to init
 * (selvage/control.h), and init's answers as text. State and bytes only, so
 * that it is tested and fuzzed on the host; neither side is believed.
 */
#pragma once

#include "edit.h"

#include <selvage/control.h>

#define SHELL_ANSWER 1024u /* longest line of an answer */
#define SHELL_NAMES 80u    /* VMs and services that Tab knows */

struct shell_env {
	void *opaque;
	void (*write)(void *opaque, const char *text, size_t n);
	/* Asks init, and calls take(context, line) for each line of the answer, the
	 * verdict among them. */
	void (*ask)(void *opaque, const char *request, void (*take)(void *context, char *line),
		    void *context);
};

struct shell {
	struct shell_env env;
	struct edit edit;
	bool begun; /* there is a prompt */
	unsigned n_names;
	char name[SHELL_NAMES][CONTROL_NAME];
};

void shell_init(struct shell *s, const struct shell_env *env);
/* Its prompt, unless somebody typed before. */
void shell_begin(struct shell *s);
void shell_key(struct shell *s, uint8_t byte);
