#include "sockpath.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "diag.h"

#define SAME_NAME_MAX 64

/* Makes the folder if need be. It must be ours and closed to others: who can
 * write there could pose as a running system. */
static bool own_folder(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		diag_error_at(path, 0, "cannot make this folder: %s; set "
				       "XDG_RUNTIME_DIR",
			      strerror(errno));
		return false;
	}
	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 0022) == 0)
		return true;
	diag_error_at(path, 0, "others can write there; remove it, or set "
			       "XDG_RUNTIME_DIR to a folder of your own");
	return false;
}

static bool socket_folder(char path[SOCKPATH_MAX])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char base[SOCKPATH_MAX];
	int n;

	if (runtime && *runtime == '/')
		n = snprintf(base, sizeof(base), "%s", runtime);
	else
		n = snprintf(base, sizeof(base), "/tmp/selvage-%u",
			     (unsigned)geteuid());
	/* Room for "/selvage/", a name and the suffix. */
	if (n < 0 || n > SOCKPATH_MAX - 60) {
		diag_error("XDG_RUNTIME_DIR is too long a path for a socket; "
			   "set a shorter one");
		return false;
	}
	if (!own_folder(base))
		return false;
	snprintf(path, SOCKPATH_MAX, "%.*s/selvage", SOCKPATH_MAX - 60, base);
	return own_folder(path);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

static int connect_to(const char *path)
{
	const struct timeval patience = { .tv_sec = SOCKPATH_PATIENCE_S };
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	}
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address,
			       sizeof(address)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(fd, 8) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Whether a system answers at the path; removes a socket left by a dead
 * one. */
static bool in_use(const char *path)
{
	int fd = connect_to(path);

	if (fd < 0) {
		unlink(path);
		return false;
	}
	close(fd);
	return true;
}

int sockpath_listen(const char *name, char path[SOCKPATH_MAX])
{
	char folder[SOCKPATH_MAX];

	if (!socket_folder(folder))
		return -1;
	for (unsigned i = 1; i <= SAME_NAME_MAX; i++) {
		char number[8] = "";
		int fd;

		if (i > 1)
			snprintf(number, sizeof(number), ".%u", i);
		snprintf(path, SOCKPATH_MAX, "%.50s/%.31s%s" SOCKPATH_SUFFIX,
			 folder, name, number);
		if (in_use(path))
			continue;
		fd = listen_at(path);
		if (fd >= 0)
			return fd;
	}
	diag_error_at(path, 0, "cannot listen there: %s; set XDG_RUNTIME_DIR",
		      strerror(errno));
	return -1;
}

static bool is_socket_name(const char *name)
{
	size_t n = strlen(name);
	size_t suffix = strlen(SOCKPATH_SUFFIX);

	return n > suffix && strcmp(name + n - suffix, SOCKPATH_SUFFIX) == 0;
}

/* Connects to the first that answers; counts all and lists their names. */
static int connect_any(const char *folder, unsigned *count, char *names,
		       size_t size)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int found = -1;
	size_t fill = 0;

	names[0] = '\0';
	while (dir && (entry = readdir(dir))) {
		char path[SOCKPATH_MAX];
		int n = (int)strlen(entry->d_name) -
			(int)strlen(SOCKPATH_SUFFIX);
		int fd;

		if (!is_socket_name(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%.50s/%.48s", folder,
			 entry->d_name);
		fd = connect_to(path);
		if (fd < 0)
			continue;
		if (fill < size)
			fill += (size_t)snprintf(names + fill, size - fill,
						 "%s%.*s", *count ? ", " : "",
						 n, entry->d_name);
		if ((*count)++ == 0)
			found = fd;
		else
			close(fd);
	}
	if (dir)
		closedir(dir);
	return found;
}

int sockpath_connect(const char *name)
{
	char folder[SOCKPATH_MAX];
	char path[SOCKPATH_MAX];
	char names[256];
	unsigned count = 0;
	int fd;

	if (!socket_folder(folder))
		return -1;
	if (name) {
		snprintf(path, sizeof(path), "%.50s/%.36s" SOCKPATH_SUFFIX,
			 folder, name);
		fd = strchr(name, '/') ? -1 : connect_to(path);
		if (fd < 0)
			diag_error("no system `%s` is running; start it with "
				   "`selvage run`",
				   name);
		return fd;
	}
	fd = connect_any(folder, &count, names, sizeof(names));
	if (count == 1)
		return fd;
	if (count == 0) {
		diag_error("no system is running; start one with `selvage run`");
	} else {
		close(fd);
		diag_error("several systems are running; say which with "
			   "--system: %s",
			   names);
	}
	return -1;
}
