/*
 * PCI (Local Bus 3.0) as far as the devices of a virtual machine need it:
 * functions with BARs, capabilities, INTx and MSI-X, and the host bridge that
 * they stand behind, which has one bus and ECAM.
 *
 * The guest writes to all of it whatever it likes: BARs over each other or
 * outside of the bridge's windows (nothing answers there; RAM and the other
 * devices are not on this bus, so nothing gets over them), vectors that there
 * are not, messages to anywhere (the owner decides which address means what).
 */
#pragma once

#include <dev/mmio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_SLOTS 32u /* device numbers of the bus; each has function 0 only */
#define PCI_CONFIG_BYTES 256u
#define PCI_ECAM_BYTES (PCI_SLOTS << 15) /* of one bus */
#define PCI_BARS 6u
#define PCI_BAR_NONE UINT64_MAX
#define PCI_MAX_VECTORS 32u
#define PCI_MSIX_BYTES 0x1000u /* of the BAR with MSI-X table and pending bits */

/* Registers of configuration space. */
#define PCI_COMMAND 0x04u
#define PCI_COMMAND_IO (1u << 0)
#define PCI_COMMAND_MEMORY (1u << 1)
#define PCI_COMMAND_MASTER (1u << 2)
#define PCI_COMMAND_NO_INTX (1u << 10)
#define PCI_STATUS 0x06u
#define PCI_STATUS_INTX (1u << 3)
#define PCI_BAR(n) (0x10u + 4u * (n))
#define PCI_CAPABILITIES 0x34u /* the list's start */
#define PCI_INTERRUPT_LINE 0x3cu
#define PCI_INTERRUPT_PIN 0x3du /* 1: INTA#; 0: none */
#define PCI_CAP_NULL 0x00u
#define PCI_CAP_VENDOR 0x09u
#define PCI_CAP_MSIX 0x11u

struct pci_identity {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint8_t revision;
	uint32_t class_code; /* 24 bits */
};

struct pci_env {
	void *opaque;
	/* INTA# of the function; called on a change only. */
	void (*set_intx)(void *opaque, bool level);
	/* A message: a write of `data` to `address`, both of the guest's choice. */
	void (*send)(void *opaque, uint64_t address, uint32_t data);
};

/* What a device does with accesses of its BARs and of configuration space. */
struct pci_class {
	/* Offset in the BAR, within it and aligned. Never MMIO_FAULT. */
	enum mmio_outcome (*access)(void *device, unsigned bar, struct mmio *m);
	/* Before a read, and after a write, of configuration space. NULL: nothing. */
	void (*config)(void *device, uint32_t offset, uint32_t bytes, bool write);
};

/* Private to the model; here so that owners can embed it. */
struct pci_function {
	const struct pci_class *class;
	void *device;
	struct pci_env env;
	uint8_t config[PCI_CONFIG_BYTES];
	uint8_t writable[PCI_CONFIG_BYTES];
	uint32_t bar_bytes[PCI_BARS]; /* 0: there is none */
	uint64_t base[PCI_BARS];      /* where it is decoded, or PCI_BAR_NONE */
	uint8_t cap_end, cap_last;    /* where the next capability goes; the last one */
	uint8_t msix, msix_bar;       /* capability (0: none) and BAR */
	unsigned n_vectors;
	struct {
		uint32_t word[4]; /* address, its upper half, data, control */
	} vector[PCI_MAX_VECTORS];
	uint32_t pending; /* vectors, a bit each */
	bool intx;        /* the device asserts it */
	bool line;        /* it reaches the pin */
};

/* `env` is copied. Then BARs and capabilities, then pci_plug. */
void pci_init(struct pci_function *f, const struct pci_identity *id,
	      const struct pci_class *class, void *device, const struct pci_env *env);
/* `bytes`: a power of two, at least 16 (memory) or 4 (I/O). */
void pci_add_bar(struct pci_function *f, unsigned bar, uint32_t bytes, bool io);
/* A capability of `bytes`, of which this fills in the first two; returns where
 * it is in configuration space. */
uint32_t pci_add_capability(struct pci_function *f, uint8_t id, uint32_t bytes);
/* Up to PCI_MAX_VECTORS of them, with their table in a BAR of its own. */
void pci_add_msix(struct pci_function *f, unsigned bar, unsigned n_vectors);

/* Where nobody takes messages: its capability becomes one that says nothing. */
void pci_drop_msix(struct pci_function *f);
/* What firmware does at last, for guests that do not: gives BARs the next addresses of the
 * windows, on which the caller looks that there is room, and has them decoded; `line` is
 * what INTA# comes by. */
void pci_assign(struct pci_function *f, uint32_t *memory, uint32_t *io, uint8_t line);

bool pci_msix_enabled(const struct pci_function *f);
/* The device asserts INTA#, or no longer; that is heard unless MSI-X is on or
 * the command register forbids it. */
void pci_set_intx(struct pci_function *f, bool level);
/* Sends the vector's message, now or, if it is masked, later. One that there is
 * not, or without MSI-X, is nothing. */
void pci_notify(struct pci_function *f, unsigned vector);
/* What the vector's message is now, for an owner that has somebody else deliver
 * it. False: it must not be sent (masked, disabled, no such vector). */
bool pci_message(const struct pci_function *f, unsigned vector, uint64_t *address, uint32_t *data);

/* --- Host bridge -------------------------------------------------------------------- */

struct pci_host {
	struct pci_function *slot[PCI_SLOTS]; /* NULL: nothing there */
	uint64_t memory, io;                  /* addresses on the bus where the windows begin */
	/* Of the latest access: they come in runs. */
	struct pci_function *last;
	unsigned last_bar;
};

void pci_host_init(struct pci_host *h, uint64_t memory, uint64_t io);
void pci_plug(struct pci_host *h, unsigned slot, struct pci_function *f);
/* Accesses of configuration space (ECAM, one bus), of the memory window and of
 * the I/O window. Never MMIO_FAULT. What nobody claims reads as all ones. */
enum mmio_outcome pci_ecam_access(struct pci_host *h, struct mmio *m);
enum mmio_outcome pci_memory_access(struct pci_host *h, struct mmio *m);
enum mmio_outcome pci_io_access(struct pci_host *h, struct mmio *m);
