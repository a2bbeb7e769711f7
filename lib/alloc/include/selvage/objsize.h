/* Sizes of kernel objects, from the ABI's table. */
#pragma once

#include <selvage/base.h>

/*
 * log2 bytes that an object of `type` (enum abi_object) takes; size_bits is
 * Untyped_Retype's argument: log2 slots of a CNode, log2 bytes of an untyped
 * or scheduling context, ignored for the others. 0: no such object.
 */
unsigned object_size_bits(unsigned type, unsigned size_bits);
/* The same of those that one architecture has alone: arch/<name>/. */
unsigned object_arch_bits(unsigned type);
