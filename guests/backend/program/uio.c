/*
 * Connections by way of uio_pci_generic, where the project's kernel module is
 * not there. Linux gives the BARs uncached then, and INTx only: right, but
 * slower; and nobody tells the other side when this program has ended.
 */
#include "backend.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PCI "/sys/bus/pci/devices"
#define PCI_COMMAND 4
#define PCI_COMMAND_INTX_OFF 0x0400u

static bool word_is(const char *folder, const char *file, unsigned long wanted)
{
	char path[512], text[32] = "";
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 && strtoul(text, NULL, 0) == wanted;
}

/* The driver masks INTx at each interrupt. */
static void unmask(const struct served *s)
{
	uint16_t command;

	if (pread(s->config, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		return;
	command = (uint16_t)(command & ~PCI_COMMAND_INTX_OFF);
	if (pwrite(s->config, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		say(s, "its interrupt cannot be taken again");
}

static bool taken(struct served *s)
{
	uint32_t n;

	if (read(s->bell.fd, &n, sizeof(n)) != sizeof(n))
		return errno == EAGAIN || errno == EINTR;
	unmask(s);
	return true;
}

static void *map_bar(const char *folder, unsigned bar, uint64_t *bytes)
{
	char path[512];
	struct stat about;
	void *at = MAP_FAILED;
	int fd;

	snprintf(path, sizeof(path), "%s/resource%u", folder, bar);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &about) == 0 && about.st_size > 0) {
		*bytes = (uint64_t)about.st_size;
		at = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

/* The registers say whose device it is. */
static bool is_named(const struct served *s)
{
	const volatile uint8_t *name = (const volatile uint8_t *)s->regs + SELVAGE_REG_NAME;
	size_t i = 0;

	if (s->regs[SELVAGE_REG_MAGIC / 4] != SELVAGE_MAGIC)
		return false;
	while (i < SELVAGE_NAME && s->name[i] != '\0' && name[i] == (uint8_t)s->name[i])
		i++;
	return i < SELVAGE_NAME && s->name[i] == '\0' && name[i] == 0;
}

static int open_uio(const char *folder)
{
	char path[512];
	struct dirent *e;
	DIR *d;
	int fd = -1;

	snprintf(path, sizeof(path), "%s/uio", folder);
	d = opendir(path);
	while (d != NULL && fd < 0 && (e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "uio", 3) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/%.64s", e->d_name);
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	if (d != NULL)
		closedir(d);
	return fd;
}

static bool open_function(struct served *s, const char *folder)
{
	char path[512];
	uint64_t bytes;

	s->regs = map_bar(folder, 0, &bytes);
	if (s->regs == NULL)
		return false;
	if (!is_named(s)) {
		(void)munmap((void *)(uintptr_t)s->regs, bytes);
		return false;
	}
	s->kind = s->regs[SELVAGE_REG_KIND / 4];
	s->control = map_bar(folder, 1, &bytes);
	s->memory = map_bar(folder, 2, &s->bytes);
	snprintf(path, sizeof(path), "%s/config", folder);
	s->config = open(path, O_RDWR | O_CLOEXEC);
	s->bell.fd = open_uio(folder);
	s->taken = taken;
	if (s->control == NULL || s->memory == NULL || s->config < 0 || s->bell.fd < 0) {
		say(s, "%s cannot be used: is uio_pci_generic its driver?", folder);
		return false;
	}
	unmask(s);
	return true;
}

bool uio_open(struct served *s)
{
	char folder[256];
	struct dirent *e;
	bool found = false;
	DIR *d = opendir(PCI);

	while (d != NULL && !found && (e = readdir(d)) != NULL) {
		snprintf(folder, sizeof(folder), "%s/%.64s", PCI, e->d_name);
		found = word_is(folder, "vendor", SELVAGE_PCI_VENDOR) &&
			word_is(folder, "device", SELVAGE_PCI_BACKEND) && open_function(s, folder);
	}
	if (d != NULL)
		closedir(d);
	if (!found)
		say(s, "there is no such connection");
	return found;
}
