/* lib/pcibus: the input is the configuration space of up to eight functions of buses 0
 * and 1, which change their minds. */
#include <selvage/base.h>
#include <selvage/pcibus.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS 8u
#define MOST_READS 100000u

static uint8_t space[FUNCTIONS][256];
static unsigned reads;

static uint8_t *word(uint16_t address, uint32_t offset)
{
	unsigned n = PCIBUS_BUS(address) * 4u + PCIBUS_DEVICE(address) * 2u +
		     PCIBUS_FUNCTION(address);

	if (offset % 4 != 0 || offset >= 256)
		abort();
	return PCIBUS_DEVICE(address) > 1 || PCIBUS_FUNCTION(address) > 1 || n >= FUNCTIONS
		       ? NULL
		       : &space[n][offset];
}

static uint32_t config_read(void *opaque, uint16_t address, uint32_t offset)
{
	const uint8_t *at = word(address, offset);

	(void)opaque;
	if (++reads > MOST_READS)
		abort();
	return at == NULL ? UINT32_MAX : load_le32(at);
}

static void config_write(void *opaque, uint16_t address, uint32_t offset, uint32_t value)
{
	uint8_t *at = word(address, offset);

	(void)opaque;
	if (at == NULL)
		return;
	if (offset == 4)
		value = (value & 0xffff) | (load_le32(at) & 0xffff0000u);
	if (offset >= 0x10 && offset < 0x28 && offset % 8 == 0)
		value = (value & 0xfffff000u) | (*at & 15u);
	store_le32(at, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pcibus bus = { .read = config_read, .write = config_write };
	struct pcibus_function found[FUNCTIONS];
	struct pcibus_virtio v;
	struct pcibus_bar bar;
	uint64_t table;
	unsigned n;

	memset(space, 0xff, sizeof(space));
	memcpy(space, data, size < sizeof(space) ? size : sizeof(space));
	reads = 0;
	n = pcibus_find(&bus, found, FUNCTIONS);
	for (unsigned i = 0; i < n; i++) {
		for (unsigned b = 0; b < 7; b++)
			if (pcibus_bar(&bus, &found[i], b, &bar) &&
			    (bar.at == 0 || bar.bytes == 0 || bar.at % bar.bytes != 0))
				abort();
		if (pcibus_virtio_id(&found[i]) != 0 && pcibus_virtio(&bus, &found[i], &v) == NULL)
			for (unsigned s = 0; s < PCIBUS_STRUCTURES; s++)
				if (v.structure[s].at == 0 || v.structure[s].bytes == 0)
					abort();
		pcibus_enable(&bus, &found[i]);
		(void)pcibus_use_messages(&bus, &found[i], 0xfee00000, 0x70, &table);
	}
	return 0;
}
