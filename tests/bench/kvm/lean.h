/* What serves the device of lean.c's guest. */
#pragma once

#include "vm.h"

#define LEAN_QUEUES 2

struct lean_queue {
	unsigned size;
	uint64_t areas[3]; /* the guest's: descriptors, what it offers, what was used */
	int kick, call;    /* events from and to the guest */
};

void *lean_at(uint64_t address, uint64_t bytes);
uint8_t *lean_ram(uint64_t *bytes);

/* The kernel's vhost-net, with a tap interface. */
void lean_net_open(const char *tap);
void lean_net_start(const struct lean_queue *queues, unsigned n);

/* A thread, with a file. Returns its sectors. */
uint64_t lean_block_open(const char *path);
void lean_block_start(const struct lean_queue *queues, unsigned n);
