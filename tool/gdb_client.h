/* The half of GDB's remote protocol that looks and touches nothing: registers, memory, queries. */
#pragma once

#include "gdb_packet.h"
#include "wire.h"

struct gdb_client {
	struct wire wire;
	struct gdb_target target;
	struct buffer answer; /* of the last question, with a NUL behind it */
	bool dead;            /* it did not answer once: nothing more is asked */
};

/* On a stub that was connected to: first the greeting, then the target description. False with a
 * message. */
bool gdb_client_start(struct gdb_client *gdb);
bool gdb_client_describe(struct gdb_client *gdb);
void gdb_client_close(struct gdb_client *gdb);
/* Sends a packet and waits for the answer; NULL, with a message, if none comes. */
const char *gdb_client_ask(struct gdb_client *gdb, const char *packet);
/* False if the stub does not tell. Registers of more than 64 bits are not read. */
bool gdb_client_register(struct gdb_client *gdb, const struct gdb_reg *reg, uint64_t *value);
/* At the guest's virtual address; false if the stub refuses. */
bool gdb_client_memory(struct gdb_client *gdb, uint64_t address, uint8_t *bytes, size_t n);
/* A monitor command (qRcmd); its output, which the caller frees, or NULL. */
char *gdb_client_command(struct gdb_client *gdb, const char *line);
