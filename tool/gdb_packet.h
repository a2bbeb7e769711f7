/* GDB's remote protocol as bytes: packets, and the registers that a target description names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

#define GDB_PACKET_MAX (1u << 20)
#define GDB_REGS_MAX 2048u

enum gdb_taken {
	GDB_NOTHING, /* more bytes are needed */
	GDB_ACK,
	GDB_NACK,
	GDB_PACKET,
	GDB_DAMAGED /* a packet with a wrong sum, or an endless one */
};

/* Takes one thing off the front of `in`; a packet's content, unescaped and a NUL behind it, goes
 * to `packet`. */
enum gdb_taken gdb_take(struct buffer *in, struct buffer *packet);
/* A packet with this content, to be sent. */
void gdb_make(struct buffer *out, const void *content, size_t n);

/* Bytes as hexadecimal text and back; the latter gives the number of bytes. */
void gdb_append_hex(struct buffer *out, const void *bytes, size_t n);
size_t gdb_parse_hex(const char *text, uint8_t *bytes, size_t room);

struct gdb_reg {
	char name[40];
	unsigned number, bits;
};

struct gdb_target {
	struct gdb_reg *reg;
	size_t n;
	unsigned next; /* the number of a register that names none */
	char architecture[40];
	char include[8][64]; /* annexes that are still to be read */
	size_t n_includes;
};

/* Adds what one annex of the description holds; false if it is no XML. */
bool gdb_parse_annex(struct gdb_target *target, const char *text, size_t n);
void gdb_target_free(struct gdb_target *target);
