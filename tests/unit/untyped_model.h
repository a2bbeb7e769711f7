/*
 * A model of what the kernel does with untyped memory: capabilities in the
 * slots of CNodes, children below the untyped they were made of, a watermark
 * that moves up. It refuses what the kernel refuses and can be told to refuse
 * more.
 */
#pragma once

#include "random.h"

#include <selvage/base.h>

#define MODEL_CAPS 4096

struct model_cap {
	bool used;
	uint64_t root, slot; /* where it is */
	unsigned type;
	unsigned bits; /* log2 bytes */
	uint64_t paddr;
	uint64_t mark; /* untyped: bytes used */
	int parent;    /* index or -1 */
};

struct model {
	struct model_cap cap[MODEL_CAPS];
	struct random random;
	unsigned fail_one_in; /* 0: never; never twice in a row */
	bool failed;          /* the last call, by fail_one_in */
	unsigned fail_from;   /* calls from that number on; 0: none */
	unsigned calls, revokes, deletes;
};

enum model_error {
	MODEL_OK = 0,
	MODEL_NO_UNTYPED = 1,
	MODEL_SLOT_USED = 2,
	MODEL_NO_ROOM = 3,
	MODEL_FULL = 4,
	MODEL_INJECTED = 99,
};

void model_init(struct model *m);
/* An untyped at boot, in the CNode 0. */
void model_add(struct model *m, uint64_t slot, uint64_t paddr, unsigned bits);
int model_retype(struct model *m, uint64_t untyped, unsigned type,
		 unsigned bits, uint64_t root, uint64_t slot, unsigned count);
/* CNode_Copy within the CNode 0: the copy ends with the object. */
int model_copy(struct model *m, uint64_t dest, uint64_t slot);
int model_revoke(struct model *m, uint64_t slot);
int model_delete(struct model *m, uint64_t slot);
/* The capability in a slot, NULL if it is empty. */
const struct model_cap *model_at(const struct model *m, uint64_t root,
				 uint64_t slot);
/* How far an untyped is used; without children it will start anew. */
uint64_t model_mark(const struct model *m, uint64_t slot);
unsigned model_count(const struct model *m);
