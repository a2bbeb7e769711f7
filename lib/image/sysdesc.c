#include <selvage/sysdesc.h>

#include <stdbool.h>

#include <selvage/base.h>
#include <selvage/crc32.h>

#define BUDGET_MIN_US 20u
#define PERIOD_MAX_US 3600000000u /* an hour: no overflow in timer ticks */
#define GPA_LIMIT (1ull << 44)

#define DEVICES_KNOWN                                                                           \
	((uint32_t)SYSDESC_DEV_PL011 | (uint32_t)SYSDESC_DEV_RTC | (uint32_t)SYSDESC_DEV_KICK | \
	 (uint32_t)SYSDESC_DEV_WATCHDOG | SYSDESC_VIRTIO_DEVICES)

static bool name_char(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return true;
	return !first && (c == '-' || c == '_');
}

static bool name_valid(const char name[SYSDESC_NAME])
{
	size_t i = 0;

	while (i < SYSDESC_NAME && name[i] != '\0') {
		if (!name_char(name[i], i == 0))
			return false;
		i++;
	}
	return i > 0 && i < SYSDESC_NAME;
}

static bool terminated(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\0')
			return true;
	}
	return false;
}

static bool name_equal(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] == b[i] && a[i] != '\0')
		i++;
	return a[i] == b[i];
}

bool sysdesc_name_reserved(const char *name)
{
	static const char *const reserved[] = { "any", "block", "connections", "control", "debug",
						"init", "kernel", "log", "net", "serial",
						"shell", "system", "time", "uplink" };

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (name_equal(reserved[i], name))
			return true;
	return false;
}

/* Of QEMU's `virt` (hw/arm/virt.c, base_memmap) all that is not flash or PCI. */
static const struct sysdesc_range virt_devices[] = { { 0x08000000, 0x08000000 } };
/* Motherboard and private region of a Versatile Express with an A9x4. */
static const struct sysdesc_range vexpress_devices[] = { { 0x10000000, 0x00100000 },
							 { 0x1e000000, 0x00010000 } };

/* The PCI's window, firmware, I/O APIC, HPET and local APIC. */
static const struct sysdesc_range pc_devices[] = { { 0xe0000000, 0x20000000 } };

static const struct {
	const char *name;
	const struct sysdesc_range *devices;
	unsigned n_devices;
} boards[] = {
	[SYSDESC_BOARD_VIRT] = { "virt", virt_devices, ARRAY_SIZE(virt_devices) },
	[SYSDESC_BOARD_VEXPRESS_A9] = { "vexpress-a9", vexpress_devices,
					ARRAY_SIZE(vexpress_devices) },
	[SYSDESC_BOARD_PC] = { "pc", pc_devices, ARRAY_SIZE(pc_devices) },
};

const char *sysdesc_board_name(uint32_t board)
{
	return board < ARRAY_SIZE(boards) ? boards[board].name : "unknown";
}

const struct sysdesc_range *sysdesc_board_devices(uint32_t board, unsigned *n)
{
	*n = board < ARRAY_SIZE(boards) ? boards[board].n_devices : 0;
	return board < ARRAY_SIZE(boards) ? boards[board].devices : NULL;
}

const struct sysdesc_region *sysdesc_region_of(const struct sysdesc_vm *vm, uint64_t gpa,
					       uint64_t size)
{
	for (uint32_t i = 0; i < vm->n_regions; i++)
		if (range_within_u64(gpa, size, vm->region[i].gpa, vm->region[i].size))
			return &vm->region[i];
	return NULL;
}

bool sysdesc_has_virtio(const struct sysdesc_vm *vm)
{
	return (vm->devices & SYSDESC_VIRTIO_DEVICES) != 0 || vm->n_disks != 0 ||
	       vm->n_connections != 0;
}

static const char *check_alias(const struct sysdesc_vm *vm, const struct sysdesc_region *r)
{
	if (sysdesc_owns(r))
		return NULL;
	if (r->from % SYSDESC_PAGE != 0)
		return "an alias is not aligned to 4 KiB";
	for (const struct sysdesc_region *q = vm->region; q < r; q++)
		if (sysdesc_owns(q) &&
		    range_within_u64(r->from, r->size, q->gpa, q->size))
			return NULL;
	return "an alias is not of one memory region";
}

static const char *check_place(const struct sysdesc_vm *vm, const struct sysdesc_region *r)
{
	const uint64_t place = sysdesc_place(r);

	if (place == 0 && r->from != SYSDESC_AT)
		return NULL;
	if (place == 0 || (place | r->gpa | r->size) % SYSDESC_LARGE_PAGE != 0)
		return "a memory region cannot be where it is to be in the machine";
	if (place >= GPA_LIMIT || r->size > GPA_LIMIT - place)
		return "a memory region ends above the address limit";
	for (const struct sysdesc_region *q = vm->region; q < r; q++)
		if (sysdesc_place(q) != 0 &&
		    range_overlaps_u64(place, r->size, sysdesc_place(q), q->size))
			return "two memory regions are in one place of the machine";
	return NULL;
}

static const char *check_region(const struct sysdesc_vm *vm, const struct sysdesc_region *r)
{
	unsigned n;
	const struct sysdesc_range *devices = sysdesc_board_devices(vm->board, &n);
	const char *wrong;

	if (r->size == 0)
		return "a memory region is empty";
	if (r->gpa % SYSDESC_PAGE != 0 || r->size % SYSDESC_PAGE != 0)
		return "a memory region is not aligned to 4 KiB";
	if (r->gpa >= GPA_LIMIT || r->size > GPA_LIMIT - r->gpa)
		return "a memory region ends above the address limit";
	for (unsigned i = 0; i < n; i++)
		if (range_overlaps_u64(r->gpa, r->size, devices[i].base, devices[i].size))
			return "a memory region lies among the board's devices";
	if (vm->board == SYSDESC_BOARD_VIRT &&
	    ((vm->flags & SYSDESC_VM_PCI) || vm->n_served != 0) &&
	    range_overlaps_u64(r->gpa, r->size, SYSDESC_VIRT_PCI,
			       SYSDESC_VIRT_PCI_END - SYSDESC_VIRT_PCI))
		return "a memory region lies where the VM's PCI is";
	for (const struct sysdesc_region *q = vm->region; q < r; q++)
		if (range_overlaps_u64(r->gpa, r->size, q->gpa, q->size))
			return "two memory regions overlap";
	wrong = check_place(vm, r);
	return wrong != NULL ? wrong : check_alias(vm, r);
}

static const char *check_regions(const struct sysdesc_vm *vm)
{
	const char *wrong = NULL;

	for (uint32_t i = 0; i < vm->n_regions && !wrong; i++)
		wrong = check_region(vm, &vm->region[i]);
	return wrong;
}

static const char *check_pieces(const struct sysdesc_vm *vm)
{
	for (uint32_t i = 0; i < vm->n_pieces; i++) {
		const struct sysdesc_piece *p = &vm->piece[i];

		if (p->bytes > p->size || !sysdesc_region_of(vm, p->gpa, p->size))
			return "a piece of a VM's kernel is not in its memory";
	}
	return NULL;
}

/* What of the file there is, the monitor checks. */
static const char *check_boot(const struct sysdesc_vm *vm)
{
	bool pieces = vm->boot == SYSDESC_BOOT_PIECES;

	if (vm->width != 32 && vm->width != 64)
		return "a VM's registers are neither 32 nor 64 bits wide";
	if (vm->boot > SYSDESC_BOOT_FLAT ||
	    (vm->board == SYSDESC_BOARD_PC) != (vm->boot > SYSDESC_BOOT_PIECES))
		return "a VM's way to boot is unknown";
	if ((vm->boot == SYSDESC_BOOT_IMAGE && vm->width != 64) ||
	    (vm->boot == SYSDESC_BOOT_ZIMAGE && vm->width != 32))
		return "a VM's kernel is for another register width";
	if (vm->n_pieces > SYSDESC_MAX_PIECES || pieces != (vm->n_pieces > 0))
		return "a VM's kernel has no sound number of pieces";
	if (vm->n_vectors > SYSDESC_VECTORS ||
	    (vm->n_vectors > 0 && !sysdesc_region_of(vm, 0, sizeof(vm->vector))))
		return "a VM's vectors have no memory";
	return check_pieces(vm);
}

static const char *check_schedule(const struct sysdesc_vm *vm)
{
	if (vm->vcpus == 0 || vm->vcpus > SYSDESC_MAX_VCPUS)
		return "a VM's number of vCPUs is out of range";
	if (vm->priority == 0 || vm->priority > SYSDESC_VM_PRIORITY_MAX)
		return "a VM's priority is out of range";
	if (vm->budget_us < BUDGET_MIN_US)
		return "a VM's budget is too small";
	if (vm->period_us > PERIOD_MAX_US)
		return "a VM's period is too long";
	if (vm->budget_us > vm->period_us)
		return "a VM's budget is above its period";
	return NULL;
}

static const char *check_balloon(const struct sysdesc_vm *vm)
{
	if (vm->balloon == 0)
		return NULL;
	if (!(vm->devices & SYSDESC_DEV_VIRTIO_BALLOON))
		return "a VM has no balloon";
	if (vm->balloon % SYSDESC_PAGE != 0 || vm->balloon > vm->region[0].size)
		return "a VM's balloon is not whole pages of its first memory region";
	return NULL;
}

const char *sysdesc_check_policy(const struct sysdesc_vm *vm)
{
	const char *wrong;

	if (vm->restart > SYSDESC_RESTART_ALWAYS)
		return "a VM's restart policy is unknown";
	if (vm->restart_limit == 0 || vm->restart_limit > SYSDESC_RESTART_LIMIT_MAX)
		return "a VM's number of restarts is out of range";
	if (vm->restart_delay_us < SYSDESC_DELAY_MIN_US ||
	    vm->restart_delay_us > SYSDESC_DELAY_MAX_US)
		return "a VM's delay of restarts is out of range";
	wrong = check_schedule(vm);
	return wrong ? wrong : check_balloon(vm);
}

/* What board pc has, and no other. */
static const char *check_pc_vm(const struct sysdesc_vm *vm)
{
	if (vm->board != SYSDESC_BOARD_PC)
		return vm->timers != 0 ? "a VM has timers of another board"
		       : vm->flags & SYSDESC_VM_FIXED
			       ? "a VM's board does not have what the VM is to have"
			       : NULL;
	if (vm->timers & ~(uint32_t)SYSDESC_TIMERS)
		return "a VM has unknown timers";
	if (vm->width != 64 || vm->gic != 0 || vm->vcpus != 1)
		return "a VM's board has another processor";
	if ((vm->devices & ~SYSDESC_PC_DEVICES) || vm->n_vectors != 0 ||
	    (vm->flags & ~((uint32_t)SYSDESC_VM_AUTOSTART | (uint32_t)SYSDESC_VM_PCI |
			   (uint32_t)SYSDESC_VM_FIXED)) ||
	    vm->n_served != 0)
		return "a VM's board does not have what the VM is to have";
	if ((vm->flags & SYSDESC_VM_FIXED) && !(vm->flags & SYSDESC_VM_PCI))
		return "a VM has devices in slots beside PCI, and no PCI";
	return NULL;
}

static const char *check_enums(const struct sysdesc_vm *vm)
{
	const char *wrong;

	if (vm->board >= ARRAY_SIZE(boards))
		return "a VM's board is unknown";
	wrong = check_pc_vm(vm);
	if (wrong)
		return wrong;
	if (vm->board == SYSDESC_BOARD_VEXPRESS_A9 &&
	    (vm->gic != 2 || vm->width != 32 || vm->vcpus > SYSDESC_A9_VCPUS))
		return "a VM's board has another processor";
	if (vm->flags & ~((uint32_t)SYSDESC_VM_AUTOSTART | (uint32_t)SYSDESC_VM_PCI |
			  (uint32_t)SYSDESC_VM_ITS | (uint32_t)SYSDESC_VM_FIXED))
		return "a VM has unknown flags";
	if ((vm->flags & SYSDESC_VM_ITS) && (!(vm->flags & SYSDESC_VM_PCI) || vm->gic != 3))
		return "a VM has an ITS, but no PCI or no GICv3";
	if (vm->smc_policy > SYSDESC_SMC_COUNT_ONLY)
		return "a VM's SMC policy is unknown";
	if (vm->debug > SYSDESC_DEBUG_CONTROL)
		return "a VM's debug right is unknown";
	if (vm->devices & ~DEVICES_KNOWN)
		return "a VM has unknown devices";
	if ((vm->devices & SYSDESC_DEV_WATCHDOG) &&
	    (vm->board != SYSDESC_BOARD_VIRT || vm->vcpus > SYSDESC_WATCHDOG_VCPUS))
		return "a VM has no room for a watchdog";
	if (vm->stop > SYSDESC_STOP_AGENT ||
	    (vm->stop == SYSDESC_STOP_AGENT && !(vm->devices & SYSDESC_DEV_VIRTIO_CONSOLE)))
		return "a VM is to be stopped in a way that is unknown";
	if (vm->stop_us < SYSDESC_DELAY_MIN_US || vm->stop_us > SYSDESC_DELAY_MAX_US)
		return "a VM's time to stop is out of range";
	if ((sysdesc_has_virtio(vm) || (vm->flags & SYSDESC_VM_PCI) || vm->n_served != 0) &&
	    vm->board == SYSDESC_BOARD_VEXPRESS_A9)
		return "a VM's board has no place for virtio";
	return NULL;
}

/* Of QEMU's virt what init and its servers leave alone. */
static const struct sysdesc_machine_device machine_devices[] = {
	{ "PL031", 0x09010000, SYSDESC_PAGE, 1, 34, false },
	{ "virtio-mmio", 0x0a000000, 0x200, 32, 48, true },
};
/* Virtio slots that a VM's emulated devices can be in (vmm/virtio.c) end there. */
#define EMULATED_VIRTIO_END 0x0a002000u

const struct sysdesc_machine_device *sysdesc_machine_device(uint64_t paddr)
{
	for (size_t i = 0; i < ARRAY_SIZE(machine_devices); i++) {
		const struct sysdesc_machine_device *d = &machine_devices[i];

		if (paddr - d->base < (uint64_t)d->stride * d->count &&
		    (paddr - d->base) % d->stride == 0)
			return d;
	}
	return NULL;
}

uint32_t sysdesc_machine_irq(uint64_t paddr)
{
	const struct sysdesc_machine_device *d = sysdesc_machine_device(paddr);

	return d == NULL ? 0 : d->irq + (uint32_t)((paddr - d->base) / d->stride);
}

static uint64_t virtio_slot(unsigned slot)
{
	return machine_devices[1].base + (uint64_t)slot * machine_devices[1].stride;
}

uint64_t sysdesc_nic(void) { return virtio_slot(SYSDESC_NIC_SLOT); }
uint64_t sysdesc_disk(void) { return virtio_slot(SYSDESC_DISK_SLOT); }

bool sysdesc_is_emulated(const struct sysdesc_vm *vm, uint64_t paddr)
{
	const struct sysdesc_machine_device *d = sysdesc_machine_device(paddr);

	return d == NULL || (d->dma ? paddr < EMULATED_VIRTIO_END
				    : (vm->devices & (uint32_t)SYSDESC_DEV_RTC) != 0);
}

/* But for pools of connections, which may be anywhere. */
static bool is_one_to_one(const struct sysdesc_vm *vm)
{
	for (uint32_t i = 0; i < vm->n_regions; i++)
		if (sysdesc_place(&vm->region[i]) != vm->region[i].gpa &&
		    (i == 0 || vm->region[i].from != SYSDESC_OWN_MEMORY))
			return false;
	return true;
}

static const char *check_passthrough(const struct sysdesc_vm *vm)
{
	if (vm->n_passthrough > SYSDESC_MAX_PASSTHROUGH)
		return "a VM has too many devices of the machine";
	for (uint32_t i = 0; i < vm->n_passthrough; i++) {
		const struct sysdesc_passthrough *p = &vm->passthrough[i];
		const struct sysdesc_machine_device *d = sysdesc_machine_device(p->paddr);

		if (d == NULL || p->irq != sysdesc_machine_irq(p->paddr))
			return "a VM has a device that no VM can have";
		if (vm->board != SYSDESC_BOARD_VIRT || sysdesc_is_emulated(vm, p->paddr))
			return "a VM has a device of the machine where an emulated one is";
		if (p->trusted_dma != (uint32_t)d->dma || (d->dma && !is_one_to_one(vm)))
			return "a VM has a device whose DMA nothing bounds";
	}
	return NULL;
}

/* Pages that two VMs would have, or one twice. */
static bool share_devices(const struct sysdesc_vm *a, const struct sysdesc_vm *b)
{
	for (uint32_t i = 0; i < a->n_passthrough; i++)
		for (uint32_t j = 0; j < (a == b ? i : b->n_passthrough); j++)
			if (a == b ? a->passthrough[i].paddr == a->passthrough[j].paddr
				   : a->passthrough[i].paddr / SYSDESC_PAGE ==
					     b->passthrough[j].paddr / SYSDESC_PAGE)
				return true;
	return false;
}

/* Memory of the machine that two VMs would have. */
static bool share_memory(const struct sysdesc_vm *a, const struct sysdesc_vm *b)
{
	for (const struct sysdesc_region *r = a->region; r < &a->region[a->n_regions]; r++)
		for (uint32_t i = 0; i < b->n_regions; i++) {
			const uint64_t place = sysdesc_place(r);
			const uint64_t other = sysdesc_place(&b->region[i]);

			if (place != 0 && other != 0 &&
			    range_overlaps_u64(place, r->size, other, b->region[i].size))
				return true;
		}
	return false;
}

static const char *check_disks(const struct sysdesc_vm *vm, uint32_t n_payloads)
{
	if (vm->n_disks > SYSDESC_MAX_DISKS)
		return "a VM has too many disks";
	for (uint32_t i = 0; i < vm->n_disks; i++) {
		if (vm->disk[i].image >= n_payloads)
			return "a VM's disk is not in the payload";
		if (vm->disk[i].mode > SYSDESC_DISK_COPY_ON_WRITE)
			return "the mode of a VM's disk is unknown";
	}
	return NULL;
}

static const char *check_images(const struct sysdesc_vm *vm,
				uint32_t n_payloads)
{
	if (vm->kernel >= n_payloads)
		return "a VM's kernel is not in the payload";
	if (vm->initrd != SYSDESC_NO_PAYLOAD && vm->initrd >= n_payloads)
		return "a VM's initrd is not in the payload";
	return check_disks(vm, n_payloads);
}

static const char *check_vm(const struct sysdesc_vm *vm, uint32_t n_payloads)
{
	const char *wrong;

	if (!name_valid(vm->name) || !terminated(vm->name, SYSDESC_VM_NAME))
		return "a VM's name is not valid";
	if (sysdesc_name_reserved(vm->name))
		return "a VM's name is one of the system's own";
	wrong = check_enums(vm);
	if (!wrong)
		wrong = sysdesc_check_policy(vm);
	if (!wrong)
		wrong = check_images(vm, n_payloads);
	if (wrong)
		return wrong;
	if (!terminated(vm->cmdline, sizeof(vm->cmdline)))
		return "a VM's command line has no end";
	if (vm->n_regions == 0 || vm->n_regions > SYSDESC_MAX_REGIONS)
		return "a VM's number of memory regions is out of range";
	wrong = check_regions(vm);
	if (!wrong)
		wrong = check_passthrough(vm);
	if (!wrong && share_devices(vm, vm))
		wrong = "a VM has a device twice";
	return wrong ? wrong : check_boot(vm);
}

static bool has_driven_page(const struct sysdesc *d, const struct sysdesc_vm *vm)
{
	for (uint32_t i = 0; i < vm->n_passthrough; i++)
		if (sysdesc_is_driven_page(d, vm->passthrough[i].paddr))
			return true;
	return false;
}

bool sysdesc_is_driven_page(const struct sysdesc *d, uint64_t paddr)
{
	const uint64_t page = align_down_u64(paddr, SYSDESC_PAGE);

	return ((d->machine & (uint32_t)SYSDESC_MACHINE_NIC) && page == sysdesc_nic()) ||
	       ((d->machine & (uint32_t)SYSDESC_MACHINE_DISK) && page == sysdesc_disk());
}

static const char *check_pc(const struct sysdesc *d)
{
	return d->gic_version != 0 ? "a PC has a GIC" : NULL;
}

static const char *check_header(const struct sysdesc *d, size_t size)
{
	if (d->magic != SYSDESC_MAGIC)
		return "no system description here: wrong magic number";
	if (d->version != SYSDESC_VERSION)
		return "the system description is of another version";
	if (d->n_vms > SYSDESC_MAX_VMS)
		return "too many VMs";
	if (d->n_connections > SYSDESC_MAX_CONNECTIONS)
		return "too many connections";
	if (d->machine & ~((uint32_t)SYSDESC_MACHINE_NIC | (uint32_t)SYSDESC_MACHINE_DISK |
			   (uint32_t)SYSDESC_MACHINE_PC | (uint32_t)SYSDESC_MACHINE_E1000 |
			   (uint32_t)SYSDESC_MACHINE_RUNS))
		return "a device of the machine is unknown";
	if ((d->machine & (uint32_t)SYSDESC_MACHINE_E1000) &&
	    (~d->machine & ((uint32_t)SYSDESC_MACHINE_PC | (uint32_t)SYSDESC_MACHINE_NIC)))
		return "an e1000 is the network interface of a PC";
	if ((d->machine & (uint32_t)SYSDESC_MACHINE_RUNS) && d->n_vms != 1)
		return "the description is not of one VM";
	if (d->size != sysdesc_bytes(d->n_vms, d->n_connections) || d->size > size)
		return "the system description's size is wrong";
	if (d->crc32 != sysdesc_checksum(d))
		return "the system description is damaged: wrong checksum";
	if (!name_valid(d->name))
		return "the system's name is not valid";
	if (d->on_idle > SYSDESC_IDLE_POWEROFF)
		return "what to do when idle is unknown";
	if (d->log_level > 3)
		return "the log level is out of range";
	if (d->machine & (uint32_t)SYSDESC_MACHINE_PC)
		return check_pc(d);
	if (d->gic_version != 2 && d->gic_version != 3)
		return "the GIC version is neither 2 nor 3";
	return NULL;
}

bool sysdesc_has_server(const struct sysdesc *d, uint32_t server)
{
	const struct sysdesc_connection *c = sysdesc_connections(d);
	const uint32_t driven = server == SYSDESC_SERVER_NET     ? SYSDESC_MACHINE_NIC
				: server == SYSDESC_SERVER_BLOCK ? SYSDESC_MACHINE_DISK
								 : 0;

	for (uint32_t i = 0; i < d->n_connections; i++)
		if (c[i].server == server)
			return true;
	return (d->machine & driven) != 0;
}

uint32_t sysdesc_connection_of(const struct sysdesc *d, uint32_t vm, uint32_t n)
{
	const struct sysdesc_connection *c = sysdesc_connections(d);
	uint32_t i = 0;

	while (i + 1 < d->n_connections && (c[i].driver != vm || n-- > 0))
		i++;
	return i;
}

static const char *check_shared(const struct sysdesc_vm *vm, const struct sysdesc_connection *c)
{
	uint64_t sum = 0;

	if (c->sharing == SYSDESC_SHARE_POOL)
		return c->pool == 0 || c->pool >= vm->n_regions ||
				       !sysdesc_owns(&vm->region[c->pool])
			       ? "a connection's pool is no memory of its own"
			       : NULL;
	if (c->sharing != SYSDESC_SHARE_ALL || c->pool != 0)
		return "what a connection shares is unknown";
	for (uint32_t i = 0; i < vm->n_regions; i++)
		sum += vm->region[i].size;
	return sum > SYSDESC_SHARE_BYTES ? "a connection shares too much memory" : NULL;
}

/* What the block server has for it. */
static bool disk_sound(const struct sysdesc *d, const struct sysdesc_connection *c,
		       uint32_t n_payloads)
{
	if (c->image == SYSDESC_MACHINES_DISK)
		return (d->machine & (uint32_t)SYSDESC_MACHINE_DISK) != 0 &&
		       c->partition <= SYSDESC_MAX_PARTITION &&
		       (c->mode == SYSDESC_DISK_READ_ONLY || c->mode == SYSDESC_DISK_READ_WRITE);
	return c->image < n_payloads && c->partition == 0 && c->mode <= SYSDESC_DISK_COPY_ON_WRITE;
}

static const char *check_networked(const struct sysdesc_connection *c)
{
	const uint32_t flags = c->device == SYSDESC_CONNECT_NET ? SYSDESC_CONNECT_BRIDGE : 0;

	if (c->device != SYSDESC_CONNECT_NET && c->device != SYSDESC_CONNECT_VSOCK)
		return "a connection's server is unknown";
	return c->flags & ~flags ? "a connection's flag is unknown" : NULL;
}

/* A VM of the system that runs. */
static const char *check_named(const struct sysdesc *d, const struct sysdesc_connection *c)
{
	return (d->machine & (uint32_t)SYSDESC_MACHINE_RUNS) && name_valid(c->server_name) &&
			       !name_equal(c->server_name, d->vm[c->driver].name)
		       ? NULL
		       : "a connection's server is unknown";
}

/* Who serves what. */
static const char *check_server(const struct sysdesc *d, const struct sysdesc_connection *c,
				uint32_t n_payloads)
{
	if (c->device != SYSDESC_CONNECT_VSOCK &&
	    (c->device < SYSDESC_CONNECT_NET || c->device > SYSDESC_CONNECT_CONSOLE))
		return "a connection's device is unknown";
	if (c->server != SYSDESC_SERVER_NAMED && c->server_name[0] != '\0')
		return "a connection's server is unknown";
	if (c->server == SYSDESC_SERVER_BLOCK) {
		if (c->device != SYSDESC_CONNECT_BLOCK || !disk_sound(d, c, n_payloads) ||
		    c->flags != 0 || c->allow != 0)
			return "a connection's disk is not sound";
		return NULL;
	}
	if (c->image != SYSDESC_NO_PAYLOAD || c->mode != 0 || c->partition != 0)
		return "a connection has a disk without the block server";
	if (c->server == SYSDESC_SERVER_NET)
		return check_networked(c);
	if (c->device == SYSDESC_CONNECT_VSOCK)
		return "a connection's server is unknown";
	if (c->flags != 0 || c->allow != 0)
		return "a connection has a rule of the network without it";
	if (c->server == SYSDESC_SERVER_NAMED)
		return check_named(d, c);
	return c->server < d->n_vms && c->server != c->driver
		       ? NULL
		       : "a connection's server is unknown";
}

uint64_t sysdesc_vm_shared_bytes(const struct sysdesc_vm *vm, const struct sysdesc_connection *c)
{
	uint64_t sum = 0;

	if (c->sharing == SYSDESC_SHARE_POOL)
		return vm->region[c->pool].gpa % SYSDESC_LARGE_PAGE + vm->region[c->pool].size;
	for (uint32_t i = 0; i < vm->n_regions; i++)
		if (sysdesc_owns(&vm->region[i]))
			sum += align_up_u64(vm->region[i].gpa % SYSDESC_LARGE_PAGE +
						    vm->region[i].size,
					    SYSDESC_LARGE_PAGE);
	return sum;
}

uint64_t sysdesc_shared_bytes(const struct sysdesc *d, const struct sysdesc_connection *c)
{
	return sysdesc_vm_shared_bytes(&d->vm[c->driver], c);
}

/* What VM i drives and serves is as much as it says, and has room. */
static const char *check_ends(const struct sysdesc *d, uint32_t vm)
{
	const struct sysdesc_connection *c = sysdesc_connections(d);
	uint64_t room = SYSDESC_SERVE_END - SYSDESC_SERVE_MEMORY;
	uint32_t driven = 0, served = 0;

	for (uint32_t i = 0; i < d->n_connections; i++) {
		uint64_t bytes;

		driven += c[i].driver == vm;
		if (c[i].server != vm)
			continue;
		served++;
		bytes = align_up_u64(sysdesc_shared_bytes(d, &c[i]), SYSDESC_LARGE_PAGE);
		if (bytes > room)
			return "a VM serves more memory than it has room for";
		room -= bytes;
	}
	if (driven != d->vm[vm].n_connections || driven > SYSDESC_VM_CONNECTIONS ||
	    served != d->vm[vm].n_served || served > SYSDESC_VM_SERVED)
		return "a VM's number of connections is wrong";
	return NULL;
}

static const char *check_connections(const struct sysdesc *d, uint32_t n_payloads)
{
	const struct sysdesc_connection *c = sysdesc_connections(d);
	uint32_t networked = 0, sockets = 0;
	const char *wrong = NULL;

	for (uint32_t i = 0; i < d->n_connections && wrong == NULL; i++) {
		if (c[i].driver >= d->n_vms)
			return "a connection's driver is unknown";
		networked += c[i].device == SYSDESC_CONNECT_NET &&
			     c[i].server == SYSDESC_SERVER_NET;
		sockets += c[i].device == SYSDESC_CONNECT_VSOCK;
		wrong = check_server(d, &c[i], n_payloads);
		if (wrong == NULL)
			wrong = check_shared(&d->vm[c[i].driver], &c[i]);
	}
	for (uint32_t i = 0; i < d->n_vms && wrong == NULL; i++)
		wrong = check_ends(d, i);
	if (wrong == NULL && (networked > SYSDESC_MAX_NET || sockets > SYSDESC_MAX_SOCKETS))
		return "too many connections to the network";
	return wrong;
}

const char *sysdesc_check(const void *desc, size_t size, uint32_t n_payloads)
{
	const struct sysdesc *d = desc;
	const char *wrong;

	if (size < sizeof(*d) || (uintptr_t)desc % _Alignof(uint64_t) != 0)
		return "no system description here: too small or not aligned";
	wrong = check_header(d, size);
	if (wrong)
		return wrong;
	for (uint32_t i = 0; i < d->n_vms; i++) {
		wrong = check_vm(&d->vm[i], n_payloads);
		if (wrong)
			return wrong;
		if (has_driven_page(d, &d->vm[i]))
			return "a VM has the page of the system's network interface";
		if ((d->vm[i].board == SYSDESC_BOARD_PC) !=
		    ((d->machine & (uint32_t)SYSDESC_MACHINE_PC) != 0))
			return "a VM's board is of another kind of machine";
		if (d->vm[i].board != SYSDESC_BOARD_PC &&
		    (d->vm[i].gic < 2 || d->vm[i].gic > d->gic_version))
			return "a VM's GIC is none that the machine can give";
		for (uint32_t j = 0; j < i; j++) {
			if (name_equal(d->vm[i].name, d->vm[j].name))
				return "two VMs have one name";
			if (share_devices(&d->vm[i], &d->vm[j]))
				return "two VMs have one device of the machine";
			if (share_memory(&d->vm[i], &d->vm[j]))
				return "two VMs have memory in one place of the machine";
		}
	}
	return check_connections(d, n_payloads);
}

uint32_t sysdesc_checksum(const struct sysdesc *desc)
{
	size_t skip = offsetof(struct sysdesc, name);

	return crc32_update(0, (const uint8_t *)desc + skip,
			    desc->size - skip);
}
