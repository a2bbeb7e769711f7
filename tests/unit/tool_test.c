/* Parts of the host command, against plain reference models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <selvage/base.h>
#include <selvage/crc32.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpio.h"
#include "diag.h"
#include "files.h"
#include "guestimg.h"
#include "link.h"
#include "replay.h"
#include "requests.h"
#include "scroll.h"
#include "suggest.h"
#include "symbolise.h"
#include "system.h"
#include "units.h"

/* --- units --- */

static void sizes_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = { { "0", 0 },
		     { "4096", 4096 },
		     { "64K", 65536 },
		     { "256M", 256 << 20 },
		     { "16G", 16ull << 30 },
		     { "0x40000000", 1 << 30 },
		     { "0xffM", 255 << 20 } };
	static const char *const bad[] = { "", "M", "-1", "1 G",
					   "1T", "0x", "+1", "1.5G",
					   " 1", "99999999999999999999",
					   "17179869184G" };
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(units_parse_size(good[i].text, &bytes));
		assert_int_equal(bytes, good[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(units_parse_size(bad[i], &bytes));
}

static void sizes_survive_being_written(void **state)
{
	(void)state;
	srand(1);
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t bytes = (uint64_t)rand() << (rand() % 24);
		uint64_t again;

		assert_true(units_parse_size(units_size_text(bytes), &again));
		assert_int_equal(again, bytes);
	}
	assert_string_equal(units_size_text(256 << 20), "256M");
}

static void durations_need_a_unit(void **state)
{
	uint64_t us;

	(void)state;
	assert_true(units_parse_duration("10ms", &us));
	assert_int_equal(us, 10000);
	assert_true(units_parse_duration("500us", &us));
	assert_int_equal(us, 500);
	assert_true(units_parse_duration("2s", &us));
	assert_int_equal(us, 2000000);
	assert_false(units_parse_duration("10", &us));
	assert_false(units_parse_duration("10 ms", &us));
	assert_false(units_parse_duration("10m", &us));
}

/* --- suggestions --- */

static void near_words_are_suggested(void **state)
{
	static const char *const words[] = { "memory", "vcpus", "kernel" };

	(void)state;
	assert_string_equal(suggest_near("vcpu", words, 3, sizeof(*words)),
			    "vcpus");
	assert_string_equal(suggest_near("memroy", words, 3, sizeof(*words)),
			    "memory");
	assert_null(suggest_near("colour", words, 3, sizeof(*words)));
	assert_null(suggest_near(
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", words, 3,
		sizeof(*words)));
}

/* --- guest images --- */

static const char *check_image(const uint8_t *data, size_t size, enum guestimg_kind kind,
			       struct guestimg_kernel *k)
{
	const struct guestimg_wish wish = { .kind = kind };

	return guestimg_check_kernel(data, size, &wish, k);
}

/* A 32-bit ELF file: text with the entry in Thumb, BSS behind data. */
static size_t make_elf(uint8_t *d)
{
	memset(d, 0, 512);
	memcpy(d, "\x7f"
		  "ELF\1\1\1",
	       7);
	store_le16(d + 16, 2);
	store_le16(d + 18, 40);
	store_le32(d + 24, 0xc0000041); /* entry, virtual */
	store_le32(d + 28, 52);
	store_le16(d + 42, 32);
	store_le16(d + 44, 3);
	/* type, offset, vaddr, paddr, file size, memory size */
	store_le32(d + 52, 1), store_le32(d + 56, 0x100), store_le32(d + 60, 0xc0000000);
	store_le32(d + 64, 0x60010000), store_le32(d + 68, 0x80), store_le32(d + 72, 0x80);
	store_le32(d + 84, 4);
	store_le32(d + 116, 1), store_le32(d + 120, 0x180), store_le32(d + 124, 0xc0001000);
	store_le32(d + 128, 0x60011000), store_le32(d + 132, 0x10), store_le32(d + 136, 0x1000);
	return 512;
}

#define WRONG_ELF(change)                                                \
	do {                                                             \
		make_elf(d);                                             \
		change;                                                  \
		assert_non_null(check_image(d, size, GUESTIMG_ELF, &k)); \
	} while (0)

static void elf_segments(void **state)
{
	uint8_t d[512];
	size_t size = make_elf(d);
	struct guestimg_kernel k;

	(void)state;
	assert_null(check_image(d, size, GUESTIMG_FIND, &k));
	assert_int_equal(k.kind, GUESTIMG_ELF);
	assert_int_equal(k.width, 32);
	assert_int_equal(k.entry, 0x60010041);
	assert_int_equal(k.n_pieces, 2);
	assert_int_equal(k.piece[0].gpa, 0x60010000);
	assert_int_equal(k.piece[0].offset, 0x100);
	assert_int_equal(k.piece[1].bytes, 0x10);
	assert_int_equal(k.piece[1].size, 0x1000);
	WRONG_ELF(d[0] = 0);
	WRONG_ELF(d[4] = 0);              /* class */
	WRONG_ELF(d[4] = 2);              /* wide, but for 32-bit Arm */
	WRONG_ELF(d[5] = 2);              /* big-endian */
	WRONG_ELF(store_le16(d + 16, 1)); /* not linked */
	WRONG_ELF(store_le16(d + 18, 62));
	WRONG_ELF(store_le32(d + 28, 500));
	WRONG_ELF(store_le32(d + 28, 0xffffffff));
	WRONG_ELF(store_le16(d + 42, 31));
	WRONG_ELF(store_le16(d + 44, 0xffff));
	WRONG_ELF(store_le16(d + 44, 0));
	WRONG_ELF(store_le32(d + 56, 0x1c1)); /* the file ends before */
	WRONG_ELF(store_le32(d + 68, 0x81));  /* more than its memory */
	WRONG_ELF(store_le32(d + 56, 0xffffffff));
	for (size_t cut = 0; cut < 0x190; cut++) {
		make_elf(d);
		assert_non_null(check_image(d, cut, GUESTIMG_ELF, &k));
	}
}

static size_t make_uimage(uint8_t *d, const uint8_t *body, size_t size, uint8_t packed)
{
	memset(d, 0, 64);
	store_be32(d, 0x27051956);
	store_be32(d + 12, (uint32_t)size);
	store_be32(d + 16, 0x40008000);
	store_be32(d + 20, 0x40008040);
	store_be32(d + 24, crc32_update(0, body, size));
	d[28] = 5, d[29] = 2, d[30] = 2, d[31] = packed;
	store_be32(d + 4, crc32_update(0, d, 64));
	memcpy(d + 64, body, size);
	return size + 64;
}

static void uimages(void **state)
{
	/* printf 'selvage' | gzip -n */
	static const uint8_t gz[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x2b, 0x4e, 0xcd, 0x29,
				      0x4b, 0x4c, 0x4f, 5, 0, 0x8d, 0x27, 0x32, 0x54, 7, 0, 0, 0 };
	uint8_t d[256], body[100] = { 1 };
	struct guestimg_kernel k;
	size_t size = make_uimage(d, body, sizeof(body), 0);

	(void)state;
	assert_null(check_image(d, size, GUESTIMG_FIND, &k));
	assert_int_equal(k.width, 32);
	assert_int_equal(k.entry, 0x40008040);
	assert_int_equal(k.n_pieces, 1);
	assert_int_equal(k.piece[0].gpa, 0x40008000);
	assert_int_equal(k.piece[0].offset, 64);
	assert_int_equal(k.piece[0].size, 100);
	/* Any flipped bit shows, but those of the name's end that nothing covers. */
	for (size_t i = 0; i < size; i++) {
		make_uimage(d, body, sizeof(body), 0);
		d[i] ^= 0x10;
		assert_non_null(check_image(d, size, GUESTIMG_UIMAGE, &k));
	}
	assert_non_null(check_image(d, size - 1, GUESTIMG_UIMAGE, &k));
	make_uimage(d, body, sizeof(body), 2);
	assert_non_null(check_image(d, size, GUESTIMG_UIMAGE, &k));
	make_uimage(d, body, sizeof(body), 1); /* not gzip at all */
	assert_non_null(check_image(d, size, GUESTIMG_UIMAGE, &k));
	size = make_uimage(d, gz, sizeof(gz), 1);
	if (check_image(d, size, GUESTIMG_UIMAGE, &k) == NULL) {
		assert_int_equal(k.unpacked_size, 7);
		assert_memory_equal(k.unpacked, "selvage", 7);
		assert_int_equal(k.piece[0].offset, 0);
		guestimg_free(&k);
	} else {
		fail();
	}
}

static void raw_and_wishes(void **state)
{
	uint8_t d[128] = { 0 };
	struct guestimg_kernel k;
	struct guestimg_wish wish = { .kind = GUESTIMG_RAW };

	(void)state;
	assert_non_null(check_image(d, sizeof(d), GUESTIMG_FIND, &k));
	assert_non_null(guestimg_check_kernel(d, sizeof(d), &wish, &k));
	wish.has_load = true;
	wish.load = 0x1000;
	assert_null(guestimg_check_kernel(d, sizeof(d), &wish, &k));
	assert_int_equal(k.width, 0);
	assert_int_equal(k.entry, 0x1000);
	wish.has_entry = true;
	wish.entry = 0x1021;
	assert_null(guestimg_check_kernel(d, sizeof(d), &wish, &k));
	assert_int_equal(k.entry, 0x1021);
	wish.load = ~0ull - 100;
	assert_non_null(guestimg_check_kernel(d, sizeof(d), &wish, &k));
	/* A zImage takes neither. */
	store_le32(d + 36, 0x016f2818);
	store_le32(d + 44, sizeof(d));
	store_le32(d + 48, 0x04030201);
	assert_null(check_image(d, sizeof(d), GUESTIMG_FIND, &k));
	assert_int_equal(k.kind, GUESTIMG_ZIMAGE);
	assert_int_equal(k.width, 32);
	wish.kind = GUESTIMG_FIND;
	assert_non_null(guestimg_check_kernel(d, sizeof(d), &wish, &k));
	wish.has_load = false;
	assert_non_null(guestimg_check_kernel(d, sizeof(d), &wish, &k));
	store_le32(d + 44, sizeof(d) + 1);
	assert_non_null(check_image(d, sizeof(d), GUESTIMG_ZIMAGE, &k));
}

static void vectors_are_told(void **state)
{
	uint8_t words[32] = { 0 };

	(void)state;
	assert_false(guestimg_vectors(words)); /* zeros are mapped, not vectors */
	for (unsigned i = 0; i < 8; i++)
		store_le32(words + 4 * i, i & 1 ? 0xeafffffe : 0xe59ff018);
	assert_true(guestimg_vectors(words));
	store_le32(words + 20, 0);
	store_le32(words + 28, 0xe320f000);
	assert_true(guestimg_vectors(words));
	store_le32(words, 0xe3a00000);
	assert_false(guestimg_vectors(words));
}

/* --- files --- */

static void what_is_no_file_stays(void **state)
{
	char folder[] = "/tmp/selvage-unit-XXXXXX", fifo[64], file[64], link[64], bytes[8] = { 0 };
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	snprintf(file, sizeof(file), "%s/file", folder);
	snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDONLY | O_NONBLOCK);
	assert_true(file_write(fifo, "fifo", 4));
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 4);
	close(fd);
	assert_true(stat(fifo, &st) == 0 && S_ISFIFO(st.st_mode));
	assert_true(file_write(file, "old", 3));
	assert_int_equal(symlink(file, link), 0);
	assert_true(file_write(link, "longer", 6));
	assert_true(stat(file, &st) == 0 && st.st_size == 6);
	assert_true(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
	diag_silence(true);
	assert_false(file_write(folder, "x", 1));
	diag_silence(false);
	assert_true(unlink(fifo) == 0 && unlink(link) == 0 && unlink(file) == 0);
	assert_int_equal(rmdir(folder), 0); /* nothing else is in it */
}

static void a_file_in_a_folder_that_keeps_its_names(void **state)
{
	char folder[] = "/tmp/selvage-unit-XXXXXX", file[64], other[64];
	const uid_t user = geteuid() == 0 ? 65534 : geteuid();
	struct file_out out;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/file", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_true(file_write(file, "longer", 6));
	assert_int_equal(chown(file, user, getegid()), 0);
	assert_int_equal(chmod(folder, 0555), 0);
	assert_int_equal(seteuid(user), 0);
	assert_true(file_write(file, "new", 3));
	assert_true(file_out_open(&out, file));
	assert_true(file_out_close(&out, false)); /* which is no temporary file */
	diag_silence(true);
	assert_false(file_write(other, "x", 1));
	diag_silence(false);
	assert_int_equal(seteuid(getuid()), 0);
	prctl(PR_SET_DUMPABLE, 1); /* for the search for leaks */
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* --- scrollback --- */

static void scroll_keeps_the_end(void **state)
{
	struct scroll scroll = { 0 };
	static char all[8 * SCROLL_KEEP];
	size_t n = 0;

	(void)state;
	srand(3);
	while (n < sizeof(all) - 300) {
		size_t more = (size_t)rand() % 300;
		size_t limit = 1 + (size_t)rand() % 1000;
		size_t size;
		const uint8_t *tail;

		for (size_t i = 0; i < more; i++)
			all[n + i] = rand() % 40 ? 'x' : '\n';
		scroll_add(&scroll, all + n, more);
		n += more;
		assert_true(scroll.data.size <= 2 * SCROLL_KEEP);
		if (scroll.data.size < n) /* a line's middle is not its start */
			assert_int_equal(all[n - scroll.data.size - 1], '\n');
		tail = scroll_tail(&scroll, limit, &size);
		assert_true(size <= limit);
		assert_memory_equal(tail, all + n - size, size);
		if (size < n && size < limit && size > 0)
			assert_int_equal(all[n - size - 1], '\n');
	}
	buffer_free(&scroll.data);
}

static void is_replayed(const char *data, const char *shown)
{
	struct buffer out = { 0 };

	replay_add(&out, (const uint8_t *)data, strlen(data));
	buffer_append(&out, "", 1);
	assert_string_equal((const char *)out.data, shown);
	buffer_free(&out);
}

static void replay_asks_nothing(void **state)
{
	static const char *const queries[] = {
		"\033[5n", "\033[6n", "\033[?6n", "\033[?15n", "\033[c", "\033[0c", "\033[>c",
		"\033[>0c", "\033[=c", "\033Z", "\033[?25$p", "\033[4$p", "\033[>q", "\033[>0q",
		"\033]10;?\a", "\033]11;?\033\\", "\033]4;1;?\a", "\033]4;1;?;2;red\a",
		"\033P$qm\033\\", "\033P+q544e\033\\", "\033[11t", "\033[14;2t", "\033[18t",
		"\033[21t", "\005", "\033[x", "\033[?u", "\033[1$w", "\033_Ga=q;\033\\"
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		snprintf(text, sizeof(text), "a%sb%sc", queries[i], queries[i]);
		is_replayed(text, "abc");
	}
	is_replayed("\033[6\r\nn$ ", "\r\n$ ");
	is_replayed("\033[\033[6n", "\033[");
	is_replayed("\033]0;t\033[6n!", "\033]0;t!");
}

static void replay_shows_the_rest(void **state)
{
	static const char *const same[] = {
		"/ # ls\r\n\033[1;34mbin\033[m\r\n", "\033[2J\033[H\033[?25l\033[10;20H\033[K",
		"\033]0;what?\a\033]2;a;b?\033\\",
		"\033[1;24r\0337\033(B\0338", "\033[22;0t\033[8;24;80t",
		"\033[!p\033[2 q\033[?1049h\033[4m", "\033P0;1|17/17\033\\", "\xc3\xa4",
		/* their begin is cut, or their end */
		"[6n$ ", "6n$ ", "n$ ", "11;?\a", "?\033\\",
		"x\033", "x\033[", "x\033[6", "x\033]11;?",
		"x\033]11;?\033", "x\033P$q"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		is_replayed(same[i], same[i]);
}

/* --- symbols --- */

static void expect_symbols(const char *in, const char *out)
{
	/* However the text is cut, the result is the same. */
	for (size_t cut = 0; cut <= strlen(in); cut++) {
		struct symboliser s = { .folder = strdup("/nonexistent") };
		struct buffer b = { 0 };

		symbolise(&s, in, cut, &b);
		symbolise(&s, in + cut, strlen(in) - cut, &b);
		symbolise_flush(&s, &b);
		buffer_append(&b, "", 1);
		assert_string_equal(b.data, out);
		buffer_free(&b);
		symboliser_free(&s);
	}
}

static void symbols_are_replaced(void **state)
{
	(void)state;
	expect_symbols("pc sym(kernel,0x60001234), lr sym(vmm,0x400000)\n",
		       "pc 0x60001234, lr 0x400000\n");
	expect_symbols("sssym(kernel,0x1)", "ss0x1");
	expect_symbols("sym(kernel)", "sym(kernel)");
	expect_symbols("sym(kernel,12)", "sym(kernel,12)");
	expect_symbols("sym(../x,0x12)", "sym(../x,0x12)");
	expect_symbols("sym(k,0x12zz)", "sym(k,0x12zz)");
	expect_symbols("sysym(k,0x2)", "sy0x2");
	expect_symbols("assym(", "assym(");
}

/* --- cpio --- */

static void archive_is_newc(void **state)
{
	struct buffer b = { 0 };

	(void)state;
	cpio_append(&b, "kernel.elf", "12345", 5);
	cpio_finish(&b);
	assert_memory_equal(b.data, "070701", 6);
	assert_memory_equal(b.data + 54, "00000005", 8); /* file size */
	assert_memory_equal(b.data + 94, "0000000B", 8); /* name size */
	assert_memory_equal(b.data + 110, "kernel.elf", 11);
	assert_memory_equal(b.data + 124, "12345\0\0\0", 8);
	assert_memory_equal(b.data + 132, "070701", 6);
	assert_memory_equal(b.data + 132 + 110, "TRAILER!!!", 11);
	assert_int_equal(b.size % 4, 0);
	buffer_free(&b);
}

/* --- requests: answers reach their owners in order --- */

struct answers {
	char sent[256];
	char lines[512];
};

static void keep_sent(void *context, const char *line)
{
	struct answers *a = context;

	strcat(a->sent, line);
}

static void keep_line(void *context, int owner, const char *line, bool last)
{
	struct answers *a = context;

	sprintf(a->lines + strlen(a->lines), "%d:%s%s;", owner, line,
		last ? "!" : "");
}

static void requests_go_one_by_one(void **state)
{
	struct answers a = { 0 };
	struct requests r = { .context = &a,
			      .send = keep_sent,
			      .on_line = keep_line };
	static const char answer[] =
		"noise\r\n{\"a\":1}\n{\"ok\":true}\nlate\n{\"ok\":true}\n";

	(void)state;
	assert_true(requests_add(&r, 1, "ps"));
	assert_true(requests_add(&r, 2, "caps"));
	assert_true(requests_add(&r, 3, "ps"));
	requests_tick(&r, 0, false);
	assert_string_equal(a.sent, "");
	requests_tick(&r, 1, true);
	requests_tick(&r, 2, true);
	assert_string_equal(a.sent, "ps\n");
	requests_receive(&r, (const uint8_t *)answer, strlen(answer));
	assert_string_equal(a.lines, "1:{\"a\":1};1:{\"ok\":true}!;");
	requests_forget(&r, 2);
	requests_tick(&r, 3, true);
	assert_string_equal(a.sent, "ps\ncaps\n");
	requests_receive(&r, (const uint8_t *)"{\"ok\":true}\n", 12);
	requests_tick(&r, 4, true);
	requests_tick(&r, 5 + REQUEST_TIMEOUT_MS, true);
	assert_non_null(strstr(a.lines, "3:{\"ok\":false"));
	assert_int_equal(r.n, 0);
	for (unsigned i = 0; i < REQUESTS_MAX; i++)
		assert_true(requests_add(&r, 1, "ps"));
	assert_false(requests_add(&r, 1, "ps"));
	r.n = 0;
	{
		char longer[CONTROL_MAX_LINE];

		memset(longer, 'x', sizeof(longer));
		longer[sizeof(longer) - 1] = '\0';
		assert_false(requests_add(&r, 1, longer));
	}
	buffer_free(&r.line);
}

/* --- link: a model of the target at the other end --- */

struct world {
	struct link link;
	struct mux_decoder decoder; /* the target's */
	char got[MUX_CHANNELS][4096];
	size_t n_got[MUX_CHANNELS];
	char sent[MUX_CHANNELS][4096];
	size_t n_sent[MUX_CHANNELS];
	uint32_t host_credit[MUX_CHANNELS]; /* what the host may send */
	uint32_t credit[MUX_CHANNELS];      /* what the target may send */
	char target_got[MUX_CHANNELS][65536];
	size_t n_target_got[MUX_CHANNELS];
	size_t n_host_sent[MUX_CHANNELS];
	unsigned hellos;
};

static void world_data(void *context, unsigned channel, const uint8_t *data,
		       size_t size)
{
	struct world *w = context;

	memcpy(w->got[channel] + w->n_got[channel], data, size);
	w->n_got[channel] += size;
}

static void world_name(void *context, unsigned channel)
{
	(void)context;
	(void)channel;
}

static void world_text(void *context, const uint8_t *data, size_t size)
{
	struct world *w = context;

	(void)data;
	(void)w;
	assert_true(size > 0);
}

static void target_takes(struct world *w, const struct mux_frame *f)
{
	if (f->type == MUX_DATA) {
		assert_true(f->size <= w->host_credit[f->channel]);
		w->host_credit[f->channel] -= f->size;
		memcpy(w->target_got[f->channel] + w->n_target_got[f->channel],
		       f->payload, f->size);
		w->n_target_got[f->channel] += f->size;
	} else if (f->type == MUX_CREDIT) {
		w->credit[f->channel] += (uint32_t)f->payload[0] |
					 (uint32_t)f->payload[1] << 8;
	}
}

static void wire_to_target(struct world *w)
{
	struct mux_frame frame;
	uint8_t text[MUX_MAX_FRAME];
	size_t text_size;

	for (size_t i = 0; i < w->link.out.size; i++) {
		if (mux_decode(&w->decoder, w->link.out.data[i], &frame, text,
			       &text_size) == MUX_FRAME)
			target_takes(w, &frame);
	}
	w->link.out.size = 0;
}

static void wire_to_host(struct world *w, enum mux_type type, unsigned channel,
			 const void *payload, size_t size)
{
	uint8_t wire[MUX_MAX_FRAME];
	size_t n = mux_encode(wire, type, (uint8_t)channel, payload, size);
	size_t cut = (size_t)rand() % n;

	link_receive(&w->link, wire, cut);
	link_receive(&w->link, wire + cut, n - cut);
}

static void target_speaks(struct world *w, unsigned channel)
{
	char bytes[100];
	size_t n = (size_t)rand() % sizeof(bytes);

	if (n > w->credit[channel] ||
	    w->n_sent[channel] + n > sizeof(w->sent[0]))
		return;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)rand();
	memcpy(w->sent[channel] + w->n_sent[channel], bytes, n);
	w->n_sent[channel] += n;
	w->credit[channel] -= (uint32_t)n;
	wire_to_host(w, MUX_DATA, channel, bytes, n);
}

static void host_speaks(struct world *w, unsigned channel)
{
	uint8_t bytes[300];
	size_t n = (size_t)rand() % sizeof(bytes);

	if (w->n_host_sent[channel] + n > sizeof(w->target_got[0]))
		return;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(w->n_host_sent[channel] + i);
	w->n_host_sent[channel] += n;
	link_send(&w->link, channel, bytes, n);
}

static void target_grants(struct world *w, unsigned channel)
{
	uint8_t grant[2] = { (uint8_t)rand(), 0 };

	w->host_credit[channel] += grant[0];
	wire_to_host(w, MUX_CREDIT, channel, grant, 2);
}

static void target_answers_hello(struct world *w)
{
	static const uint8_t hello[2] = { MUX_VERSION, MUX_CHANNELS };

	for (unsigned i = 0; i < MUX_CHANNELS; i++)
		w->host_credit[i] = w->credit[i] = MUX_INITIAL_CREDIT;
	wire_to_host(w, MUX_HELLO, 0, hello, sizeof(hello));
	assert_true(w->link.framed);
}

/* It speaks plain text; the host sends nothing but a greeting then. */
static void target_starts_anew(struct world *w)
{
	wire_to_target(w);
	w->link.next_hello_ms = 0;
	link_receive(&w->link, (const uint8_t *)"panic!\n", 7);
	link_tick(&w->link, 0);
	assert_int_equal(w->link.out.size, strlen(MUX_HELLO_HOST));
	assert_memory_equal(w->link.out.data, MUX_HELLO_HOST, w->link.out.size);
	w->link.out.size = 0;
	target_answers_hello(w);
}

static void link_keeps_to_the_protocol(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	srand(7);
	w->link.context = w;
	w->link.on_data = world_data;
	w->link.on_name = world_name;
	w->link.on_text = world_text;
	link_send(&w->link, 3, "\x00\x01", 2);
	w->n_host_sent[3] = 2;
	link_tick(&w->link, 1000);
	assert_int_equal(w->link.out.size, strlen(MUX_HELLO_HOST));
	link_tick(&w->link, 2000); /* not twice while unread */
	assert_int_equal(w->link.out.size, strlen(MUX_HELLO_HOST));
	w->link.out.size = 0;
	link_receive(&w->link, (const uint8_t *)"boot\nhalf a li", 14);
	target_answers_hello(w);
	wire_to_host(w, MUX_NAME, 3, "linux\x1b[2J", 9);
	assert_string_equal(w->link.channel[3].name, "linux?[2J");
	assert_int_equal(link_find(&w->link, "linux?[2J"), 3);
	assert_int_equal(link_find(&w->link, ""), -1);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned channel = (unsigned)rand() % 6;

		switch (rand() % 4) {
		case 0:
			target_speaks(w, channel);
			break;
		case 1:
			host_speaks(w, channel);
			break;
		case 2:
			target_grants(w, channel);
			break;
		default:
			target_starts_anew(w);
		}
		wire_to_target(w);
	}
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(w->n_got[i], w->n_sent[i]);
		assert_memory_equal(w->got[i], w->sent[i], w->n_sent[i]);
		for (size_t j = 0; j < w->n_target_got[i]; j++)
			assert_int_equal((uint8_t)w->target_got[i][j],
					 (uint8_t)j);
	}
	link_free(&w->link);
	free(w);
}

static struct {
	char text[100], answers[100];
} plain;

static void plain_data(void *context, unsigned channel, const uint8_t *data, size_t size)
{
	(void)context;
	assert_int_equal(channel, MUX_CH_CONTROL);
	strncat(plain.answers, (const char *)data, size);
}

static void plain_name(void *context, unsigned channel)
{
	(void)context;
	(void)channel;
}

static void plain_text(void *context, const uint8_t *data, size_t size)
{
	(void)context;
	strncat(plain.text, (const char *)data, size);
}

/* However it comes in pieces. */
static void link_takes_answers_out_of_text(void **state)
{
	static const char text[] = "boot\ncontrol| {1}\r\ncontrol {2}\n"
				   " control| 3\ncontrol| {4}\ncont";

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		struct link link = { .on_data = plain_data, .on_name = plain_name };

		link.on_text = plain_text;
		memset(&plain, 0, sizeof(plain));
		link_receive(&link, (const uint8_t *)text, cut);
		link_tick(&link, 0);
		link_receive(&link, (const uint8_t *)text + cut, sizeof(text) - 1 - cut);
		link_tick(&link, 1);
		assert_string_equal(plain.text, "boot\ncontrol {2}\n control| 3\n");
		assert_string_equal(plain.answers, "{1}\r\n{4}\n");
		link_free(&link);
	}
}

static void link_waits_for_the_control_channel(void **state)
{
	static const uint8_t hello[2] = { MUX_VERSION, MUX_CHANNELS };
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	w->link.context = w;
	w->link.on_data = world_data;
	w->link.on_name = world_name;
	w->link.on_text = world_text;
	for (unsigned start = 0; start < 2; start++) {
		wire_to_host(w, MUX_HELLO, 0, hello, sizeof(hello));
		assert_false(link_takes_requests(&w->link));
		assert_int_equal(link_room(&w->link, MUX_CH_SHELL), 0);
		wire_to_host(w, MUX_NAME, MUX_CH_CONTROL, "control", 7);
		wire_to_host(w, MUX_NAME, MUX_CH_SHELL, "shell", 5);
		assert_true(link_takes_requests(&w->link));
		assert_int_not_equal(link_room(&w->link, MUX_CH_SHELL), 0);
		link_receive(&w->link, (const uint8_t *)"plain again\n", 12);
		link_tick(&w->link, 1);
		assert_false(link_takes_requests(&w->link));
	}
	link_free(&w->link);
	free(w);
}

/* --- system descriptions: what is not given --- */

static void defaults_are_taken(void **state)
{
	static const char text[] = "name: s\nvms:\n"
				   "  - {name: a, memory: 64M, kernel: k}\n"
				   "  - name: b\n"
				   "    memory: [{size: 64M}, {size: 2M}]\n"
				   "    kernel: k\n"
				   "    period: 5ms\n"
				   "    autostart: false\n";
	struct system sys;
	const struct sysdesc_vm *vm;

	(void)state;
	assert_true(system_parse(&sys, "t.yaml", text, strlen(text)));
	vm = sys.desc->vm;
	assert_string_equal(sys.cpu->name, "cortex-a57");
	assert_int_equal(sys.desc->gic_version, 3);
	assert_int_equal(sys.machine_bytes, 1u << 30);
	assert_int_equal(sys.desc->on_idle, SYSDESC_IDLE_POWEROFF);
	assert_int_equal(sys.desc->log_level, 2);
	assert_int_equal(vm[0].vcpus, 1);
	assert_int_equal(vm[0].priority, 100);
	assert_int_equal(vm[0].budget_us, 10000);
	assert_int_equal(vm[0].devices, 3);
	assert_int_equal(vm[0].flags, SYSDESC_VM_AUTOSTART);
	assert_int_equal(vm[0].smc_policy, SYSDESC_SMC_FORBID);
	assert_int_equal(vm[0].region[0].gpa, 0x40000000);
	assert_int_equal(vm[1].region[1].gpa, 0x44000000);
	assert_int_equal(vm[1].period_us, 5000);
	assert_int_equal(vm[1].budget_us, 5000);
	assert_int_equal(vm[1].flags, 0);
	assert_int_equal(yamldoc_line(&sys.doc, system_vm_node(&sys, 1)), 4);
	assert_int_equal(system_guest_bytes(&sys), (64 + 66) << 20);
	system_free(&sys);
}

static void alias_cycles_end(void **state)
{
	static const char *const texts[] = {
		"&a {name: x, vms: [*a]}", "&a [*a]", "name: x\nvms: &a [*a]\n",
		"name: x\nmachine: &a {cpu: *a}\nvms: []\n"
	};
	struct system sys;

	(void)state;
	diag_silence(true);
	for (size_t i = 0; i < 4; i++)
		assert_false(system_parse(&sys, "t.yaml", texts[i],
					  strlen(texts[i])));
	diag_silence(false);
}

static void a_file_has_one_document(void **state)
{
	static const char *const good[] = { "name: x\nvms: []\n", "---\nname: x\nvms: []\n",
					    "name: x\nvms: []\n...\n# a comment\n" };
	static const char *const bad[] = { "name: x\nvms: []\n---\n",
					   "name: x\nvms: []\n---\nforbid: []\n",
					   "name: x\nvms: []\n...\n---\nforbid: []\n",
					   "name: x\nvms: []\n...\ngarbage\n",
					   "name: x\nvms: []\n---\n{\n", "---\n...\n", "#\n" };
	struct system sys;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(system_parse(&sys, "t.yaml", good[i], strlen(good[i])));
		system_free(&sys);
	}
	diag_silence(true);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(system_parse(&sys, "t.yaml", bad[i], strlen(bad[i])));
	diag_silence(false);
}

static void texts_have_no_nul(void **state)
{
	static const char *const texts[] = {
		"name: \"x\\0y\"\nvms: []\n",
		"name: \"x\\0\"\nvms: []\n",
		"\"name\\0\": x\nvms: []\n",
		"name: x\nmachine: {board: \"pc\\0\"}\nvms: []\n",
		"name: x\nmachine: {gic: \"2\\0\"}\nvms: []\n",
		"name: x\nvms: [{name: a, memory: 64M, kernel: \"k\\0k\"}]\n",
		"name: x\nvms: [{name: a, memory: \"64M\\0\", kernel: k}]\n",
		"name: x\nvms: [{name: a, memory: 64M, kernel: k, cmdline: \"a\\0b\"}]\n",
		"name: x\nmachine: {nic: virtio, forward: [\"tcp:80:10.0.2.15:80\\0\"]}\nvms: []\n",
	};
	struct system sys;

	(void)state;
	diag_silence(true);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_false(system_parse(&sys, "t.yaml", texts[i], strlen(texts[i])));
	diag_silence(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_read),
		cmocka_unit_test(sizes_survive_being_written),
		cmocka_unit_test(durations_need_a_unit),
		cmocka_unit_test(near_words_are_suggested),
		cmocka_unit_test(elf_segments),
		cmocka_unit_test(uimages),
		cmocka_unit_test(raw_and_wishes),
		cmocka_unit_test(vectors_are_told),
		cmocka_unit_test(what_is_no_file_stays),
		cmocka_unit_test(a_file_in_a_folder_that_keeps_its_names),
		cmocka_unit_test(scroll_keeps_the_end),
		cmocka_unit_test(replay_asks_nothing),
		cmocka_unit_test(replay_shows_the_rest),
		cmocka_unit_test(symbols_are_replaced),
		cmocka_unit_test(archive_is_newc),
		cmocka_unit_test(requests_go_one_by_one),
		cmocka_unit_test(link_keeps_to_the_protocol),
		cmocka_unit_test(link_takes_answers_out_of_text),
		cmocka_unit_test(link_waits_for_the_control_channel),
		cmocka_unit_test(defaults_are_taken),
		cmocka_unit_test(alias_cycles_end),
		cmocka_unit_test(a_file_has_one_document),
		cmocka_unit_test(texts_have_no_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
