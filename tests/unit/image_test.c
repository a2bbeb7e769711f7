/* lib/image: sound areas and descriptions pass, every single wrong field is
 * found, and random damage never passes unseen. */
#include <selvage/crc32.h>
#include <selvage/modules.h>
#include <selvage/payload.h>
#include <selvage/sysdesc.h>
#include <selvage/vmm_image.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_VMS 3
#define N_PAYLOADS 4
#define N_CONNECTIONS 3

static union {
	struct sysdesc head;
	uint8_t bytes[sizeof(struct sysdesc) +
		      N_VMS * sizeof(struct sysdesc_vm) +
		      N_CONNECTIONS * sizeof(struct sysdesc_connection)];
} d;

static void seal(void)
{
	d.head.crc32 = sysdesc_checksum(&d.head);
}

static struct sysdesc_connection *connections(void)
{
	return (struct sysdesc_connection *)&d.head.vm[N_VMS];
}

/* VM 0 has a disk of the block server's and a network of VM 1's, VM 1 a network. */
static void make_connections(void)
{
	struct sysdesc_connection *c = connections();

	d.head.n_connections = N_CONNECTIONS;
	d.head.vm[0].n_connections = 2;
	d.head.vm[1].n_connections = 1;
	d.head.vm[1].n_served = 1;
	c[0] = (struct sysdesc_connection){ .device = SYSDESC_CONNECT_BLOCK,
					    .server = SYSDESC_SERVER_BLOCK,
					    .pool = 1,
					    .image = 3,
					    .mode = SYSDESC_DISK_COPY_ON_WRITE };
	c[1] = (struct sysdesc_connection){ .driver = 1,
					    .device = SYSDESC_CONNECT_NET,
					    .server = SYSDESC_SERVER_NET,
					    .pool = 1,
					    .image = SYSDESC_NO_PAYLOAD };
	c[2] = (struct sysdesc_connection){ .device = SYSDESC_CONNECT_NET,
					    .server = 1,
					    .sharing = SYSDESC_SHARE_ALL,
					    .image = SYSDESC_NO_PAYLOAD };
}

static void make_description(void)
{
	memset(&d, 0, sizeof(d));
	d.head.magic = SYSDESC_MAGIC;
	d.head.version = SYSDESC_VERSION;
	d.head.size = sizeof(d);
	strcpy(d.head.name, "system-1");
	d.head.gic_version = 3;
	d.head.n_vms = N_VMS;
	for (unsigned i = 0; i < N_VMS; i++) {
		struct sysdesc_vm *vm = &d.head.vm[i];

		strcpy(vm->name, "vm0");
		vm->name[2] = (char)('0' + i);
		vm->vcpus = 1 + i;
		vm->priority = 100;
		vm->budget_us = 10000;
		vm->period_us = 10000;
		vm->restart_limit = SYSDESC_RESTART_LIMIT;
		vm->restart_delay_us = SYSDESC_RESTART_DELAY_US;
		vm->stop_us = SYSDESC_STOP_US;
		vm->devices = 3;
		vm->n_regions = 2;
		vm->region[0] = (struct sysdesc_region){ 0x40000000, 64 << 20,
							 SYSDESC_OWN_MEMORY };
		vm->region[1] = (struct sysdesc_region){ 0x80000000, 2 << 20,
							 SYSDESC_OWN_MEMORY };
		vm->kernel = i;
		vm->width = 64;
		vm->gic = 2 + i % 2;
		vm->initrd = SYSDESC_NO_PAYLOAD;
		strcpy(vm->cmdline, "console=ttyAMA0");
	}
	/* The last one: 32 bits, pieces, an alias and vectors at 0. */
	d.head.vm[2].width = 32;
	d.head.vm[2].boot = SYSDESC_BOOT_PIECES;
	d.head.vm[2].entry = 0x40010001;
	d.head.vm[2].n_pieces = 2;
	d.head.vm[2].piece[0] = (struct sysdesc_piece){ 64, 0x1000, 0x40010000, 0x2000 };
	d.head.vm[2].piece[1] = (struct sysdesc_piece){ 0, 0, 0x801ff000, 0x1000 };
	d.head.vm[2].n_regions = 3;
	d.head.vm[2].region[2] = (struct sysdesc_region){ 0, 0x3000, 0x40001000 };
	d.head.vm[2].n_vectors = 8;
	make_connections();
	seal();
}

static const char *check(void)
{
	return sysdesc_check(&d, sizeof(d), N_PAYLOADS);
}

static void sound_description_passes(void **state)
{
	(void)state;
	make_description();
	assert_null(check());
	assert_int_equal(sysdesc_connection_of(&d.head, 0, 0), 0);
	assert_int_equal(sysdesc_connection_of(&d.head, 0, 1), 2);
	assert_int_equal(sysdesc_connection_of(&d.head, 1, 0), 1);
	d.head.n_vms = 0;
	d.head.n_connections = 0;
	d.head.size = sizeof(d.head);
	seal();
	assert_null(check());
}

/* Each line: make one field wrong, and the check must say so. */
#define WRONG(change)                     \
	do {                              \
		make_description();       \
		change;                   \
		seal();                   \
		assert_non_null(check()); \
	} while (0)

static void on_disk(uint32_t partition, uint32_t mode)
{
	d.head.machine |= SYSDESC_MACHINE_DISK;
	connections()[0].image = SYSDESC_MACHINES_DISK;
	connections()[0].partition = partition;
	connections()[0].mode = mode;
}

/* One more device of the machine, where nothing is emulated. */
static void pass(unsigned vm, uint64_t paddr, uint32_t irq, uint32_t dma)
{
	struct sysdesc_vm *v = &d.head.vm[vm];

	v->devices = 1;
	v->passthrough[v->n_passthrough++] = (struct sysdesc_passthrough){ paddr, irq, dma };
}

static void to_one(unsigned vm)
{
	struct sysdesc_vm *v = &d.head.vm[vm];

	for (uint32_t i = 0; i < v->n_regions; i++)
		v->region[i].from = SYSDESC_AT | v->region[i].gpa;
}

/* A VM's memory where no other VM has it. */
static void apart(unsigned vm)
{
	for (uint32_t i = 0; i < d.head.vm[vm].n_regions; i++)
		d.head.vm[vm].region[i].gpa += 0x10000000;
}

static void memory_has_its_place(void **state)
{
	struct sysdesc_vm *v = &d.head.vm[0];

	(void)state;
	make_description();
	v->region[0].from = SYSDESC_AT | 0x50000000;
	v->region[1].from = SYSDESC_AT | 0x54000000;
	d.head.vm[1].region[0].from = SYSDESC_AT | 0x54200000;
	seal();
	assert_null(check());
	make_description();
	apart(0);
	to_one(0);
	to_one(1);
	seal();
	assert_null(check());
}

static void devices_of_the_machine_pass(void **state)
{
	(void)state;
	make_description();
	on_disk(0, SYSDESC_DISK_READ_ONLY);
	seal();
	assert_null(check());
	on_disk(SYSDESC_MAX_PARTITION, SYSDESC_DISK_READ_WRITE);
	seal();
	assert_null(check());
	make_description();
	pass(1, 0x09010000, 34, 0);
	seal();
	assert_null(check());
	to_one(1);
	pass(1, 0x0a002000, 64, 1);
	pass(1, 0x0a002200, 65, 1);
	pass(1, 0x0a003000, 72, 1);
	seal();
	assert_null(check());
}

/* One VM of board pc, with everything that it may have. */
static void make_pc(void)
{
	struct sysdesc_vm *vm = &d.head.vm[0];

	make_description();
	d.head.machine = SYSDESC_MACHINE_PC;
	d.head.gic_version = 0;
	d.head.n_vms = 1;
	d.head.n_connections = 0;
	d.head.size = (uint32_t)sysdesc_bytes(1, 0);
	vm->board = SYSDESC_BOARD_PC;
	vm->gic = 0;
	vm->boot = SYSDESC_BOOT_PVH;
	vm->timers = SYSDESC_TIMER_PIT;
	vm->devices = SYSDESC_VIRTIO_DEVICES;
	vm->flags = SYSDESC_VM_AUTOSTART | SYSDESC_VM_PCI;
	vm->n_connections = 0;
	vm->n_disks = 1;
	vm->region[0].gpa = 0;
	vm->region[1].gpa = SYSDESC_VIRT_PCI; /* where another board has something */
}

#define WRONG_PC(change)                  \
	do {                              \
		make_pc();                \
		change;                   \
		seal();                   \
		assert_non_null(check()); \
	} while (0)

static void a_pc_has_virtio(void **state)
{
	struct sysdesc_vm *vm = &d.head.vm[0];

	(void)state;
	make_pc();
	seal();
	assert_null(check());
	assert_int_equal(vmm_parts_of(vm, 0), VMM_PART_VIRTIO | VMM_PART_PCI);
	vm->flags = SYSDESC_VM_AUTOSTART;
	assert_int_equal(vmm_parts_of(vm, 0), VMM_PART_VIRTIO);
	vm->devices = 0;
	vm->n_disks = 0;
	assert_int_equal(vmm_parts_of(vm, 0), 0);
	vm->n_connections = 1;
	assert_int_equal(vmm_parts_of(vm, 0), VMM_PART_VIRTIO | VMM_PART_LINK);
	WRONG_PC(vm->devices |= SYSDESC_DEV_PL011);
	WRONG_PC(vm->flags |= SYSDESC_VM_ITS);
	WRONG_PC(vm->flags = SYSDESC_VM_AUTOSTART | SYSDESC_VM_FIXED);
	WRONG(d.head.vm[1].flags |= SYSDESC_VM_PCI | SYSDESC_VM_FIXED);
	make_pc();
	vm->flags |= SYSDESC_VM_FIXED;
	seal();
	assert_null(check());
	WRONG_PC(vm->n_served = 1);
	WRONG_PC(vm->region[1].gpa = 0xe0000000);
	WRONG_PC(vm->disk[0].image = N_PAYLOADS);
}

static void names_of_the_system_are_no_vms(void **state)
{
	static const char *const names[] = { "any", "block", "connections", "control", "debug",
					     "init", "kernel", "log", "net", "serial",
					     "shell", "system", "time", "uplink" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		WRONG(strcpy(d.head.vm[1].name, names[i]));
}

static void every_wrong_field_is_found(void **state)
{
	(void)state;
	WRONG(d.head.magic++);
	WRONG(d.head.version++);
	WRONG(d.head.name[0] = '\0');
	WRONG(d.head.name[0] = '-');
	WRONG(d.head.name[1] = 'Y');
	WRONG(memset(d.head.name, 'a', SYSDESC_NAME));
	WRONG(d.head.gic_version = 1);
	WRONG(d.head.machine = SYSDESC_MACHINE_PC);
	WRONG(d.head.machine = SYSDESC_MACHINE_PC; d.head.gic_version = 0);
	WRONG(d.head.machine = SYSDESC_MACHINE_NIC | SYSDESC_MACHINE_E1000);
	WRONG(d.head.gic_version = 4);
	WRONG(d.head.on_idle = 2);
	WRONG(d.head.log_level = 4);
	WRONG(d.head.vm[1].name[0] = ' ');
	WRONG(strcpy(d.head.vm[1].name, "vm2"));
	WRONG(strcpy(d.head.vm[1].name, "log"));
	WRONG(strcpy(d.head.vm[1].name, "a-name-of-28-letters-for-one"));
	WRONG(d.head.vm[1].board = 2);
	WRONG(d.head.vm[1].gic = 1);
	WRONG(d.head.vm[1].gic = 4);
	WRONG(d.head.vm[1].board = SYSDESC_BOARD_VEXPRESS_A9); /* not 64 bits wide */
	WRONG(d.head.vm[1].flags = 8);
	WRONG(d.head.vm[1].vcpus = 0);
	WRONG(d.head.vm[1].vcpus = SYSDESC_MAX_VCPUS + 1);
	WRONG(d.head.vm[1].priority = 0);
	WRONG(d.head.vm[1].priority = SYSDESC_VM_PRIORITY_MAX + 1);
	WRONG(d.head.vm[1].budget_us = 0);
	WRONG(d.head.vm[1].budget_us = 10001);
	WRONG(d.head.vm[1].period_us = 1ull << 40);
	WRONG(d.head.vm[1].smc_policy = 2);
	WRONG(d.head.vm[1].restart = 3);
	WRONG(d.head.vm[1].restart_limit = 0);
	WRONG(d.head.vm[1].restart_limit = SYSDESC_RESTART_LIMIT_MAX + 1);
	WRONG(d.head.vm[1].restart_delay_us = SYSDESC_DELAY_MIN_US - 1);
	WRONG(d.head.vm[1].restart_delay_us = SYSDESC_DELAY_MAX_US + 1ull);
	WRONG(d.head.vm[1].devices = 128);
	/* A watchdog where there is no timer for it, or a board that has one. */
	WRONG(d.head.vm[1].devices |= SYSDESC_DEV_WATCHDOG; d.head.vm[1].vcpus = 8);
	WRONG(d.head.vm[2].board = SYSDESC_BOARD_VEXPRESS_A9; d.head.vm[2].gic = 2;
	      d.head.vm[2].devices |= SYSDESC_DEV_WATCHDOG);
	WRONG(d.head.vm[1].stop = SYSDESC_STOP_AGENT);
	WRONG(d.head.vm[1].devices |= SYSDESC_DEV_VIRTIO_CONSOLE; d.head.vm[1].stop = 2);
	WRONG(d.head.vm[1].stop_us = 0);
	WRONG(d.head.vm[1].stop_us = SYSDESC_DELAY_MAX_US + 1ull);
	/* A balloon that is not there, of half a page, of more than all. */
	WRONG(d.head.vm[1].balloon = 4096);
	WRONG(d.head.vm[1].devices |= SYSDESC_DEV_VIRTIO_BALLOON; d.head.vm[1].balloon = 2048);
	WRONG(d.head.vm[1].devices |= SYSDESC_DEV_VIRTIO_BALLOON;
	      d.head.vm[1].balloon = d.head.vm[1].region[0].size + 4096);
	WRONG(d.head.machine = 4);
	/* Memory where PCI is; PCI on a board that has no place for it. */
	WRONG(d.head.vm[1].flags |= SYSDESC_VM_PCI; d.head.vm[1].region[0].gpa = 0x10000000);
	WRONG(d.head.vm[1].flags |= SYSDESC_VM_PCI; d.head.vm[1].region[0].gpa = 0x40000000 - 4096);
	WRONG(d.head.vm[2].board = SYSDESC_BOARD_VEXPRESS_A9; d.head.vm[2].gic = 2;
	      d.head.vm[2].flags |= SYSDESC_VM_PCI);
	/* An ITS without PCI, without a GICv3. */
	WRONG(d.head.vm[1].flags |= SYSDESC_VM_ITS);
	WRONG(d.head.vm[1].flags |= SYSDESC_VM_ITS | SYSDESC_VM_PCI; d.head.vm[1].gic = 2);
	/* A virtio device on a board that has no place for it. */
	WRONG(d.head.vm[2].board = SYSDESC_BOARD_VEXPRESS_A9; d.head.vm[2].gic = 2;
	      d.head.vm[2].devices = SYSDESC_DEV_VIRTIO_RNG);
	WRONG(d.head.vm[1].n_regions = 0);
	WRONG(d.head.vm[1].n_regions = SYSDESC_MAX_REGIONS + 1);
	WRONG(d.head.vm[1].region[0].gpa += 2048);
	WRONG(d.head.vm[1].region[0].size += 2048);
	WRONG(d.head.vm[1].region[0].gpa = 0x08000000);
	WRONG(d.head.vm[1].region[0].gpa = 0x10000000 - 4096);
	WRONG(d.head.vm[2].region[2].gpa += 2048);
	WRONG(d.head.vm[2].region[2].from += 2048);
	WRONG(d.head.vm[2].region[2].from = 0x3ffff000);
	WRONG(d.head.vm[2].region[2].from = 0x44000000 - 0x2000);
	WRONG(d.head.vm[2].region[2].from = ~0ull << 12);
	WRONG(d.head.vm[2].region[2].from = 0);
	WRONG(d.head.vm[2].region[1].from = 0x80000000);
	WRONG(d.head.vm[1].width = 32);
	WRONG(d.head.vm[1].width = 0);
	WRONG(d.head.vm[1].boot = SYSDESC_BOOT_ZIMAGE);
	WRONG(d.head.vm[1].boot = SYSDESC_BOOT_PIECES);
	WRONG(d.head.vm[2].boot = SYSDESC_BOOT_PIECES + 1);
	WRONG(d.head.vm[2].boot = SYSDESC_BOOT_ZIMAGE);
	WRONG(d.head.vm[2].n_pieces = 0);
	WRONG(d.head.vm[2].n_pieces = SYSDESC_MAX_PIECES + 1);
	WRONG(d.head.vm[2].piece[0].bytes = 0x2001);
	WRONG(d.head.vm[2].piece[0].gpa = 0x43fff000);
	WRONG(d.head.vm[2].piece[1].gpa += 1);
	WRONG(d.head.vm[2].piece[1].size = ~0ull);
	WRONG(d.head.vm[2].n_vectors = SYSDESC_VECTORS + 1);
	WRONG(d.head.vm[2].region[2].gpa = 0x1000);
	WRONG(d.head.vm[1].region[0].size = 0);
	WRONG(d.head.vm[1].region[1].gpa = 0x40200000);
	WRONG(d.head.vm[1].region[1].gpa = 1ull << 44);
	WRONG(d.head.vm[1].region[1].size = ~0ull << 21);
	WRONG(d.head.vm[1].kernel = N_PAYLOADS);
	WRONG(d.head.vm[1].kernel = SYSDESC_NO_PAYLOAD);
	WRONG(d.head.vm[1].initrd = N_PAYLOADS);
	WRONG(d.head.vm[1].n_passthrough = SYSDESC_MAX_PASSTHROUGH + 1);
	WRONG(d.head.vm[1].timers = SYSDESC_TIMER_PIT);
	WRONG(pass(1, 0x09010000, 34, 0); d.head.vm[1].devices = SYSDESC_DEV_RTC);
	WRONG(pass(1, 0x09010000, 35, 0));
	WRONG(pass(1, 0x09010000, 34, 1));
	WRONG(pass(1, 0x09011000, 34, 0));
	WRONG(pass(1, 0x09000000, 33, 0));
	WRONG(pass(1, 0x40000000, 34, 0));
	WRONG(pass(1, 0x09010000, 34, 0); pass(1, 0x09010000, 34, 0));
	WRONG(pass(1, 0x09010000, 34, 0); pass(0, 0x09010000, 34, 0));
	WRONG(pass(1, 0x0a002000, 64, 1));
	WRONG(to_one(1); pass(1, 0x0a002000, 64, 0));
	WRONG(to_one(1); pass(1, 0x0a001e00, 63, 1));
	WRONG(to_one(1); pass(1, 0x0a002200, 64, 1));
	WRONG(apart(0); to_one(1); to_one(0); pass(1, 0x0a002000, 64, 1);
	      pass(0, 0x0a002200, 65, 1));
	WRONG(to_one(1); d.head.machine = SYSDESC_MACHINE_NIC; pass(1, 0x0a003000, 72, 1));
	WRONG(to_one(1); d.head.vm[1].region[0].gpa += 4096);
	WRONG(to_one(2));            /* it has an alias */
	WRONG(to_one(0); to_one(1)); /* one place for two */
	WRONG(d.head.vm[0].region[0].from = SYSDESC_AT);
	WRONG(d.head.vm[0].region[0].from = SYSDESC_AT | 0x50001000);
	WRONG(d.head.vm[0].region[0].from = SYSDESC_AT | ~0ull << 21);
	WRONG(d.head.vm[0].region[0].from = SYSDESC_AT | 1ull << 52);
	WRONG(d.head.vm[0].region[0].from = SYSDESC_AT | 0x50000000;
	      d.head.vm[0].region[1].from = SYSDESC_AT | 0x53e00000);
	WRONG(d.head.vm[0].region[0].from = SYSDESC_AT | 0x50000000;
	      d.head.vm[1].region[1].from = SYSDESC_AT | 0x53e00000);
	WRONG(to_one(1); pass(1, 0x0a002000, 64, 1); d.head.vm[1].region[0].from += 2 << 20);
	WRONG(to_one(1); pass(1, 0x0a002000, 64, 1); d.head.vm[1].region[1].from += 2 << 20);
	WRONG(d.head.vm[1].n_disks = SYSDESC_MAX_DISKS + 1);
	WRONG(d.head.vm[1].n_disks = 1; d.head.vm[1].disk[0].image = N_PAYLOADS);
	WRONG(d.head.vm[1].n_disks = 2;
	      d.head.vm[1].disk[1].mode = SYSDESC_DISK_COPY_ON_WRITE + 1);
	WRONG(d.head.n_connections = SYSDESC_MAX_CONNECTIONS + 1);
	WRONG(d.head.n_connections = 2);
	WRONG(d.head.vm[0].n_connections = 1);
	WRONG(d.head.vm[1].n_served = 0);
	WRONG(d.head.vm[0].region[0].gpa = 0x80000000; d.head.vm[0].region[0].size = 0x30000000);
	WRONG(connections()[0].driver = N_VMS);
	WRONG(connections()[0].driver = 1);
	WRONG(connections()[0].flags = 1);
	WRONG(connections()[0].allow = 1);
	WRONG(connections()[1].flags = 2);
	WRONG(connections()[2].flags = 1);
	WRONG(connections()[2].allow = 1);
	WRONG(connections()[2].device = 0);
	WRONG(connections()[2].device = SYSDESC_CONNECT_CONSOLE + 1);
	WRONG(connections()[2].device = SYSDESC_CONNECT_VSOCK); /* no VM serves it */
	WRONG(connections()[1].device = SYSDESC_CONNECT_VSOCK; connections()[1].flags = 1);
	WRONG(connections()[0].device = SYSDESC_CONNECT_NET);
	WRONG(connections()[0].image = N_PAYLOADS);
	WRONG(connections()[0].mode = SYSDESC_DISK_COPY_ON_WRITE + 1);
	WRONG(connections()[0].partition = 1);
	WRONG(connections()[0].image = SYSDESC_MACHINES_DISK); /* there is none */
	WRONG(on_disk(0, SYSDESC_DISK_COPY_ON_WRITE));
	WRONG(on_disk(SYSDESC_MAX_PARTITION + 1, SYSDESC_DISK_READ_WRITE));
	WRONG(on_disk(0, SYSDESC_DISK_READ_WRITE); pass(1, 0x0a002000, 64, 1); to_one(1));
	WRONG(connections()[1].partition = 1);
	WRONG(connections()[1].device = SYSDESC_CONNECT_BLOCK);
	WRONG(connections()[1].image = 0);
	WRONG(connections()[2].mode = SYSDESC_DISK_COPY_ON_WRITE);
	WRONG(connections()[2].server = 0); /* itself */
	WRONG(connections()[2].server = N_VMS);
	WRONG(connections()[0].pool = 0);
	WRONG(connections()[0].pool = 2);
	WRONG(connections()[0].sharing = SYSDESC_SHARE_ALL + 1);
	WRONG(connections()[2].pool = 1);
	WRONG(d.head.vm[0].region[1].size = SYSDESC_SHARE_BYTES);
	WRONG(d.head.vm[1].n_regions = 3; d.head.vm[1].region[2].gpa = 0;
	      d.head.vm[1].region[2].size = 4096; d.head.vm[1].region[2].from = 0x40000000;
	      connections()[1].pool = 2);
	WRONG(memset(d.head.vm[1].cmdline, 'a', SYSDESC_CMDLINE));
}

/* VM 1 alone, which is to come to a system that runs; one of that serves its network. */
static struct sysdesc_connection *make_late(void)
{
	struct sysdesc_connection *c = (struct sysdesc_connection *)&d.head.vm[1];

	make_description();
	d.head.machine = SYSDESC_MACHINE_RUNS;
	d.head.n_vms = d.head.n_connections = 1;
	d.head.size = (uint32_t)sysdesc_bytes(1, 1);
	d.head.vm[0] = d.head.vm[1];
	d.head.vm[0].n_served = 0;
	*c = (struct sysdesc_connection){ .device = SYSDESC_CONNECT_NET,
					  .server = SYSDESC_SERVER_NAMED,
					  .pool = 1,
					  .image = SYSDESC_NO_PAYLOAD,
					  .server_name = "router" };
	return c;
}

static const char *check_late(void)
{
	seal();
	return check();
}

static void vm_that_comes_names_who_serves_it(void **state)
{
	struct sysdesc_connection *c = make_late();

	(void)state;
	assert_null(check_late());
	strcpy(c->server_name, "vm1"); /* itself */
	assert_non_null(check_late());
	memset(c->server_name, 'a', sizeof(c->server_name));
	assert_non_null(check_late());
	c->server_name[0] = '\0';
	assert_non_null(check_late());
	c = make_late();
	c->server = SYSDESC_SERVER_NET; /* which has no name */
	assert_non_null(check_late());
	c = make_late();
	c->device = SYSDESC_CONNECT_VSOCK;
	assert_non_null(check_late());
	c = make_late();
	c->allow = 1;
	assert_non_null(check_late());
	c = make_late();
	d.head.machine = 0; /* a system's own VMs are not found by name */
	assert_non_null(check_late());
	make_description();
	d.head.machine = SYSDESC_MACHINE_RUNS; /* of three VMs */
	assert_non_null(check_late());
}

static void wrong_sizes_are_found(void **state)
{
	(void)state;
	make_description();
	assert_non_null(sysdesc_check(&d, sizeof(d) - 1, N_PAYLOADS));
	assert_non_null(sysdesc_check(&d, 0, N_PAYLOADS));
	d.head.size--;
	assert_non_null(check());
	make_description();
	d.head.n_vms = SYSDESC_MAX_VMS + 1;
	assert_non_null(check());
	make_description();
	d.head.n_vms = 0xffffffff;
	assert_non_null(check());
}

/* The checksum sees every flipped bit. */
static void flipped_bits_are_found(void **state)
{
	uint8_t *bytes = (uint8_t *)&d;

	(void)state;
	srand(1);
	for (unsigned i = 0; i < 2000; i++) {
		size_t at = (size_t)rand() % sizeof(d);

		make_description();
		bytes[at] ^= (uint8_t)(1u << (rand() % 8));
		assert_non_null(check());
	}
}

#define AREA_BYTES (8u << 20)

static uint8_t area[AREA_BYTES] __attribute__((aligned(4096)));

static struct payload_header *index_of_area(void)
{
	return (struct payload_header *)(void *)area;
}

static void seal_area(void)
{
	struct payload_header *a = index_of_area();
	uint32_t n = a->n_items < 3 ? a->n_items : 3;

	a->crc32 = crc32_update(0, a->item, n * sizeof(a->item[0]));
}

static void make_area(void)
{
	struct payload_header *a = index_of_area();
	static const struct payload_item items[3] = {
		{ "system", PAYLOAD_DESCRIPTION, 0, 4096, 100 },
		{ "vmm", PAYLOAD_PROCESS, 0, 8192, 4096 },
		{ "linux", PAYLOAD_GUEST, 0, 2u << 20, 5u << 20 },
	};

	memset(area, 0, 16384);
	*a = (struct payload_header){ .magic = PAYLOAD_MAGIC,
				      .version = PAYLOAD_VERSION,
				      .n_items = 3,
				      .size = AREA_BYTES };
	memcpy(a->item, items, sizeof(items));
	for (unsigned i = 0; i < 3; i++)
		a->item[i].crc32 = crc32_update(0, area + items[i].offset,
						items[i].size);
	seal_area();
}

static void sound_area_passes(void **state)
{
	struct payload_header *h = index_of_area();

	(void)state;
	make_area();
	assert_null(payload_check(area, AREA_BYTES));
	assert_int_equal(payload_find(h, PAYLOAD_PROCESS, "vmm"), 1);
	assert_int_equal(payload_find(h, PAYLOAD_GUEST, "vmm"), -1);
	assert_int_equal(payload_find(h, PAYLOAD_GUEST, "linux"), 2);
	assert_true(payload_item_intact(h, 2));
	area[3u << 20] ^= 1;
	assert_false(payload_item_intact(h, 2));
	area[3u << 20] ^= 1;
	assert_false(payload_item_intact(h, 3));
}

#define WRONG_AREA(change)                                        \
	do {                                                      \
		struct payload_header *a = index_of_area();       \
		make_area();                                      \
		change;                                           \
		seal_area();                                      \
		assert_non_null(payload_check(area, AREA_BYTES)); \
	} while (0)

static void every_wrong_item_is_found(void **state)
{
	(void)state;
	WRONG_AREA(a->magic++);
	WRONG_AREA(a->version++);
	WRONG_AREA(a->n_items = 0);
	WRONG_AREA(a->n_items = PAYLOAD_MAX + 1);
	WRONG_AREA(a->size = AREA_BYTES + 1);
	WRONG_AREA(a->size = 100);
	WRONG_AREA(a->item[1].name[0] = '\0');
	WRONG_AREA(memset(a->item[1].name, 'a', PAYLOAD_NAME));
	WRONG_AREA(a->item[1].kind = 4);
	WRONG_AREA(a->item[1].kind = PAYLOAD_DESCRIPTION);
	WRONG_AREA(a->item[0].kind = PAYLOAD_GUEST);
	WRONG_AREA(a->item[1].size = 0);
	WRONG_AREA(a->item[1].offset += 8);
	WRONG_AREA(a->item[1].offset = 0);
	WRONG_AREA(a->item[1].offset = 4096);
	WRONG_AREA(a->item[1].size = 3u << 20);
	WRONG_AREA(a->item[2].offset = 4096 * 1000);
	WRONG_AREA(a->item[2].size = AREA_BYTES);
	WRONG_AREA(a->item[2].size = ~0ull);
	WRONG_AREA(a->item[2].offset = ~0ull << 21);
	WRONG_AREA(a->item[2] = a->item[1]; a->item[2].offset = 2u << 20);
}

static void damaged_index_is_found(void **state)
{
	(void)state;
	make_area();
	index_of_area()->item[1].name[1] = 'x';
	assert_non_null(payload_check(area, AREA_BYTES));
	make_area();
	assert_non_null(payload_check(area, 10));
	assert_non_null(payload_check(area + 4, AREA_BYTES - 4));
}

/* --- Modules ------------------------------------------------------------------- */

static union {
	struct modules head;
	uint8_t bytes[sizeof(struct modules) + 24];
} modules;

static void make_modules(void)
{
	memset(&modules, 0, sizeof(modules));
	modules.head.magic = MODULES_MAGIC;
	modules.head.n = 2;
	modules.head.item[0] = (struct modules_item){ sizeof(modules.head), 3, "one" };
	modules.head.item[1] = (struct modules_item){ sizeof(modules.head) + 8, 16, "" };
}

#define WRONG_MODULES(change)                                              \
	do {                                                               \
		make_modules();                                            \
		change;                                                    \
		assert_non_null(modules_check(&modules, sizeof(modules))); \
	} while (0)

static void modules_are_within(void **state)
{
	(void)state;
	make_modules();
	assert_null(modules_check(&modules, sizeof(modules)));
	assert_non_null(modules_check(&modules, sizeof(modules) - 1));
	assert_non_null(modules_check(&modules, sizeof(modules.head) - 1));
	WRONG_MODULES(modules.head.magic++);
	WRONG_MODULES(modules.head.n = 0);
	WRONG_MODULES(modules.head.n = 3); /* that one is empty */
	WRONG_MODULES(modules.head.n = MODULES_MAX + 1);
	WRONG_MODULES(modules.head.item[0].offset--);
	WRONG_MODULES(modules.head.item[0].offset = UINT64_MAX);
	WRONG_MODULES(modules.head.item[1].bytes++);
	WRONG_MODULES(modules.head.item[1].bytes = UINT64_MAX);
	WRONG_MODULES(modules.head.item[1].bytes = 0);
	WRONG_MODULES(modules.head.item[0].cmdline[MODULES_CMDLINE - 1] = 'x');
	/* One behind the last is of no interest. */
	make_modules();
	modules.head.item[2].bytes = UINT64_MAX;
	assert_null(modules_check(&modules, sizeof(modules)));
}

/* The reference: one bit at a time. */
static uint32_t slow_crc(const uint8_t *data, size_t size)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < size * 8; i++) {
		uint32_t bit = (crc ^ (uint32_t)(data[i / 8] >> (i % 8))) & 1;

		crc = (crc >> 1) ^ (bit ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void crc_equals_its_definition(void **state)
{
	uint8_t bytes[300];

	(void)state;
	assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
	srand(2);
	for (unsigned i = 0; i < 500; i++) {
		size_t n = (size_t)rand() % sizeof(bytes);
		size_t cut = n ? (size_t)rand() % n : 0;

		for (size_t j = 0; j < n; j++)
			bytes[j] = (uint8_t)rand();
		assert_int_equal(crc32_update(0, bytes, n), slow_crc(bytes, n));
		assert_int_equal(crc32_update(crc32_update(0, bytes, cut),
					      bytes + cut, n - cut),
				 slow_crc(bytes, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_description_passes),
		cmocka_unit_test(memory_has_its_place),
		cmocka_unit_test(devices_of_the_machine_pass),
		cmocka_unit_test(a_pc_has_virtio),
		cmocka_unit_test(names_of_the_system_are_no_vms),
		cmocka_unit_test(every_wrong_field_is_found),
		cmocka_unit_test(vm_that_comes_names_who_serves_it),
		cmocka_unit_test(wrong_sizes_are_found),
		cmocka_unit_test(flipped_bits_are_found),
		cmocka_unit_test(sound_area_passes),
		cmocka_unit_test(every_wrong_item_is_found),
		cmocka_unit_test(damaged_index_is_found),
		cmocka_unit_test(modules_are_within),
		cmocka_unit_test(crc_equals_its_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
