/*
 * Bootable images of a PC's system: an ISO 9660 file system with GRUB, which BIOS
 * and UEFI start from a CD or, written to it as it is, a USB stick. GRUB loads
 * by Multiboot 2 what sysimage.h says.
 */
#pragma once

#include <stdbool.h>

/* Makes `output` of the files that sysimage_build wrote for `image`. Reports a
 * failure, also that programs for it are not installed. */
bool iso_build(const char *image, const char *system, const char *output);
