/*
 * The device that a VM has for each connection which it serves to another one: a
 * PCI function whose BARs stay where they are (Enhanced Allocation). For its
 * monitor, and for what drives it inside the VM (guests/backend), whose kernel
 * module is compiled with Linux's headers and none of ours.
 *
 * Its interrupt says that the other side has kicked. It is INTA#, on a line of
 * its own and edge-triggered: there is nothing to acknowledge.
 */
#pragma once

/* The vendor number is nobody's. */
#define SELVAGE_PCI_VENDOR 0x5356
#define SELVAGE_PCI_BACKEND 0x4c42

/* Its BARs. The registers are a device's memory, the rest is cached. */
enum selvage_area {
	SELVAGE_REGS = 0,
	SELVAGE_CONTROL = 1, /* struct link_page */
	SELVAGE_MEMORY = 2,  /* what is shared of the driver VM's memory */
	SELVAGE_AREAS = 3
};

/* Registers of 32 bits. */
#define SELVAGE_REG_MAGIC 0x00
#define SELVAGE_REG_VERSION 0x04
#define SELVAGE_REG_KIND 0x08      /* virtio's number of the device that is served */
#define SELVAGE_REG_EVENT 0x10     /* doorbells: any store tells the other side's monitor ... */
#define SELVAGE_REG_INTERRUPT 0x14 /* ... or its guest */
#define SELVAGE_REG_NAME 0x40      /* of the connection: bytes, ended by a NUL */
#define SELVAGE_NAME 64
#define SELVAGE_MAGIC 0x45425653u /* "SVBE" */
#define SELVAGE_VERSION 1u
