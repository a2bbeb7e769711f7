/*
 * Connections: a device of a VM's that a native server serves (selvage/serve.h).
 * What each server has from the start, and what the two sides share while the VM
 * runs.
 */
#pragma once

#include "process.h"
#include "upload.h"

#include <selvage/vmm_info.h>

/* In place of a VM: it was destroyed. */
#define CONNECT_NOBODY 0xffffffffu

void connect_open(const struct sysdesc *system);
/* As they are now. Numbers are below SYSDESC_MAX_CONNECTIONS. */
const struct sysdesc_connection *connect_get(uint32_t n);
/* Whether any connection names the server, and the number that connections name
 * it by; 0: it is none that serves devices. */
bool connect_wanted(enum proc_kind kind);
uint32_t connect_server(enum proc_kind kind);
/* What the server is told at its start: static, of `*bytes`. */
const void *connect_info(enum proc_kind kind, size_t *bytes);
/* What connections have in a server that was made and does not run: disks, page tables.
 * False: out of memory. */
bool connect_prepare(struct process *server);

/* What a VM that comes at run time is the driver of: known to its servers before its
 * start. NULL, or why not; then nothing is left of it. */
const char *connect_create(unsigned vm, const struct upload_vm *d);
/* The VM does not run and is to be forgotten. */
void connect_destroy(unsigned vm);

/* What the VMM is told of its VM's connections. */
void connect_describe(unsigned vm, struct vmm_info *info);
/* Whether others see the region. */
bool connect_shares(unsigned vm, uint32_t region);
/* A page of the VM's memory, `at` in a region of its, has been made: those servers
 * see it whose share it is of. */
bool connect_memory(struct process *p, unsigned vm, uint32_t region, uint64_t at, cap_t frame);
/* The whole region is there, from frame `first` on: writes down who sees it. */
bool connect_region(struct process *p, unsigned vm, uint32_t region, cap_t first);
/* The rest, for the VM's process that does not run yet. False: out of memory, or a
 * server is dead. */
bool connect_vm(struct process *p, unsigned vm);
/* Who serves the VM's connection `number`; NULL: it is no such, or no VM serves it. */
const char *connect_server_vm(unsigned vm, uint32_t number);
/* Whether nobody is at work any more for the VM that was there before. */
bool connect_settled(unsigned vm);
/* The VM's servers do not touch what they shared any more. */
void connect_detach(unsigned vm);

/* A server has ended, for ever or not: the monitors of its clients hear of it. */
void connect_down(const struct process *server, bool for_ever);
/* It has been started again: those that live are its clients anew. */
void connect_again(struct process *server);
