/* Where the structures of a virtio device are (virtio 1.2, 4.1). */
#include <selvage/pcibus.h>

#include <selvage/base.h>
#include <stddef.h>

#define TRANSITIONAL 0x1000u
#define TRANSITIONAL_END 0x1040u
#define MODERN_END 0x1080u
/* struct virtio_pci_cap: kind and BAR, offset, bytes; then the multiplier. */
#define CAP_BYTES 16u
#define CAP_KIND(head) ((head) >> 24)
#define CAP_BAR 4u
#define CAP_OFFSET 8u
#define CAP_LENGTH 12u
#define CAP_MULTIPLIER 16u

static const uint32_t least[PCIBUS_STRUCTURES] = { 56, 2, 1, 1 };

uint32_t pcibus_virtio_id(const struct pcibus_function *f)
{
	if (f->vendor != PCIBUS_VIRTIO_VENDOR || f->header != 0 || f->device < TRANSITIONAL ||
	    f->device >= MODERN_END)
		return 0;
	return f->device < TRANSITIONAL_END ? f->subsystem : f->device - TRANSITIONAL_END;
}

/* Whether it lies in the BAR that it names, and has its size. */
static bool take(const struct pcibus *b, const struct pcibus_function *f, uint32_t cap,
		 unsigned kind, struct pcibus_virtio *v)
{
	uint32_t offset = b->read(b->opaque, f->address, cap + CAP_OFFSET);
	uint32_t bytes = b->read(b->opaque, f->address, cap + CAP_LENGTH);
	struct pcibus_bar bar;

	if (!pcibus_bar(b, f, b->read(b->opaque, f->address, cap + CAP_BAR) & 0xff, &bar) ||
	    !range_within_u64(offset, bytes, 0, bar.bytes) || bytes < least[kind] ||
	    offset % 4 != 0)
		return false;
	v->structure[kind].at = bar.at + offset;
	v->structure[kind].bytes = bytes;
	return true;
}

const char *pcibus_virtio(const struct pcibus *b, const struct pcibus_function *f,
			  struct pcibus_virtio *v)
{
	uint32_t cap = 0;

	*v = (struct pcibus_virtio){ 0 };
	while ((cap = pcibus_capability(b, f, PCIBUS_CAP_VENDOR, cap)) != 0 &&
	       cap <= 256 - CAP_BYTES - 4) {
		unsigned kind = CAP_KIND(b->read(b->opaque, f->address, cap)) - 1;

		/* The first of each that can be used (4.1.4.1). */
		if (kind >= PCIBUS_STRUCTURES || v->structure[kind].at != 0 ||
		    !take(b, f, cap, kind, v))
			continue;
		if (kind == PCIBUS_NOTIFY)
			v->notify_multiplier = b->read(b->opaque, f->address, cap + CAP_MULTIPLIER);
	}
	for (unsigned i = 0; i < PCIBUS_STRUCTURES; i++)
		if (v->structure[i].at == 0)
			return "it has no modern interface";
	return NULL;
}
