#include "cpio.h"

#include <stdint.h>
#include <string.h>

#include "buffer.h"

#define MODE_FILE 0100644u

static void append_entry(struct buffer *out, const char *name, uint32_t mode,
			 const void *data, size_t size)
{
	/* ino, mode, uid, gid, nlink, mtime, filesize, four device numbers,
	 * namesize, check. */
	uint32_t field[13] = { 0, mode, 0, 0, 1, 0, (uint32_t)size };

	field[11] = (uint32_t)strlen(name) + 1;
	buffer_append(out, "070701", 6);
	for (size_t i = 0; i < 13; i++)
		buffer_text(out, "%08X", field[i]);
	buffer_append(out, name, strlen(name) + 1);
	buffer_pad(out, 4);
	buffer_append(out, data, size);
	buffer_pad(out, 4);
}

void cpio_append(struct buffer *out, const char *name, const void *data,
		 size_t size)
{
	append_entry(out, name, MODE_FILE, data, size);
}

void cpio_finish(struct buffer *out)
{
	append_entry(out, "TRAILER!!!", 0, "", 0);
}
