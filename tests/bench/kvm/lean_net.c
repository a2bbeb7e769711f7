#define _GNU_SOURCE
#include "guest.h"
#include "lean.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define VERSION_1 (1ull << 32)
#define EVENT_INDEX (1ull << 29)

static int tap, vhost;

void lean_net_open(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int header = 12;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	must(tap >= 0 && ioctl(tap, TUNSETIFF, &request) == 0, name);
	must(ioctl(tap, TUNSETVNETHDRSZ, &header) == 0, "TUNSETVNETHDRSZ");
	vhost = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	must(vhost >= 0, "/dev/vhost-net");
	must(ioctl(vhost, VHOST_SET_OWNER) == 0, "VHOST_SET_OWNER");
}

static void share_memory(void)
{
	struct vhost_memory *memory =
		calloc(1, sizeof(*memory) + sizeof(struct vhost_memory_region));
	uint64_t bytes;

	must(memory != NULL, "memory");
	memory->nregions = 1;
	memory->regions[0].userspace_addr = (uintptr_t)lean_ram(&bytes);
	memory->regions[0].guest_phys_addr = GUEST_RAM;
	memory->regions[0].memory_size = bytes;
	must(ioctl(vhost, VHOST_SET_MEM_TABLE, memory) == 0, "VHOST_SET_MEM_TABLE");
	free(memory);
}

static void start_queue(const struct lean_queue *q, unsigned index)
{
	struct vhost_vring_state size = { index, q->size }, base = { index, 0 };
	struct vhost_vring_file kick = { index, q->kick }, call = { index, q->call };
	struct vhost_vring_file backend = { index, tap };
	struct vhost_vring_addr at = {
		.index = index,
		.desc_user_addr = (uintptr_t)lean_at(q->areas[0], 16ull * q->size),
		.avail_user_addr = (uintptr_t)lean_at(q->areas[1], 6 + 2ull * q->size),
		.used_user_addr = (uintptr_t)lean_at(q->areas[2], 6 + 8ull * q->size),
	};

	must(ioctl(vhost, VHOST_SET_VRING_NUM, &size) == 0, "VHOST_SET_VRING_NUM");
	must(ioctl(vhost, VHOST_SET_VRING_BASE, &base) == 0, "VHOST_SET_VRING_BASE");
	must(ioctl(vhost, VHOST_SET_VRING_ADDR, &at) == 0, "VHOST_SET_VRING_ADDR");
	must(ioctl(vhost, VHOST_SET_VRING_KICK, &kick) == 0, "VHOST_SET_VRING_KICK");
	must(ioctl(vhost, VHOST_SET_VRING_CALL, &call) == 0, "VHOST_SET_VRING_CALL");
	must(ioctl(vhost, VHOST_NET_SET_BACKEND, &backend) == 0, "VHOST_NET_SET_BACKEND");
}

void lean_net_start(const struct lean_queue *queues, unsigned n)
{
	uint64_t features = VERSION_1 | EVENT_INDEX;

	must(ioctl(vhost, VHOST_SET_FEATURES, &features) == 0, "VHOST_SET_FEATURES");
	share_memory();
	for (unsigned i = 0; i < n; i++)
		start_queue(&queues[i], i);
}
