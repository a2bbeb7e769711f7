/* Of the boot information: where the payload is. Of the processor: randomness. */
#include "machine.h"

#include "boot_chunk.h"

#include <selvage/base.h>
#include <string.h>

#define LOW_END 0x100000ull
#define RAM 1u
#define COM1 0x3f8u

/* Multiboot 0.6.96, 3.3, behind a word with the bytes that count. */
struct __attribute__((packed)) memory {
	uint32_t size;
	uint64_t base, length;
	uint32_t type;
};

const void *boot_chunk(const struct abi_bootinfo *bi, uint64_t id, size_t *size)
{
	const char *at = (const char *)bi + 4096, *end = at + bi->extra_len;
	struct abi_extra_chunk chunk; /* in a row, not aligned */

	for (; end - at >= (long)sizeof(chunk); at += chunk.len) {
		memcpy(&chunk, at, sizeof(chunk));
		if (chunk.len < sizeof(chunk) || chunk.len > (uint64_t)(end - at))
			break;
		if (chunk.id == id) {
			*size = chunk.len - sizeof(chunk);
			return at + sizeof(chunk);
		}
	}
	return NULL;
}

/* Whether the loader's map says that this is memory. */
static bool is_ram(const struct abi_bootinfo *bi, uint64_t at)
{
	size_t size;
	const char *map = boot_chunk(bi, ABI_EXTRA_MEMORY_MAP, &size);
	uint32_t bytes;
	struct memory e;

	if (map == NULL || size < sizeof(bytes))
		return false;
	memcpy(&bytes, map, sizeof(bytes));
	bytes = (uint32_t)min_u64(bytes, size - sizeof(bytes));
	for (uint32_t i = 0; i + sizeof(e) <= bytes; i += (uint32_t)sizeof(e)) {
		memcpy(&e, map + sizeof(bytes) + i, sizeof(e));
		if (e.type == RAM && range_within_u64(at, 1, e.base, e.length))
			return true;
	}
	return false;
}

/* The piece of device memory that begins first at or behind `from`. */
static const struct abi_untyped_desc *next_piece(const struct abi_bootinfo *bi, uint64_t from)
{
	const struct abi_untyped_desc *best = NULL;

	for (uint64_t i = 0; i < bi->untyped.end - bi->untyped.start; i++) {
		const struct abi_untyped_desc *u = &bi->untyped_list[i];

		if (u->is_device && u->paddr >= from && (best == NULL || u->paddr < best->paddr))
			best = u;
	}
	return best;
}

/* The second module: what is RAM, and none the less given away as device memory. */
static const char *find_payload(struct machine *m, const struct abi_bootinfo *bi)
{
	const struct abi_untyped_desc *u = next_piece(bi, LOW_END);

	while (u != NULL && !is_ram(bi, u->paddr))
		u = next_piece(bi, u->paddr + bit_u64(u->size_bits));
	if (u == NULL)
		return "no payload: the loader gave one module only";
	m->payload_paddr = u->paddr;
	for (uint64_t end = u->paddr; u != NULL && u->paddr == end && is_ram(bi, end);
	     u = next_piece(bi, end)) {
		end += bit_u64(u->size_bits);
		m->payload_bytes = end - m->payload_paddr;
	}
	return NULL;
}

#define CPUID_1_ECX_VMX (1u << 5)
#define CPUID_1_ECX_RDRAND (1u << 30)

static uint32_t cpuid_1_ecx(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid"
			 : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c;
}

const char *machine_exit_codes(void) { return cpuid_1_ecx() & CPUID_1_ECX_VMX ? "vmx" : "svm"; }

/* --- Randomness (Intel SDM volume 1, 7.3.17) ------------------------------------------------ */

#define RDRAND_TRIES 10u

static bool random_word(uint64_t *word)
{
	bool ok = false;

	for (unsigned i = 0; i < RDRAND_TRIES && !ok; i++)
		__asm__ volatile("rdrand %0"
				 : "=r"(*word), "=@ccc"(ok));
	return ok;
}

static bool read_seed(struct machine *m)
{
	if (!(cpuid_1_ecx() & CPUID_1_ECX_RDRAND))
		return false;
	for (size_t i = 0; i < sizeof(m->seed); i += sizeof(uint64_t)) {
		uint64_t word;

		if (!random_word(&word))
			return false;
		memcpy(m->seed + i, &word, sizeof(word));
	}
	return true;
}

const char *machine_read(struct machine *m, const struct abi_bootinfo *bi)
{
	*m = (struct machine){ .uart_at = COM1 };
	m->has_seed = read_seed(m);
	return find_payload(m, bi);
}
