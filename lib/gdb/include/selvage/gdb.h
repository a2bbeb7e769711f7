/*
 * GDB's remote serial protocol, the side of the machine that is debugged:
 * framing, sessions and packets of docs/debug-channel.md. What the packets do
 * to a virtual machine is the business of struct gdb_target's callbacks; this
 * library has no I/O, no allocation and no VM, so it is tested and fuzzed on
 * the host.
 *
 * What comes from the host is taken as hostile: every packet is bounded,
 * whatever is not understood is answered as the protocol says (empty) or with
 * an error, and a right that is not there is refused here, in one place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GDB_PACKET 4096u /* bytes between $ and # */
#define GDB_VCPUS 8u
#define GDB_MAX_REGS 64u

enum gdb_action { GDB_STAY = 0, /* a vCPU stays where it is stopped */
		  GDB_GO,
		  GDB_STEP };

/* Signal numbers of the protocol. */
enum gdb_signal { GDB_SIGINT = 2,
		  GDB_SIGTRAP = 5,
		  GDB_SIGSEGV = 11 };

/* Kinds of Z packets. */
enum gdb_point { GDB_SOFTWARE = 0,
		 GDB_HARDWARE,
		 GDB_WATCH_WRITE,
		 GDB_WATCH_READ,
		 GDB_WATCH_BOTH,
		 GDB_POINTS };
#define GDB_NO_POINT GDB_POINTS

/* Of a register that GDB wants to have described, and that nobody can read. */
#define GDB_NOT_SHOWN 0x80u

struct gdb_stop {
	uint8_t signal; /* enum gdb_signal; 0: as it was asked to */
	uint8_t vcpu;
	uint8_t point;    /* enum gdb_point that was met, or GDB_NO_POINT */
	uint64_t address; /* of a watchpoint */
};

struct gdb {
	const struct gdb_target *target;
	/* What arrives. */
	uint8_t state, sum, sum_said;
	bool too_long;
	unsigned fill, at; /* bytes of the packet; where parsing is */
	uint8_t in[GDB_PACKET + 1];
	/* The latest packet that was sent, for a host that asks again. */
	unsigned out_fill, resent;
	uint8_t out[GDB_PACKET + 8];
	/* The session. */
	bool no_ack;
	bool physical;    /* addresses of m, M, X are guest-physical */
	bool stopped;     /* the VM stands (control), or registers do (observe) */
	bool stopping;    /* asked to stand, not yet answered */
	bool awaited;     /* a stop reply is due */
	uint8_t vcpu;     /* chosen by Hg */
	uint8_t asked_by; /* enum gdb_signal of a stop that the host asks for */
	struct gdb_stop stop;
};

struct gdb_target {
	void *opaque;
	bool control;     /* right to change and stop; else to read */
	unsigned n_vcpus; /* 1 to GDB_VCPUS */
	unsigned n_core;  /* registers of a g packet, the first ones */
	unsigned n_regs;  /* all: at most GDB_MAX_REGS */
	const char *xml;  /* target.xml */
	/* Bytes for the host; all of them are taken. */
	void (*send)(void *opaque, const void *bytes, size_t n);
	/* Whether a vCPU is switched on. */
	bool (*is_on)(void *opaque, unsigned vcpu);
	/* A client has come, which has not yet asked for anything: n_core, n_regs and xml may
	 * change now. NULL: they never do. */
	void (*begin)(void *opaque);
	/* Bytes of a register: 4 or 8, or any number and GDB_NOT_SHOWN. */
	unsigned (*reg_bytes)(void *opaque, unsigned reg);
	bool (*regs_read)(void *opaque, unsigned vcpu, unsigned first, unsigned n,
			  uint64_t *values);
	bool (*reg_write)(void *opaque, unsigned vcpu, unsigned reg, uint64_t value);
	bool (*mem_read)(void *opaque, unsigned vcpu, bool physical, uint64_t at, void *to,
			 size_t n);
	bool (*mem_write)(void *opaque, unsigned vcpu, bool physical, uint64_t at,
			  const void *from, size_t n);
	/* Inserts or removes; false: cannot be. kind: bytes of the instruction
	 * or of what is watched. Inserting what is there, and removing what is
	 * not, are no errors. */
	bool (*point)(void *opaque, unsigned vcpu, enum gdb_point type, bool insert,
		      uint64_t at, uint64_t kind);
	/* Observe: keeps all registers as they are now. */
	void (*snapshot)(void *opaque);
	/* Control: stop every vCPU; gdb_stopped() is called when that is done. */
	void (*halt)(void *opaque);
	/* Control: what each vCPU does now. */
	void (*resume)(void *opaque, const enum gdb_action *action);
	/* The end of a session: observe: drops the snapshot; control: takes all
	 * points out and lets the VM go on. */
	void (*detach)(void *opaque);
	/* Control: switches the VM off. */
	void (*kill)(void *opaque);
	/* Text about a vCPU, for people. */
	void (*describe)(void *opaque, unsigned vcpu, char *text, size_t size);
	/* The memory map as XML; returns its length, below size. */
	size_t (*memory_map)(void *opaque, char *xml, size_t size);
	/* A monitor command; prints by gdb_print. False: no such command. */
	bool (*monitor)(void *opaque, struct gdb *g, const char *command);
};

void gdb_init(struct gdb *g, const struct gdb_target *target);
/* Bytes from the host. */
void gdb_receive(struct gdb *g, const uint8_t *bytes, size_t n);
/* The VM stands now, as asked or by itself. */
void gdb_stopped(struct gdb *g, const struct gdb_stop *stop);
/* For target->monitor: text that the host is to show. */
void gdb_print(struct gdb *g, const char *text);
