#include "guest.h"

#include "rows.h"
#include "vm.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MICRO_RAM_BYTES 0x400000ull
#define IMAGE_OFFSET 0x80000u
#define UART 0x09000000ull
#define UART_FR 0x18
#define UART_FR_TX_EMPTY 0x90u
#define RTC 0x09010000ull
#define PRIMECELL_ID 0xfe0u /* 8 registers to the end of a device's page */
#define DEVICE_BYTES 0x1000u
/* Linux: its devicetree says where the initrd is (tests/bench/boot.py). */
#define LINUX_RAM_BYTES 0x20000000ull
#define LINUX_IMAGE 0x200000u
#define LINUX_DEVICETREE 0x7e00000u
#define LINUX_INITRD 0x8000000u
/* tests/bench/README.md */
#define DOORBELL 0x0b000000ull
#define KICK 0x0b001000ull
#define KICK_INTID 40u
#define LAZY_MEMORY 0x48000000ull
#define LAZY_BYTES 0x800000ull

static size_t load(const char *path, uint8_t *to, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	must(fd >= 0, path);
	n = read(fd, to, room);
	must(n > 0 && (size_t)n < room, path);
	close(fd);
	return (size_t)n;
}

/* A PL011 that can only transmit and a PL031 at 1970: enough for their drivers. */
static uint8_t read_device(uint64_t address)
{
	static const uint8_t uart_id[8] = { 0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	static const uint8_t rtc_id[8] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	uint64_t offset = address % DEVICE_BYTES;

	if (offset >= PRIMECELL_ID)
		return (address < RTC ? uart_id : rtc_id)[(offset - PRIMECELL_ID) / 4];
	return address == UART + UART_FR ? UART_FR_TX_EMPTY : 0;
}

static void mmio(struct vm *vm)
{
	uint64_t address = vm->run->mmio.phys_addr;
	uint8_t *data = vm->run->mmio.data;

	if (address == KICK)
		vm_raise(vm, KICK_INTID);
	else if (address == UART && vm->run->mmio.is_write)
		console_write((char)data[0]);
	else if (!vm->run->mmio.is_write) {
		memset(data, 0, 8);
		data[0] = read_device(address);
	}
}

static void run_to_the_end(struct vm *vm)
{
	uint32_t reason;

	while ((reason = vm_run(vm)) == KVM_EXIT_MMIO)
		mmio(vm);
	must(reason == KVM_EXIT_SYSTEM_EVENT, "the guest's end");
	vm_destroy(vm);
}

/* Its interrupt controller, vCPU and entry; memory is there already. */
static void start(struct vm *vm, uint64_t entry, uint64_t devicetree)
{
	int version = vm_add_gic(vm);

	vm_add_vcpu(vm);
	vm_start_gic(vm, version);
	vm_set_entry(vm, entry, devicetree);
}

void guest_run_micro(void)
{
	uint8_t *ram = vm_memory(MICRO_RAM_BYTES);
	struct vm vm;

	load("/bench.dtb", ram, IMAGE_OFFSET);
	load("/micro-bench", ram + IMAGE_OFFSET, MICRO_RAM_BYTES - IMAGE_OFFSET);
	vm_create(&vm);
	vm_add_memory(&vm, GUEST_RAM, ram, MICRO_RAM_BYTES);
	vm_add_memory(&vm, LAZY_MEMORY, vm_memory(LAZY_BYTES), LAZY_BYTES);
	start(&vm, GUEST_RAM + IMAGE_OFFSET, GUEST_RAM);
	vm_add_doorbell(&vm, DOORBELL, eventfd(0, EFD_CLOEXEC));
	run_to_the_end(&vm);
}

void guest_run_linux(void)
{
	uint8_t *ram = vm_memory_by_large_pages(LINUX_RAM_BYTES);
	struct vm vm;

	load("/linux", ram + LINUX_IMAGE, LINUX_DEVICETREE - LINUX_IMAGE);
	load("/bench.dtb", ram + LINUX_DEVICETREE, LINUX_INITRD - LINUX_DEVICETREE);
	load("/initrd", ram + LINUX_INITRD, LINUX_RAM_BYTES - LINUX_INITRD);
	vm_create(&vm);
	vm_add_memory(&vm, GUEST_RAM, ram, LINUX_RAM_BYTES);
	start(&vm, GUEST_RAM + LINUX_IMAGE, GUEST_RAM + LINUX_DEVICETREE);
	run_to_the_end(&vm);
}
