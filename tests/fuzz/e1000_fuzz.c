/* servers/net: Intel's 8254x that says and writes to memory whatever the input has. */
#include <e1000.h>
#include <selvage/base.h>
#include <stdlib.h>
#include <string.h>

static struct e1000 card;
static _Alignas(64) uint8_t memory[NIC_MEMORY_BYTES];
static const uint8_t *input, *end;

static uint8_t next(void) { return input < end ? *input++ : 0; }

static uint32_t reg_read(void *opaque, uint32_t offset, unsigned bytes)
{
	(void)opaque, (void)offset, (void)bytes;
	return (uint32_t)next() << 24 | next();
}

static void reg_write(void *opaque, uint32_t offset, uint32_t value, unsigned bytes)
{
	(void)opaque, (void)value;
	if (offset >= 0x6000 || offset % 4 != 0 || bytes != 4)
		abort();
}

static void take(void *opaque, const uint8_t *frame, uint32_t bytes)
{
	unsigned sum = 0;

	(void)opaque;
	if (bytes < NIC_FRAME_MIN || bytes > NIC_FRAME_MAX)
		abort();
	for (uint32_t i = 0; i < bytes; i++)
		sum += frame[i];
	memory[NIC_BUFFERS] = (uint8_t)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct vmmio_regs regs = { NULL, reg_read, reg_write };
	static const uint8_t frame[NIC_FRAME_MAX];

	input = data;
	end = data + size;
	memset(memory, 0, 0x8000);
	(void)e1000_start(&card, &regs, memory, 0x40000000);
	while (input < end) {
		uint8_t what = next();

		switch (what % 5) {
		case 0: (void)nic_send(&card.nic, frame, (uint32_t)next() * 8); break;
		case 1: (void)nic_receive(&card.nic, next(), take, NULL); break;
		case 2: nic_interrupt(&card.nic); break;
		case 3: (void)nic_flush(&card.nic); break;
		default: /* it writes into a descriptor */
			memory[(next() % 2 ? 0x4000u : 0u) + next() * 8u + next() % 8u] = next();
		}
	}
	return 0;
}
