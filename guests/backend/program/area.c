/* Connections by way of the project's own kernel module. */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(SELVAGE_CONTROL_UP == offsetof(struct link_page, server.up), "the module's word");

static bool taken(struct served *s)
{
	uint64_t n;

	return read(s->bell.fd, &n, sizeof(n)) == sizeof(n) || errno == EAGAIN || errno == EINTR;
}

static void *map(const struct served *s, enum selvage_area area, uint64_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->bell.fd,
			(off_t)SELVAGE_AREA(area));

	return at == MAP_FAILED ? NULL : at;
}

bool area_open(struct served *s)
{
	struct selvage_backend_info info;
	char path[128];

	snprintf(path, sizeof(path), "/dev/selvage-%s", s->name);
	s->bell.fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (s->bell.fd < 0) {
		if (errno != ENOENT)
			say(s, "%s: %s", path, strerror(errno));
		return false;
	}
	if (ioctl(s->bell.fd, SELVAGE_BACKEND_INFO, &info) != 0 ||
	    info.size[SELVAGE_CONTROL] < LINK_PAGE_BYTES) {
		say(s, "%s is not a connection", path);
		return false;
	}
	s->kind = info.kind;
	s->bytes = info.size[SELVAGE_MEMORY];
	s->regs = map(s, SELVAGE_REGS, LINK_PAGE_BYTES);
	s->control = map(s, SELVAGE_CONTROL, LINK_PAGE_BYTES);
	s->memory = map(s, SELVAGE_MEMORY, s->bytes);
	s->taken = taken;
	if (s->regs == NULL || s->control == NULL || s->memory == NULL)
		say(s, "%s: cannot be mapped", path);
	return s->regs != NULL && s->control != NULL && s->memory != NULL;
}
