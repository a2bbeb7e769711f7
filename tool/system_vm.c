/* The check of one VM of a system description. */
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "system.h"
#include "system_vm.h"
#include "units.h"

#define BUDGET_MIN_US 20
#define PERIOD_MAX_US 3600000000ull
#define DEFAULT_PERIOD_US 10000
#define DEFAULT_PRIORITY 100

static bool given(const struct vm_check *c, const char *key)
{
	return yamldoc_get(&c->sys->doc, c->node, key) != NULL;
}

static unsigned line_of(const struct vm_check *c, const char *key)
{
	return system_line(c->sys, c->node, key);
}

static bool check_name(const struct vm_check *c)
{
	const struct sysdesc *desc = c->sys->desc;

	if (!system_check_name(c->sys, c->node, "a VM", c->conf->name, SYSDESC_VM_NAME))
		return false;
	if (sysdesc_name_reserved(c->conf->name)) {
		diag_error_at(c->sys->file, line_of(c, "name"),
			      "`%s` is a name of the system's own; choose "
			      "another for the VM",
			      c->conf->name);
		return false;
	}
	for (const struct sysdesc_vm *vm = desc->vm; vm < c->vm; vm++) {
		if (strcmp(vm->name, c->conf->name) != 0)
			continue;
		diag_error_at(c->sys->file, line_of(c, "name"),
			      "two VMs have the name `%s`; rename one",
			      c->conf->name);
		return false;
	}
	strcpy(c->vm->name, c->conf->name);
	return true;
}

static bool check_range(const struct vm_check *c, const char *key,
			uint32_t value, uint32_t low, uint32_t high)
{
	if (value >= low && value <= high)
		return true;
	diag_error_at(c->sys->file, line_of(c, key),
		      "`%s` is %u; give a number from %u to %u", key, value,
		      low, high);
	return false;
}

static bool check_numbers(const struct vm_check *c)
{
	bool ok;

	c->vm->vcpus = given(c, "vcpus") ? c->conf->vcpus : 1;
	c->vm->priority =
		given(c, "priority") ? c->conf->priority : DEFAULT_PRIORITY;
	ok = check_range(c, "vcpus", c->vm->vcpus, 1,
			 c->vm->board == SYSDESC_BOARD_VEXPRESS_A9 ? SYSDESC_A9_VCPUS
								   : SYSDESC_MAX_VCPUS);
	return check_range(c, "priority", c->vm->priority, 1,
			   SYSDESC_VM_PRIORITY_MAX) &&
	       ok;
}

/* The machine's, unless the guest's is to be another: a GICv2 can be made on
 * any machine. */
static bool check_vm_gic(const struct vm_check *c)
{
	bool a9 = c->vm->board == SYSDESC_BOARD_VEXPRESS_A9;
	uint32_t machine = c->sys->desc->gic_version;

	c->vm->gic = given(c, "gic") ? c->conf->gic : a9 ? 2
							 : machine;
	if (c->vm->board == SYSDESC_BOARD_PC)
		return true; /* refused: check_pc_vm */
	if (!check_range(c, "gic", c->vm->gic, 2, 3))
		return false;
	if (a9 && c->vm->gic != 2) {
		diag_error_at(c->sys->file, line_of(c, "gic"),
			      "board `vexpress-a9` has a GICv2; leave `gic` out");
		return false;
	}
	if (c->vm->gic <= machine || machine == 0)
		return true;
	diag_error_at(c->sys->file, line_of(c, "gic"),
		      "a GICv3 for a VM needs one in the machine; set `gic: 3` under `machine`, "
		      "or 2 here");
	return false;
}

static bool check_duration(const struct vm_check *c, const char *key,
			   const char *text, uint64_t *us)
{
	if (!units_parse_duration(text, us)) {
		diag_error_at(c->sys->file, line_of(c, key),
			      "`%s` is `%s`, which is no time; write e.g. "
			      "10ms, 500us or 1s",
			      key, text);
		return false;
	}
	if (*us == 0) {
		diag_error_at(c->sys->file, line_of(c, key),
			      "`%s` is zero, so the VM could never run; give "
			      "e.g. 10ms",
			      key);
		return false;
	}
	if (*us < BUDGET_MIN_US || *us > PERIOD_MAX_US) {
		diag_error_at(c->sys->file, line_of(c, key),
			      "`%s` is %s; give 20us to 3600s", key, text);
		return false;
	}
	return true;
}

static bool check_schedule(const struct vm_check *c)
{
	struct sysdesc_vm *vm = c->vm;

	vm->period_us = DEFAULT_PERIOD_US;
	if (c->conf->period &&
	    !check_duration(c, "period", c->conf->period, &vm->period_us))
		return false;
	vm->budget_us = vm->period_us;
	if (c->conf->budget &&
	    !check_duration(c, "budget", c->conf->budget, &vm->budget_us))
		return false;
	if (vm->budget_us <= vm->period_us)
		return true;
	diag_error_at(c->sys->file, line_of(c, "budget"),
		      "the budget of %lluus is above the period of %lluus; "
		      "lower `budget` or raise `period`",
		      (unsigned long long)vm->budget_us,
		      (unsigned long long)vm->period_us);
	return false;
}

static bool check_restart(const struct vm_check *c)
{
	const char *text = c->conf->restart_delay;
	uint64_t *us = &c->vm->restart_delay_us;

	c->vm->restart_limit =
		given(c, "restart_limit") ? c->conf->restart_limit : SYSDESC_RESTART_LIMIT;
	*us = SYSDESC_RESTART_DELAY_US;
	if (!check_range(c, "restart_limit", c->vm->restart_limit, 1, SYSDESC_RESTART_LIMIT_MAX))
		return false;
	if (text == NULL || (units_parse_duration(text, us) && *us >= SYSDESC_DELAY_MIN_US &&
			     *us <= SYSDESC_DELAY_MAX_US))
		return true;
	diag_error_at(c->sys->file, line_of(c, "restart_delay"),
		      "`restart_delay` is `%s`; give a time from 1ms to 3600s", text);
	return false;
}

static bool check_stop(const struct vm_check *c)
{
	const char *text = c->conf->stop_timeout;
	uint64_t *us = &c->vm->stop_us;

	c->vm->stop = (uint32_t)c->conf->stop;
	*us = SYSDESC_STOP_US;
	if (c->vm->stop == SYSDESC_STOP_AGENT && !(c->vm->devices & SYSDESC_DEV_VIRTIO_CONSOLE)) {
		diag_error_at(c->sys->file, line_of(c, "stop"),
			      "an agent is asked through a port of `virtio-console`; put that into "
			      "`devices`");
		return false;
	}
	if (text != NULL && c->vm->stop != SYSDESC_STOP_AGENT) {
		diag_error_at(c->sys->file, line_of(c, "stop_timeout"),
			      "`stop_timeout` is for an agent; set `stop: agent`, or leave it out");
		return false;
	}
	if (text == NULL || (units_parse_duration(text, us) && *us >= SYSDESC_DELAY_MIN_US &&
			     *us <= SYSDESC_DELAY_MAX_US))
		return true;
	diag_error_at(c->sys->file, line_of(c, "stop_timeout"),
		      "`stop_timeout` is `%s`; give a time from 1ms to 3600s", text);
	return false;
}

static bool check_watchdog(const struct vm_check *c)
{
	if (!c->conf->watchdog)
		return true;
	if (c->vm->board != SYSDESC_BOARD_VIRT) {
		diag_error_at(c->sys->file, line_of(c, "watchdog"),
			      "board `%s` has a watchdog of its own; leave `watchdog` out",
			      sysdesc_board_name(c->vm->board));
		return false;
	}
	if (c->vm->vcpus > SYSDESC_WATCHDOG_VCPUS) {
		diag_error_at(c->sys->file, line_of(c, "watchdog"),
			      "a VM with a watchdog has up to %u vCPUs; lower `vcpus`, or leave "
			      "`watchdog` out",
			      SYSDESC_WATCHDOG_VCPUS);
		return false;
	}
	c->vm->devices |= (uint32_t)SYSDESC_DEV_WATCHDOG;
	return true;
}

bool system_low_vectors(const struct conf_vm *conf)
{
	return conf->low_vectors_count > 0 && strcmp(conf->low_vectors[0], "off") != 0;
}

/* A page at 0 of its own, unless some region is there. */
static bool check_vector_page(const struct vm_check *c)
{
	struct sysdesc_vm *vm = c->vm;

	if (!system_low_vectors(c->conf) || sysdesc_region_of(vm, 0, SYSDESC_PAGE))
		return true;
	if (vm->n_regions == SYSDESC_MAX_REGIONS) {
		diag_error_at(c->sys->file, line_of(c, "low_vectors"),
			      "`low_vectors` needs a memory region at 0, but the VM has %d "
			      "already; remove one",
			      SYSDESC_MAX_REGIONS);
		return false;
	}
	vm->region[vm->n_regions++] = (struct sysdesc_region){
		.size = SYSDESC_PAGE, .from = SYSDESC_OWN_MEMORY
	};
	return true;
}

/* Words that are given are kept; what `default` installs depends on the image. */
static bool check_low_vectors(const struct vm_check *c)
{
	unsigned n = c->conf->low_vectors_count;
	yaml_node_t *list = yamldoc_get(&c->sys->doc, c->node, "low_vectors");

	if (n == 0 || (n == 1 && (strcmp(c->conf->low_vectors[0], "off") == 0 ||
				  strcmp(c->conf->low_vectors[0], "guest") == 0 ||
				  strcmp(c->conf->low_vectors[0], "default") == 0)))
		return check_vector_page(c);
	for (unsigned i = 0; i < n && (n == 8 || n == 16); i++) {
		uint64_t word;

		if (!units_parse_size(c->conf->low_vectors[i], &word) || word > UINT32_MAX) {
			diag_error_at(c->sys->file,
				      yamldoc_line(&c->sys->doc,
						   yamldoc_item(&c->sys->doc, list, i)),
				      "`low_vectors`: `%s` is no word of 32 bits; write e.g. "
				      "0xe59ff018",
				      c->conf->low_vectors[i]);
			return false;
		}
		c->vm->vector[c->vm->n_vectors++] = (uint32_t)word;
	}
	if (c->vm->n_vectors == n)
		return check_vector_page(c);
	diag_error_at(c->sys->file, line_of(c, "low_vectors"),
		      "`low_vectors` takes off, guest, default, or a list of 8 or 16 words");
	return false;
}

static bool check_address(const struct vm_check *c, const char *key, const char *text,
			  uint64_t *address)
{
	if (!text || units_parse_size(text, address))
		return true;
	diag_error_at(c->sys->file, line_of(c, key), "`%s` is `%s`, which is no address; write "
						     "e.g. 0x40010000",
		      key, text);
	return false;
}

static bool check_width(const struct vm_check *c)
{
	bool a9 = c->vm->board == SYSDESC_BOARD_VEXPRESS_A9;

	c->vm->width = given(c, "width") ? c->conf->width : a9 ? 32
							       : 64;
	if (a9 && c->vm->width == 64) {
		diag_error_at(c->sys->file, line_of(c, "width"),
			      "board `vexpress-a9` has a 32-bit processor; leave `width` out");
		return false;
	}
	c->vm->boot = c->vm->board == SYSDESC_BOARD_PC ? SYSDESC_BOOT_BZIMAGE
		      : c->vm->width == 32             ? SYSDESC_BOOT_ZIMAGE
						       : SYSDESC_BOOT_IMAGE;
	if (c->vm->width == 32 || c->vm->width == 64)
		return true;
	diag_error_at(c->sys->file, line_of(c, "width"),
		      "registers are 32 or 64 bits wide, not %u; give one of these",
		      c->vm->width);
	return false;
}

/* The rest of it depends on the image (system_images.c). */
static bool check_payload(const struct vm_check *c)
{
	uint64_t address;
	bool ok = check_width(c);

	ok = check_address(c, "load", c->conf->load, &address) && ok;
	return check_address(c, "entry", c->conf->entry, &address) && ok;
}

static bool check_devices(const struct vm_check *c)
{
	yaml_node_t *list = yamldoc_get(&c->sys->doc, c->node, "devices");

	if (!list) {
		if (c->vm->board != SYSDESC_BOARD_PC)
			c->vm->devices = (uint32_t)SYSDESC_DEV_PL011 | (uint32_t)SYSDESC_DEV_RTC;
		return true;
	}
	for (unsigned i = 0; i < c->conf->devices_count; i++) {
		uint32_t device = (uint32_t)c->conf->devices[i];
		const yaml_node_t *node =
			yamldoc_item(&c->sys->doc, list, i);

		if (c->vm->devices & device) {
			diag_error_at(c->sys->file,
				      yamldoc_line(&c->sys->doc, node),
				      "device `%s` is listed twice; a VM has at "
				      "most one",
				      yamldoc_text(node));
			return false;
		}
		if (c->vm->board == SYSDESC_BOARD_PC && !(device & SYSDESC_PC_DEVICES)) {
			diag_error_at(c->sys->file, yamldoc_line(&c->sys->doc, node),
				      "board `pc` has no choice of `%s`; leave it out",
				      yamldoc_text(node));
			return false;
		}
		c->vm->devices |= device;
	}
	return true;
}

static bool check_messages(const struct vm_check *c)
{
	const struct sysdesc_vm *vm = c->vm;

	if (!(vm->flags & SYSDESC_VM_ITS) || ((vm->flags & SYSDESC_VM_PCI) && vm->gic == 3))
		return true;
	diag_error_at(c->sys->file, line_of(c, "msi"),
		      "an ITS takes messages of PCI devices, for a GICv3; set `virtio: pci` and "
		      "`gic: 3`, or leave `msi` out");
	return false;
}

/* Elsewhere the devicetree names what is on the bus and what is in slots. */
static bool check_ways(const struct vm_check *c)
{
	if (!(c->vm->flags & SYSDESC_VM_FIXED) || c->vm->board == SYSDESC_BOARD_PC)
		return true;
	diag_error_at(c->sys->file, line_of(c, "virtio"),
		      "only board `pc` has virtio devices on PCI and at fixed addresses; take "
		      "`pci` or `mmio`");
	return false;
}

static bool check_virtio(const struct vm_check *c)
{
	struct sysdesc_vm *vm = c->vm;
	const char *key = "devices";

	vm->n_disks = c->conf->disks_count;
	for (unsigned i = 0; i < vm->n_disks; i++)
		vm->disk[i].mode = (uint32_t)c->conf->disks[i].mode;
	if (vm->n_disks != 0)
		key = "disks";
	if (vm->flags & SYSDESC_VM_PCI)
		key = "virtio";
	else if (!sysdesc_has_virtio(vm))
		return true;
	if (vm->board != SYSDESC_BOARD_VEXPRESS_A9)
		return true;
	diag_error_at(c->sys->file, line_of(c, key),
		      "board `%s` has no place for virtio devices; take `virt`, or leave them out",
		      sysdesc_board_name(vm->board));
	return false;
}

static bool check_cmdline(const struct vm_check *c)
{
	const char *text = c->conf->cmdline ? c->conf->cmdline : "";

	if (strlen(text) >= SYSDESC_CMDLINE) {
		diag_error_at(c->sys->file, line_of(c, "cmdline"),
			      "the command line is %zu bytes long; at most %d "
			      "fit",
			      strlen(text), SYSDESC_CMDLINE - 1);
		return false;
	}
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p >= ' ')
			continue;
		diag_error_at(c->sys->file, line_of(c, "cmdline"),
			      "the command line has a line break or control "
			      "character; write it in one line");
		return false;
	}
	strcpy(c->vm->cmdline, text);
	return true;
}

/* On a PC, `pc` is what there is, and nowhere else. */
static bool check_board(const struct vm_check *c)
{
	bool pc = c->sys->conf->machine.board == MACHINE_PC;

	if (pc && !given(c, "board"))
		c->vm->board = SYSDESC_BOARD_PC;
	if (pc == (c->vm->board == SYSDESC_BOARD_PC))
		return true;
	diag_error_at(c->sys->file, line_of(c, "board"),
		      pc ? "a machine `pc` has VMs of board `pc` only; leave `board` out"
			 : "VMs of board `pc` need a machine of board `pc`");
	return false;
}

static void take_timers(const struct vm_check *c)
{
	if (!given(c, "timers"))
		c->vm->timers = SYSDESC_TIMER_PIT;
	for (unsigned i = 0; i < c->conf->timers_count; i++)
		c->vm->timers |= (uint32_t)c->conf->timers[i];
}

/* What VMs of this board have, or not. */
static bool check_pc_vm(const struct vm_check *c)
{
	static const char *const keys[] = { "gic", "width", "low_vectors", "smc",
					    "msi", "passthrough", "watchdog" };

	if (c->vm->board != SYSDESC_BOARD_PC) {
		if (!given(c, "timers"))
			return true;
		diag_error_at(c->sys->file, line_of(c, "timers"),
			      "`timers` are board `pc`'s; leave them out");
		return false;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!given(c, keys[i]))
			continue;
		diag_error_at(c->sys->file, line_of(c, keys[i]),
			      "a VM of board `pc` has no `%s`; leave it out", keys[i]);
		return false;
	}
	take_timers(c);
	c->vm->gic = 0;
	return check_range(c, "vcpus", c->vm->vcpus, 1, 1);
}

static void take_choices(const struct vm_check *c)
{
	c->vm->board = (uint32_t)c->conf->board;
	c->vm->smc_policy = (uint32_t)c->conf->smc;
	c->vm->restart = (uint32_t)c->conf->restart;
	c->vm->debug = (uint32_t)c->conf->debug;
	if (!given(c, "autostart") || c->conf->autostart)
		c->vm->flags = (uint32_t)SYSDESC_VM_AUTOSTART;
	c->vm->flags |= (uint32_t)c->conf->virtio | (uint32_t)c->conf->msi;
	c->vm->kernel = 0;
	c->vm->initrd = SYSDESC_NO_PAYLOAD;
}

bool system_check_vm(struct system *sys, uint32_t index)
{
	const struct vm_check check = {
		.sys = sys,
		.node = system_vm_node(sys, index),
		.conf = &sys->conf->vms[index],
		.vm = &sys->desc->vm[index],
	};
	bool ok = check_name(&check);

	take_choices(&check);
	if (!check_board(&check))
		return false;
	ok = check_numbers(&check) && ok;
	ok = check_pc_vm(&check) && ok;
	ok = check_vm_gic(&check) && ok;
	ok = check_schedule(&check) && ok;
	ok = check_restart(&check) && ok;
	ok = system_check_memory(&check) && ok;
	ok = check_payload(&check) && ok;
	ok = check_low_vectors(&check) && ok;
	ok = check_devices(&check) && check_stop(&check) && check_watchdog(&check) &&
	     check_ways(&check) && check_virtio(&check) && check_messages(&check) &&
	     system_check_passthrough(sys, index) && ok;
	return check_cmdline(&check) && ok;
}
