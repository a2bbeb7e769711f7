/* What a backend VM's kernel module and the program that serves through it
 * agree on: the file /dev/selvage-NAME. */
#pragma once

#ifdef __KERNEL__
#include "backend.h"
#else
#include <selvage/backend.h>
#endif

#include <linux/ioctl.h>
#include <linux/types.h>

/* What mmap() takes. */
#define SELVAGE_AREA(n) ((__u64)(n) << 44)

/* The word of the control page that says whether somebody serves: the module
 * zeroes it, and rings, when the file is closed. */
#define SELVAGE_CONTROL_UP 2052

/* An interrupt makes the file readable: read() gives how many there were since the
 * last one, a __u64. One may have the file open at a time. */
struct selvage_backend_info {
	__u32 version, kind;
	__u64 size[SELVAGE_AREAS]; /* 0: there is none */
	char name[SELVAGE_NAME];
};
#define SELVAGE_BACKEND_INFO _IOR('V', 0x70, struct selvage_backend_info)
