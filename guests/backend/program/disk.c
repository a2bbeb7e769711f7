/* A file or block device of this VM as a disk. It is mapped: what the kernel of
 * this VM has not read yet, it reads when it is looked at. */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint8_t *look(void *opaque, uint64_t offset, uint32_t *bytes)
{
	(void)bytes;
	return ((const struct served *)opaque)->disk + offset;
}

static uint8_t *change(void *opaque, uint64_t offset, uint32_t *bytes)
{
	(void)bytes;
	return ((const struct served *)opaque)->disk + offset;
}

/* Onto what the file is on. */
static bool flush(void *opaque)
{
	const struct served *s = opaque;

	if (msync(s->disk, s->disk_bytes, MS_SYNC) == 0 && fsync(s->disk_fd) == 0)
		return true;
	say(s, "cannot be flushed: %s", strerror(errno));
	return false;
}

/* The path without its `,ro`; whether that was there. */
static bool split(const char *spec, char *path, size_t room)
{
	const char *comma = strrchr(spec, ',');
	bool read_only = comma != NULL && strcmp(comma, ",ro") == 0;

	snprintf(path, room, "%.*s", read_only ? (int)(comma - spec) : (int)strlen(spec), spec);
	return read_only;
}

/* The memory of a driver that is no more may go in mid-copy, and this program with it
 * (SIGBUS): no block is left half new, half old. One request at a time. */
static uint8_t stage[VIRTIO_BLK_STAGE];

/* What is left of a kick, in turns with what other connections have. */
static void serve_disk(struct served *s)
{
	if (s->more)
		virtio_blk_turn(&s->device.blk);
	s->more = s->device.blk.more;
	link_server_flush(&s->link);
}

struct virtio *disk_make(struct served *s)
{
	struct virtio_env env = link_server_virtio(&s->link);
	struct virtio_blk_disk disk = {
		.opaque = s, .look = look, .change = change, .flush = flush, .stage = stage
	};
	char path[512];
	int fd;

	disk.read_only = split(s->spec, path, sizeof(path));
	fd = open(path, (disk.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	s->disk_bytes = fd < 0 ? 0 : (uint64_t)lseek(fd, 0, SEEK_END);
	if (fd < 0 || s->disk_bytes == UINT64_MAX || s->disk_bytes < VIRTIO_BLK_SECTOR) {
		say(s, "%s: %s", path, fd < 0 ? strerror(errno) : "is not a disk");
		return NULL;
	}
	s->disk = mmap(NULL, s->disk_bytes, PROT_READ | (disk.read_only ? 0 : PROT_WRITE),
		       MAP_SHARED, fd, 0);
	s->disk_fd = fd;
	if (s->disk == MAP_FAILED) {
		say(s, "%s: %s", path, strerror(errno));
		return NULL;
	}
	disk.sectors = s->disk_bytes / VIRTIO_BLK_SECTOR;
	disk.room = link_server_room(&s->link);
	snprintf(disk.id, sizeof(disk.id), "%s", s->name);
	virtio_blk_init(&s->device.blk, &env, &disk);
	s->device.blk.in_turns = true;
	s->service = serve_disk;
	return &s->device.blk.v;
}
