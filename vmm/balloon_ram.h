/*
 * RAM that the guest's balloon has: what fills a large page goes back to init, and comes
 * again before the guest is told that it may use a page of it. With the VM's lock.
 */
#pragma once

#include "vm.h"

/* From now on the VM's memory has holes where it is gone. */
void balloon_ram_init(struct vm *vm);
/* The guest does not use the page. */
void balloon_ram_give(gpa_t page);
/* Init has something to say: what it did not take is offered again. */
void balloon_ram_offer(void);
/* The page's memory is there; false: there is none now, and another call is due when init
 * says so. */
bool balloon_ram_fetch(gpa_t page);
/* The guest uses it again; it was fetched. */
void balloon_ram_back(gpa_t page);
/* All of it is the guest's again. False: there is no memory for it. */
bool balloon_ram_all(void);
