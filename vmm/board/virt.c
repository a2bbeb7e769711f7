/* QEMU's `virt` machine as its source hw/arm/virt.c maps it (base_memmap). */
#include "board.h"

#include <selvage/sysdesc.h>

const struct board board_virt = {
	.number = SYSDESC_BOARD_VIRT,
	.name = "virt",
	.gicd_v2 = { 0x08000000, 0x1000 },
	.gicd_v3 = { 0x08000000, 0x10000 },
	.gicc = { 0x08010000, 0x2000 },
	.gicr = { 0x080a0000, 0x20000 },
	.uart = { 0x09000000, 0x1000 },
	.rtc = { 0x09010000, 0x1000 },
	.kick = { 0x0b000000, 0x2000 },     /* nothing is there on QEMU's, */
	.watchdog = { 0x090c0000, 0x1000 }, /* nor here */
	.virtio = { 0x0a000000, BOARD_VIRTIO_SLOTS *BOARD_VIRTIO_BYTES },
	/* QEMU's windows are longer, and so is its bus. */
	.pci_ecam = { 0x3f000000, 0x100000 },
	.pci_memory = { 0x10000000, 0x1000000 },
	.pci_io = { 0x3eff0000, 0x10000 },
	.msi = { 0x08020000, 0x1000 },
	.its = { 0x08080000, 0x20000 },
	.pci_fixed = { 0x11000000, 0x2dff0000 },
	.pci_irq = BOARD_SPI(3),
	.pci_line_irq = BOARD_SPI(9),
	.msi_irq = BOARD_SPI(48),
	.uart_irq = BOARD_SPI(1),
	.rtc_irq = BOARD_SPI(2),
	.watchdog_irq = BOARD_SPI(0),
	.virtio_irq = BOARD_SPI(16),
	.kick_irq = BOARD_SPI(8),
	.uart_clock_hz = 24000000,
	.arm_machine = 0xffffffff, /* the devicetree says it */
	/* secure, non-secure, virtual, hypervisor */
	.timer_irq = { BOARD_PPI(13), BOARD_PPI(14), BOARD_PPI(11),
		       BOARD_PPI(10) },
	.devicetree = true,
};
