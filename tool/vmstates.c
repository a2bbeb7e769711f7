#include "vmstates.h"

#include <cJSON.h>
#include <stdio.h>
#include <string.h>

static void set_state(struct vmstates *states, const char *name,
		      const char *state)
{
	unsigned i = 0;

	while (i < states->n && strcmp(states->vm[i].name, name) != 0)
		i++;
	if (i == SYSDESC_MAX_VMS)
		return;
	if (i == states->n)
		states->n++;
	snprintf(states->vm[i].name, sizeof(states->vm[i].name), "%s", name);
	snprintf(states->vm[i].state, sizeof(states->vm[i].state), "%.15s",
		 state);
}

void vmstates_line(struct vmstates *states, const char *line)
{
	cJSON *object = cJSON_Parse(line);
	const cJSON *kind = cJSON_GetObjectItem(object, "kind");
	const cJSON *name = cJSON_GetObjectItem(object, "name");
	const cJSON *state = cJSON_GetObjectItem(object, "state");

	/* The next answer begins anew: VMs come and go. */
	if (states->ended)
		states->n = 0;
	states->ended = cJSON_GetObjectItem(object, "ok") != NULL;
	states->whole = cJSON_IsTrue(cJSON_GetObjectItem(object, "ok"));
	if (cJSON_IsString(kind) && strcmp(kind->valuestring, "vm") == 0 &&
	    cJSON_IsString(name) && cJSON_IsString(state))
		set_state(states, name->valuestring, state->valuestring);
	cJSON_Delete(object);
}

const char *vmstates_of(const struct vmstates *states, const char *name)
{
	for (unsigned i = 0; i < states->n; i++) {
		if (strcmp(states->vm[i].name, name) == 0)
			return states->vm[i].state;
	}
	return "";
}
