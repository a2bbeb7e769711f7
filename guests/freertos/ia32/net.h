/* A network device at a fixed address, and who answers there: 192.168.19.100. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct net_counts {
	uint32_t sent, received, dropped; /* frames; dropped: that nobody answers */
};

/* False: there is no device, or it is none that this can drive. */
bool net_start(unsigned stack, unsigned priority);
struct net_counts net_counts(void);
