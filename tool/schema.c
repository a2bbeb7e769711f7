#include "schema.h"

#include <ctype.h>
#include <cyaml/cyaml.h>
#include <selvage/modules.h>
#include <selvage/sysdesc.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "forbid.h"
#include "guestimg.h"
#include "schema_check.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ENUM_FLAGS (CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT)
#define TEXT(key, type, member, flags, min)                             \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), type, \
			       member, min, CYAML_UNLIMITED)
#define REQUIRED CYAML_FLAG_DEFAULT
#define OPTIONAL CYAML_FLAG_OPTIONAL

static const cyaml_strval_t machine_boards[] = { { "qemu-virt", MACHINE_VIRT },
						 { "pc", MACHINE_PC } };
static const cyaml_strval_t vm_boards[] = { { "virt", SYSDESC_BOARD_VIRT },
					    { "vexpress-a9", SYSDESC_BOARD_VEXPRESS_A9 },
					    { "pc", SYSDESC_BOARD_PC } };
static const cyaml_strval_t kinds[] = {
	{ "image", GUESTIMG_IMAGE },
	{ "zimage", GUESTIMG_ZIMAGE },
	{ "elf", GUESTIMG_ELF },
	{ "uimage", GUESTIMG_UIMAGE },
	{ "raw", GUESTIMG_RAW },
	{ "bzimage", GUESTIMG_BZIMAGE },
	{ "pvh", GUESTIMG_PVH },
	{ "multiboot", GUESTIMG_MULTIBOOT },
	{ "flat", GUESTIMG_FLAT },
};
static const cyaml_strval_t idle_actions[] = {
	{ "poweroff", SYSDESC_IDLE_POWEROFF },
	{ "stay", SYSDESC_IDLE_STAY },
};
static const cyaml_strval_t log_levels[] = {
	{ "error", 0 },
	{ "warning", 1 },
	{ "info", 2 },
	{ "debug", 3 },
};
static const cyaml_strval_t smc_policies[] = {
	{ "forbid", SYSDESC_SMC_FORBID },
	{ "count", SYSDESC_SMC_COUNT_ONLY },
};
static const cyaml_strval_t restart_policies[] = {
	{ "never", SYSDESC_RESTART_NEVER },
	{ "on-failure", SYSDESC_RESTART_ON_FAILURE },
	{ "always", SYSDESC_RESTART_ALWAYS },
};
static const cyaml_strval_t debug_rights[] = {
	{ "none", SYSDESC_DEBUG_NONE },
	{ "observe", SYSDESC_DEBUG_OBSERVE },
	{ "control", SYSDESC_DEBUG_CONTROL },
};
static const cyaml_strval_t device_names[] = {
	{ "pl011", SYSDESC_DEV_PL011 },
	{ "rtc", SYSDESC_DEV_RTC },
	{ "kick", SYSDESC_DEV_KICK },
	{ "virtio-rng", SYSDESC_DEV_VIRTIO_RNG },
	{ "virtio-console", SYSDESC_DEV_VIRTIO_CONSOLE },
	{ "virtio-balloon", SYSDESC_DEV_VIRTIO_BALLOON },
};
static const cyaml_strval_t timer_names[] = {
	{ "pit", SYSDESC_TIMER_PIT },
	{ "hpet", SYSDESC_TIMER_HPET },
	{ "lapic", SYSDESC_TIMER_LAPIC },
	{ "tsc", SYSDESC_TIMER_TSC },
};
static const cyaml_strval_t disk_modes[] = {
	{ "read-only", SYSDESC_DISK_READ_ONLY },
	{ "copy-on-write", SYSDESC_DISK_COPY_ON_WRITE },
};

static const cyaml_strval_t served_modes[] = {
	{ "read-only", SYSDESC_DISK_READ_ONLY },
	{ "copy-on-write", SYSDESC_DISK_COPY_ON_WRITE },
	{ "read-write", SYSDESC_DISK_READ_WRITE },
};

static const cyaml_strval_t connected_devices[] = {
	{ "net", SYSDESC_CONNECT_NET },
	{ "block", SYSDESC_CONNECT_BLOCK },
	{ "console", SYSDESC_CONNECT_CONSOLE },
	{ "vsock", SYSDESC_CONNECT_VSOCK },
};
static const cyaml_strval_t sharing_modes[] = {
	{ "pool", SYSDESC_SHARE_POOL },
	{ "all", SYSDESC_SHARE_ALL },
};

static const cyaml_strval_t nics[] = {
	{ "none", 0 },
	{ "virtio", SYSDESC_MACHINE_NIC },
	{ "e1000", SYSDESC_MACHINE_NIC | SYSDESC_MACHINE_E1000 },
};

static const cyaml_schema_value_t text_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t connection_fields[] = {
	TEXT("driver", struct conf_connection, driver, REQUIRED, 1),
	CYAML_FIELD_ENUM("device", CYAML_FLAG_STRICT, struct conf_connection, device,
			 connected_devices, COUNT(connected_devices)),
	TEXT("served_by", struct conf_connection, served_by, REQUIRED, 1),
	CYAML_FIELD_ENUM("sharing", ENUM_FLAGS, struct conf_connection, sharing, sharing_modes,
			 COUNT(sharing_modes)),
	TEXT("pool", struct conf_connection, pool, OPTIONAL, 1),
	TEXT("image", struct conf_connection, image, OPTIONAL, 1),
	CYAML_FIELD_ENUM("mode", ENUM_FLAGS, struct conf_connection, mode, served_modes,
			 COUNT(served_modes)),
	CYAML_FIELD_SEQUENCE("allow", CYAML_FLAG_POINTER | OPTIONAL, struct conf_connection, allow,
			     &text_schema, 0, SYSDESC_MAX_VMS + 1),
	CYAML_FIELD_BOOL("bridge", OPTIONAL, struct conf_connection, bridge),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t connection_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_connection, connection_fields),
};
static const cyaml_strval_t virtio_transports[] = {
	{ "mmio", 0 },
	{ "pci", SYSDESC_VM_PCI },
	{ "both", SYSDESC_VM_PCI | SYSDESC_VM_FIXED },
};

static const cyaml_strval_t message_targets[] = {
	{ "gicv2m", 0 },
	{ "its", SYSDESC_VM_ITS },
};

static const cyaml_schema_field_t module_fields[] = {
	TEXT("file", struct conf_module, file, REQUIRED, 1),
	TEXT("cmdline", struct conf_module, cmdline, OPTIONAL, 0),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t module_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_module, module_fields),
};

static const cyaml_schema_field_t disk_fields[] = {
	TEXT("image", struct conf_disk, image, REQUIRED, 1),
	CYAML_FIELD_ENUM("mode", ENUM_FLAGS, struct conf_disk, mode, disk_modes,
			 COUNT(disk_modes)),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t disk_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_disk, disk_fields),
};

static const cyaml_schema_field_t region_fields[] = {
	TEXT("address", struct conf_region, address, OPTIONAL, 1),
	TEXT("size", struct conf_region, size, REQUIRED, 1),
	TEXT("alias_of", struct conf_region, alias_of, OPTIONAL, 1),
	TEXT("physical", struct conf_region, physical, OPTIONAL, 1),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t region_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_region,
			    region_fields),
};

static const cyaml_schema_value_t device_schema = {
	CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, int, device_names,
			 COUNT(device_names)),
};

static const cyaml_schema_value_t timer_schema = {
	CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, int, timer_names, COUNT(timer_names)),
};

static const cyaml_schema_field_t passthrough_fields[] = {
	TEXT("device", struct conf_passthrough, device, REQUIRED, 1),
	CYAML_FIELD_BOOL("trusted_dma", OPTIONAL, struct conf_passthrough, trusted_dma),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t passthrough_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_passthrough, passthrough_fields),
};

static const cyaml_strval_t stop_ways[] = {
	{ "kill", SYSDESC_STOP_KILL },
	{ "agent", SYSDESC_STOP_AGENT },
};

static const cyaml_schema_field_t vm_fields[] = {
	TEXT("name", struct conf_vm, name, REQUIRED, 1),
	CYAML_FIELD_ENUM("board", ENUM_FLAGS, struct conf_vm, board, vm_boards,
			 COUNT(vm_boards)),
	CYAML_FIELD_SEQUENCE("memory", CYAML_FLAG_POINTER, struct conf_vm,
			     memory, &region_schema, 1, SYSDESC_MAX_REGIONS),
	CYAML_FIELD_UINT("vcpus", OPTIONAL, struct conf_vm, vcpus),
	CYAML_FIELD_UINT("gic", OPTIONAL, struct conf_vm, gic),
	TEXT("kernel", struct conf_vm, kernel, REQUIRED, 1),
	CYAML_FIELD_ENUM("kind", ENUM_FLAGS, struct conf_vm, kind, kinds, COUNT(kinds)),
	TEXT("load", struct conf_vm, load, OPTIONAL, 1),
	TEXT("entry", struct conf_vm, entry, OPTIONAL, 1),
	CYAML_FIELD_UINT("width", OPTIONAL, struct conf_vm, width),
	CYAML_FIELD_SEQUENCE("low_vectors", CYAML_FLAG_POINTER | OPTIONAL, struct conf_vm,
			     low_vectors, &text_schema, 1, SYSDESC_VECTORS),
	TEXT("initrd", struct conf_vm, initrd, OPTIONAL, 1),
	CYAML_FIELD_SEQUENCE("modules", CYAML_FLAG_POINTER | OPTIONAL, struct conf_vm, modules,
			     &module_schema, 1, MODULES_MAX),
	TEXT("cmdline", struct conf_vm, cmdline, OPTIONAL, 0),
	CYAML_FIELD_UINT("priority", OPTIONAL, struct conf_vm, priority),
	TEXT("budget", struct conf_vm, budget, OPTIONAL, 1),
	TEXT("period", struct conf_vm, period, OPTIONAL, 1),
	CYAML_FIELD_ENUM("smc", ENUM_FLAGS, struct conf_vm, smc, smc_policies,
			 COUNT(smc_policies)),
	CYAML_FIELD_ENUM("restart", ENUM_FLAGS, struct conf_vm, restart,
			 restart_policies, COUNT(restart_policies)),
	TEXT("restart_delay", struct conf_vm, restart_delay, OPTIONAL, 1),
	CYAML_FIELD_UINT("restart_limit", OPTIONAL, struct conf_vm, restart_limit),
	CYAML_FIELD_ENUM("debug", ENUM_FLAGS, struct conf_vm, debug,
			 debug_rights, COUNT(debug_rights)),
	CYAML_FIELD_SEQUENCE("devices", CYAML_FLAG_POINTER | OPTIONAL,
			     struct conf_vm, devices, &device_schema, 0,
			     COUNT(device_names)),
	CYAML_FIELD_SEQUENCE("timers", CYAML_FLAG_POINTER | OPTIONAL, struct conf_vm, timers,
			     &timer_schema, 0, CYAML_UNLIMITED),
	CYAML_FIELD_SEQUENCE("disks", CYAML_FLAG_POINTER | OPTIONAL, struct conf_vm, disks,
			     &disk_schema, 0, SYSDESC_MAX_DISKS),
	CYAML_FIELD_ENUM("virtio", ENUM_FLAGS, struct conf_vm, virtio, virtio_transports,
			 COUNT(virtio_transports)),
	CYAML_FIELD_ENUM("msi", ENUM_FLAGS, struct conf_vm, msi, message_targets,
			 COUNT(message_targets)),
	CYAML_FIELD_SEQUENCE("passthrough", CYAML_FLAG_POINTER | OPTIONAL, struct conf_vm,
			     passthrough, &passthrough_schema, 0, SYSDESC_MAX_PASSTHROUGH),
	CYAML_FIELD_BOOL("one_to_one", OPTIONAL, struct conf_vm, one_to_one),
	CYAML_FIELD_BOOL("autostart", OPTIONAL, struct conf_vm, autostart),
	CYAML_FIELD_BOOL("watchdog", OPTIONAL, struct conf_vm, watchdog),
	CYAML_FIELD_ENUM("stop", ENUM_FLAGS, struct conf_vm, stop, stop_ways, COUNT(stop_ways)),
	TEXT("stop_timeout", struct conf_vm, stop_timeout, OPTIONAL, 1),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t vm_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_vm, vm_fields),
};

static const cyaml_schema_field_t machine_fields[] = {
	CYAML_FIELD_ENUM("board", ENUM_FLAGS, struct conf_machine, board,
			 machine_boards, COUNT(machine_boards)),
	TEXT("cpu", struct conf_machine, cpu, OPTIONAL, 1),
	CYAML_FIELD_UINT("gic", OPTIONAL, struct conf_machine, gic),
	TEXT("memory", struct conf_machine, memory, OPTIONAL, 1),
	CYAML_FIELD_ENUM("on_idle", ENUM_FLAGS, struct conf_machine, on_idle,
			 idle_actions, COUNT(idle_actions)),
	CYAML_FIELD_ENUM("nic", ENUM_FLAGS, struct conf_machine, nic, nics, COUNT(nics)),
	CYAML_FIELD_SEQUENCE("forward", CYAML_FLAG_POINTER | OPTIONAL, struct conf_machine, forward,
			     &text_schema, 0, SYSTEM_FORWARDS),
	TEXT("disk", struct conf_machine, disk, OPTIONAL, 1),
	CYAML_FIELD_END,
};

static const cyaml_strval_t forbid_words[] = {
	{ "path", FORBID_PATH },
	{ "control", FORBID_CONTROL },
	{ "memory", FORBID_MEMORY },
	{ "server", FORBID_SERVER },
};
static const cyaml_schema_field_t forbid_fields[] = {
	TEXT("from", struct conf_forbid, from, REQUIRED, 1),
	TEXT("to", struct conf_forbid, to, REQUIRED, 1),
	CYAML_FIELD_ENUM("what", ENUM_FLAGS, struct conf_forbid, what, forbid_words,
			 COUNT(forbid_words)),
	TEXT("through", struct conf_forbid, through, OPTIONAL, 1),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t forbid_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_forbid, forbid_fields),
};

static const cyaml_schema_field_t root_fields[] = {
	TEXT("name", struct conf, name, REQUIRED, 1),
	CYAML_FIELD_MAPPING("machine", OPTIONAL, struct conf, machine,
			    machine_fields),
	CYAML_FIELD_ENUM("log_level", ENUM_FLAGS, struct conf, log_level,
			 log_levels, COUNT(log_levels)),
	CYAML_FIELD_SEQUENCE("vms", CYAML_FLAG_POINTER, struct conf, vms,
			     &vm_schema, 0, SYSDESC_MAX_VMS),
	CYAML_FIELD_SEQUENCE("connections", CYAML_FLAG_POINTER | OPTIONAL, struct conf,
			     connections, &connection_schema, 0, SYSDESC_MAX_CONNECTIONS),
	CYAML_FIELD_SEQUENCE("forbid", CYAML_FLAG_POINTER | OPTIONAL, struct conf, forbid,
			     &forbid_schema, 0, 256),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t root_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct conf, root_fields),
};

/* What each key takes, for the hints of messages. */
static const struct key_help key_helps[] = {
	{ root_fields, "name", "give e.g. `name: two-linux`" },
	{ root_fields, "vms", "give a list, one `- name: ...` per VM" },
	{ root_fields, "connections",
	  "give a list, e.g. `- {driver: web, device: block, served_by: block, image: disk.img}`" },
	{ connection_fields, "driver", "give the name of a VM" },
	{ connection_fields, "device", "give net, block, console or vsock" },
	{ connection_fields, "served_by", "give block, net, or the name of a VM" },
	{ connection_fields, "pool", "give a size, e.g. `pool: 8M`" },
	{ connection_fields, "allow", "give a list, e.g. `allow: [web, uplink]`" },
	{ connection_fields, "bridge", "give true or false" },
	{ connection_fields, "image", "give `image: asset:NAME`, a path, or `disk:0`" },
	{ root_fields, "machine", "give keys under it, e.g. `memory: 1G`" },
	{ root_fields, "forbid", "give a list, e.g. `forbid: [{from: linux1, to: rtos}]`" },
	{ forbid_fields, "from", "give the name of a VM, or any" },
	{ forbid_fields, "to", "give the name of a VM, or any" },
	{ forbid_fields, "through", "give connections, any, or the name of a server" },
	{ machine_fields, "cpu", "give e.g. `cpu: cortex-a57`" },
	{ machine_fields, "gic", "give 2 or 3" },
	{ machine_fields, "forward", "give a list, e.g. `forward: [\"tcp:8080:10.0.2.15:80\"]`" },
	{ machine_fields, "memory", "give a size, e.g. `memory: 1G`" },
	{ vm_fields, "name", "give e.g. `name: linux1`" },
	{ vm_fields, "memory",
	  "give a size, e.g. `memory: 256M`, or a list of address and size" },
	{ vm_fields, "vcpus", "give a number from 1 to 8" },
	{ vm_fields, "gic", "give 2 or 3" },
	{ vm_fields, "kernel",
	  "give `kernel: asset:NAME` or the path of an arm64 Image" },
	{ vm_fields, "load", "give an address, e.g. `load: 0x40010000`" },
	{ vm_fields, "entry", "give an address, e.g. `entry: 0x40010000`" },
	{ vm_fields, "width", "give 32 or 64" },
	{ vm_fields, "low_vectors", "give off, guest, default, or a list of 8 or 16 words" },
	{ vm_fields, "initrd", "give `initrd: asset:NAME` or a path" },
	{ vm_fields, "modules", "give a list, e.g. `modules: [{file: one.bin, cmdline: first}]`" },
	{ module_fields, "file", "give `file: asset:NAME` or a path" },
	{ module_fields, "cmdline", "give a text" },
	{ vm_fields, "cmdline",
	  "give a text, e.g. `cmdline: \"console=ttyAMA0\"`" },
	{ vm_fields, "priority", "give a number from 1 to 100" },
	{ vm_fields, "budget", "give a time, e.g. `budget: 10ms`" },
	{ vm_fields, "period", "give a time, e.g. `period: 10ms`" },
	{ vm_fields, "restart_delay", "give a time, e.g. `restart_delay: 100ms`" },
	{ vm_fields, "restart_limit", "give a number from 1 to 1000" },
	{ vm_fields, "devices", "give a list, e.g. `devices: [pl011, rtc]`" },
	{ vm_fields, "timers", "give a list, e.g. `timers: [pit, lapic]`" },
	{ vm_fields, "disks", "give a list, e.g. `disks: [{image: disk.img}]`" },
	{ vm_fields, "passthrough", "give a list, e.g. `passthrough: [{device: 0x09010000}]`" },
	{ vm_fields, "one_to_one", "give true or false" },
	{ passthrough_fields, "device", "give its address in the machine, e.g. 0x09010000" },
	{ passthrough_fields, "trusted_dma", "give true or false" },
	{ vm_fields, "autostart", "give true or false" },
	{ vm_fields, "watchdog", "give true or false" },
	{ vm_fields, "stop_timeout", "give a time, e.g. `stop_timeout: 30s`" },
	{ disk_fields, "image", "give `image: asset:NAME` or a path" },
	{ region_fields, "address", "give e.g. `address: 0x40000000`" },
	{ region_fields, "size", "give e.g. `size: 256M`" },
	{ region_fields, "alias_of", "give an address, e.g. `alias_of: 0x60000000`" },
	{ region_fields, "physical", "give an address, e.g. `physical: 0x70000000`" },
	{ NULL, NULL, NULL },
};

static const struct mapping_name mapping_names[] = {
	{ root_fields, "the system description" },
	{ machine_fields, "`machine`" },
	{ vm_fields, "a VM" },
	{ region_fields, "a memory region" },
	{ module_fields, "a module" },
	{ disk_fields, "a disk" },
	{ connection_fields, "a connection" },
	{ passthrough_fields, "a device of the machine" },
	{ forbid_fields, "a `forbid` rule" },
	{ NULL, NULL },
};

/* The check in front reports all that libcyaml could refuse; should it refuse
 * something all the same, its own words and line reach the user. */
static void report_cyaml(cyaml_log_t level, void *context, const char *format,
			 va_list args)
{
	char text[256];
	const struct yamldoc *doc = context;

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	diag_error_at(doc->file, 0, "%s", text);
}

static cyaml_config_t cyaml_config(struct yamldoc *doc)
{
	return (cyaml_config_t){
		.log_fn = report_cyaml,
		.log_ctx = doc,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_DEFAULT,
	};
}

static struct conf *load_normalised(struct yamldoc *doc, const void *text,
				    size_t size)
{
	struct yamldoc copy;
	cyaml_config_t config = cyaml_config(doc);
	cyaml_data_t *data = NULL;
	size_t emitted_size = 0;
	char *emitted;

	if (!yamldoc_parse(&copy, doc->file, text, size))
		return NULL;
	if (!yamldoc_normalise(&copy)) {
		yamldoc_free(&copy);
		return NULL;
	}
	emitted = yamldoc_emit(&copy, &emitted_size);
	if (!emitted)
		return NULL;
	if (cyaml_load_data((const uint8_t *)emitted, emitted_size, &config,
			    &root_schema, &data, NULL) != CYAML_OK)
		data = NULL;
	free(emitted);
	return data;
}

struct conf *conf_load(struct yamldoc *doc, const char *file, const void *text,
		       size_t size)
{
	const struct schema_words words = { key_helps, mapping_names };
	struct conf *conf = NULL;

	if (!yamldoc_parse(doc, file, text, size))
		return NULL;
	if (yamldoc_normalise(doc) && schema_check(doc, &root_schema, &words))
		conf = load_normalised(doc, text, size);
	if (!conf)
		yamldoc_free(doc);
	return conf;
}

void conf_free(struct conf *conf, struct yamldoc *doc)
{
	cyaml_config_t config = cyaml_config(doc);

	cyaml_free(&config, &root_schema, conf, 0);
	yamldoc_free(doc);
}
