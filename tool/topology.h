/*
 * Who can do what to whom. One model, made from a system description (what the
 * system will give to whom) or from the capability dump of a running one (what it
 * gave): a list of grants. From it come the edges between components, and from
 * those what a component that was taken over can reach, what falls with it, the
 * security domains and the paths of an attack.
 */
#pragma once

#include <selvage/sysdesc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOPO_NAME 40 /* "vmm:" and a VM's name */
#define TOPO_PATH_MAX 8
#define TOPO_PATHS_MAX 64
#define TOPO_FAR 255u
#define TOPO_COMPONENTS 256 /* no model has more */

enum topo_kind { TOPO_KERNEL,
		 TOPO_INIT,
		 TOPO_SERVICE,
		 TOPO_MONITOR,
		 TOPO_GUEST };

struct topo_component {
	char name[TOPO_NAME];
	enum topo_kind kind;
	bool dma;         /* it drives a device whose DMA nothing bounds */
	unsigned monitor; /* of a guest */
};

/*
 * A capability that a component has, or memory that is mapped for it. `what` names
 * its purpose as init's `caps` does; with `because` (the component that it was
 * given for), holder and `at` it is the row's key.
 */
struct topo_grant {
	unsigned holder, because; /* components */
	/* Another that must be there too, and may be the one because of whom: of two VMs, the
	 * one that started later. */
	unsigned also;
	unsigned object;
	const char *type, *what;
	unsigned rights; /* ABI_RIGHT_... */
	uint64_t bytes;  /* of memory; 0: not said */
	uint64_t at;     /* of a device: its address, or its interrupt */
};

/* What is held. */
struct topo_object {
	char name[2 * TOPO_NAME];
	unsigned owner; /* who waits on it, or whose memory it is */
	bool guest_ram; /* who writes there controls the guest */
	bool serves;    /* memory by which the owner serves the other holders */
};

/* What an edge lets its start do to its end; bits. */
enum topo_edge {
	TOPO_CONTROLS = 1, /* change all that it is, without any error of it */
	TOPO_SHARES = 2,   /* write memory that it reads */
	TOPO_ASKS = 4,     /* send messages that it must take apart; answers too */
	TOPO_TRAPS = 8,    /* exits, faults, system calls */
	TOPO_SIGNALS = 16, /* wake it: no data, hence on no path */
};
#define TOPO_ATTACKS (TOPO_CONTROLS | TOPO_SHARES | TOPO_ASKS | TOPO_TRAPS)

struct topology {
	char name[SYSDESC_NAME];
	struct topo_component *component;
	unsigned n_components;
	struct topo_object *object;
	unsigned n_objects;
	struct topo_grant *grant;
	unsigned n_grants;
	uint8_t *edge;  /* n_components squared; by topology_connect */
	uint8_t *needs; /* the same: whether the column's owner does without the row's */
};

/* The components 0 and 1 of every model. */
enum { TOPO_THE_KERNEL,
       TOPO_THE_INIT };

/* The model of a description. Free it with topology_free. */
void topology_of(struct topology *t, const struct sysdesc *desc);
void topology_free(struct topology *t);

/* For those who make models. */
unsigned topology_add(struct topology *t, const char *name, enum topo_kind kind);
unsigned topology_object(struct topology *t, const char *name, unsigned owner);
struct topo_grant *topology_grant(struct topology *t, unsigned holder, unsigned because,
				  unsigned object, const char *type, const char *what,
				  unsigned rights);
/* Makes the edges from the grants; again after those have changed. */
void topology_connect(struct topology *t);

/* -1: there is none. */
int topology_find(const struct topology *t, const char *name);
unsigned topology_edge(const struct topology *t, unsigned from, unsigned to);
/* "shares memory with it", and so on. */
const char *topology_edge_text(unsigned edge);

/*
 * How many components must be broken one after the other, `from` being taken over
 * already, until each is under control; TOPO_FAR: never. into[n_components]. An error
 * of the kernel's, one step from everywhere, gives everything; it is counted for the
 * kernel alone, so that the others' figures say what holds while it has none.
 */
void topology_reach(const struct topology *t, unsigned from, uint8_t *into);

/* What becomes of each component when `x` stops: into[n_components]. */
enum topo_fall {
	TOPO_STAYS,
	TOPO_WITHOUT, /* goes on without what x did for it, until x is back */
	TOPO_FALLS,
};
void topology_fall(const struct topology *t, unsigned x, uint8_t *into);

/*
 * Security domains: the parts that fall to an attacker together. Two components are
 * in one domain when one controls the other; what the kernel and init control does
 * not count, as they control everything, but who controls them is of theirs.
 * Domains are numbered from 0, that of kernel and init; returns how many there are.
 */
unsigned topology_domains(const struct topology *t, uint8_t *into);

/* A path of an attack: no component on it could be left out by one before it. */
struct topo_path {
	unsigned n;
	unsigned via[TOPO_PATH_MAX + 1]; /* from the first to the last */
};
/*
 * The paths from one to another through other components, shortest first, up to
 * TOPO_PATHS_MAX and TOPO_PATH_MAX steps. *more: there are others.
 */
unsigned topology_paths(const struct topology *t, unsigned from, unsigned to,
			struct topo_path *path, bool *more);

/* Which steps count. */
enum topo_ways {
	TOPO_ANY_WAY,
	/* None to the base, but at the end; and to the kernel of one that controls it, which
	 * is how DMA reaches everything. */
	TOPO_CONNECTIONS,
	TOPO_CONTROL, /* those that need no error of anybody's */
};
/*
 * Whether one can be reached from another at all: a shortest path, from the first to the
 * last, into via[n_components]; returns how many are on it, 0: there is none. Between the
 * ends it avoids those that are marked in closed[n_components] (NULL: none is).
 */
unsigned topology_way(const struct topology *t, unsigned from, unsigned to, enum topo_ways ways,
		      const bool *closed, unsigned *via);

/* Whether all systems have it: kernel, init and the services that every VM uses. */
bool topology_is_base(const struct topology *t, unsigned component);

/* Prints it all (topology_text.c), as JSON, as input of Graphviz' dot. */
void topology_print(const struct topology *t);
void topology_print_paths(const struct topology *t, unsigned from, unsigned to);
char *topology_json(const struct topology *t, int from, int to); /* the caller frees */
char *topology_dot(const struct topology *t);
