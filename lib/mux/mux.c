#include <selvage/mux.h>

#include <selvage/crc32.h>

#define HEADER_SIZE 4u
#define CRC_SIZE 4u
#define COBS_FULL 0xffu /* a block of 254 bytes that no zero ends */

static void put_le32(uint8_t *out, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_le32(const uint8_t *in)
{
	return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 |
	       (uint32_t)in[3] << 24;
}

/* Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): a writer that
 * takes one byte at a time. */
struct cobs_writer {
	uint8_t *out;
	size_t fill;
	size_t code_at; /* where the open block's length goes */
	uint8_t code;   /* that length, so far */
};

static void cobs_open_block(struct cobs_writer *w)
{
	w->code_at = w->fill++;
	w->code = 1;
}

static void cobs_close_block(struct cobs_writer *w)
{
	w->out[w->code_at] = w->code;
}

static void cobs_put(struct cobs_writer *w, uint8_t byte)
{
	if (byte != 0) {
		w->out[w->fill++] = byte;
		w->code++;
	}
	if (byte == 0 || w->code == COBS_FULL) {
		cobs_close_block(w);
		cobs_open_block(w);
	}
}

static void cobs_put_all(struct cobs_writer *w, const uint8_t *in, size_t size)
{
	for (size_t i = 0; i < size; i++)
		cobs_put(w, in[i]);
}

struct cobs_reader {
	uint8_t *out;
	size_t limit;
	size_t fill; /* bytes decoded, those above the limit left out of out */
};

static void cobs_got(struct cobs_reader *r, uint8_t byte)
{
	if (r->fill < r->limit)
		r->out[r->fill] = byte;
	r->fill++;
}

/* Decodes `size` bytes, none of them zero. False if the last block is cut
 * short; what there is of it is decoded all the same. */
static bool cobs_decode(struct cobs_reader *r, const uint8_t *in, size_t size)
{
	size_t at = 0;

	while (at < size) {
		uint8_t code = in[at++];

		for (unsigned i = 1; i < code; i++) {
			if (at == size)
				return false;
			cobs_got(r, in[at++]);
		}
		if (code != COBS_FULL && at < size)
			cobs_got(r, 0);
	}
	return true;
}

size_t mux_encode(uint8_t *out, enum mux_type type, uint8_t channel,
		  const void *payload, size_t size)
{
	struct cobs_writer w = { .out = out, .fill = 0 };
	uint8_t header[HEADER_SIZE] = { (uint8_t)type, channel,
					(uint8_t)size, (uint8_t)(size >> 8) };
	uint8_t tail[CRC_SIZE];
	uint32_t crc;

	crc = crc32_update(0, header, sizeof(header));
	crc = crc32_update(crc, payload, size);
	put_le32(tail, crc);
	out[w.fill++] = 0;
	cobs_open_block(&w);
	cobs_put_all(&w, header, sizeof(header));
	cobs_put_all(&w, payload, size);
	cobs_put_all(&w, tail, sizeof(tail));
	cobs_close_block(&w);
	out[w.fill++] = 0;
	return w.fill;
}

static bool type_known(uint8_t type)
{
	return type >= MUX_HELLO && type <= MUX_BYE;
}

static bool parse_frame(const struct mux_decoder *d, struct mux_frame *frame)
{
	uint8_t plain[HEADER_SIZE + MUX_MAX_PAYLOAD + CRC_SIZE];
	struct cobs_reader r = { .out = plain, .limit = sizeof(plain) };
	bool whole = cobs_decode(&r, d->raw, d->fill);
	size_t n = r.fill;
	size_t size;

	if (!whole || n > sizeof(plain) || n < HEADER_SIZE + CRC_SIZE)
		return false;
	size = (size_t)plain[2] | (size_t)plain[3] << 8;
	if (size != n - HEADER_SIZE - CRC_SIZE || !type_known(plain[0]))
		return false;
	if (crc32_update(0, plain, n - CRC_SIZE) !=
	    get_le32(&plain[n - CRC_SIZE]))
		return false;
	frame->type = plain[0];
	frame->channel = plain[1];
	frame->size = (uint16_t)size;
	for (size_t i = 0; i < size; i++)
		frame->payload[i] = plain[HEADER_SIZE + i];
	return true;
}

/* Whether the collected bytes may still become a frame. A frame's first byte
 * decodes to its type, a control character that readable text has not. */
static bool may_be_frame(const struct mux_decoder *d)
{
	uint8_t start[HEADER_SIZE];
	struct cobs_reader r = { .out = start, .limit = sizeof(start) };

	if (!d->in_step)
		return false;
	(void)cobs_decode(&r, d->raw, d->fill);
	if (r.fill >= 1 && !type_known(start[0]))
		return false;
	if (r.fill >= 2 && start[1] >= MUX_CHANNELS)
		return false;
	return r.fill < sizeof(start) || ((size_t)start[2] | (size_t)start[3] << 8) <=
						 MUX_MAX_PAYLOAD;
}

static size_t take_text(struct mux_decoder *d, uint8_t *text)
{
	size_t n = d->fill;

	for (size_t i = 0; i < n; i++)
		text[i] = d->raw[i];
	d->fill = 0;
	return n;
}

static enum mux_result end_of_frame(struct mux_decoder *d,
				    struct mux_frame *frame, uint8_t *text,
				    size_t *text_size)
{
	bool in_step = d->in_step;

	d->in_step = true;
	if (d->fill == 0)
		return MUX_MORE;
	if (in_step && parse_frame(d, frame)) {
		d->fill = 0;
		return MUX_FRAME;
	}
	*text_size = take_text(d, text);
	return MUX_TEXT;
}

void mux_decoder_reset(struct mux_decoder *d)
{
	d->fill = 0;
	d->in_step = false;
}

enum mux_result mux_decode(struct mux_decoder *d, uint8_t byte,
			   struct mux_frame *frame, uint8_t *text,
			   size_t *text_size)
{
	if (byte == 0)
		return end_of_frame(d, frame, text, text_size);
	d->raw[d->fill++] = byte;
	/* Readable text is handed out by the line; a longer run than any
	 * frame's is text as well. */
	if (d->fill < sizeof(d->raw) && (byte != '\n' || may_be_frame(d)))
		return MUX_MORE;
	d->in_step = false;
	*text_size = take_text(d, text);
	return MUX_TEXT;
}

size_t mux_decoder_flush(struct mux_decoder *d, uint8_t *text)
{
	if (d->fill == 0 || may_be_frame(d))
		return 0;
	d->in_step = false;
	return take_text(d, text);
}
