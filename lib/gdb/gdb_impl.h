/* Between the files of the library. */
#pragma once

#include <selvage/gdb.h>

/* packet.c: the packet that is being answered. */
enum gdb_rx { GDB_RX_IDLE,
	      GDB_RX_DATA,
	      GDB_RX_SUM1,
	      GDB_RX_SUM2 };
/* The next byte, or -1 at the end. */
int gdb_next(struct gdb *g);
/* Whether what follows is `c`; takes it if so. */
bool gdb_take(struct gdb *g, char c);
bool gdb_take_word(struct gdb *g, const char *word);
/* A hexadecimal number of at most 16 digits. False: there is none. */
bool gdb_take_number(struct gdb *g, uint64_t *value);
/* One byte by two digits. */
bool gdb_take_byte(struct gdb *g, uint8_t *byte);
/* One byte of binary data, escapes resolved. */
bool gdb_take_binary(struct gdb *g, uint8_t *byte);
bool gdb_at_end(const struct gdb *g);

/* The answer: begun, filled (what has no room is left out), sent. */
void gdb_begin(struct gdb *g);
unsigned gdb_room(const struct gdb *g);
void gdb_put(struct gdb *g, char c);
void gdb_put_text(struct gdb *g, const char *text);
void gdb_put_byte(struct gdb *g, uint8_t byte);
void gdb_put_number(struct gdb *g, uint64_t value);
void gdb_put_binary(struct gdb *g, uint8_t byte);
void gdb_end(struct gdb *g);
void gdb_say(struct gdb *g, const char *text);

/* stub.c: a whole packet has come, or Ctrl-C. */
void gdb_packet(struct gdb *g);
void gdb_interrupt(struct gdb *g);
/* query.c */
void gdb_query(struct gdb *g);
void gdb_set(struct gdb *g);
void gdb_thread_put(struct gdb *g, unsigned vcpu);
/* False: no thread id. -1, 0: all, any (*vcpu = GDB_VCPUS). */
bool gdb_thread_take(struct gdb *g, unsigned *vcpu);
bool gdb_thread_is(const struct gdb *g, unsigned vcpu);
/* run.c: c, s, vCont and stop replies. */
void gdb_continue(struct gdb *g, bool step, bool with_signal);
void gdb_vcont(struct gdb *g);
void gdb_why(struct gdb *g);
/* False, and answered: the right or the state does not allow it. */
bool gdb_may(struct gdb *g, const char *what);
