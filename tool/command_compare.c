/* `selvage compare`. */
#include <dirent.h>
#include <errno.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "compare.h"
#include "diag.h"
#include "files.h"

static bool newer(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec > b->st_mtim.tv_sec
						      : a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

static bool is_capture_name(const char *name)
{
	size_t n = strlen(name);

	return strncmp(name, "capture-", 8) == 0 && n > 5 && strcmp(name + n - 5, ".json") == 0;
}

/* The newest capture in a folder, NULL if it has none. */
static char *newest_in(const char *folder)
{
	DIR *dir = opendir(folder);
	struct stat best = { 0 }, st;
	char *found = NULL;

	for (const struct dirent *e; dir && (e = readdir(dir));) {
		char *path = files_text("%s/%s", folder, e->d_name);

		if (is_capture_name(e->d_name) && stat(path, &st) == 0 &&
		    (!found || newer(&st, &best))) {
			free(found);
			found = path;
			best = st;
		} else {
			free(path);
		}
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The file that an argument means; a folder stands for its newest capture. */
static char *file_of(const char *argument)
{
	struct stat st;
	char *newest;

	if (stat(argument, &st) != 0 || !S_ISDIR(st.st_mode))
		return files_text("%s", argument);
	newest = newest_in(argument);
	if (!newest)
		diag_error_at(argument, 0,
			      "this folder has no capture-*.json; `selvage capture` "
			      "writes them");
	return newest;
}

static bool write_html(const struct comparison *comparison, const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool ok;

	if (!out)
		return false;
	compare_print_html(comparison, out);
	fclose(out);
	ok = file_write(path, text, size);
	free(text);
	return ok;
}

static int compare_files(const struct options *options, char *const file[2],
			 const struct capture capture[2])
{
	struct comparison c = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		c.side[i].file = file[i];
		c.side[i].capture = &capture[i];
		if (!SHA256File(file[i], c.side[i].sha256)) {
			diag_error_at(file[i], 0, "cannot be read: %s", strerror(errno));
			return EXIT_FAILED;
		}
	}
	compare_captures(&c);
	if (options->json)
		compare_print_json(&c, stdout);
	else
		compare_print_text(&c, stdout);
	if (options->html && !write_html(&c, options->html))
		return EXIT_FAILED;
	return (int)c.verdict;
}

int command_compare(const struct options *options)
{
	struct capture *capture = calloc(2, sizeof(*capture));
	char *file[2] = { file_of(options->arg[0]), file_of(options->arg[1]) };
	int code = EXIT_FAILED;
	bool ok = capture && file[0] && file[1];

	/* Both, so that all that is wrong is said at once. */
	for (unsigned i = 0; i < 2 && capture; i++) {
		if (file[i] && !capture_read(&capture[i], file[i]))
			ok = false;
	}
	if (ok)
		code = compare_files(options, file, capture);
	for (unsigned i = 0; i < 2; i++) {
		if (capture)
			capture_free(&capture[i]);
		free(file[i]);
	}
	free(capture);
	return code;
}
