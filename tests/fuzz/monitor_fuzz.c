/* What a monitor may send: answers of HMP and the texts in them, lines of QMP. */
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "hmp_text.h"
#include "monitor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_text(const char *text)
{
	static struct capture capture;
	char name[CAPTURE_TEXT];
	uint32_t words[CAPTURE_WORDS];
	uint64_t value;
	bool busy;

	(void)hmp_status(text, name, sizeof(name));
	(void)hmp_registers(text, &capture);
	capture_free(&capture);
	if (hmp_registers_x86(text, &capture) && !capture_is_x86(&capture))
		abort();
	(void)hmp_memory_map(text, "cpu-memory-0", &capture);
	for (size_t i = 0; i < capture.n_regions; i++) {
		if (capture.region[i].first > capture.region[i].last)
			abort();
	}
	(void)hmp_physical(text, &value);
	(void)hmp_words(text, words, CAPTURE_WORDS);
	(void)hmp_rom(text, "folder/image.bin", &value);
	(void)hmp_string(text, name, sizeof(name));
	(void)hmp_child(text, "loader", 1, name, sizeof(name));
	(void)hmp_gdb_server(text, name, sizeof(name), &busy);
	hmp_board(text, name, sizeof(name));
	(void)hmp_cpu(text, name, sizeof(name));
	capture_free(&capture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Exactly as long as the data, so that reading past it shows. */
	char *bytes = malloc(size + 1), *text;

	diag_silence(true);
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	read_text(bytes);
	free(monitor_hmp_answer(bytes, size));
	if (monitor_qmp_line(bytes, size, 1, &text) != QMP_OTHER && text)
		(void)strlen(text);
	free(text);
	free(bytes);
	return 0;
}
