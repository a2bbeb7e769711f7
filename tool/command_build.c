/* `selvage check` and `selvage build`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "cli.h"
#include "diag.h"
#include "iso.h"
#include "units.h"

/* The machine for a root task of someone else's, when no file gives one. */
static const char bare_machine[] = "name: root-task\nvms: []\n";

char *build_config(const struct system *sys, const struct options *options)
{
	return files_text("%s%s", sys->cpu->config,
			  options->debug ? "-debug" : "");
}

bool build_read_system(struct system *sys, const struct options *options,
		       const char *build_dir)
{
	if (!options->arg[0])
		return system_parse(sys, "(default machine)", bare_machine,
				    strlen(bare_machine));
	if (!system_read(sys, options->arg[0]))
		return false;
	if (options->root_task || system_load_images(sys, build_dir))
		return true;
	system_free(sys);
	return false;
}

bool build_image(const struct system *sys, const struct options *options,
		 const char *build_dir, const char *output)
{
	char *config = build_config(sys, options);
	const struct sysimage_parts parts = {
		.build_dir = build_dir,
		.config = config,
		.kernel = options->kernel,
		.root_task = options->root_task,
		.pc = sys->cpu->pc,
	};
	bool ok;

	diag_progress("IMAGE %s", output);
	ok = sysimage_build(sys, &parts, output);
	free(config);
	return ok;
}

char *build_default_output(const struct system *sys, const char *build_dir)
{
	return files_text("%s/images/%s.img", build_dir, sys->desc->name);
}

/* The options of `--topology`, which could be overlooked without it. */
static bool check_agrees(const struct options *options)
{
	const char *name = options->json ? "json" : options->svg ? "svg"
					    : options->from      ? "from"
					    : options->to        ? "to"
								 : NULL;

	if (!options->from != !options->to && options->topology) {
		diag_error("--from and --to go together; give both, or none");
		return false;
	}
	if (!name || options->topology)
		return true;
	diag_error("--%s is of the topology; give --topology too, or leave it out", name);
	return false;
}

int command_check(const struct options *options)
{
	char *build_dir;
	struct system sys;
	bool ok;
	int code;

	if (!check_agrees(options))
		return EXIT_USAGE;
	build_dir = files_build_dir(options->build_dir);
	ok = build_read_system(&sys, options, build_dir);
	code = ok ? EXIT_OK : EXIT_FAILED;
	if (ok && options->topology) {
		code = command_topology(options, &sys);
		system_free(&sys);
	} else if (ok) {
		printf("%s: ok: %u VMs, %s of guest memory, %s, %s, %s\n",
		       options->arg[0], sys.desc->n_vms,
		       units_size_text(system_guest_bytes(&sys)), sys.cpu->name,
		       sys.cpu->pc                  ? "PC"
		       : sys.desc->gic_version == 2 ? "GICv2"
						    : "GICv3",
		       units_size_text(sys.machine_bytes));
		system_free(&sys);
	}
	free(build_dir);
	return code;
}

/* Before anything is written. */
static bool iso_fits(const struct system *sys, const struct options *options)
{
	if (!options->iso || sys->cpu->pc)
		return true;
	diag_error_at(sys->file, 0, "--iso makes an image for a PC, and this machine is none; give "
				    "`machine: {board: pc}`, or leave the option out");
	return false;
}

int command_build(const struct options *options)
{
	char *build_dir = files_build_dir(options->build_dir);
	char *output = NULL;
	struct system sys;
	bool ok;

	if (!options->arg[0] && !options->root_task) {
		fprintf(stderr, "selvage: error: `build` needs SYSTEM.yaml, or "
				"--root-task\n"
				"selvage: try `selvage build --help`\n");
		free(build_dir);
		return EXIT_USAGE;
	}
	ok = build_read_system(&sys, options, build_dir);
	if (ok) {
		output = options->output
				 ? files_text("%s", options->output)
				 : build_default_output(&sys, build_dir);
		ok = iso_fits(&sys, options) && build_image(&sys, options, build_dir, output) &&
		     (!options->iso || iso_build(output, sys.desc->name, options->iso));
		system_free(&sys);
	}
	if (ok)
		printf("%s\n", output);
	free(output);
	free(build_dir);
	return ok ? EXIT_OK : EXIT_FAILED;
}
