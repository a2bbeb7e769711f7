#include "upload.h"

#include "self.h"

#include <selvage/base.h>
#include <selvage/clock.h>
#include <selvage/crc32.h>
#include <string.h>

#define PAGE 4096u
/* One whose client has said nothing for so long is left off. */
#define IDLE_US 30000000u

static struct images {
	bool used;
	uint32_t first, count; /* of frames[] */
	struct mem_arena mem;
	uint32_t n_items;
	struct payload_item item[UPLOAD_ITEMS];
} images[SYSDESC_MAX_VMS];
static cap_t frames[UPLOAD_FRAMES]; /* 0: not made yet */

/* The one under way. */
static struct {
	bool busy;
	unsigned vm;
	uint64_t size, next; /* bytes; the first that was not put */
	uint32_t crc32;
	uint64_t heard; /* when last, ticks */
} now;

static bool is_free(uint32_t first, uint32_t count)
{
	for (unsigned i = 0; i < SYSDESC_MAX_VMS; i++)
		if (images[i].used &&
		    range_overlaps_u64(first, count, images[i].first, images[i].count))
			return false;
	return count <= UPLOAD_FRAMES && first <= UPLOAD_FRAMES - count;
}

/* The first gap begins at 0 or where the frames of some VM end. */
static bool find_gap(uint32_t count, uint32_t *first)
{
	*first = 0;
	if (is_free(0, count))
		return true;
	for (unsigned i = 0; i < SYSDESC_MAX_VMS; i++) {
		*first = images[i].first + images[i].count;
		if (images[i].used && is_free(*first, count))
			return true;
	}
	return false;
}

bool upload_busy(void)
{
	if (now.busy && clock_now() - now.heard > clock_us_to_ticks(IDLE_US))
		upload_drop(now.vm);
	return now.busy;
}

unsigned upload_vm(void) { return now.vm; }

const char *upload_begin(unsigned vm, uint64_t size)
{
	struct images *im = &images[vm];
	uint32_t count;

	if (upload_busy())
		return "another VM is being created; try again";
	if (size < PAGE || size > UPLOAD_MAX_BYTES)
		return "the VM's images are too large, or nothing";
	count = (uint32_t)(align_up_u64(size, PAGE) / PAGE);
	if (!find_gap(count, &im->first))
		return "the images of all VMs together are too large";
	im->used = true;
	im->count = count;
	memset(&frames[im->first], 0, count * sizeof(frames[0]));
	mem_open(&im->mem, MEM_CHUNK_BITS);
	now.busy = true;
	now.vm = vm;
	now.size = size;
	now.next = 0;
	now.crc32 = 0;
	now.heard = clock_now();
	return NULL;
}

/* The page's frame, made if it is not there. 0: out of memory. */
static cap_t frame_of(struct images *im, uint64_t page)
{
	cap_t *frame = &frames[im->first + page];

	if (*frame == 0)
		*frame = mem_object(&im->mem, ABI_OBJ_SMALL_PAGE);
	return *frame;
}

static bool put_page(struct images *im, uint64_t offset, const uint8_t *bytes, size_t n)
{
	cap_t frame = frame_of(im, offset / PAGE);
	uint8_t *page = frame == 0 ? NULL : self_scratch(frame);

	if (page == NULL)
		return false;
	memcpy(page + offset % PAGE, bytes, n);
	self_scratch_end();
	return true;
}

const char *upload_put(uint64_t offset, const uint8_t *bytes, size_t n)
{
	if (!now.busy)
		return "no VM is being created";
	if (offset < now.next || offset > now.size || n > now.size - offset)
		return "these bytes are not the next ones; begin again";
	now.heard = clock_now();
	now.crc32 = crc32_update(now.crc32, bytes, n);
	now.next = offset + n;
	for (size_t done = 0; done < n;) {
		size_t part = (size_t)min_u64(n - done, PAGE - (offset + done) % PAGE);

		if (!put_page(&images[now.vm], offset + done, bytes + done, part)) {
			upload_drop(now.vm);
			return "out of memory for the VM's images";
		}
		done += part;
	}
	return NULL;
}

/* A copy of the page, or of zeros. */
static bool read_page(struct images *im, uint64_t index, void *copy)
{
	cap_t frame = frame_of(im, index);
	const void *page = frame == 0 ? NULL : self_scratch(frame);

	if (page == NULL)
		return false;
	memcpy(copy, page, PAGE);
	self_scratch_end();
	return true;
}

union page {
	struct payload_header header;
	struct sysdesc desc;
	uint8_t bytes[PAGE];
};
_Static_assert(sizeof(struct payload_header) + UPLOAD_ITEMS * sizeof(struct payload_item) <= PAGE,
	       "the index is in the first page");
_Static_assert(sizeof(struct sysdesc) + sizeof(struct sysdesc_vm) +
			       SYSDESC_VM_CONNECTIONS * sizeof(struct sysdesc_connection) <=
		       PAGE,
	       "a description of one VM is in a page");

static const char *take_index(struct images *im, union page *page)
{
	const char *wrong;

	if (!read_page(im, 0, page))
		return "out of memory";
	if (page->header.magic == PAYLOAD_MAGIC && page->header.n_items > UPLOAD_ITEMS)
		return "a VM has no more than a description, a kernel, an initrd and disks";
	wrong = payload_check(page, now.size);
	if (wrong != NULL)
		return wrong;
	im->n_items = page->header.n_items;
	memcpy(im->item, page->header.item, im->n_items * sizeof(im->item[0]));
	return NULL;
}

static const char *take_description(struct images *im, union page *page, struct upload_vm *d)
{
	const char *wrong;
	unsigned i = 0;

	while (im->item[i].kind != PAYLOAD_DESCRIPTION) /* payload_check: there is one */
		i++;
	if (im->item[i].size > PAGE || !read_page(im, im->item[i].offset / PAGE, page))
		return "the description is not of one VM";
	wrong = sysdesc_check(page, im->item[i].size, im->n_items);
	if (wrong != NULL)
		return wrong;
	if (!(page->desc.machine & (uint32_t)SYSDESC_MACHINE_RUNS))
		return "the description is of a system, not of a VM";
	d->vm = page->desc.vm[0];
	memcpy(d->connection, sysdesc_connections(&page->desc),
	       d->vm.n_connections * sizeof(d->connection[0]));
	return NULL;
}

static bool is_guest(const struct images *im, uint32_t item)
{
	return item < im->n_items && im->item[item].kind == PAYLOAD_GUEST;
}

/* What this machine cannot do, though another could. */
static const char *check_machine(const struct sysdesc_vm *vm, const struct sysdesc *system)
{
	if ((vm->board == SYSDESC_BOARD_PC) !=
	    ((system->machine & (uint32_t)SYSDESC_MACHINE_PC) != 0))
		return "the VM's board is of another kind of machine";
	if (vm->gic > system->gic_version)
		return "a GICv3 for a VM needs one in the machine";
	if (vm->n_passthrough != 0)
		return "devices of the machine are for VMs of the system's own description";
	for (uint32_t i = 0; i < vm->n_regions; i++) {
		if (sysdesc_place(&vm->region[i]) != 0)
			return "memory of a chosen place is for VMs of the system's own "
			       "description";
		if (!range_within_u64(vm->region[i].gpa, vm->region[i].size, 0,
				      ABI_USER_TOP + 1))
			return "the VM's memory ends above what the processor can address";
	}
	return NULL;
}

/* Disks that the block server is to have for it. */
static bool has_served(const struct images *im, const struct upload_vm *d)
{
	for (uint32_t i = 0; i < d->vm.n_connections; i++)
		if (d->connection[i].server == SYSDESC_SERVER_BLOCK &&
		    d->connection[i].image != SYSDESC_MACHINES_DISK &&
		    !is_guest(im, d->connection[i].image))
			return false;
	return true;
}

static const char *check_images(struct images *im, const struct upload_vm *d)
{
	const struct sysdesc_vm *vm = &d->vm;

	if (!is_guest(im, vm->kernel) ||
	    (vm->initrd != SYSDESC_NO_PAYLOAD && !is_guest(im, vm->initrd)))
		return "the VM's kernel or initrd is no image";
	for (uint32_t i = 0; i < vm->n_disks; i++)
		if (!is_guest(im, vm->disk[i].image))
			return "a disk of the VM is no image";
	if (!has_served(im, d))
		return "a disk of the VM is no image";
	for (uint32_t i = 0; i < im->n_items; i++)
		for (uint64_t at = 0; at < im->item[i].size; at += PAGE)
			if (frame_of(im, (im->item[i].offset + at) / PAGE) == 0)
				return "out of memory for the VM's images";
	return NULL;
}

const char *upload_finish(uint32_t crc32, const struct sysdesc *system, struct upload_vm *d)
{
	static union page page;
	struct images *im = &images[now.vm];
	const char *wrong = NULL;

	if (!now.busy)
		return "no VM is being created";
	if (crc32 != now.crc32)
		wrong = "the VM's images did not arrive as they were sent";
	if (wrong == NULL)
		wrong = take_index(im, &page);
	if (wrong == NULL)
		wrong = take_description(im, &page, d);
	if (wrong == NULL)
		wrong = check_machine(&d->vm, system);
	if (wrong == NULL)
		wrong = check_images(im, d);
	if (wrong != NULL)
		upload_drop(now.vm);
	now.busy = false;
	return wrong;
}

bool upload_has(unsigned vm) { return images[vm].used; }

bool upload_image(unsigned vm, uint32_t item, struct image_frames *where, uint64_t *bytes)
{
	const struct images *im = &images[vm];

	if (!is_guest(im, item))
		return false;
	*bytes = im->item[item].size;
	*where = (struct image_frames){
		.frame = &frames[im->first + im->item[item].offset / PAGE],
		.count = (uint32_t)(align_up_u64(*bytes, PAGE) / PAGE),
		.bits = ABI_PAGE_BITS,
	};
	return true;
}

void upload_drop(unsigned vm)
{
	if (!images[vm].used)
		return;
	mem_close(&images[vm].mem);
	images[vm].used = false;
	if (now.vm == vm)
		now.busy = false;
}
