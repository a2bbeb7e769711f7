#include "vdev.h"
#include "micro.h"

#define SLOTS 0x0a000000ull
#define SLOT_BYTES 0x200u
#define N_SLOTS 32u
#define INTID 48u /* of the first slot */
#define QUEUES 2u
#define FEATURES_OK 11u
#define DRIVER_OK 15u
#define NEEDS_RESET 0x40u

/* Registers of both (virtio 1.2, 4.2.2 and 4.1.4.3), as offsets. */
enum { OFFERED_WORD,
       OFFERED,
       TAKEN_WORD,
       TAKEN,
       QUEUE,
       SIZE,
       READY,
       STATUS,
       DESC,
       DRIVER = DESC + 2,
       DEVICE = DRIVER + 2,
       REGISTERS = DEVICE + 2 };
static const uint8_t over_mmio[REGISTERS] = { 0x14, 0x10, 0x24, 0x20, 0x30, 0x38, 0x44,
					      0x70, 0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4 };
static const uint8_t over_pci[REGISTERS] = { 0x00, 0x04, 0x08, 0x0c, 0x16, 0x18, 0x1c,
					     0x14, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34 };
/* Bytes of those of PCI. */
static const uint8_t wide[REGISTERS] = { 4, 4, 4, 4, 2, 2, 2, 1, 4, 4, 4, 4, 4, 4 };
#define PCI_QUEUE_VECTOR 0x1au

static int is_pci;
static uint64_t registers;
static uint32_t irq;
static uint64_t kicks[QUEUES];

static uint32_t get(unsigned what)
{
	const uint64_t at = registers + (is_pci ? over_pci[what] : over_mmio[what]);

	if (!is_pci || wide[what] == 4)
		return (uint32_t)vdev_read32(at);
	return (uint32_t)(wide[what] == 2 ? vdev_read16(at) : vdev_read8(at));
}

static void put(unsigned what, uint64_t value)
{
	const uint64_t at = registers + (is_pci ? over_pci[what] : over_mmio[what]);

	if (!is_pci || wide[what] == 4)
		vdev_write32(at, value);
	else if (wide[what] == 2)
		vdev_write16(at, value);
	else
		vdev_write8(at, value);
}

/* Whether the devicetree has the slot: elsewhere nothing may be read. */
static int has_slot(unsigned slot)
{
	static const char digits[] = "0123456789abcdef";
	char name[] = "virtio_mmio@a00x000";
	unsigned offset = slot * SLOT_BYTES;

	for (unsigned i = 0; i < 4; i++)
		name[sizeof(name) - 2 - i] = digits[offset >> 4 * i & 15];
	return micro_told(name);
}

int vdev_find(unsigned id)
{
	is_pci = micro_told("by-pci");
	if (is_pci) {
		const int found = vpci_find(id);

		registers = vpci_common();
		return found;
	}
	for (unsigned i = 0; i < N_SLOTS; i++) {
		registers = SLOTS + i * SLOT_BYTES;
		irq = INTID + i;
		if (has_slot(i) && vdev_read32(registers) == 0x74726976 &&
		    vdev_read32(registers + 4) == 2 && vdev_read32(registers + 8) == id)
			return 1;
	}
	return 0;
}

uint64_t vdev_start(uint64_t wanted)
{
	put(STATUS, 0);
	while (is_pci && get(STATUS) != 0)
		;
	put(STATUS, 3);
	for (unsigned i = 0; i < 2; i++) {
		put(OFFERED_WORD, i);
		wanted &= (uint64_t)get(OFFERED) << 32 * i | ~(0xffffffffull << 32 * i);
		put(TAKEN_WORD, i);
		put(TAKEN, wanted >> 32 * i);
	}
	put(STATUS, FEATURES_OK);
	return wanted;
}

void vdev_queue(unsigned n, unsigned size, const volatile void *desc, const volatile void *driver,
		const volatile void *device)
{
	const uint64_t area[3] = { (uint64_t)desc, (uint64_t)driver, (uint64_t)device };

	put(QUEUE, n);
	put(SIZE, size);
	for (unsigned i = 0; i < 3; i++) {
		put(DESC + 2 * i, area[i]);
		put(DESC + 2 * i + 1, area[i] >> 32);
	}
	if (is_pci)
		vdev_write16(registers + PCI_QUEUE_VECTOR, n);
	kicks[n] = is_pci ? vpci_notify() : registers + 0x50;
	put(READY, 1);
}

int vdev_go(void)
{
	put(STATUS, DRIVER_OK);
	return (get(STATUS) & (DRIVER_OK | NEEDS_RESET)) == DRIVER_OK;
}

void vdev_kick(unsigned n)
{
	if (is_pci)
		vdev_write16(kicks[n], n);
	else
		vdev_write32(kicks[n], n);
}

uint8_t vdev_config(unsigned offset)
{
	return (uint8_t)vdev_read8((is_pci ? vpci_device_config() : registers + 0x100) + offset);
}

/* --- Interrupts ------------------------------------------------------------------------- */

static void enable_line(void)
{
	const uint64_t bit = 1u << irq % 32, word = 4 * (irq / 32);
	const uint64_t edge = MICRO_GICD + 0xc00 + 4 * (irq / 16);

	vdev_write32(MICRO_GICD + 0x80 + word, ~0u);
	vdev_write32(edge, vdev_read32(edge) | 2u << 2 * (irq % 16));
	vdev_write64(MICRO_GICD + 0x6000 + 8 * irq, 0);
	vdev_write32(MICRO_GICD + 0x100 + word, bit);
}

void vdev_set_up_interrupts(void)
{
	vdev_write32(MICRO_GICD, 0x12); /* affinity routing, group 1 */
	vdev_write32(MICRO_GICR + 0x14, 0);
	while ((vdev_read32(MICRO_GICR + 0x14) & 4) != 0) /* children asleep */
		;
	if (is_pci)
		vpci_set_up_messages();
	else
		enable_line();
	__asm__ volatile("msr s3_0_c12_c12_5, %0\n\tisb\n\t" /* ICC_SRE_EL1 */
			 "msr s3_0_c4_c6_0, %1\n\t"          /* ICC_PMR_EL1 */
			 "msr s3_0_c12_c12_7, %2\n\tisb"     /* ICC_IGRPEN1_EL1 */
			 :
			 : "r"(7ull), "r"(0xffull), "r"(1ull)
			 : "memory");
}

int vdev_take_interrupt(void)
{
	uint64_t id;

	__asm__ volatile("mrs %0, s3_0_c12_c12_0\n\t" /* ICC_IAR1_EL1 */
			 "dsb sy"
			 : "=r"(id)
			 :
			 : "memory");
	id &= 0xffffff;
	if (id >= 1020 && id < 1024)
		return 0;
	if (!is_pci)
		vdev_write32(registers + 0x64, vdev_read32(registers + 0x60));
	__asm__ volatile("msr s3_0_c12_c12_1, %0\n\tisb" /* ICC_EOIR1_EL1 */
			 :
			 : "r"(id)
			 : "memory");
	return 1;
}
