/* The memory of a VM in a system description. */
#include "diag.h"
#include "system_vm.h"
#include "units.h"

#define ALIAS_PAGES_MAX (2ull << 20) /* of aliases that large pages cannot make */
/* Where VMs can have memory that was chosen: the image of the system, kernel and services are
 * below. From MACHINE_RAM_BASE or, on a PC, from 0. */
#define CHOSEN_OFFSET 0x28000000ull
/* QEMU's q35: so much of its RAM is below 4 GiB, the rest from there on. */
#define PC_LOW_RAM 0x80000000ull
#define PC_LOW_RAM_WHOLE 0xb0000000ull /* or all, of less than that */
#define PC_HIGH_RAM 0x100000000ull

/* Where the first region of a board starts. */
static const uint64_t ram_base[] = {
	[SYSDESC_BOARD_VIRT] = 0x40000000,
	[SYSDESC_BOARD_VEXPRESS_A9] = 0x60000000,
	[SYSDESC_BOARD_PC] = 0,
};

/* What a Versatile Express has beside its RAM, whose start is also at 0. */
#define VEXPRESS_LOW_BYTES (64ull << 20)
static const struct sysdesc_region vexpress_memory[] = {
	{ 0x48000000, 32 << 20, SYSDESC_OWN_MEMORY }, /* SRAM */
	{ 0x4c000000, 8 << 20, SYSDESC_OWN_MEMORY },  /* video RAM */
};

/* Leaves *address as it is if the key is missing. */
static bool parse_address(struct system *sys, yaml_node_t *node, const char *key, const char *text,
			  uint64_t *address)
{
	if (text == NULL || units_parse_size(text, address))
		return true;
	diag_error_at(sys->file, system_line(sys, node, key),
		      "`%s` is no address; write e.g. 0x40000000", text);
	return false;
}

static bool cannot_choose(const struct vm_check *c, yaml_node_t *node)
{
	const bool pc = c->sys->cpu && c->sys->cpu->pc;

	diag_error_at(c->sys->file,
		      system_line(c->sys, node, c->conf->one_to_one ? "address" : "physical"),
		      "memory of the machine can be chosen in whole 2M pieces, for "
		      "addresses that are multiples of 2M, from 0x%llx to the end of the "
		      "machine's RAM (%s of it%s); move it",
		      (pc ? 0 : MACHINE_RAM_BASE) + CHOSEN_OFFSET,
		      units_size_text(c->sys->machine_bytes),
		      pc ? ", some of it from 4 GiB on" : "");
	return false;
}

static bool parse_region(const struct vm_check *c, yaml_node_t *node,
			 const struct conf_region *conf, uint64_t next,
			 struct sysdesc_region *region)
{
	struct system *sys = c->sys;
	uint64_t place = 0;

	region->gpa = next;
	if (!parse_address(sys, node, "address", conf->address, &region->gpa))
		return false;
	region->from = c->conf->one_to_one ? SYSDESC_AT | region->gpa : SYSDESC_OWN_MEMORY;
	if (!parse_address(sys, node, "alias_of", conf->alias_of, &region->from) ||
	    !parse_address(sys, node, "physical", conf->physical, &place))
		return false;
	if (conf->alias_of && sysdesc_owns(region)) {
		diag_error_at(sys->file, system_line(sys, node, "alias_of"),
			      "address 0x%llx is not aligned to 4 KiB",
			      (unsigned long long)region->from);
		return false;
	}
	if (place % SYSDESC_LARGE_PAGE != 0) /* before SYSDESC_AT is put there */
		return cannot_choose(c, node);
	if (conf->physical)
		region->from = SYSDESC_AT | place;
	if (!units_parse_size(conf->size, &region->size)) {
		diag_error_at(sys->file, system_line(sys, node, "size"),
			      "`%s` is no size; write e.g. 256M or 1G",
			      conf->size);
		return false;
	}
	if (region->size == 0) {
		diag_error_at(sys->file, system_line(sys, node, "size"),
			      "the memory of VM `%s` is of size zero; give e.g. "
			      "256M",
			      c->conf->name);
		return false;
	}
	return true;
}

static bool check_region_align(const struct vm_check *c, yaml_node_t *node,
			       const struct sysdesc_region *r)
{
	struct system *sys = c->sys;

	if (r->gpa % SYSDESC_PAGE != 0) {
		diag_error_at(sys->file, system_line(sys, node, "address"),
			      "address 0x%llx is not aligned to 4 KiB; take "
			      "0x%llx",
			      (unsigned long long)r->gpa,
			      (unsigned long long)(r->gpa & ~(SYSDESC_PAGE - 1ull)));
		return false;
	}
	if (r->size % SYSDESC_PAGE != 0) {
		diag_error_at(sys->file, system_line(sys, node, "size"),
			      "a memory size of %s is not a multiple of 4 KiB; "
			      "take %s",
			      units_size_text(r->size),
			      units_size_text((r->size | (SYSDESC_PAGE - 1)) + 1));
		return false;
	}
	return true;
}

static bool check_region_devices(const struct vm_check *c, yaml_node_t *node,
				 const struct sysdesc_region *r)
{
	unsigned n;
	const struct sysdesc_range *d = sysdesc_board_devices(c->vm->board, &n);

	for (; n > 0; n--, d++) {
		if (r->gpa >= d->base + d->size || d->base >= r->gpa + r->size)
			continue;
		diag_error_at(c->sys->file, system_line(c->sys, node, "address"),
			      "memory 0x%llx..0x%llx lies among the devices of board "
			      "`%s` at 0x%llx..0x%llx; move it",
			      (unsigned long long)r->gpa,
			      (unsigned long long)(r->gpa + r->size - 1),
			      sysdesc_board_name(c->vm->board),
			      (unsigned long long)d->base,
			      (unsigned long long)(d->base + d->size - 1));
		return false;
	}
	if (c->vm->board != SYSDESC_BOARD_VIRT || !(c->vm->flags & SYSDESC_VM_PCI) ||
	    r->gpa >= SYSDESC_VIRT_PCI_END || r->gpa + r->size <= SYSDESC_VIRT_PCI)
		return true;
	diag_error_at(c->sys->file, system_line(c->sys, node, "address"),
		      "memory 0x%llx..0x%llx lies where the VM's PCI is, at 0x%llx..0x%llx; "
		      "move it, or take `virtio: mmio`",
		      (unsigned long long)r->gpa, (unsigned long long)(r->gpa + r->size - 1),
		      SYSDESC_VIRT_PCI, SYSDESC_VIRT_PCI_END - 1);
	return false;
}

static bool check_region_place(const struct vm_check *c, yaml_node_t *node,
			       const struct sysdesc_region *r)
{
	struct system *sys = c->sys;
	unsigned bits = sys->cpu ? sys->cpu->pa_bits : 40;
	uint64_t limit = 1ull << bits;

	if (r->gpa < limit && r->size <= limit - r->gpa)
		return check_region_devices(c, node, r);
	diag_error_at(sys->file, system_line(sys, node, "size"),
		      "the memory at 0x%llx ends above 2^%u, which is all that "
		      "%s can address; lower its address or size",
		      (unsigned long long)r->gpa, bits,
		      sys->cpu ? sys->cpu->name : "the cpu");
	return false;
}

/* Of one region above it in the list, with memory of its own. */
static bool check_region_alias(const struct vm_check *c, yaml_node_t *node,
			       const struct sysdesc_region *r)
{
	struct system *sys = c->sys;
	const struct sysdesc_region *q = c->vm->region;
	unsigned line = system_line(sys, node, "alias_of");

	if (sysdesc_owns(r))
		return true;
	while (q < r && (!sysdesc_owns(q) || r->from < q->gpa ||
			 r->from - q->gpa >= q->size || r->size > q->size - (r->from - q->gpa)))
		q++;
	if (q == r) {
		diag_error_at(sys->file, line,
			      "`alias_of`: no region above this one has all of "
			      "0x%llx..0x%llx; give the address of one, and a size that it has",
			      (unsigned long long)r->from,
			      (unsigned long long)(r->from + r->size - 1));
		return false;
	}
	if (r->from % SYSDESC_PAGE == 0 &&
	    (r->size <= ALIAS_PAGES_MAX || ((r->from ^ r->gpa) & (ALIAS_PAGES_MAX - 1)) == 0))
		return true;
	diag_error_at(sys->file, line,
		      "`alias_of`: 0x%llx and 0x%llx are not a multiple of %s apart; move one",
		      (unsigned long long)r->from, (unsigned long long)r->gpa,
		      r->from % SYSDESC_PAGE == 0 ? "2M" : "4K");
	return false;
}

static bool check_region_overlap(const struct vm_check *c, yaml_node_t *node,
				 const struct sysdesc_region *r)
{
	for (const struct sysdesc_region *q = c->vm->region; q < r; q++) {
		if (r->gpa >= q->gpa + q->size || q->gpa >= r->gpa + r->size)
			continue;
		diag_error_at(c->sys->file,
			      system_line(c->sys, node, "address"),
			      "memory 0x%llx..0x%llx overlaps 0x%llx..0x%llx of "
			      "the same VM; move one of them",
			      (unsigned long long)r->gpa,
			      (unsigned long long)(r->gpa + r->size - 1),
			      (unsigned long long)q->gpa,
			      (unsigned long long)(q->gpa + q->size - 1));
		return false;
	}
	return true;
}

/* All of a piece of RAM from the machine's first or second place. */
static bool is_machine_ram(const struct system *sys, uint64_t base, uint64_t size)
{
	const bool pc = sys->cpu->pc;
	const uint64_t ram = pc ? 0 : MACHINE_RAM_BASE, bytes = sys->machine_bytes;
	const uint64_t low = pc && bytes >= PC_LOW_RAM_WHOLE ? PC_LOW_RAM : bytes;

	return (base >= ram + CHOSEN_OFFSET && base < ram + low && size <= ram + low - base) ||
	       (bytes > low && base >= PC_HIGH_RAM && base - PC_HIGH_RAM < bytes - low &&
		size <= bytes - low - (base - PC_HIGH_RAM));
}

/* The machine's memory that it is, if it was chosen: by no two regions of any VM. */
static bool check_region_machine(const struct vm_check *c, yaml_node_t *node,
				 const struct sysdesc_region *r)
{
	const struct sysdesc *desc = c->sys->desc;
	unsigned line = system_line(c->sys, node, c->conf->one_to_one ? "address" : "physical");
	const uint64_t place = sysdesc_place(r);

	if (place == 0 && r->from != SYSDESC_AT)
		return true;
	if ((place | r->gpa | r->size) % SYSDESC_LARGE_PAGE != 0 || c->sys->cpu == NULL ||
	    !is_machine_ram(c->sys, place, r->size))
		return cannot_choose(c, node);
	for (const struct sysdesc_vm *vm = desc->vm; vm <= c->vm; vm++)
		for (const struct sysdesc_region *q = vm->region;
		     q < (vm == c->vm ? r : vm->region + vm->n_regions); q++) {
			const uint64_t at = sysdesc_place(q);

			if (at == 0 || place >= at + q->size || at >= place + r->size)
				continue;
			diag_error_at(c->sys->file, line,
				      "memory 0x%llx..0x%llx of the machine is VM `%s`'s already; "
				      "move one of them",
				      (unsigned long long)at,
				      (unsigned long long)(at + q->size - 1),
				      vm->name);
			return false;
		}
	return true;
}

/* Only a size was given: the rest is as on the board. */
static void complete_vexpress(struct sysdesc_vm *vm)
{
	const struct sysdesc_region *ram = &vm->region[0];

	vm->region[vm->n_regions++] = (struct sysdesc_region){
		.size = ram->size < VEXPRESS_LOW_BYTES ? ram->size : VEXPRESS_LOW_BYTES,
		.from = ram->gpa,
	};
	for (size_t i = 0; i < sizeof(vexpress_memory) / sizeof(vexpress_memory[0]); i++)
		vm->region[vm->n_regions++] = vexpress_memory[i];
}

/* Either all of a VM's memory is where it is in the machine, or each region says where. */
static bool check_one_to_one(const struct vm_check *c, yaml_node_t *list)
{
	for (unsigned i = 0; i < c->conf->memory_count; i++) {
		const struct conf_region *r = &c->conf->memory[i];
		const char *key = r->physical ? "physical" : "size";

		if (r->alias_of && (c->conf->one_to_one || r->physical)) {
			diag_error_at(c->sys->file,
				      system_line(c->sys, yamldoc_item(&c->sys->doc, list, i),
						  "alias_of"),
				      "an alias is where the memory is that it shows; leave "
				      "`alias_of` or `%s` out",
				      r->physical ? "physical" : "one_to_one");
			return false;
		}
		if (!c->conf->one_to_one || (r->address && !r->physical))
			continue;
		diag_error_at(c->sys->file,
			      system_line(c->sys, yamldoc_item(&c->sys->doc, list, i), key),
			      r->physical ? "with `one_to_one` memory is where its `address` is; "
					    "leave `physical` out"
					  : "with `one_to_one` each region has an address, which "
					    "is in the machine's RAM; give `address`");
		return false;
	}
	return true;
}

/* Without an address, a region follows the one before it. */
bool system_check_memory(const struct vm_check *c)
{
	yaml_node_t *list = yamldoc_get(&c->sys->doc, c->node, "memory");
	uint64_t next = ram_base[c->vm->board];

	if (!check_one_to_one(c, list))
		return false;
	for (unsigned i = 0; i < c->conf->memory_count; i++) {
		struct sysdesc_region *r = &c->vm->region[i];
		yaml_node_t *node = yamldoc_item(&c->sys->doc, list, i);

		if (!parse_region(c, node, &c->conf->memory[i], next, r) ||
		    !check_region_align(c, node, r) ||
		    !check_region_place(c, node, r) ||
		    !check_region_overlap(c, node, r) ||
		    !check_region_alias(c, node, r) ||
		    !check_region_machine(c, node, r))
			return false;
		next = r->gpa + r->size;
	}
	c->vm->n_regions = c->conf->memory_count;
	if (c->vm->board == SYSDESC_BOARD_VEXPRESS_A9 && c->vm->n_regions == 1 &&
	    !c->conf->memory[0].address)
		complete_vexpress(c->vm);
	return true;
}
