/* Where captures come from. Each source fills everything but time stamps and claims. */
#pragma once

#include "capture.h"

struct capture_request {
	const char *monitor;    /* address of a QEMU monitor, or NULL */
	const char *gdb_server; /* of that QEMU's GDB server, or NULL: found through the monitor */
	const char *vm;         /* a VM of a running Selvage system, or NULL */
	const char *system;     /* that system, if several run */
};

/* False with a message. The guest is left as it was found, whatever happens. */
bool capture_from_qemu(struct capture *capture, const struct capture_request *request);
bool capture_from_selvage(struct capture *capture, const struct capture_request *request);

/* What a VM's debug channel answers to `monitor identity` and `monitor map`: any text. */
bool capture_take_identity(struct capture *capture, const char *text);
bool capture_take_map(struct capture *capture, const char *text);

/* "cortex-a57" for its MIDR; the number as text if it is none that we know. */
void capture_cpu_of_midr(uint32_t midr, char *to, size_t room);
