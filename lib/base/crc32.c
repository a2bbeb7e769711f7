#include <selvage/crc32.h>

#include <selvage/base.h>

/*
 * Eight bytes a step ("slicing by 8"): slice k maps a byte to what it adds to
 * the checksum k bytes later. The map is linear, so a table of 256 follows
 * from its values at the eight powers of two, and those are all that is
 * written down here; the compiler unfolds them.
 */
#define BIT(n, b, value) (((n) >> (b)) & 1 ? (value) : 0)
#define ENTRY(n, a, b, c, d, e, f, g, h)                             \
	(BIT(n, 0, a) ^ BIT(n, 1, b) ^ BIT(n, 2, c) ^ BIT(n, 3, d) ^ \
	 BIT(n, 4, e) ^ BIT(n, 5, f) ^ BIT(n, 6, g) ^ BIT(n, 7, h))
#define ROW4(n, ...)                                        \
	ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), \
		ENTRY((n) + 2, __VA_ARGS__), ENTRY((n) + 3, __VA_ARGS__)
#define ROW16(n, ...)                                     \
	ROW4(n, __VA_ARGS__), ROW4((n) + 4, __VA_ARGS__), \
		ROW4((n) + 8, __VA_ARGS__), ROW4((n) + 12, __VA_ARGS__)
#define ROW64(n, ...)                                        \
	ROW16(n, __VA_ARGS__), ROW16((n) + 16, __VA_ARGS__), \
		ROW16((n) + 32, __VA_ARGS__), ROW16((n) + 48, __VA_ARGS__)
#define SLICE(...)                                                       \
	{                                                                \
		ROW64(0, __VA_ARGS__), ROW64(64, __VA_ARGS__),           \
			ROW64(128, __VA_ARGS__), ROW64(192, __VA_ARGS__) \
	}

static const uint32_t slice[8][256] = {
	SLICE(0x77073096u, 0xee0e612cu, 0x076dc419u, 0x0edb8832u,
	      0x1db71064u, 0x3b6e20c8u, 0x76dc4190u, 0xedb88320u),
	SLICE(0x191b3141u, 0x32366282u, 0x646cc504u, 0xc8d98a08u,
	      0x4ac21251u, 0x958424a2u, 0xf0794f05u, 0x3b83984bu),
	SLICE(0x01c26a37u, 0x0384d46eu, 0x0709a8dcu, 0x0e1351b8u,
	      0x1c26a370u, 0x384d46e0u, 0x709a8dc0u, 0xe1351b80u),
	SLICE(0xb8bc6765u, 0xaa09c88bu, 0x8f629757u, 0xc5b428efu,
	      0x5019579fu, 0xa032af3eu, 0x9b14583du, 0xed59b63bu),
	SLICE(0x3d6029b0u, 0x7ac05360u, 0xf580a6c0u, 0x30704bc1u,
	      0x60e09782u, 0xc1c12f04u, 0x58f35849u, 0xb1e6b092u),
	SLICE(0xcb5cd3a5u, 0x4dc8a10bu, 0x9b914216u, 0xec53826du,
	      0x03d6029bu, 0x07ac0536u, 0x0f580a6cu, 0x1eb014d8u),
	SLICE(0xa6770bb4u, 0x979f1129u, 0xf44f2413u, 0x33ef4e67u,
	      0x67de9cceu, 0xcfbd399cu, 0x440b7579u, 0x8816eaf2u),
	SLICE(0xccaa009eu, 0x4225077du, 0x844a0efau, 0xd3e51bb5u,
	      0x7cbb312bu, 0xf9766256u, 0x299dc2edu, 0x533b85dau),
};

uint32_t crc32_update(uint32_t crc, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint32_t c = ~crc;

	for (; n >= 8; n -= 8, p += 8) {
		uint32_t low = c ^ load_le32(p);
		uint32_t high = load_le32(p + 4);

		c = slice[7][low & 0xff] ^ slice[6][low >> 8 & 0xff] ^
		    slice[5][low >> 16 & 0xff] ^ slice[4][low >> 24] ^
		    slice[3][high & 0xff] ^ slice[2][high >> 8 & 0xff] ^
		    slice[1][high >> 16 & 0xff] ^ slice[0][high >> 24];
	}
	for (; n; n--)
		c = c >> 8 ^ slice[0][(c ^ *p++) & 0xff];
	return ~c;
}
