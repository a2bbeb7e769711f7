/* The check of the devices of the machine that VMs have. */
#include "diag.h"
#include "system.h"
#include "units.h"

struct pass_check {
	struct system *sys;
	yaml_node_t *node;
	const struct conf_passthrough *conf;
	struct sysdesc_vm *vm;
	struct sysdesc_passthrough *device;
};

static unsigned line_of(const struct pass_check *c, const char *key)
{
	return system_line(c->sys, c->node, key);
}

static bool check_device(const struct pass_check *c)
{
	const struct sysdesc_machine_device *d;

	if (!units_parse_size(c->conf->device, &c->device->paddr)) {
		diag_error_at(c->sys->file, line_of(c, "device"),
			      "`device` is `%s`, which is no address; give e.g. 0x09010000",
			      c->conf->device);
		return false;
	}
	d = sysdesc_machine_device(c->device->paddr);
	if (!d) {
		diag_error_at(c->sys->file, line_of(c, "device"),
			      "at `%s` the machine has no device that a VM can have; there are its "
			      "PL031 (0x09010000) and its virtio slots (0x0a002000 to 0x0a003e00 "
			      "by 0x200), the others the system needs itself",
			      c->conf->device);
		return false;
	}
	c->device->irq = sysdesc_machine_irq(c->device->paddr);
	c->device->trusted_dma = c->conf->trusted_dma;
	if (c->vm->board != SYSDESC_BOARD_VIRT) {
		diag_error_at(c->sys->file, line_of(c, "device"),
			      "board `%s` has no place for devices of the machine; take `virt`",
			      sysdesc_board_name(c->vm->board));
		return false;
	}
	if (sysdesc_is_driven_page(c->sys->desc, c->device->paddr)) {
		diag_error_at(c->sys->file, line_of(c, "device"),
			      "in this page is a device that the system drives; leave `nic` or "
			      "`disk` out of `machine`, or take the other page (0x0a002000, "
			      "0x0a003000)");
		return false;
	}
	if (!sysdesc_is_emulated(c->vm, c->device->paddr))
		return true;
	diag_error_at(c->sys->file, line_of(c, "device"),
		      d->dma ? "in this page the VM's emulated virtio devices are; take a slot "
			       "from 0x0a002000 on"
			     : "the VM has an emulated device there; leave `rtc` out of its "
			       "`devices`, e.g. `devices: [pl011]`");
	return false;
}

static bool check_dma(const struct pass_check *c)
{
	bool dma = sysdesc_machine_device(c->device->paddr)->dma;

	if (dma == (c->device->trusted_dma != 0))
		return true;
	if (dma)
		diag_error_at(c->sys->file, line_of(c, "device"),
			      "the device reads and writes memory by itself, and nothing bounds "
			      "that: its VM reaches everything; say `trusted_dma: true` if it may");
	else
		diag_error_at(c->sys->file, line_of(c, "trusted_dma"),
			      "the device does no DMA; leave `trusted_dma` out");
	return false;
}

/* Among all VMs up to this entry. */
static bool check_claims(const struct pass_check *c)
{
	const struct sysdesc *desc = c->sys->desc;

	for (const struct sysdesc_vm *vm = desc->vm; vm <= c->vm; vm++) {
		for (uint32_t i = 0; i < vm->n_passthrough; i++) {
			const struct sysdesc_passthrough *p = &vm->passthrough[i];

			if (p >= c->device && vm == c->vm)
				break;
			if (vm == c->vm ? p->paddr != c->device->paddr
					: p->paddr / SYSDESC_PAGE !=
						  c->device->paddr / SYSDESC_PAGE)
				continue;
			diag_error_at(c->sys->file, line_of(c, "device"),
				      "VM `%s` has this device%s already; take another", vm->name,
				      p->paddr == c->device->paddr ? "" : "'s page");
			return false;
		}
	}
	return true;
}

static bool check_dma_memory(struct system *sys, uint32_t index)
{
	const struct sysdesc_vm *vm = &sys->desc->vm[index];
	bool dma = false, fits = true;

	for (uint32_t i = 0; i < vm->n_passthrough; i++)
		dma = dma || vm->passthrough[i].trusted_dma;
	for (uint32_t i = 0; i < vm->n_regions; i++)
		fits = fits && sysdesc_place(&vm->region[i]) == vm->region[i].gpa;
	if (!dma || fits)
		return true;
	diag_error_at(sys->file, system_line(sys, system_vm_node(sys, index), "passthrough"),
		      "a device that does DMA needs the VM's RAM at the machine's own "
		      "addresses; give regions with addresses in the machine's RAM and "
		      "`one_to_one: true`");
	return false;
}

bool system_check_passthrough(struct system *sys, uint32_t index)
{
	const struct conf_vm *conf = &sys->conf->vms[index];
	struct sysdesc_vm *vm = &sys->desc->vm[index];
	yaml_node_t *list = yamldoc_get(&sys->doc, system_vm_node(sys, index), "passthrough");
	bool ok = true;

	vm->n_passthrough = conf->passthrough_count;
	for (uint32_t i = 0; i < vm->n_passthrough; i++) {
		const struct pass_check c = {
			.sys = sys,
			.node = yamldoc_item(&sys->doc, list, i),
			.conf = &conf->passthrough[i],
			.vm = vm,
			.device = &vm->passthrough[i],
		};

		ok = check_device(&c) && check_dma(&c) && check_claims(&c) && ok;
	}
	return ok && check_dma_memory(sys, index);
}
