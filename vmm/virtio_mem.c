#include "virtio.h"

static bool mem_read(void *opaque, uint64_t at, void *to, size_t bytes)
{
	return gmem_read(&((const struct vm *)opaque)->mem, at, to, bytes);
}

static bool mem_write(void *opaque, uint64_t at, const void *from, size_t bytes)
{
	return gmem_write(&((const struct vm *)opaque)->mem, at, from, bytes);
}

static bool mem_load(void *opaque, uint64_t at, uint16_t *value)
{
	return gmem_read_u16(&((const struct vm *)opaque)->mem, at, value);
}

static bool mem_store(void *opaque, uint64_t at, uint16_t value)
{
	return gmem_write_u16(&((const struct vm *)opaque)->mem, at, value);
}

struct virtio_mem vm_virtio_mem(struct vm *vm)
{
	return (struct virtio_mem){ vm, mem_read, mem_write, mem_load, mem_store, { 0 } };
}
