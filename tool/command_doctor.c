/* `selvage doctor`: what this host can run, and what to install. */
#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli.h"
#include "diag.h"
#include "files.h"

enum finding {
	FOUND,
	LACKING, /* and something cannot be done */
	FATAL    /* and Selvage cannot be run at all */
};

static const char *const finding_names[] = { "ok", "lacking", "fatal" };

struct report {
	cJSON *list;
	bool json, fatal;
};

static void tell(struct report *r, enum finding finding, const char *what, const char *detail,
		 const char *remedy)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddItemToArray(r->list, o);
	cJSON_AddStringToObject(o, "what", what);
	cJSON_AddStringToObject(o, "finding", finding_names[finding]);
	cJSON_AddStringToObject(o, "detail", detail);
	if (finding == FOUND)
		cJSON_AddNullToObject(o, "remedy");
	else
		cJSON_AddStringToObject(o, "remedy", remedy);
	r->fatal = r->fatal || finding == FATAL;
	if (r->json)
		return;
	printf("%-8s %-22s %s\n", finding_names[finding], what, detail);
	if (finding != FOUND)
		printf("%-8s %-22s -> %s\n", "", "", remedy);
}

/* --- programs and packages --- */

/* The first line that a command prints, and its exit status. */
static int output_of(const char *command, char *to, size_t room)
{
	FILE *out = popen(command, "r");

	to[0] = '\0';
	if (!out)
		return -1;
	if (fgets(to, (int)room, out))
		to[strcspn(to, "\n")] = '\0';
	return pclose(out);
}

static void check_program(struct report *r, enum finding without, const char *program,
			  const char *command, const char *package, const char *why)
{
	char line[200], remedy[200];

	if (output_of(command, line, sizeof(line)) == 0 && *line) {
		tell(r, FOUND, program, line, NULL);
		return;
	}
	snprintf(line, sizeof(line), "not installed; needed %s", why);
	snprintf(remedy, sizeof(remedy), "apt-get install --no-install-recommends %s", package);
	tell(r, without, program, line, remedy);
}

static void check_programs(struct report *r)
{
	static const struct {
		enum finding without;
		const char *program, *command, *package, *why;
	} programs[] = {
		{ FATAL, "qemu-system-aarch64", "qemu-system-aarch64 --version 2>/dev/null",
		  "qemu-system-arm", "to run anything" },
		{ LACKING, "qemu-system-arm", "qemu-system-arm --version 2>/dev/null",
		  "qemu-system-arm", "for 32-bit references" },
		{ LACKING, "qemu-system-x86_64", "qemu-system-x86_64 --version 2>/dev/null",
		  "qemu-system-x86", "for the target x86-64 (AMD SVM emulated)" },
		{ LACKING, "bochs",
		  "dpkg-query -W -f '${Status} ${Version}\\n' bochs 2>/dev/null | "
		  "sed -n 's/^install ok installed //p' | grep .",
		  "bochs bochs-term bochsbios vgabios", "for the target x86-64 (VT-x emulated)" },
		{ LACKING, "grub-mkrescue",
		  "grub-mkrescue --version 2>/dev/null && command -v xorriso mformat >/dev/null && "
		  "test -d /usr/lib/grub/i386-pc -a -d /usr/lib/grub/x86_64-efi",
		  "grub-common grub-pc-bin grub-efi-amd64-bin xorriso mtools",
		  "for bootable images of a PC's system" },
		{ LACKING, "gdb-multiarch", "gdb-multiarch --version 2>/dev/null", "gdb-multiarch",
		  "by `selvage gdb`" },
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		check_program(r, programs[i].without, programs[i].program, programs[i].command,
			      programs[i].package, programs[i].why);
}

/* Those that mk/packages names, if this selvage lies in its tree. */
static void check_packages(struct report *r, const char *build_dir)
{
	static const char *const lists[] = { "build", "test" };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		char *script = files_text("%s/../mk/packages/install", build_dir);
		char *command = files_text("sh '%s' --print %s 2>&1", script, lists[i]);
		char *what = files_text("packages: %s", lists[i]);
		char line[1000] = "";

		if (strchr(build_dir, '\'') || access(script, R_OK) != 0)
			tell(r, LACKING, what, "the tree's mk/packages is not there",
			     "run build/host/bin/selvage of a clone of Selvage");
		else if (output_of(command, line, sizeof(line)) == 0)
			tell(r, FOUND, what, "all installed", NULL);
		else
			tell(r, LACKING, what, line, "sh mk/packages/install build test");
		free(what);
		free(command);
		free(script);
	}
}

/* --- hardware --- */

static bool cpu_flag(const char *flag)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char *line = NULL;
	size_t room = 0, n = strlen(flag);
	bool found = false;

	while (file && !found && getline(&line, &room, file) > 0) {
		for (char *p = strstr(line, flag); p && !found; p = strstr(p + 1, flag))
			found = p > line && p[-1] == ' ' && strchr(" \n", p[n]);
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

static void check_virtualisation(struct report *r, bool arm)
{
	char text[40];

	if (arm && access("/dev/kvm", F_OK) == 0)
		tell(r, FOUND, "EL2", "the host's kernel has it (KVM is there)", NULL);
	else if (output_of("qemu-system-aarch64 --version 2>/dev/null", text, sizeof(text)) == 0)
		tell(r, FOUND, "EL2", "emulated by qemu-system-aarch64 (virtualization=on)", NULL);
	else
		tell(r, LACKING, "EL2", "neither the host has it nor is there an emulator",
		     "apt-get install --no-install-recommends qemu-system-arm");
	if (arm)
		tell(r, FOUND, "VT-x or AMD-V", "not on Arm", NULL);
	else if (cpu_flag("vmx") || cpu_flag("svm"))
		tell(r, FOUND, "VT-x or AMD-V", cpu_flag("vmx") ? "VT-x" : "AMD-V", NULL);
	else
		tell(r, LACKING, "VT-x or AMD-V", "none, or a hypervisor around this host hides it",
		     "not needed for Arm; for x86-64 Bochs emulates VT-x, QEMU AMD-V");
}

/* What the host's kernel has of KVM, and whether guests may have guests. */
static void check_kvm_module(struct report *r)
{
	static const char *const modules[] = { "kvm_intel", "kvm_amd", "kvm" };

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		char path[64], command[128], nested[8], text[80];

		snprintf(path, sizeof(path), "/sys/module/%s", modules[i]);
		if (access(path, F_OK) != 0)
			continue;
		snprintf(command, sizeof(command), "cat %s/parameters/nested 2>/dev/null", path);
		(void)output_of(command, nested, sizeof(nested));
		snprintf(text, sizeof(text), "%s%s%s", modules[i], *nested ? ", nested: " : "",
			 nested);
		tell(r, FOUND, "KVM module", text, NULL);
		return;
	}
	tell(r, LACKING, "KVM module", "none is loaded", "modprobe kvm_intel or kvm_amd");
}

static void check_kvm(struct report *r, bool arm)
{
	char text[120];
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = fd >= 0 ? ioctl(fd, KVM_CREATE_VM, 0) : -1;
	int error = errno;

	if (vm >= 0)
		close(vm);
	if (fd >= 0)
		close(fd);
	if (vm >= 0) {
		snprintf(text, sizeof(text), "makes VMs, for %s guests", arm ? "Arm" : "x86");
		tell(r, FOUND, "/dev/kvm", text, NULL);
	} else if (fd >= 0) {
		snprintf(text, sizeof(text), "is there, but makes no VM: %s", strerror(error));
		tell(r, LACKING, "/dev/kvm", text,
		     "the processor, or the hypervisor around this host, must offer it");
	} else if (error == EACCES || error == EPERM) {
		tell(r, LACKING, "/dev/kvm", "no right to open it",
		     "usermod -aG kvm USER, then log in again");
	} else {
		snprintf(text, sizeof(text), "cannot be opened: %s", strerror(error));
		tell(r, LACKING, "/dev/kvm", text,
		     "modprobe kvm, or go on without: `run --reference kvm` emulates a machine "
		     "that "
		     "has it");
	}
}

static void check_reference(struct report *r, const char *build_dir, bool arm)
{
	static const char *const assets[] = { "linux-debian", "kvm-host" };

	if (arm && access("/dev/kvm", R_OK | W_OK) == 0) {
		tell(r, FOUND, "--reference kvm", "on this host's KVM", NULL);
		return;
	}
	for (size_t i = 0; i < sizeof(assets) / sizeof(assets[0]); i++) {
		char *path = files_text("%s/assets/%s", build_dir, assets[i]);
		bool there = access(path, R_OK) == 0;

		free(path);
		if (!there) {
			tell(r, LACKING, "--reference kvm", "its Linux and QEMU are not built",
			     "make assets");
			return;
		}
	}
	tell(r, FOUND, "--reference kvm", "inside an emulated machine with EL2", NULL);
}

static void check_rights(struct report *r, const char *build_dir)
{
	tell(r, FOUND, "user",
	     geteuid() == 0 ? "root; no right is lacking"
			    : "no root; none is needed but to install",
	     NULL);
	tell(r, access(build_dir, W_OK) == 0 ? FOUND : LACKING, "build folder",
	     access(build_dir, W_OK) == 0 ? "can be written" : "cannot be written",
	     "give another by SELVAGE_BUILD or --build-dir");
}

static void finish(struct report *r)
{
	cJSON *root;
	char *text;

	if (!r->json) {
		printf("%s\n",
		       r->fatal ? "Selvage cannot be run here yet." : "Selvage can be run here.");
		cJSON_Delete(r->list);
		return;
	}
	root = cJSON_CreateObject();
	cJSON_AddStringToObject(root, "format", "selvage-doctor");
	cJSON_AddNumberToObject(root, "version", 1);
	cJSON_AddBoolToObject(root, "can_run", !r->fatal);
	cJSON_AddItemToObject(root, "findings", r->list);
	text = cJSON_Print(root);
	puts(text);
	cJSON_free(text);
	cJSON_Delete(root);
}

int command_doctor(const struct options *options)
{
	struct report report = { .list = cJSON_CreateArray(), .json = options->json };
	char *build_dir = files_build_dir(options->build_dir);
	struct utsname name;
	bool arm = uname(&name) == 0 && strcmp(name.machine, "aarch64") == 0;

	tell(&report, FOUND, "host", arm ? "aarch64" : name.machine, NULL);
	check_programs(&report);
	check_virtualisation(&report, arm);
	check_kvm_module(&report);
	check_kvm(&report, arm);
	check_reference(&report, build_dir, arm);
	check_packages(&report, build_dir);
	check_rights(&report, build_dir);
	finish(&report);
	free(build_dir);
	return report.fatal ? EXIT_FAILED : EXIT_OK;
}
