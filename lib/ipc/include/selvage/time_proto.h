/*
 * The time server's protocol: Call on PROC_CAP_TIME_EP. The badge of the
 * capability is the client number + 1.
 */
#pragma once

#include <stdint.h>

/* Timers of one client; timer t signals the capability in the time server's
 * slot PROC_CAP_CLIENT_NTFN + client * TIME_TIMERS + t. */
#define TIME_TIMERS 8
#define TIME_CLIENTS 72

enum time_request {
	/* MR0: timer 0..TIME_TIMERS-1, MR1: deadline (CNTPCT ticks, absolute),
	 * MR2: period in ticks, 0 = one shot. Arming an armed timer moves it. */
	TIME_ARM = 0x300,
	TIME_CANCEL = 0x301, /* MR0: timer. Cancelling an idle timer is no
	                       * error. */
};
/* Reply label: enum time_status. */
enum time_status {
	TIME_OK = 0,
	TIME_BAD_ARGUMENT = 1,
	TIME_BAD_REQUEST = 2,
	TIME_UNAVAILABLE = 3, /* the kernel gives no timer to user level, or
	                       * the server has died (SERVER_DIED) */
};

/* What timers are late by, at most, and how long a request may take, on a
 * kernel without the extension TCB_ENABLE_TIMER. */
#define TIME_TICK_US 1000

/* A periodic timer below this is refused, ticks are converted: 20 us. */
#define TIME_MIN_PERIOD_US 20
