#include "qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "diag.h"
#include "files.h"

#define QEMU_VIRT "qemu-system-aarch64"
#define QEMU_PC "qemu-system-x86_64"
#define EXEC_FAILED 127
#define STOP_PATIENCE_MS 1000

void qemu_command_add(struct qemu_command *command, const char *argument)
{
	command->full = command->n == QEMU_ARGS_MAX;
	if (!command->full)
		command->argv[command->n++] = files_text("%s", argument);
}

void qemu_command_addf(struct qemu_command *command, const char *format, ...)
{
	char text[4096 + 256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	qemu_command_add(command, text);
}

bool qemu_command_fits(const struct qemu_command *command)
{
	if (command->full)
		diag_error("QEMU is to get more than %d arguments", QEMU_ARGS_MAX);
	return !command->full;
}

static void add_list(struct qemu_command *command, const char *first, ...)
{
	va_list args;

	va_start(args, first);
	for (const char *a = first; a; a = va_arg(args, const char *))
		qemu_command_add(command, a);
	va_end(args);
}

/* One virtual nanosecond an instruction, a fixed date and fixed randomness:
 * runs repeat to the byte. */
static void add_deterministic(struct qemu_command *command)
{
	add_list(command, "-icount", "shift=0,align=off,sleep=off", "-rtc",
		 "base=2026-01-01,clock=vm", "-seed", "1", NULL);
}

/* The whole machine's, for who debugs it. */
static void add_monitor(struct qemu_command *command, const struct options *options)
{
	unsigned port = options->monitor_port ? options->monitor_port : QEMU_MONITOR_PORT;

	qemu_command_add(command, "-monitor");
	if (options->gdb || options->monitor_port)
		qemu_command_addf(command, "tcp:127.0.0.1:%u,server=on,wait=off", port);
	else
		qemu_command_add(command, "none");
}

#define MAC "mac=52:54:00:12:34:56"

/* Where init looks for it: on a PC anywhere on the PCI bus, else in the slot that
 * lib/image/include/selvage/sysdesc.h says. */
static void add_virtio(struct qemu_command *command, const struct sysimage_machine *machine,
		       const char *kind, const char *options, unsigned slot)
{
	qemu_command_add(command, "-device");
	if (cpu_find(machine->cpu)->pc) {
		qemu_command_addf(command, "virtio-%s-pci,%s", kind, options);
		return;
	}
	qemu_command_addf(command, "virtio-%s-device,%s,bus=virtio-mmio-bus.%u", kind, options,
			  slot);
	add_list(command, "-global", "virtio-mmio.force-legacy=false", NULL);
}

static void add_nic(struct qemu_command *command, const struct sysimage_machine *machine)
{
	char netdev[1024] = "user,id=nic";
	size_t n = strlen(netdev);

	if (!machine->nic)
		return;
	for (unsigned i = 0; i < machine->n_forwards; i++)
		n += (size_t)snprintf(netdev + n, sizeof(netdev) - n,
				      ",hostfwd=%s:127.0.0.1:%u-%s:%u",
				      machine->forward[i].protocol, machine->forward[i].host_port,
				      machine->forward[i].address, machine->forward[i].port);
	add_list(command, "-netdev", netdev, NULL);
	if (machine->e1000)
		add_list(command, "-device", "e1000,netdev=nic," MAC, NULL);
	else
		add_virtio(command, machine, "net", "netdev=nic," MAC, SYSDESC_NIC_SLOT);
}

/* A comma ends an option's value unless it is there twice. */
static void add_disk(struct qemu_command *command, const struct sysimage_machine *machine)
{
	char name[2 * sizeof(machine->disk)], *to = name;

	if (machine->disk[0] == '\0')
		return;
	for (const char *at = machine->disk; *at != '\0'; at++) {
		*to++ = *at;
		if (*at == ',')
			*to++ = ',';
	}
	*to = '\0';
	qemu_command_add(command, "-drive");
	qemu_command_addf(command, "file=%s,format=raw,if=none,id=disk%s", name,
			  machine->disk_writes ? "" : ",readonly=on");
	add_virtio(command, machine, "blk", "drive=disk", SYSDESC_DISK_SLOT);
}

/* A module's arguments are behind a blank, and modules between commas: neither may be
 * in the name. */
static void add_modules(struct qemu_command *command, const char *image)
{
	qemu_command_add(command, "-kernel");
	qemu_command_addf(command, "%s" SYSIMAGE_PC_KERNEL, image);
	qemu_command_add(command, "-initrd");
	qemu_command_addf(command, "%s" SYSIMAGE_PC_ROOT ",%s", image, image);
}

static void add_cdrom(struct qemu_command *command, const char *image, const char *firmware)
{
	qemu_command_add(command, "-cdrom");
	qemu_command_addf(command, "%s" QEMU_ISO_SUFFIX, image);
	if (strcmp(firmware, "uefi") == 0)
		add_list(command, "-bios", QEMU_UEFI, NULL);
}

void qemu_command_make(struct qemu_command *command,
		       const struct sysimage_machine *machine,
		       const char *image, const struct options *options)
{
	const struct cpu *cpu = cpu_find(machine->cpu);

	*command = (struct qemu_command){ 0 };
	add_list(command, cpu->pc ? QEMU_PC : QEMU_VIRT, "-M", NULL);
	if (cpu->pc)
		qemu_command_add(command, "q35");
	else
		qemu_command_addf(command, "virt,virtualization=on,gic-version=%u", machine->gic);
	qemu_command_add(command, "-cpu");
	qemu_command_addf(command, "%s%s", cpu->qemu,
			  options->deterministic && !cpu->pc ? ",cntfrq=1000000000" : "");
	add_list(command, "-smp", "1", "-m", NULL);
	qemu_command_addf(command, "%lluM", (unsigned long long)machine->memory_bytes >> 20);
	add_list(command, "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
		 NULL);
	add_monitor(command, options);
	if (options->deterministic)
		add_deterministic(command);
	if (options->gdb) {
		qemu_command_add(command, "-gdb");
		qemu_command_addf(command, "tcp:127.0.0.1:%u,server=on,wait=off",
				  options->gdb_port ? options->gdb_port : QEMU_GDB_PORT);
		qemu_command_add(command, "-S");
	}
	add_nic(command, machine);
	add_disk(command, machine);
	if (cpu->pc && options->firmware)
		add_cdrom(command, image, options->firmware);
	else if (cpu->pc)
		add_modules(command, image);
	else
		add_list(command, "-kernel", image, NULL);
	for (int i = 0; i < options->n_rest; i++)
		qemu_command_add(command, options->rest[i]);
}

static void print_quoted(const char *argument)
{
	const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-_=+,./:@%";

	if (*argument && strspn(argument, plain) == strlen(argument)) {
		fputs(argument, stdout);
		return;
	}
	putchar('\'');
	for (; *argument; argument++) {
		if (*argument == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*argument);
	}
	putchar('\'');
}

void qemu_command_print(const struct qemu_command *command, bool null_input)
{
	for (int i = 0; i < command->n; i++) {
		if (i)
			putchar(' ');
		print_quoted(command->argv[i]);
	}
	puts(null_input ? " </dev/null" : "");
}

void qemu_command_free(struct qemu_command *command)
{
	for (int i = 0; i < command->n; i++)
		free(command->argv[i]);
	command->n = 0;
}

/* In the child. */
static _Noreturn void become_qemu(const struct qemu_command *command,
				  pid_t parent, int serial, int errors,
				  bool null_input)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0); /* Ctrl-C in the terminal is for us, not for it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXEC_FAILED);
	dup2(null_input ? null : serial, STDIN_FILENO);
	dup2(serial, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	execvp(command->argv[0], command->argv);
	_exit(EXEC_FAILED);
}

static void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

bool qemu_start(struct qemu *qemu, const struct qemu_command *command,
		bool null_input)
{
	int serial[2];
	int errors[2];
	pid_t self = getpid();

	if (!files_have_program(command->argv[0])) {
		diag_error("there is no `%s`; install it: apt-get install "
			   "%s",
			   command->argv[0],
			   strcmp(command->argv[0], QEMU_PC) == 0 ? "qemu-system-x86"
								  : "qemu-system-arm");
		return false;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, serial) != 0 ||
	    pipe2(errors, O_CLOEXEC) != 0) {
		diag_error("cannot start the emulator: %s", strerror(errno));
		return false;
	}
	qemu->pid = fork();
	if (qemu->pid == 0)
		become_qemu(command, self, serial[1], errors[1], null_input);
	close(serial[1]);
	close(errors[1]);
	qemu->serial = serial[0];
	qemu->errors = errors[0];
	set_nonblocking(qemu->serial);
	set_nonblocking(qemu->errors);
	if (qemu->pid > 0)
		return true;
	diag_error("cannot start the emulator: %s", strerror(errno));
	qemu_stop(qemu);
	return false;
}

bool qemu_ended(struct qemu *qemu, int *status)
{
	if (qemu->pid > 0 && waitpid(qemu->pid, status, WNOHANG) == qemu->pid) {
		qemu->pid = 0;
		return true;
	}
	return qemu->pid <= 0;
}

static void wait_for_end(struct qemu *qemu, int patience_ms)
{
	const struct timespec nap = { .tv_nsec = 10 * 1000000 };
	int status;

	while (patience_ms > 0 && !qemu_ended(qemu, &status)) {
		nanosleep(&nap, NULL);
		patience_ms -= 10;
	}
}

void qemu_stop(struct qemu *qemu)
{
	if (qemu->pid > 0) {
		kill(qemu->pid, SIGTERM);
		wait_for_end(qemu, STOP_PATIENCE_MS);
	}
	if (qemu->pid > 0) {
		kill(qemu->pid, SIGKILL);
		waitpid(qemu->pid, NULL, 0);
		qemu->pid = 0;
	}
	close(qemu->serial);
	close(qemu->errors);
}
