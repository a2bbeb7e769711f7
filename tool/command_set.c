/* `selvage set`: another value for a key of a VM's description. */
#include <selvage/control.h>
#include <selvage/sysdesc.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "client.h"
#include "diag.h"
#include "units.h"

/* What a description may say too (docs/system-description.md); whether it goes with the rest of
 * the VM's, init knows. */
static const struct {
	const char *text;
	uint64_t least, most;
} ranges[CONTROL_KEYS] = {
	[CONTROL_PRIORITY] = { "a number from 1 to 100", 1, SYSDESC_VM_PRIORITY_MAX },
	[CONTROL_BUDGET] = { "a time from 20us to its period, e.g. 4ms", 20, SYSDESC_DELAY_MAX_US },
	[CONTROL_PERIOD] = { "a time from its budget to 3600s, e.g. 10ms", 20,
			     SYSDESC_DELAY_MAX_US },
	[CONTROL_RESTART] = { "never, on-failure or always", 0, SYSDESC_RESTART_ALWAYS },
	[CONTROL_RESTART_DELAY] = { "a time from 1ms to 3600s, e.g. 100ms", SYSDESC_DELAY_MIN_US,
				    SYSDESC_DELAY_MAX_US },
	[CONTROL_RESTART_LIMIT] = { "a number from 1 to 1000", 1, SYSDESC_RESTART_LIMIT_MAX },
	[CONTROL_BALLOON] = { "a size in whole pages of 4K, e.g. 64M", 0, INT64_MAX },
};

static bool parse_choice(const char *text, uint64_t *value)
{
	static const char *const names[] = { "never", "on-failure", "always" };

	for (*value = 0; *value <= SYSDESC_RESTART_ALWAYS; ++*value) {
		if (strcmp(names[*value], text) == 0)
			return true;
	}
	return false;
}

static bool parse_value(enum control_key key, const char *text, uint64_t *value)
{
	switch (key) {
	case CONTROL_BUDGET:
	case CONTROL_PERIOD:
	case CONTROL_RESTART_DELAY:
		return units_parse_duration(text, value);
	case CONTROL_RESTART:
		return parse_choice(text, value);
	case CONTROL_BALLOON:
		return units_parse_size(text, value);
	default:
		return text[strspn(text, "0123456789")] == '\0' && units_parse_size(text, value);
	}
}

int command_set(const struct options *options)
{
	static const char *const names[CONTROL_KEYS] = CONTROL_KEY_NAMES;
	const char *key = options->arg[1], *text = options->arg[2];
	char argument[256];
	uint64_t value;
	unsigned i = 0;

	while (i < CONTROL_KEYS && strcmp(names[i], key) != 0)
		i++;
	if (i == CONTROL_KEYS) {
		diag_error("`%s` cannot be changed; take priority, budget, period, restart, "
			   "restart_delay, restart_limit or balloon",
			   key);
		return EXIT_USAGE;
	}
	if (!parse_value((enum control_key)i, text, &value) || value < ranges[i].least ||
	    value > ranges[i].most) {
		diag_error("`%s` cannot be `%s`; give %s", key, text, ranges[i].text);
		return EXIT_USAGE;
	}
	snprintf(argument, sizeof(argument), "%.40s %s %llu", options->arg[0], key,
		 (unsigned long long)value);
	return client_request(options, "set", argument) ? EXIT_OK : EXIT_FAILED;
}
