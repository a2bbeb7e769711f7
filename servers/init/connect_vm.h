/*
 * Connections that a VM serves to another one. Either VM may come and go while the
 * other one is there: the control page and the notifications of a connection stay,
 * the driver's memory is mapped for the server while both are there.
 */
#pragma once

#include "process.h"

#include <selvage/vmm_info.h>

/* NULL, or what failed. */
const char *connect_vm_init(const struct sysdesc *system);
bool connect_vm_serves(uint32_t connection);
/* What the server has room for of its driver's memory: for ever. */
uint64_t connect_vm_bytes(uint32_t connection);
/* What the VMM is told of what its VM serves. */
void connect_vm_describe(unsigned vm, struct vmm_info *info);

/* The driver's side: a page of what is shared, `offset` in it; the connection, the
 * i-th of the VM's; its end. */
bool connect_vm_memory(struct process *p, uint32_t connection, uint64_t offset, cap_t frame);
/* The region of such pages, whose first one is `first`, for the record. */
bool connect_vm_region(struct process *p, uint32_t connection, cap_t first, uint64_t bytes);
bool connect_vm_driver(struct process *p, unsigned i, uint32_t connection);
void connect_vm_driver_gone(uint32_t connection);
/* Whether the server has let go of what a driver that is gone had shared: until then it
 * may write to what is in its place. */
bool connect_vm_settled(uint32_t connection);

/* The server's side, all of the VM's connections. */
bool connect_vm_server(struct process *p, unsigned vm, const struct vmm_info *info);
void connect_vm_server_gone(unsigned vm);
