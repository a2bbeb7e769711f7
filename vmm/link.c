/*
 * Devices that are served elsewhere (<selvage/link.h>): the transport in front of
 * them, and what passes between guest and server. Where the kernel can, a kick is
 * a doorbell and what the server gives back a direct interrupt, and neither of
 * them comes here.
 */
#include "arch.h"
#include "virtio.h"

#include <dev/virtio/link_driver.h>
#include <selvage/clock.h>
#include <selvage/log.h>
#include <selvage/virtio_abi.h>

#define FIRST_SLOT 8u
#define QUEUE_NOTIFY 0x050u /* of a slot: virtio 1.2, 4.2.2 */
_Static_assert(sizeof(struct link_shadow) <= VMM_LINK_HEAP, "a shadow has room in the heap");
#define F_ACCESS_PLATFORM (1ull << 33)
/* A server that has not answered for so long is taken for dead. */
#define PATIENCE_US 2000000u

static struct link {
	struct vm *vm;
	unsigned number;
	uint32_t irq;
	bool direct;
	unsigned bell; /* ABI_DOORBELLS: none */
	bool bypassed; /* kicks may go by us */
	bool rings;    /* they do, where and how the kernel knows: */
	uint64_t kick_at, kick_how;
	uint64_t since; /* it has been waited for its server, ticks */
	struct link_driver driver;
	struct virtio_ways ways;
	struct link_window window[LINK_WINDOWS];
	uint64_t requests, bytes; /* that were told of */
	uint64_t changes;         /* between copies and none */
} links[SYSDESC_VM_CONNECTIONS];

static bool on_pci(const struct vm *vm) { return vm->info->vm.flags & SYSDESC_VM_PCI; }

static void kick(void *opaque)
{
	sel4_signal(VMM_CAP_LINK_KICK(((const struct link *)opaque)->number));
}

/* The server has a higher priority than we do: if it is not done by now it has
 * no budget, or is not well. */
static bool wait(void *opaque, unsigned turn)
{
	struct link *l = opaque;
	struct vm_vcpu *self = l->vm->handler;

	if (turn == 0)
		l->since = clock_now();
	if (clock_now() - l->since > clock_us_to_ticks(PATIENCE_US))
		return false;
	mutex_unlock(&l->vm->lock);
	sel4_yield();
	mutex_lock(&l->vm->lock);
	l->vm->handler = self;
	return true;
}

static void broken(void *opaque, const char *why)
{
	const struct link *l = opaque;

	const unsigned long long n = vm_count(l->vm, l, why);

	l->vm->stats->virtio_breaks++;
	if (n != 0)
		log_warning("connection %u needs a reset: %s (%llu so far)",
			    l->vm->info->link[l->number].number, why, n);
}

static void set_irq(void *opaque, bool level)
{
	const struct link *l = opaque;

	if (!l->direct)
		vm_set_irq(l->vm, l->irq, level);
	else if (level)
		sel4_signal(VMM_CAP_LINK_IRQ(l->number));
}

/* What the server counted since the last time; another one begins at zero. */
static uint64_t more(uint64_t *told, const uint64_t *word)
{
	const uint64_t now = link_load64(word), before = *told;

	*told = now;
	return now < before ? now : now - before;
}

/* For those who watch (selvage/vmm_stats.h). */
static void tell_counts(struct link *l)
{
	const struct link_server_half *half = &l->driver.env.page->server;
	struct vmm_stats *stats = l->vm->stats;
	const bool net = l->driver.env.device == VIRTIO_ID_NET;

	*(net ? &stats->net_packets : &stats->virtio_requests) +=
		more(&l->requests, &half->requests);
	*(net ? &stats->net_bytes : &stats->virtio_bytes) += more(&l->bytes, &half->bytes);
}

static enum mmio_outcome access(void *device, unsigned vcpu, struct mmio *m)
{
	(void)vcpu;
	tell_counts(device);
	return virtio_ways_access(&((struct link *)device)->ways, m);
}

/* Before the interrupt controller is set up: what it should leave to the kernel. */
static void install(struct vm *vm)
{
	/* A message is whichever interrupt the guest likes, and none that the kernel knows. */
	for (unsigned i = 0; i < vm->info->n_links && !on_pci(vm); i++)
		direct_add(vm, vm->board->virtio_irq + FIRST_SLOT + i, VMM_CAP_LINK_IRQ(i));
}

/* Behind each other in the heap, of those that share a pool. */
static struct link_shadow *make_shadow(const struct link *l)
{
	const struct vmm_link *info = &l->vm->info->link[l->number];
	const struct sysdesc_region *pool = &l->vm->info->vm.region[info->pool];
	struct link_shadow *s = (void *)(uintptr_t)(PROC_HEAP_BASE + l->number * VMM_LINK_HEAP);

	link_shadow_init(s, gmem_span(&l->vm->mem, pool->gpa, pool->size), pool->gpa, pool->size);
	return s;
}

static unsigned fill_windows(struct link *l)
{
	const struct vmm_link *info = &l->vm->info->link[l->number];
	const struct sysdesc_vm *vm = &l->vm->info->vm;
	unsigned n = 0;

	for (unsigned i = 0; i < vm->n_regions; i++)
		if (vmm_shares(info->sharing, info->pool, vm, i))
			l->window[n++] = (struct link_window){
				.address = vm->region[i].gpa,
				.bytes = vm->region[i].size,
				.offset = vmm_shared_offset(info->sharing, vm, i),
			};
	return n;
}

static void set_doorbell(const struct link *l, bool on)
{
	if (!(l->vm->features & ABI_EXTF_DOORBELL) || l->bell == ABI_DOORBELLS)
		return;
	for (unsigned i = 0; i < l->vm->info->n_vcpus; i++)
		(void)sel4_ext_vcpu_set_doorbell(l->vm->vcpu[i].cpu.caps.vcpu, l->bell,
						 l->kick_at, l->kick_how, 0,
						 on ? VMM_CAP_LINK_KICK(l->number) : 0);
}

/* On PCI it is where the guest has put it. */
static void place_doorbell(struct link *l)
{
	const unsigned slot = FIRST_SLOT + l->number;
	uint64_t at = virtio_slot(l->vm, slot).base + QUEUE_NOTIFY, how = sizeof(uint32_t);
	bool on = l->bypassed;

	if (on_pci(l->vm))
		on = on && l->vm->hooks.kick_at != NULL &&
		     l->vm->hooks.kick_at(l->vm, slot, &at, &how);
	if (on == l->rings && (!on || at == l->kick_at))
		return;
	if (on) {
		l->kick_at = at;
		l->kick_how = how;
	}
	l->rings = on;
	set_doorbell(l, on);
}

static void pci_configured(struct vm *vm)
{
	for (unsigned i = 0; i < vm->info->n_links; i++)
		place_doorbell(&links[i]);
}

/* Kicks go by us unless copies have to be made. */
static void bypass(void *opaque, bool may)
{
	struct link *l = opaque;

	l->bypassed = may;
	place_doorbell(l);
	/* A guest can have this as often as it likes: each power of two is news. */
	l->changes += !may;
	if (may || (l->changes & (l->changes - 1)) != 0)
		return;
	log_info("connection %u: its driver does not keep to the pool: what it sends and "
		 "receives is copied (%llu so far)",
		 l->vm->info->link[l->number].number, (unsigned long long)l->changes);
}

static void seen(const struct virtio *v, enum virtio_seen what, unsigned queue)
{
	struct link *l = v->env.opaque;

	if (what == VIRTIO_SEEN_RESET)
		virtio_ways_reset(&l->ways);
	vm_trace(l->vm, VMM_TRACED_KICK + what, (FIRST_SLOT + l->number) << 8 | queue);
}

static bool plug(struct link *l)
{
	struct vm *vm = l->vm;
	const unsigned slot = FIRST_SLOT + l->number;
	const struct virtio_mmio_env env = { l, set_irq };

	if (!virtio_ways_add(&l->ways, vm, slot, &l->driver.v, &env))
		return false;
	if (virtio_in_slots(vm) || vm->hooks.kick_at != NULL) {
		l->bell = vm->n_doorbells;
		vm->n_doorbells += l->bell < ABI_DOORBELLS;
	}
	l->bypassed = true;
	place_doorbell(l);
	return !virtio_in_slots(vm) ||
	       vm_add(vm, "connection", virtio_slot(vm, slot), access, l);
}

static bool add(struct vm *vm, unsigned number)
{
	struct link *l = &links[number];
	const struct vmm_link *info = &vm->info->link[number];
	const struct virtio_env virtio = { l, vm_virtio_mem(vm), broken };
	struct link_driver_env env = {
		.opaque = l,
		.page = (void *)(uintptr_t)VMM_LINK_PAGE(number),
		.device = info->device,
		.window = l->window,
		.bypass = bypass,
		.kick = kick,
		.wait = wait,
	};

	l->vm = vm;
	l->number = number;
	l->bell = ABI_DOORBELLS;
	l->irq = vm->board->virtio_irq + FIRST_SLOT + number;
	l->direct = !on_pci(vm) && direct_has(vm, l->irq);
	env.flags = l->direct ? LINK_F_DIRECT : 0;
	env.features = info->sharing == SYSDESC_SHARE_POOL ? F_ACCESS_PLATFORM : 0;
	env.shadow = info->sharing == SYSDESC_SHARE_POOL ? make_shadow(l) : NULL;
	env.n_windows = fill_windows(l);
	link_driver_init(&l->driver, &virtio, &env);
	l->driver.v.seen = seen;
	if (info->sharing == SYSDESC_SHARE_POOL)
		vm->pool[FIRST_SLOT + number] = (uint8_t)info->pool;
	return plug(l);
}

static const char *init(struct vm *vm)
{
	bool ok = true;

	vm->hooks.pci_configured = pci_configured;
	for (unsigned i = 0; i < vm->info->n_links; i++)
		ok = add(vm, i) && ok;
	return ok ? NULL : "no room for the connections";
}

/* VMs that serve, and stand before this one in the description, are waited for. */
static bool ready(struct vm *vm)
{
	static bool said;

	for (unsigned i = 0; i < vm->info->n_links; i++) {
		if (!vm->info->link[i].waits ||
		    link_acquire(&links[i].driver.env.page->server.up) != 0)
			continue;
		if (!said)
			log_info("waits for what serves connection %u", vm->info->link[i].number);
		said = true;
		vm->stats->waits = vm->info->link[i].number + 1;
		return false;
	}
	vm->stats->waits = 0;
	return true;
}

static uint64_t event(struct vm *vm, uint64_t badges)
{
	if (!(badges & VMM_NTFN_LINK))
		return 0;
	mutex_lock(&vm->lock);
	vm->handler = NULL;
	for (unsigned i = 0; i < vm->info->n_links; i++) {
		tell_counts(&links[i]);
		link_driver_event(&links[i].driver);
	}
	vm_deliver_irqs(vm, NULL);
	mutex_unlock(&vm->lock);
	return 0;
}

const struct vm_part part_link = {
	.bit = VMM_PART_LINK,
	.install = install,
	.init = init,
	.ready = ready,
	.event = event,
};
