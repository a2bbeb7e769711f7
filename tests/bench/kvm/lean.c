/*
 * The leanest way to serve virtio over KVM: a monitor of one guest of guests/micro
 * with one device on MMIO, which the guest kicks through ioeventfd and which
 * interrupts it through irqfd. What the guest reads of the device is a page of
 * memory, so that only the start and the console come here.
 *
 *   lean IMAGE WORD net TAP LAST   the kernel's vhost-net on a tap interface that
 *                                  exists; the MAC address ends in LAST
 *   lean IMAGE WORD block FILE     a thread of this program and the file
 *
 * WORD is what the guest finds in its boot arguments.
 */
#define _GNU_SOURCE
#include "lean.h"

#include "guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#define RAM_BYTES 0x1000000ull
#define IMAGE_OFFSET 0x200000u
#define UART 0x09000000ull
/* Slot 8 of QEMU's `virt`, which is alone in its page. */
#define DEVICE 0x0a001000ull
#define DEVICE_NAME "virtio_mmio@a001000"
#define DEVICE_SPI 24u
#define PAGE 4096u

#define NOTIFY 0x50u
#define ACKNOWLEDGE 0x64u
#define STATUS 0x70u
#define STATUS_LIVE 15u

static struct vm vm;
static uint8_t *ram;
static struct lean_queue queues[LEAN_QUEUES];
static unsigned n_queues, selected;

/* The address in this process of a guest's, all in RAM. */
void *lean_at(uint64_t address, uint64_t bytes)
{
	must(address >= GUEST_RAM && address - GUEST_RAM < RAM_BYTES &&
		     bytes <= RAM_BYTES - (address - GUEST_RAM),
	     "an address of the guest's");
	return ram + (address - GUEST_RAM);
}

uint8_t *lean_ram(uint64_t *bytes)
{
	*bytes = RAM_BYTES;
	return ram;
}

static void put32(uint8_t *page, unsigned offset, uint32_t value)
{
	memcpy(page + offset, &value, sizeof(value));
}

/* What the registers read as, whatever was written: a device that is there,
 * live, and has something to say. The word of features stands for both halves:
 * the event index below, version 1 above, and no driver here takes bit 0 of the
 * lower half. */
static void make_registers(uint32_t kind, const void *config, size_t config_bytes)
{
	uint8_t *page = vm_memory(PAGE);

	put32(page, 0x00, 0x74726976);
	put32(page, 0x04, 2);
	put32(page, 0x08, kind);
	put32(page, 0x10, 1u << 29 | 1u << 5 | 1u);
	put32(page, 0x34, 256);
	put32(page, 0x60, 1);
	put32(page, STATUS, STATUS_LIVE);
	memcpy(page + 0x100, config, config_bytes);
	vm_add_read_only(&vm, DEVICE, page, PAGE);
	vm_add_doorbell(&vm, DEVICE + ACKNOWLEDGE, eventfd(0, EFD_CLOEXEC));
}

static void make_queues(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		queues[i].kick = eventfd(0, EFD_CLOEXEC);
		queues[i].call = eventfd(0, EFD_CLOEXEC);
		vm_add_doorbell_for(&vm, DEVICE + NOTIFY, i, queues[i].kick);
		vm_add_interrupt(&vm, DEVICE_SPI, queues[i].call);
	}
	n_queues = n;
}

static void set_half(uint64_t *address, bool upper, uint32_t value)
{
	if (upper)
		*address = (*address & 0xffffffffu) | (uint64_t)value << 32;
	else
		*address = (*address & ~0xffffffffull) | value;
}

static void write_register(unsigned offset, uint32_t value,
			   void (*go)(const struct lean_queue *, unsigned))
{
	struct lean_queue *q = &queues[selected];

	if (offset == 0x30 && value < n_queues)
		selected = value;
	else if (offset == 0x38)
		q->size = value;
	else if (offset >= 0x80 && offset < 0xa8)
		set_half(&q->areas[(offset - 0x80) / 16], offset & 4, value);
	else if (offset == STATUS && value == STATUS_LIVE)
		go(queues, n_queues);
}

static void console_write(char c)
{
	putchar(c);
	if (c == '\n') {
		fflush(stdout);
		tcdrain(STDOUT_FILENO);
	}
}

static void run(void (*go)(const struct lean_queue *, unsigned))
{
	uint32_t reason;

	while ((reason = vm_run(&vm)) == KVM_EXIT_MMIO) {
		uint64_t address = vm.run->mmio.phys_addr;
		uint32_t value;

		memcpy(&value, vm.run->mmio.data, sizeof(value));
		if (!vm.run->mmio.is_write)
			memset(vm.run->mmio.data, 0, 8);
		else if (address == UART)
			console_write((char)value);
		else if (address >= DEVICE && address < DEVICE + PAGE)
			write_register((unsigned)(address - DEVICE), value, go);
	}
	must(reason == KVM_EXIT_SYSTEM_EVENT, "the guest's end");
}

static void load(const char *path, const char *word)
{
	static const uint8_t magic[8] = { 0xd0, 0x0d, 0xfe, 0xed, 0, 0, 0, 128 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	must(fd >= 0 && read(fd, ram + IMAGE_OFFSET, RAM_BYTES - IMAGE_OFFSET) > 0, path);
	close(fd);
	/* These guests look for words in a devicetree and do not walk it. */
	memcpy(ram, magic, sizeof(magic));
	snprintf((char *)ram + sizeof(magic), 100, "%s %s", DEVICE_NAME, word);
}

int main(int argc, char **argv)
{
	int version;

	must(argc >= 5, "arguments: IMAGE WORD net TAP LAST, or IMAGE WORD block FILE");
	vm_open_kvm();
	vm_create(&vm);
	ram = vm_memory_by_large_pages(RAM_BYTES);
	vm_add_memory(&vm, GUEST_RAM, ram, RAM_BYTES);
	load(argv[1], argv[2]);
	version = vm_add_gic(&vm);
	vm_add_vcpu(&vm);
	vm_start_gic(&vm, version);
	vm_set_entry(&vm, GUEST_RAM + IMAGE_OFFSET, GUEST_RAM);
	if (strcmp(argv[3], "net") == 0 && argc == 6) {
		const uint8_t mac[6] = { 0x52, 0x54, 0, 0, 0, (uint8_t)atoi(argv[5]) };

		make_registers(1, mac, sizeof(mac));
		make_queues(2);
		lean_net_open(argv[4]);
		run(lean_net_start);
	} else {
		uint64_t sectors = lean_block_open(argv[4]);

		make_registers(2, &sectors, sizeof(sectors));
		make_queues(1);
		run(lean_block_start);
	}
	return 0;
}
