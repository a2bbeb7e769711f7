/* What a GDB stub may send: packets, target descriptions, and Selvage's own answers. What we make
 * we can take. */
#include <stdlib.h>
#include <string.h>

#include "capture_source.h"
#include "diag.h"
#include "gdb_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_all(const uint8_t *data, size_t size)
{
	struct buffer in = { 0 }, packet = { 0 };
	enum gdb_taken taken;

	buffer_append(&in, data, size);
	while ((taken = gdb_take(&in, &packet)) != GDB_NOTHING) {
		if (taken == GDB_PACKET && packet.data[packet.size] != '\0')
			abort();
	}
	buffer_free(&in);
	buffer_free(&packet);
}

static void there_and_back(const uint8_t *data, size_t size)
{
	struct buffer in = { 0 }, packet = { 0 };

	gdb_make(&in, data, size);
	if (gdb_take(&in, &packet) != GDB_PACKET || packet.size != size ||
	    (size && memcmp(packet.data, data, size) != 0) || in.size != 0)
		abort();
	buffer_free(&in);
	buffer_free(&packet);
}

static void read_answers(const uint8_t *data, size_t size)
{
	static struct capture capture;
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	(void)capture_take_identity(&capture, text);
	(void)capture_take_map(&capture, text);
	for (size_t i = 0; i < capture.n_regions; i++) {
		if (capture.region[i].first > capture.region[i].last)
			abort();
	}
	capture_free(&capture);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gdb_target target = { 0 };

	diag_silence(true);
	take_all(data, size);
	read_answers(data, size);
	if (size < GDB_PACKET_MAX)
		there_and_back(data, size);
	(void)gdb_parse_annex(&target, (const char *)data, size);
	gdb_target_free(&target);
	return 0;
}
