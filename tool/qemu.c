#include "qemu.h"

#include <stdio.h>
#include <string.h>

#include "cpus.h"

#define QEMU_VIRT "qemu-system-aarch64"
#define QEMU_PC "qemu-system-x86_64"

/* One virtual nanosecond an instruction, a fixed date and fixed randomness:
 * runs repeat to the byte. */
static void add_deterministic(struct emulator_command *command)
{
	emulator_add_list(command, "-icount", "shift=0,align=off,sleep=off", "-rtc",
			  "base=2026-01-01,clock=vm", "-seed", "1", NULL);
}

/* The whole machine's, for who debugs it. */
static void add_monitor(struct emulator_command *command, const struct options *options)
{
	unsigned port = options->monitor_port ? options->monitor_port : QEMU_MONITOR_PORT;

	emulator_add(command, "-monitor");
	if (options->gdb || options->monitor_port)
		emulator_addf(command, "tcp:127.0.0.1:%u,server=on,wait=off", port);
	else
		emulator_add(command, "none");
}

#define MAC "mac=52:54:00:12:34:56"

/* Where init looks for it: on a PC anywhere on the PCI bus, else in the slot that
 * lib/image/include/selvage/sysdesc.h says. */
static void add_virtio(struct emulator_command *command, const struct sysimage_machine *machine,
		       const char *kind, const char *options, unsigned slot)
{
	emulator_add(command, "-device");
	if (cpu_find(machine->cpu)->pc) {
		emulator_addf(command, "virtio-%s-pci,%s", kind, options);
		return;
	}
	emulator_addf(command, "virtio-%s-device,%s,bus=virtio-mmio-bus.%u", kind, options,
		      slot);
	emulator_add_list(command, "-global", "virtio-mmio.force-legacy=false", NULL);
}

static void add_nic(struct emulator_command *command, const struct sysimage_machine *machine)
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
	emulator_add_list(command, "-netdev", netdev, NULL);
	if (machine->e1000)
		emulator_add_list(command, "-device", "e1000,netdev=nic," MAC, NULL);
	else
		add_virtio(command, machine, "net", "netdev=nic," MAC, SYSDESC_NIC_SLOT);
}

/* A comma ends an option's value unless it is there twice. */
static void add_disk(struct emulator_command *command, const struct sysimage_machine *machine)
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
	emulator_add(command, "-drive");
	emulator_addf(command, "file=%s,format=raw,if=none,id=disk%s", name,
		      machine->disk_writes ? "" : ",readonly=on");
	add_virtio(command, machine, "blk", "drive=disk", SYSDESC_DISK_SLOT);
}

/* A module's arguments are behind a blank, and modules between commas: neither may be
 * in the name. */
static void add_modules(struct emulator_command *command, const char *image)
{
	emulator_add(command, "-kernel");
	emulator_addf(command, "%s" SYSIMAGE_PC_KERNEL, image);
	emulator_add(command, "-initrd");
	emulator_addf(command, "%s" SYSIMAGE_PC_ROOT ",%s", image, image);
}

static void add_cdrom(struct emulator_command *command, const char *image, const char *firmware)
{
	emulator_add(command, "-cdrom");
	emulator_addf(command, "%s" QEMU_ISO_SUFFIX, image);
	if (strcmp(firmware, "uefi") == 0)
		emulator_add_list(command, "-bios", QEMU_UEFI, NULL);
}

void qemu_command_make(struct emulator_command *command,
		       const struct sysimage_machine *machine,
		       const char *image, const struct options *options)
{
	const struct cpu *cpu = cpu_find(machine->cpu);

	*command = (struct emulator_command){ .package = cpu->pc ? "qemu-system-x86"
								 : "qemu-system-arm" };
	emulator_add_list(command, cpu->pc ? QEMU_PC : QEMU_VIRT, "-M", NULL);
	if (cpu->pc)
		emulator_add(command, "q35");
	else
		emulator_addf(command, "virt,virtualization=on,gic-version=%u", machine->gic);
	emulator_add(command, "-cpu");
	emulator_addf(command, "%s%s", cpu->qemu,
		      options->deterministic && !cpu->pc ? ",cntfrq=1000000000" : "");
	emulator_add_list(command, "-smp", "1", "-m", NULL);
	emulator_addf(command, "%lluM", (unsigned long long)machine->memory_bytes >> 20);
	emulator_add_list(command, "-nodefaults", "-display", "none", "-no-reboot", "-serial",
			  "stdio", NULL);
	add_monitor(command, options);
	if (options->deterministic)
		add_deterministic(command);
	if (options->gdb) {
		emulator_add(command, "-gdb");
		emulator_addf(command, "tcp:127.0.0.1:%u,server=on,wait=off",
			      options->gdb_port ? options->gdb_port : QEMU_GDB_PORT);
		emulator_add(command, "-S");
	}
	add_nic(command, machine);
	add_disk(command, machine);
	if (cpu->pc && options->firmware)
		add_cdrom(command, image, options->firmware);
	else if (cpu->pc)
		add_modules(command, image);
	else
		emulator_add_list(command, "-kernel", image, NULL);
	for (int i = 0; i < options->n_rest; i++)
		emulator_add(command, options->rest[i]);
}
