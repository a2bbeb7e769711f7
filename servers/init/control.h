/*
 * The control channel: requests of `selvage` (selvage/control.h), answered
 * as fast as the channel takes the lines.
 */
#pragma once

void control_init(void *channel);
/* Call whenever the channel has input or room. */
void control_run(void);
