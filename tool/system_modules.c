/* The modules of a Multiboot VM: `modules`, or its `initrd`, as one image. */
#include <selvage/modules.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "diag.h"
#include "system_images.h"

#define ALIGN 8u

struct making {
	struct modules list;
	struct buffer bytes;  /* what comes behind it */
	struct buffer option; /* QEMU's -initrd for the same */
};

/* A comma stands between modules there; two are one that belongs to a name. */
static void add_text(struct buffer *option, const char *text)
{
	for (; *text; text++) {
		buffer_append(option, text, 1);
		if (*text == ',')
			buffer_append(option, text, 1);
	}
}

static void add(struct making *m, const struct file *file, const char *cmdline)
{
	struct modules_item *item = &m->list.item[m->list.n];

	buffer_pad(&m->bytes, ALIGN);
	item->offset = sizeof(m->list) + m->bytes.size;
	item->bytes = file->size;
	strcpy(item->cmdline, cmdline);
	buffer_append(&m->bytes, file->data, file->size);
	if (m->list.n++ > 0)
		buffer_append(&m->option, ",", 1);
	add_text(&m->option, file->path);
	if (*cmdline) {
		buffer_append(&m->option, " ", 1);
		add_text(&m->option, cmdline);
	}
}

static bool add_file(struct making *m, const struct image_check *c, yaml_node_t *node,
		     const char *key, const struct conf_module *from)
{
	const char *cmdline = from->cmdline ? from->cmdline : "";
	struct file file = { 0 };

	if (strlen(cmdline) >= MODULES_CMDLINE) {
		diag_error_at(c->sys->file, system_line(c->sys, node, "cmdline"),
			      "`cmdline` of a module has %zu characters; give it at most %u",
			      strlen(cmdline), MODULES_CMDLINE - 1);
		return false;
	}
	if (!image_open(c, node, key, from->file, &file))
		return false;
	add(m, &file, cmdline);
	file_unmap(&file);
	return true;
}

static bool add_all(struct making *m, const struct image_check *c, const struct conf_vm *conf)
{
	const struct conf_module only = { .file = conf->initrd };
	yaml_node_t *list = yamldoc_get(&c->sys->doc, c->vm_node, "modules");

	if (conf->initrd)
		return add_file(m, c, c->vm_node, "initrd", &only);
	for (unsigned i = 0; i < conf->modules_count; i++)
		if (!add_file(m, c, yamldoc_item(&c->sys->doc, list, i), "file", &conf->modules[i]))
			return false;
	return true;
}

static bool finish(struct making *m, struct file *image, char **option)
{
	struct buffer whole = { 0 };
	bool ok;

	m->list.magic = MODULES_MAGIC;
	buffer_append(&whole, &m->list, sizeof(m->list));
	buffer_append(&whole, m->bytes.data, m->bytes.size);
	buffer_append(&m->option, "", 1);
	*option = files_text("%s", (const char *)m->option.data);
	image->path = files_text("modules");
	ok = file_replace(image, whole.data, whole.size);
	buffer_free(&whole);
	return ok;
}

bool image_load_modules(const struct image_check *c, uint32_t index)
{
	struct making m = { 0 };
	bool ok = add_all(&m, c, &c->sys->conf->vms[index]);

	if (ok && m.list.n > 0)
		ok = finish(&m, &c->sys->initrd[index], &c->sys->modules[index]);
	buffer_free(&m.bytes);
	buffer_free(&m.option);
	return ok;
}
