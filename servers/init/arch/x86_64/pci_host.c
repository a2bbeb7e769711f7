#include "pci_host.h"

#include "board.h"
#include "ports.h"
#include "self.h"

#include <cpuid.h>
#include <selvage/base.h>
#include <selvage/log.h>
#include <selvage/pcibus.h>
#include <selvage/virtio_abi.h>
#include <string.h>

/* PCI 3.0, 3.2.2.3.2. */
#define ADDRESS_PORT 0xcf8u
#define DATA_PORT 0xcfcu
#define PORTS 8u
#define ADDRESS_ENABLE (1u << 31)

#define FUNCTIONS 64u
#define MESSAGES 8u
/* A message's address and data (Intel SDM 3A, 11.11); what the kernel adds to a vector of
 * GetMSI. */
#define MESSAGE_ADDRESS 0xfee00000u
#define MESSAGE_VECTOR 0x30u
#define WINDOW_MAX (SERVE_WINDOW_BYTES - (1u << ABI_PAGE_BITS))
#define MSIX_WORDS 4u
#define INTEL 0x8086u
#define E1000_BYTES 0x6000u /* of BAR 0, that its driver reaches */

static cap_t ports;
static struct pcibus_function found[FUNCTIONS];
static unsigned n_found;
static const struct pcibus_function *messages[MESSAGES]; /* whose */
static unsigned n_messages;

static void select(uint16_t address, uint32_t offset)
{
	(void)sel4_io_port_out32(ports, ADDRESS_PORT,
				 ADDRESS_ENABLE | (uint32_t)address << 8 | (offset & 0xfc));
}

static uint32_t config_read(void *opaque, uint16_t address, uint32_t offset)
{
	uint64_t value = UINT32_MAX;

	(void)opaque;
	select(address, offset);
	(void)sel4_io_port_in32(ports, DATA_PORT, &value);
	return (uint32_t)value;
}

static void config_write(void *opaque, uint16_t address, uint32_t offset, uint32_t value)
{
	(void)opaque;
	select(address, offset);
	(void)sel4_io_port_out32(ports, DATA_PORT, value);
}

static const struct pcibus bus = { .read = config_read, .write = config_write };

/* Nobody answers to an interrupt line that nobody has been given. */
void pci_host_open(void)
{
	ports = ports_issue(ADDRESS_PORT, PORTS);
	if (ports == 0)
		return;
	n_found = pcibus_find(&bus, found, FUNCTIONS);
	for (unsigned i = 0; i < n_found; i++)
		pcibus_silence(&bus, &found[i]);
}

void board_report(void)
{
	for (unsigned i = 0; i < n_found; i++) {
		const struct pcibus_function *f = &found[i];

		log_info("PCI %02x:%02x.%x: %04x:%04x, class %06x", PCIBUS_BUS(f->address),
			 PCIBUS_DEVICE(f->address), PCIBUS_FUNCTION(f->address), f->vendor,
			 f->device, f->class);
	}
}

/* --- interrupts ----------------------------------------------------------------- */

int pci_host_irq(cap_t handler, unsigned irq)
{
	const unsigned n = irq - PCI_HOST_MESSAGES;
	uint16_t address;

	if (n >= n_messages)
		return ABI_INVALID_ARGUMENT;
	address = messages[n]->address;
	return sel4_irq_control_get_msi(ABI_ROOT_IRQ_CONTROL, ABI_ROOT_CNODE, handler,
					CSPACE_DEPTH, PCIBUS_BUS(address),
					PCIBUS_DEVICE(address), PCIBUS_FUNCTION(address), 0, irq);
}

/* To the processor that runs this: the only one. */
static uint32_t message_address(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d))
		return MESSAGE_ADDRESS;
	return MESSAGE_ADDRESS | (b >> 24) << 12;
}

static bool fill_entry(uint64_t at, uint32_t to, uint32_t data)
{
	const uint64_t page = align_down_u64(at, bit_u64(ABI_PAGE_BITS));
	cap_t frame = mem_device_frame(page);
	char *view = frame == 0 ? NULL : self_view(frame, MAP_RW, MAP_DEVICE);
	const uint32_t words[MSIX_WORDS] = { to, 0, data, 0 };

	if (view == NULL)
		return false;
	for (unsigned i = 0; i < MSIX_WORDS; i++)
		((volatile uint32_t *)(void *)(view + (at - page)))[i] = words[i];
	self_unview(view);
	return true;
}

/* Messages if it can, else the pin of the IOAPIC that the firmware has routed its line
 * to, which has the number of the ISA interrupt. False: it has neither. */
static bool find_interrupt(const struct pcibus_function *f, struct board_device *d)
{
	const unsigned irq = PCI_HOST_MESSAGES + n_messages;
	const uint16_t data = (uint16_t)(MESSAGE_VECTOR + irq);
	const uint32_t to = message_address();
	enum pcibus_messages kind = PCIBUS_NO_MESSAGES;
	uint64_t table;

	if (n_messages < MESSAGES)
		kind = pcibus_use_messages(&bus, f, to, data, &table);
	if (kind == PCIBUS_NO_MESSAGES) {
		d->irq = board_pin(f->line);
		return f->line != 0 && d->irq < PCI_HOST_MESSAGES;
	}
	if (kind == PCIBUS_MSIX && !fill_entry(table, to, data))
		return false;
	messages[n_messages++] = f;
	d->irq = irq;
	return true;
}

/* --- devices ---------------------------------------------------------------------- */

/* Where the window's first byte is for the server. */
static uint32_t add_window(struct board_device *d, unsigned i, uint64_t at, uint64_t bytes)
{
	d->window[i].at = at;
	d->window[i].bytes = min_u64(bytes, WINDOW_MAX);
	return i * SERVE_WINDOW_BYTES + (uint32_t)(at % bit_u64(ABI_PAGE_BITS));
}

#define NO_INTERRUPT "it has no interrupt that can be used"

static const char *make_virtio(const struct pcibus_function *f, struct board_device *d)
{
	struct pcibus_virtio v;
	const char *wrong = pcibus_virtio(&bus, f, &v);
	uint32_t offset[PCIBUS_STRUCTURES];

	_Static_assert((int)PCIBUS_STRUCTURES == (int)SERVE_WINDOWS, "a window for each");
	if (wrong != NULL)
		return wrong;
	for (unsigned i = 0; i < PCIBUS_STRUCTURES; i++)
		offset[i] = add_window(d, i, v.structure[i].at, v.structure[i].bytes);
	d->how.kind = SERVE_VIRTIO_PCI;
	d->how.pci = (struct vpci_place){
		.common = offset[PCIBUS_COMMON],
		.isr = offset[PCIBUS_ISR],
		.notify = offset[PCIBUS_NOTIFY],
		.notify_bytes = (uint32_t)d->window[PCIBUS_NOTIFY].bytes,
		.notify_multiplier = v.notify_multiplier,
		.config = offset[PCIBUS_DEVICE_CONFIG],
		.config_bytes = (uint32_t)d->window[PCIBUS_DEVICE_CONFIG].bytes,
		.id = pcibus_virtio_id(f),
	};
	pcibus_enable(&bus, f);
	if (!find_interrupt(f, d))
		return NO_INTERRUPT;
	d->how.pci.messages = d->irq >= PCI_HOST_MESSAGES;
	return NULL;
}

/* Those of the 8254x that have what servers/net knows; 82540EM is QEMU's and Bochs's. */
static bool is_e1000(const struct pcibus_function *f)
{
	static const uint16_t known[] = { 0x100e, 0x100f, 0x1010, 0x1015 };

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (f->vendor == INTEL && f->device == known[i])
			return true;
	return false;
}

static const char *make_e1000(const struct pcibus_function *f, struct board_device *d)
{
	struct pcibus_bar bar;

	if (!pcibus_bar(&bus, f, 0, &bar) || bar.bytes < E1000_BYTES)
		return "its registers are nowhere";
	(void)add_window(d, 0, bar.at, E1000_BYTES);
	d->how.kind = SERVE_E1000;
	pcibus_enable(&bus, f);
	return find_interrupt(f, d) ? NULL : NO_INTERRUPT;
}

static bool is_wanted(const struct pcibus_function *f, uint32_t kind)
{
	if (kind == SYSDESC_MACHINE_E1000)
		return is_e1000(f);
	return pcibus_virtio_id(f) ==
	       (kind == SYSDESC_MACHINE_NIC ? VIRTIO_ID_NET : VIRTIO_ID_BLOCK);
}

bool board_find_device(uint32_t kind, struct board_device *d)
{
	for (unsigned i = 0; i < n_found; i++) {
		const struct pcibus_function *f = &found[i];
		const char *wrong;

		if (!is_wanted(f, kind))
			continue;
		*d = (struct board_device){ 0 };
		wrong = kind == SYSDESC_MACHINE_E1000 ? make_e1000(f, d) : make_virtio(f, d);
		if (wrong == NULL)
			return true;
		log_warning("PCI %02x:%02x.%x: %s", PCIBUS_BUS(f->address),
			    PCIBUS_DEVICE(f->address), PCIBUS_FUNCTION(f->address), wrong);
	}
	return false;
}
