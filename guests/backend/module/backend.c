// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Linux driver of the device that a backend VM has for each connection which
 * it serves: /dev/selvage-NAME gives a program its areas, write-back, and its
 * interrupts. It knows nothing of what is in them, but for the word that tells
 * the other side when that program has ended.
 *
 * Areas are mapped page by page as they are touched, so that a device which is
 * taken away can take the pages along: who touches them later gets SIGBUS.
 */
#include "selvage_backend.h"

#include <linux/ctype.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/poll.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

struct backend {
	struct kref users; /* the device itself, and who has the file open */
	struct miscdevice misc;
	struct selvage_backend_info info;
	phys_addr_t start[SELVAGE_AREAS];
	void __iomem *regs;
	u8 *control;
	int irq;
	atomic64_t interrupts; /* not read yet */
	wait_queue_head_t wait;
	struct rw_semaphore gone_lock;
	bool gone;                     /* the device is */
	struct address_space *mapping; /* of the open file, or NULL */
};

static void release_backend(struct kref *users)
{
	struct backend *b = container_of(users, struct backend, users);

	kfree(b->misc.name);
	kfree(b);
}

/* --- The file ----------------------------------------------------------------- */

static struct backend *backend_of(struct file *file)
{
	return container_of(file->private_data, struct backend, misc);
}

/* misc_deregister() waits for us, so the device is there. */
static int backend_open(struct inode *inode, struct file *file)
{
	struct backend *b = backend_of(file);
	int error = 0;

	down_write(&b->gone_lock);
	if (b->mapping)
		error = -EBUSY;
	else
		b->mapping = file->f_mapping;
	up_write(&b->gone_lock);
	if (!error)
		kref_get(&b->users);
	return error;
}

/* The last mapping is gone too by now: each holds the file. Nobody serves. */
static int backend_release(struct inode *inode, struct file *file)
{
	struct backend *b = backend_of(file);

	down_write(&b->gone_lock);
	b->mapping = NULL;
	if (!b->gone) {
		WRITE_ONCE(*(__le32 *)(b->control + SELVAGE_CONTROL_UP), 0);
		writel(1, b->regs + SELVAGE_REG_EVENT);
	}
	up_write(&b->gone_lock);
	kref_put(&b->users, release_backend);
	return 0;
}

static ssize_t backend_read(struct file *file, char __user *to, size_t bytes, loff_t *at)
{
	struct backend *b = backend_of(file);
	__u64 n;

	if (bytes < sizeof(n))
		return -EINVAL;
	while ((n = atomic64_xchg(&b->interrupts, 0)) == 0) {
		if (READ_ONCE(b->gone))
			return -ENODEV;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(b->wait, atomic64_read(&b->interrupts) != 0 ||
							      READ_ONCE(b->gone)))
			return -ERESTARTSYS;
	}
	return copy_to_user(to, &n, sizeof(n)) ? -EFAULT : sizeof(n);
}

static __poll_t backend_poll(struct file *file, poll_table *table)
{
	struct backend *b = backend_of(file);
	__poll_t events = 0;

	poll_wait(file, &b->wait, table);
	if (atomic64_read(&b->interrupts) != 0)
		events |= EPOLLIN | EPOLLRDNORM;
	return READ_ONCE(b->gone) ? EPOLLHUP | EPOLLERR : events;
}

static long backend_ioctl(struct file *file, unsigned int what, unsigned long to)
{
	const struct backend *b = backend_of(file);

	if (what != SELVAGE_BACKEND_INFO)
		return -ENOTTY;
	return copy_to_user((void __user *)to, &b->info, sizeof(b->info)) ? -EFAULT : 0;
}

static vm_fault_t backend_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct backend *b = backend_of(vma->vm_file);
	unsigned int area = (unsigned long)vma->vm_private_data;
	unsigned long first = SELVAGE_AREA(area) >> PAGE_SHIFT;
	vm_fault_t result = VM_FAULT_SIGBUS;

	down_read(&b->gone_lock);
	if (!b->gone)
		result = vmf_insert_pfn(vma, vmf->address,
					PHYS_PFN(b->start[area]) + (vmf->pgoff - first));
	up_read(&b->gone_lock);
	return result;
}

static const struct vm_operations_struct backend_vm_ops = { .fault = backend_fault };

static int backend_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct backend *b = backend_of(file);
	unsigned long area = vma->vm_pgoff >> (44 - PAGE_SHIFT);
	u64 first = vma->vm_pgoff - (SELVAGE_AREA(area) >> PAGE_SHIFT), pages;

	if (area >= SELVAGE_AREAS || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	pages = b->info.size[area] >> PAGE_SHIFT;
	if (first >= pages || vma_pages(vma) > pages - first)
		return -EINVAL;
	vma->vm_private_data = (void *)area;
	vma->vm_ops = &backend_vm_ops;
	vma->vm_flags |= VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY;
	vma->vm_flags &= ~VM_MAYEXEC;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (area == SELVAGE_REGS)
		vma->vm_page_prot = pgprot_device(vma->vm_page_prot);
	return 0;
}

static const struct file_operations backend_files = {
	.owner = THIS_MODULE,
	.open = backend_open,
	.release = backend_release,
	.read = backend_read,
	.poll = backend_poll,
	.unlocked_ioctl = backend_ioctl,
	.mmap = backend_mmap,
	.llseek = noop_llseek,
};

/* --- The device --------------------------------------------------------------- */

static irqreturn_t backend_interrupt(int irq, void *opaque)
{
	struct backend *b = opaque;

	atomic64_inc(&b->interrupts);
	wake_up_interruptible(&b->wait);
	return IRQ_HANDLED;
}

static int read_registers(struct device *dev, struct backend *b)
{
	unsigned int i;

	if (readl(b->regs + SELVAGE_REG_MAGIC) != SELVAGE_MAGIC) {
		dev_err(dev, "not a connection\n");
		return -ENODEV;
	}
	b->info.version = readl(b->regs + SELVAGE_REG_VERSION);
	b->info.kind = readl(b->regs + SELVAGE_REG_KIND);
	for (i = 0; i < SELVAGE_NAME - 1; i++) {
		b->info.name[i] = readb(b->regs + SELVAGE_REG_NAME + i);
		if (!isalnum(b->info.name[i]) && b->info.name[i] != '_')
			b->info.name[i] = b->info.name[i] ? '-' : 0;
	}
	return b->info.version == SELVAGE_VERSION ? 0 : -ENODEV;
}

static struct backend *make_backend(struct device *dev, const struct resource *const *area)
{
	struct backend *b = kzalloc(sizeof(*b), GFP_KERNEL);
	unsigned int i;
	int error;

	if (!b)
		return ERR_PTR(-ENOMEM);
	kref_init(&b->users);
	init_waitqueue_head(&b->wait);
	init_rwsem(&b->gone_lock);
	for (i = 0; i < SELVAGE_AREAS; i++) {
		if (!area[i] || !resource_size(area[i]))
			continue;
		b->start[i] = area[i]->start;
		b->info.size[i] = resource_size(area[i]) & PAGE_MASK;
	}
	b->regs = devm_ioremap(dev, b->start[SELVAGE_REGS], PAGE_SIZE);
	if (b->info.size[SELVAGE_CONTROL] >= PAGE_SIZE)
		b->control = devm_memremap(dev, b->start[SELVAGE_CONTROL], PAGE_SIZE, MEMREMAP_WB);
	error = b->regs && !IS_ERR_OR_NULL(b->control) ? read_registers(dev, b) : -ENOMEM;
	if (error) {
		kfree(b);
		return ERR_PTR(error);
	}
	return b;
}

static int start_backend(struct device *dev, struct backend *b, int irq)
{
	int error = -ENOMEM;

	b->irq = irq;
	b->misc.minor = MISC_DYNAMIC_MINOR;
	b->misc.name = kasprintf(GFP_KERNEL, "selvage-%s", b->info.name);
	b->misc.fops = &backend_files;
	b->misc.parent = dev;
	if (b->misc.name)
		error = request_irq(irq, backend_interrupt, 0, b->misc.name, b);
	if (error)
		return error;
	error = misc_register(&b->misc);
	if (error)
		free_irq(irq, b);
	else
		dev_info(dev, "%s\n", b->misc.name);
	return error;
}

/* Whoever has the file open keeps `b`, and nothing else of the device. */
static void remove_backend(struct backend *b)
{
	struct address_space *mapping;

	misc_deregister(&b->misc);
	down_write(&b->gone_lock);
	WRITE_ONCE(b->gone, true);
	mapping = b->mapping;
	if (mapping)
		unmap_mapping_range(mapping, 0, 0, 1);
	up_write(&b->gone_lock);
	free_irq(b->irq, b);
	wake_up_all(&b->wait);
	kref_put(&b->users, release_backend);
}

/* --- On PCI --------------------------------------------------------------------- */

static int pci_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	const struct resource *const area[SELVAGE_AREAS] = {
		&pci->resource[0], &pci->resource[1], &pci->resource[2]
	};
	struct backend *b;
	int error = pcim_enable_device(pci);

	if (error)
		return error;
	error = pci_request_regions(pci, "selvage-backend");
	if (error)
		return error;
	b = make_backend(&pci->dev, area);
	if (IS_ERR(b))
		return PTR_ERR(b);
	error = start_backend(&pci->dev, b, pci->irq);
	if (error)
		kref_put(&b->users, release_backend);
	else
		pci_set_drvdata(pci, b);
	return error;
}

static void pci_remove(struct pci_dev *pci)
{
	remove_backend(pci_get_drvdata(pci));
}

static const struct pci_device_id pci_ids[] = {
	{ PCI_DEVICE(SELVAGE_PCI_VENDOR, SELVAGE_PCI_BACKEND) },
	{}
};
MODULE_DEVICE_TABLE(pci, pci_ids);

static struct pci_driver on_pci = {
	.name = "selvage-backend",
	.id_table = pci_ids,
	.probe = pci_probe,
	.remove = pci_remove,
};

module_pci_driver(on_pci);
MODULE_DESCRIPTION("Devices that a VM serves to others under Selvage");
MODULE_AUTHOR("the Selvage authors");
MODULE_LICENSE("Dual BSD/GPL");
