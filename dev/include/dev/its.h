/*
 * Interrupt Translation Service (Arm IHI 0069H chapter 5 and 12.19): messages
 * of PCI functions become LPIs of a vGIC.
 *
 * What commands map is kept here, in tables of fixed size, not in the memory
 * that the guest gives for it (GITS_BASER0, the tables of MAPD): nothing in
 * guest memory is trusted or written. Commands and the LPIs' bytes of
 * configuration are read from it, each once. A device has the number of its
 * PCI function, of which each slot has one.
 *
 * A command that cannot be is skipped; the access that brought it is answered
 * as ignored, with the reason. Commands are carried out during accesses, up to 256
 * of them each: who waits for them reads GITS_CREADR.
 */
#pragma once

#include <dev/mmio.h>
#include <dev/pci.h>
#include <dev/vgic.h>
#include <stddef.h>

#define ITS_BYTES 0x20000u /* two frames of 64 KiB: registers, and where messages go */
#define ITS_TRANSLATER 0x10040u
#define ITS_EVENT_BITS 5u
#define ITS_EVENTS (1u << ITS_EVENT_BITS) /* of a device */
#define ITS_COLLECTIONS 16u
#define ITS_NO_VCPU VGIC_MAX_VCPUS

struct its_env {
	void *opaque;
	/* Reads guest memory. False: not RAM, all or part. */
	bool (*read)(void *opaque, uint64_t gpa, void *to, size_t size);
};

/* Private to the model; here so that the owner can embed it. */
struct its {
	struct vgic *gic;
	struct its_env env;
	bool enabled;
	uint64_t command_base, device_base; /* GITS_CBASER, GITS_BASER0 */
	uint32_t command_write, command_read;
	const char *wrong;            /* with the command that was carried out last */
	uint32_t n_events[PCI_SLOTS]; /* 0: the device is not mapped */
	struct its_event {
		uint16_t lpi; /* 0: none */
		uint8_t collection;
	} event[PCI_SLOTS][ITS_EVENTS];
	uint8_t target[ITS_COLLECTIONS]; /* a vCPU or ITS_NO_VCPU */
};

/* `env` is copied; `gic` has LPIs. */
void its_init(struct its *its, struct vgic *gic, const struct its_env *env);
/* Never MMIO_FAULT. */
enum mmio_outcome its_access(struct its *its, struct mmio *m);
/* A message of the function in `slot`: a write of `data` to GITS_TRANSLATER.
 * False: it is none that the guest has mapped. */
bool its_message(struct its *its, unsigned slot, uint32_t data);
/* The guest has switched LPIs on: reads the configuration of all. */
void its_reload(struct its *its);
