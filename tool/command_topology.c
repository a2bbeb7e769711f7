/* `selvage check --topology`: the answers of topology.h about a description. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build.h"
#include "diag.h"
#include "files.h"
#include "suggest.h"
#include "topology.h"

/* -1 with a message: nothing has that name. */
static int find(const struct topology *t, const char *option, const char *name)
{
	int i = topology_find(t, name);
	const char *near;

	if (i >= 0)
		return i;
	near = NULL;
	for (unsigned j = 0; j < t->n_components && !near; j++) {
		const char *one = t->component[j].name;

		near = suggest_near(name, &one, 1, sizeof(one));
	}
	diag_error("%s: there is no component `%s`; %s%s%s", option, name,
		   near ? "did you mean `" : "`selvage check --topology` lists them",
		   near ? near : "", near ? "`?" : "");
	return -1;
}

static _Noreturn void become_dot(int input, const char *output)
{
	dup2(input, STDIN_FILENO);
	execlp("dot", "dot", "-Tsvg", "-o", output, (char *)NULL);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Through Graphviz' dot. */
static bool draw(const struct topology *t, const char *output)
{
	struct file_out out;
	FILE *file = tmpfile();
	char *text = topology_dot(t);
	int status = -1;
	pid_t child;

	if (!file || fputs(text, file) < 0 || fflush(file) != 0) {
		diag_error("cannot write a temporary file: %s", strerror(errno));
		free(text);
		return false;
	}
	free(text);
	rewind(file);
	if (!file_out_open(&out, output)) {
		fclose(file);
		return false;
	}
	child = fork();
	if (child == 0)
		become_dot(fileno(file), out.name);
	if (child > 0)
		waitpid(child, &status, 0);
	fclose(file);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return file_out_close(&out, true);
	(void)file_out_close(&out, false);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		diag_error("--svg needs `dot`, which is not there; install the package graphviz");
	else
		diag_error("`dot` could not write `%s`", output);
	return false;
}

static void print(const struct topology *t, const struct options *options, int from, int to)
{
	char *json;

	if (options->json) {
		json = topology_json(t, from, to);
		puts(json);
		free(json);
		return;
	}
	topology_print(t);
	if (from >= 0)
		topology_print_paths(t, (unsigned)from, (unsigned)to);
}

int command_topology(const struct options *options, const struct system *sys)
{
	struct topology t;
	int from = -1, to = -1;
	bool ok = true;

	topology_of(&t, sys->desc);
	if (options->from) {
		from = find(&t, "--from", options->from);
		to = find(&t, "--to", options->to);
		ok = from >= 0 && to >= 0;
	}
	if (ok)
		print(&t, options, from, to);
	ok = ok && (!options->svg || draw(&t, options->svg));
	topology_free(&t);
	return ok ? EXIT_OK : EXIT_FAILED;
}
