/* Between the files of the mux: core, plain mode, framed mode. */
#pragma once

#include "serial_mux.h"

/* Bytes for the wire; the caller has made sure of the room. */
uint32_t mux_tx_room(const struct serial_mux *m);
void mux_tx_put(struct serial_mux *m, const void *bytes, uint32_t n);
void mux_notify(struct serial_mux *m, uint32_t channel);
/* Takes output of a client, noting when it may wait for room. */
uint32_t mux_take_output(struct serial_mux *m, uint32_t channel, void *bytes,
			 uint32_t n);
/* Input for a client; what has no room is dropped and counted. */
void mux_give_input(struct serial_mux *m, int32_t channel, const void *bytes,
		    uint32_t n);
void mux_enter_framed(struct serial_mux *m);
void mux_enter_plain(struct serial_mux *m);

/* Each moves one turn's output of one channel; false: nothing moved. */
bool plain_turn(struct serial_mux *m, uint32_t channel);
bool framed_turn(struct serial_mux *m, uint32_t channel);
/* Room that a turn may need at most. */
uint32_t plain_turn_room(void);
uint32_t framed_turn_room(void);

void plain_rx(struct serial_mux *m, uint8_t byte);
void framed_rx(struct serial_mux *m, uint8_t byte);
/* Input goes to the next console (or from a removed one to another). */
void plain_next_focus(struct serial_mux *m);
/* The channel's unfinished line ends here: it is removed, or mode changes. */
void plain_close_line(struct serial_mux *m, uint32_t channel);
void plain_tick(struct serial_mux *m);
/* HELLO, whose turn comes before every channel's. False: not due. */
bool framed_hello(struct serial_mux *m);
