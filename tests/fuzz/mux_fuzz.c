/* mux_decode on any bytes: bounds hold, and what it takes for a frame is
 * what mux_encode makes of that frame. */
#include <selvage/mux.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_frame(const struct mux_frame *frame)
{
	uint8_t wire[MUX_MAX_FRAME];
	uint8_t text[MUX_MAX_FRAME];
	size_t text_size;
	struct mux_decoder decoder;
	struct mux_frame again;
	enum mux_result r = MUX_MORE;
	size_t n = mux_encode(wire, (enum mux_type)frame->type, frame->channel,
			      frame->payload, frame->size);

	mux_decoder_reset(&decoder);
	for (size_t i = 0; i < n; i++)
		r = mux_decode(&decoder, wire[i], &again, text, &text_size);
	if (r != MUX_FRAME || again.size != frame->size ||
	    memcmp(again.payload, frame->payload, frame->size) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mux_decoder decoder;
	struct mux_frame frame;
	uint8_t text[MUX_MAX_FRAME];
	size_t text_size;

	mux_decoder_reset(&decoder);
	for (size_t i = 0; i < size; i++) {
		switch (mux_decode(&decoder, data[i], &frame, text,
				   &text_size)) {
		case MUX_FRAME:
			check_frame(&frame);
			break;
		case MUX_TEXT:
			if (text_size == 0 || text_size > sizeof(text))
				abort();
			break;
		case MUX_MORE:
			break;
		}
		if (i % 37 == 0)
			(void)mux_decoder_flush(&decoder, text);
	}
	/* Whatever came, the next whole frame is taken. */
	{
		uint8_t wire[MUX_MAX_FRAME];
		size_t n = mux_encode(wire, MUX_DATA, 1, "x", 1);
		enum mux_result r = MUX_MORE;

		for (size_t i = 0; i < n; i++)
			r = mux_decode(&decoder, wire[i], &frame, text,
				       &text_size);
		if (r != MUX_FRAME)
			abort();
	}
	return 0;
}
