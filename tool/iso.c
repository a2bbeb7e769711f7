#include "iso.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffer.h"
#include "diag.h"
#include "files.h"
#include "sysimage.h"

#define PACKAGES "grub-common grub-pc-bin grub-efi-amd64-bin xorriso mtools"
#define MENU "boot/grub/grub.cfg"
/* grub-mkrescue's own start of UEFI's GRUB asks for all of them. */
#define PARTITIONS \
	"part_acorn part_amiga part_bsd part_dfly part_dvh part_plan part_sun part_sunpc"

static const char *const programs[] = { "grub-mkrescue", "xorriso", "mformat", "mcopy" };
/* Without one of them grub-mkrescue makes an image that only the other starts. */
static const char *const loaders[] = { "/usr/lib/grub/i386-pc/multiboot2.mod",
				       "/usr/lib/grub/x86_64-efi/multiboot2.mod" };

static bool have_programs(void)
{
	const char *missing = NULL;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]) && !missing; i++)
		if (!files_have_program(programs[i]))
			missing = programs[i];
	for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]) && !missing; i++)
		if (access(loaders[i], R_OK) != 0)
			missing = loaders[i];
	if (missing)
		diag_error("an ISO image needs `%s`, which is not there; install: apt-get install "
			   "--no-install-recommends " PACKAGES,
			   missing);
	return missing == NULL;
}

/* `to=from`, as the image is to have it; the caller frees it. */
static char *graft(const char *to, const char *from, const char *suffix)
{
	struct buffer b = { 0 };

	buffer_text(&b, "%s=", to);
	for (; *from; from++)
		buffer_text(&b, *from == '=' || *from == '\\' ? "\\%c" : "%c", *from);
	buffer_text(&b, "%s", suffix);
	buffer_append(&b, "", 1);
	return (char *)b.data;
}

static bool write_menu(const char *path, const char *system)
{
	char *text = files_text("set timeout=0\n"
				"menuentry 'Selvage: %s' {\n"
				"\tmultiboot2 /selvage/kernel\n"
				"\tmodule2 /selvage/init\n"
				"\tmodule2 /selvage/system\n"
				"}\n",
				system);
	bool ok = file_write(path, text, strlen(text));

	free(text);
	return ok;
}

/* Runs it; what it says goes to `log`. */
static bool run(char *const argv[], FILE *log)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		dup2(fileno(log), STDOUT_FILENO);
		dup2(fileno(log), STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void print_log(FILE *log)
{
	char line[256];

	rewind(log);
	while (fgets(line, sizeof(line), log))
		fprintf(stderr, "  %s", line);
}

static bool make(const char *image, const char *menu, const char *output)
{
	char *grafts[] = { graft(MENU, menu, ""),
			   graft("selvage/kernel", image, SYSIMAGE_PC_KERNEL),
			   graft("selvage/init", image, SYSIMAGE_PC_ROOT),
			   graft("selvage/system", image, "") };
	char *argv[] = { "grub-mkrescue",
			 "--output",
			 (char *)output,
			 "--install-modules=multiboot2 normal " PARTITIONS,
			 "--fonts=",
			 "--locales=",
			 "--themes=",
			 grafts[0],
			 grafts[1],
			 grafts[2],
			 grafts[3],
			 NULL };
	FILE *log = tmpfile();
	bool ok = log && run(argv, log) && access(output, R_OK) == 0;

	if (!ok) {
		diag_error("grub-mkrescue could not make an image; it said:");
		if (log)
			print_log(log);
	}
	if (log)
		fclose(log);
	for (size_t i = 0; i < sizeof(grafts) / sizeof(grafts[0]); i++)
		free(grafts[i]);
	return ok;
}

bool iso_build(const char *image, const char *system, const char *output)
{
	char *menu, *temporary;
	struct stat st;
	bool ok;

	if (!have_programs())
		return false;
	if (stat(output, &st) == 0 && !S_ISREG(st.st_mode)) {
		diag_error_at(output, 0, "it is no file; choose another one with --iso");
		return false;
	}
	diag_progress("ISO %s", output);
	files_make_parents(output);
	menu = files_text("%s.%ld.cfg", output, (long)getpid());
	temporary = files_text("%s.%ld.tmp", output, (long)getpid());
	ok = write_menu(menu, system) && make(image, menu, temporary);
	if (ok && rename(temporary, output) != 0) {
		diag_error_at(output, 0, "cannot write it: %s; choose another one with --iso",
			      strerror(errno));
		ok = false;
	}
	unlink(temporary);
	unlink(menu);
	free(temporary);
	free(menu);
	return ok;
}
