/* What all parts with virtio devices share. */
#pragma once

#include "vm.h"

#include <dev/virtio/mem.h>

/* All of the guest's RAM. */
struct virtio_mem vm_virtio_mem(struct vm *vm);
