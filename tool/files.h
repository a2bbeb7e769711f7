/* Files on the host: whole files in memory, and where the build put things. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct file {
	char *path;
	uint8_t *data; /* mapped, read-only */
	size_t size;
};

/* Maps a regular file. On failure returns false and leaves the reason in
 * errno (ENODATA: it is empty). */
bool file_map(struct file *file, const char *path);
void file_unmap(struct file *file);
/* Exchanges what a mapped file holds for a copy of these bytes. False, with a
 * message, if memory runs out. */
bool file_replace(struct file *file, const void *data, size_t size);

/* What is being written. A file is a temporary one beside the one that it takes
 * the place of in the end, so that nobody sees half of it, and what was there
 * stays if there is no whole one. What is no regular file (/dev/null, a pipe), or
 * lies in a folder that nothing can be added to, is written as it is, and stays. */
struct file_out {
	FILE *stream;
	char *path, *name; /* which it will be; where it is now */
};
/* Both false, with a message, if that fails. */
bool file_out_open(struct file_out *out, const char *path);
/* Not `good`: there is none, or half of one where it was written as it is, and nobody is told. */
bool file_out_close(struct file_out *out, bool good);
/* The same for bytes that are there. */
bool file_write(const char *path, const void *data, size_t size);

/* The build folder: `option` if not NULL, else $SELVAGE_BUILD, else the one
 * that this program lies in (build/host/bin/selvage). The caller frees. */
char *files_build_dir(const char *option);
/* printf into fresh memory; ends the program when there is none. */
char *files_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Whether PATH leads to it. */
bool files_have_program(const char *name);
/* mkdir -p of the folder that `path` lies in. */
void files_make_parents(const char *path);
