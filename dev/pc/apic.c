#include <dev/pc/apic.h>

#include <dev/pc/lapic.h>
#include <stddef.h>

bool apic_message_of_msi(uint64_t address, uint32_t data, struct apic_message *msg)
{
	uint32_t to = address >> 12 & 0xff;
	bool logical = address >> 2 & 1;

	if (address >> 20 != 0xfee)
		return false;
	*msg = (struct apic_message){
		.destination = to == 0xff && !logical ? APIC_BROADCAST : to,
		.logical = logical,
		.mode = data >> 8 & 7,
		.vector = (uint8_t)data,
		.level = data >> 15 & 1,
		.deassert = (data >> 14 & 3) == 2, /* level, and not asserted */
	};
	return true;
}

static bool meant(const struct lapic *l, const struct lapic *sender,
		  const struct apic_message *msg)
{
	switch (msg->shorthand) {
	case APIC_TO_SELF: return l == sender;
	case APIC_TO_ALL: return true;
	case APIC_TO_OTHERS: return l != sender;
	default: return lapic_matches(l, msg);
	}
}

unsigned apic_bus_send(struct apic_bus *bus, const struct lapic *sender,
		       const struct apic_message *msg)
{
	struct lapic *best = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < APIC_MAX_CORES && bus->core[i] != NULL; i++) {
		struct lapic *l = bus->core[i];

		if (!meant(l, sender, msg))
			continue;
		if (msg->mode != APIC_LOWEST) {
			lapic_deliver(l, msg);
			n++;
		} else if (lapic_enabled(l) &&
			   (best == NULL || lapic_priority(l) < lapic_priority(best))) {
			best = l;
		}
	}
	if (best == NULL)
		return n;
	lapic_deliver(best, msg);
	return 1;
}
