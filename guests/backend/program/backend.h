/*
 * The backend program: serves the devices of connections from inside a Linux VM
 * (link.h). One process, one thread, one loop for any number of connections.
 */
#pragma once

#include "../module/selvage_backend.h"

#include <dev/virtio/blk.h>
#include <dev/virtio/console.h>
#include <dev/virtio/link_server.h>
#include <dev/virtio/net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file of the loop; `ready` gets the events of epoll. False: leave it off. */
struct source {
	int fd;
	bool (*ready)(struct source *s, uint32_t events);
};
/* Edge-triggered: whoever is told takes all there is, or knows that there is more. */
bool loop_add(struct source *s, uint32_t events);

struct served {
	const char *name;                /* of the connection */
	const char *spec;                /* what is behind it, as the command line says */
	struct source bell;              /* the kernel's module, or uio */
	bool (*taken)(struct served *s); /* takes the interrupts; false: the device is gone */
	uint32_t kind;                   /* virtio's number */
	volatile uint32_t *regs;
	struct link_page *control;
	uint8_t *memory;
	uint64_t bytes;
	int config; /* uio: its PCI configuration */
	bool works;
	/* After each kick, and again as long as there is more; NULL: nothing. */
	void (*service)(struct served *s);
	bool more;
	struct link_server link;
	struct source outside; /* terminal, network device */
	bool talks;            /* it has input */
	union {
		struct virtio_blk blk;
		struct virtio_console console;
		struct virtio_net net;
	} device;
	uint8_t *disk; /* the file, mapped */
	uint64_t disk_bytes;
	int disk_fd;
	uint8_t frame[NET_FRAME_MAX]; /* that waits for a buffer */
	uint32_t frame_bytes;         /* 0: none */
	uint64_t lost;                /* frames */
};

/* One line to the VM's console. */
__attribute__((format(printf, 2, 3))) void say(const struct served *s, const char *format, ...);

/* area.c: finds the connection and maps its areas. False: said why. */
bool area_open(struct served *s);
/* uio.c: the same where there is no module of ours. */
bool uio_open(struct served *s);

/* What is behind a device: makes it, with link_server_virtio(). NULL: said why. */
struct virtio *disk_make(struct served *s);
struct virtio *console_make(struct served *s);
struct virtio *net_make(struct served *s);
