/* lib/mux: random traffic with text and noise in between, against a plain
 * list of what was sent. */
#include <selvage/mux.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void fill(uint8_t *bytes, size_t n)
{
	/* Runs of zeros and of long non-zero blocks both exercise COBS. */
	int kind = rand() % 3;

	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)rand();

		bytes[i] = kind == 0 ? byte : kind == 1 ? (byte | 1)
							: 0;
	}
}

static void frames_survive(void **state)
{
	struct mux_decoder decoder;
	uint8_t payload[MUX_MAX_PAYLOAD];
	uint8_t wire[MUX_MAX_FRAME];
	uint8_t text[MUX_MAX_FRAME];

	(void)state;
	srand(1);
	mux_decoder_reset(&decoder);
	for (unsigned round = 0; round < 3000; round++) {
		size_t size = round < MUX_MAX_PAYLOAD
				      ? round
				      : (size_t)rand() % (MUX_MAX_PAYLOAD + 1);
		uint8_t channel = (uint8_t)(rand() % MUX_CHANNELS);
		struct mux_frame frame;
		unsigned frames = 0;
		size_t text_size;
		size_t n;

		fill(payload, size);
		n = mux_encode(wire, MUX_DATA, channel, payload, size);
		assert_true(n <= MUX_MAX_FRAME);
		for (size_t i = 0; i < n; i++) {
			enum mux_result r = mux_decode(&decoder, wire[i],
						       &frame, text, &text_size);

			assert_int_not_equal(r, MUX_TEXT);
			frames += r == MUX_FRAME;
		}
		assert_int_equal(frames, 1);
		assert_int_equal(frame.type, MUX_DATA);
		assert_int_equal(frame.channel, channel);
		assert_int_equal(frame.size, size);
		assert_memory_equal(frame.payload, payload, size);
	}
}

static void text_between_frames_is_text(void **state)
{
	static const char line[] = "kernel panic at 0x60001234\n";
	struct mux_decoder decoder;
	struct mux_frame frame;
	uint8_t wire[MUX_MAX_FRAME];
	uint8_t text[MUX_MAX_FRAME];
	size_t text_size = 0;
	unsigned lines = 0;
	size_t n = mux_encode(wire, MUX_DATA, 2, "abc", 3);

	(void)state;
	mux_decoder_reset(&decoder);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; line[i]; i++) {
			if (mux_decode(&decoder, (uint8_t)line[i], &frame,
				       text, &text_size) != MUX_TEXT)
				continue;
			lines++;
			assert_int_equal(text_size, strlen(line));
			assert_memory_equal(text, line, text_size);
		}
		for (size_t i = 0; i < n; i++) {
			enum mux_result r = mux_decode(&decoder, wire[i],
						       &frame, text,
						       &text_size);

			assert_int_equal(r, i + 1 == n ? MUX_FRAME : MUX_MORE);
		}
	}
	assert_int_equal(lines, 3);
}

static void unfinished_text_is_flushed(void **state)
{
	struct mux_decoder decoder;
	struct mux_frame frame;
	uint8_t text[MUX_MAX_FRAME];
	uint8_t wire[MUX_MAX_FRAME];
	size_t text_size;
	size_t n = mux_encode(wire, MUX_NAME, 2, "linux1", 6);

	(void)state;
	mux_decoder_reset(&decoder);
	mux_decode(&decoder, 0, &frame, text, &text_size);
	for (const char *p = "/ # "; *p; p++)
		mux_decode(&decoder, (uint8_t)*p, &frame, text, &text_size);
	assert_int_equal(mux_decoder_flush(&decoder, text), 4);
	assert_memory_equal(text, "/ # ", 4);
	assert_int_equal(mux_decoder_flush(&decoder, text), 0);
	/* Half a frame is not text. */
	for (size_t i = 0; i < n / 2; i++)
		mux_decode(&decoder, wire[i], &frame, text, &text_size);
	assert_int_equal(mux_decoder_flush(&decoder, text), 0);
	for (size_t i = n / 2; i < n; i++)
		text_size = (size_t)mux_decode(&decoder, wire[i], &frame, text,
					       &text_size);
	assert_int_equal(text_size, MUX_FRAME);
}

/* After any noise, the second of two frames arrives. */
static void noise_is_survived(void **state)
{
	struct mux_decoder decoder;
	struct mux_frame frame;
	uint8_t noise[700];
	uint8_t text[MUX_MAX_FRAME];
	uint8_t wire[MUX_MAX_FRAME];
	size_t text_size;
	size_t n = mux_encode(wire, MUX_CREDIT, 5, "\x00\x10", 2);

	(void)state;
	srand(3);
	mux_decoder_reset(&decoder);
	for (unsigned round = 0; round < 2000; round++) {
		size_t size = (size_t)rand() % sizeof(noise);
		unsigned frames = 0;

		fill(noise, size);
		for (size_t i = 0; i < size; i++)
			mux_decode(&decoder, noise[i], &frame, text,
				   &text_size);
		for (size_t i = 0; i < 2 * n; i++)
			frames += mux_decode(&decoder, wire[i % n], &frame,
					     text, &text_size) == MUX_FRAME;
		assert_int_equal(frames, 2);
	}
}

/* A changed byte never gives another frame. */
static void damage_is_found(void **state)
{
	struct mux_decoder decoder;
	struct mux_frame frame;
	uint8_t payload[64];
	uint8_t text[MUX_MAX_FRAME];
	uint8_t wire[MUX_MAX_FRAME];
	size_t text_size;

	(void)state;
	srand(4);
	for (unsigned round = 0; round < 5000; round++) {
		size_t size = (size_t)rand() % sizeof(payload);
		size_t n;

		fill(payload, size);
		n = mux_encode(wire, MUX_DATA, 2, payload, size);
		wire[1 + (size_t)rand() % (n - 2)] ^=
			(uint8_t)(1 + rand() % 255);
		mux_decoder_reset(&decoder);
		for (size_t i = 0; i < n; i++)
			assert_int_not_equal(mux_decode(&decoder, wire[i],
							&frame, text,
							&text_size),
					     MUX_FRAME);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_survive),
		cmocka_unit_test(text_between_frames_is_text),
		cmocka_unit_test(unfinished_text_is_flushed),
		cmocka_unit_test(noise_is_survived),
		cmocka_unit_test(damage_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
