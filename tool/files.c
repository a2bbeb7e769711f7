#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diag.h"

char *files_text(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0) {
		diag_error("out of memory");
		exit(1);
	}
	va_end(args);
	return text;
}

static bool map_fd(struct file *file, int fd)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st) != 0)
		return false;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return false;
	}
	if (st.st_size == 0) {
		errno = ENODATA;
		return false;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return false;
	file->data = data;
	file->size = (size_t)st.st_size;
	return true;
}

bool file_map(struct file *file, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;
	bool ok;

	if (fd < 0)
		return false;
	ok = map_fd(file, fd);
	error = errno;
	close(fd);
	if (ok)
		file->path = files_text("%s", path);
	errno = error;
	return ok;
}

void file_unmap(struct file *file)
{
	if (file->data)
		munmap(file->data, file->size);
	free(file->path);
	*file = (struct file){ 0 };
}

bool file_replace(struct file *file, const void *data, size_t size)
{
	void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED) {
		diag_error("out of memory");
		return false;
	}
	memcpy(copy, data, size);
	munmap(file->data, file->size);
	file->data = copy;
	file->size = size;
	return true;
}

void files_make_parents(const char *path)
{
	char *copy = files_text("%s", path);

	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(copy, 0777); /* what fails shows when the file is opened */
		*p = '/';
	}
	free(copy);
}

static bool cannot_write(const char *path)
{
	diag_error_at(path, 0, "cannot write it: %s; choose another file", strerror(errno));
	return false;
}

static void free_out(struct file_out *out)
{
	free(out->path);
	free(out->name);
	*out = (struct file_out){ 0 };
}

/* The file itself: no regular one, or one in a folder that nothing can be added to. */
static bool open_in_place(struct file_out *out)
{
	free(out->name);
	out->name = files_text("%s", out->path);
	out->stream = fopen(out->name, "we");
	return out->stream != NULL;
}

static bool is_temporary(const struct file_out *out)
{
	return strcmp(out->name, out->path) != 0;
}

bool file_out_open(struct file_out *out, const char *path)
{
	struct stat st;
	const bool there = stat(path, &st) == 0;
	/* A link stays, and what it leads to is written. */
	char *real = there ? realpath(path, NULL) : NULL;

	out->path = real ? real : files_text("%s", path);
	out->name = files_text("%s.%ld.tmp", out->path, (long)getpid());
	errno = EACCES;
	out->stream = there && !S_ISREG(st.st_mode) ? NULL : fopen(out->name, "we");
	if (out->stream || (there && errno == EACCES && open_in_place(out)))
		return true;
	free_out(out);
	return cannot_write(path);
}

static bool end_stream(struct file_out *out)
{
	bool good = fflush(out->stream) == 0 && !ferror(out->stream);

	return fclose(out->stream) == 0 && good;
}

bool file_out_close(struct file_out *out, bool good)
{
	bool temporary = is_temporary(out);
	bool ok = end_stream(out) &&
		  (!good || !temporary || rename(out->name, out->path) == 0);

	if (good && !ok)
		cannot_write(out->path);
	if (temporary && !(good && ok))
		unlink(out->name);
	free_out(out);
	return ok;
}

bool file_write(const char *path, const void *data, size_t size)
{
	struct file_out out;

	if (!file_out_open(&out, path))
		return false;
	/* What fails shows at the end. */
	(void)fwrite(data, 1, size, out.stream);
	return file_out_close(&out, true);
}

/* The folder `levels` above the running program. */
static char *above_program(unsigned levels)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return files_text("build");
	path[n] = '\0';
	while (levels--) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return files_text("build");
		*slash = '\0';
	}
	return files_text("%s", path);
}

char *files_build_dir(const char *option)
{
	const char *variable = getenv("SELVAGE_BUILD");

	if (option)
		return files_text("%s", option);
	if (variable && *variable)
		return files_text("%s", variable);
	return above_program(3);
}

bool files_have_program(const char *name)
{
	const char *path = getenv("PATH");
	bool found = false;

	for (path = path ? path : "/usr/bin"; !found && *path;) {
		size_t n = strcspn(path, ":");
		char *file = files_text("%.*s/%s", (int)n, path, name);

		found = access(file, X_OK) == 0;
		free(file);
		path += n + (path[n] == ':');
	}
	return found;
}
