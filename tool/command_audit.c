/* `selvage audit`: whether a running system is what its description says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "buffer.h"
#include "build.h"
#include "client.h"
#include "diag.h"
#include "forbid.h"

static void tell(void *context, const char *difference)
{
	(void)context;
	printf("differs: %s\n", difference);
}

static void add_line(void *context, const char *line)
{
	buffer_text(context, "%s\n", line);
}

static bool read_dump(const struct options *options, struct buffer *dump)
{
	struct file file = { 0 };

	if (!options->dump)
		return client_ask(options, "caps", NULL, add_line, dump);
	if (!file_map(&file, options->dump)) {
		diag_error("cannot read `%s`: %s", options->dump, strerror(errno));
		return false;
	}
	buffer_append(dump, file.data, file.size);
	file_unmap(&file);
	return true;
}

static int judge(struct system *sys, const struct buffer *dump)
{
	struct topology t;
	unsigned absent, differences;
	bool allowed;

	topology_of(&t, sys->desc);
	differences = audit_compare(&t, (const char *)dump->data, dump->size, tell, NULL, &absent);
	allowed = forbid_check(sys, &t);
	if (differences)
		printf("%s: %u differences between the description and the running system\n",
		       t.name, differences);
	else
		printf("%s: as described: %u grants to %u components%s\n", t.name, t.n_grants,
		       t.n_components - 2 * absent, allowed ? "" : ", but it breaks a rule");
	if (absent)
		printf("%s: %u VMs do not run and were left out\n", t.name, absent);
	topology_free(&t);
	return differences || !allowed ? EXIT_FAILED : EXIT_OK;
}

int command_audit(const struct options *options)
{
	struct buffer dump = { 0 };
	struct system sys;
	int code = EXIT_FAILED;

	if (!system_read(&sys, options->arg[0]))
		return EXIT_FAILED;
	if (read_dump(options, &dump))
		code = judge(&sys, &dump);
	buffer_free(&dump);
	system_free(&sys);
	return code;
}
