/*
 * A range where a PC has something that a guest looks for and does not need
 * (BIOS and option ROMs from 0xc0000 on, ports of devices that are not there):
 * reads as one byte over and over, takes writes, and counts both.
 */
#pragma once

#include <dev/mmio.h>
#include <stdint.h>

struct fake_range {
	uint8_t fill; /* 0xff: as an empty bus; 0: as blank memory */
	uint64_t reads, writes;
};

static inline enum mmio_outcome fake_access(struct fake_range *f, struct mmio *m)
{
	if (m->write) {
		f->writes++;
		return MMIO_HANDLED;
	}
	f->reads++;
	return mmio_done(m, f->fill * 0x0101010101010101ull);
}
