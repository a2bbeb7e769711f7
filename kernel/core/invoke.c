/* Invocations: dispatch and results. */
#include <kernel/invoke.h>

#include <abi/ext.h>
#include <kernel/cnode.h>
#include <kernel/ipc.h>
#include <selvage/base.h>

struct method {
	uint8_t object, words, caps; /* a capability type; at least so many */
};

#define METHOD(number, object, words, caps) [number] = { CAP_##object, words, caps },
static const struct method methods[] = {
#define X(name, number, object, words, caps) METHOD(number, object, words, caps)
	ABI_INVOCATIONS(X)
#undef X
};
static const struct method extensions[] = {
#define X(name, number, object, words, caps) METHOD((number)-ABI_EXT_BASE, object, words, caps)
	ABI_EXTENSIONS(X)
#undef X
};

static struct method method_of(word_t label)
{
	if (label < ARRAY_SIZE(methods))
		return methods[label];
	if (SELVAGE_EXTENSIONS && label - ABI_EXT_BASE < ARRAY_SIZE(extensions))
		return extensions[label - ABI_EXT_BASE];
	return (struct method){ CAP_NULL, 0, 0 };
}

int inv_check(const struct invocation *inv)
{
	struct method m = method_of(inv->label);

	if (m.object != cap_type(inv->cap))
		return ABI_ILLEGAL_OPERATION;
	if (inv->length < m.words || inv->extra_count < m.caps)
		return ABI_TRUNCATED_MESSAGE;
	return ABI_OK;
}

static int detailed(struct invocation *inv, int error, unsigned n, word_t a, word_t b)
{
	inv->reply[0] = a;
	inv->reply[1] = b;
	inv->reply_length = n;
	return error;
}

int inv_invalid_argument(struct invocation *inv, word_t number)
{
	return detailed(inv, ABI_INVALID_ARGUMENT, 1, number, 0);
}

int inv_invalid_cap(struct invocation *inv, word_t number)
{
	return detailed(inv, ABI_INVALID_CAPABILITY, 1, number, 0);
}

int inv_range(struct invocation *inv, word_t min, word_t max)
{
	return detailed(inv, ABI_RANGE_ERROR, 2, min, max);
}

int inv_not_enough_memory(struct invocation *inv, word_t bytes_left)
{
	return detailed(inv, ABI_NOT_ENOUGH_MEMORY, 1, bytes_left, 0);
}

int inv_failed_lookup(struct invocation *inv, bool source, const struct lookup_failure *f)
{
	/* Lookup failure type -> words after it. */
	static const unsigned char details[] = { 0, 0, 1, 2, 3 };

	inv->reply[2] = f->word[0];
	inv->reply[3] = f->word[1];
	inv->detail4 = f->word[2];
	return detailed(inv, ABI_FAILED_LOOKUP, 2 + details[f->type], source, f->type);
}

int inv_lookup_slot(struct invocation *inv, bool source, struct cap root,
		    word_t index, word_t depth, struct slot **out)
{
	struct lookup_failure f;
	unsigned left;

	if (cap_type(root) != CAP_CNODE) {
		f = (struct lookup_failure){ ABI_LOOKUP_INVALID_ROOT, { 0 } };
		return inv_failed_lookup(inv, source, &f);
	}
	if (depth < 1 || depth > 64)
		return inv_range(inv, 1, 64);
	if (!cnode_resolve(root, index, (unsigned)depth, out, &left, &f))
		return inv_failed_lookup(inv, source, &f);
	if (left != 0) {
		f = (struct lookup_failure){ ABI_LOOKUP_DEPTH_MISMATCH, { left, 0 } };
		return inv_failed_lookup(inv, source, &f);
	}
	return ABI_OK;
}

int inv_lookup_empty(struct invocation *inv, struct cap root, word_t index,
		     word_t depth, struct slot **out)
{
	int error = inv_lookup_slot(inv, false, root, index, depth, out);

	if (error)
		return error;
	return slot_is_empty(*out) ? ABI_OK : ABI_DELETE_FIRST;
}

void inv_result(struct invocation *inv, unsigned i, word_t v)
{
	struct abi_ipcbuf *out;

	if (i < ABI_MSG_REGS) {
		inv->reply[i] = v;
	} else {
		out = inv->call ? ipc_buffer(inv->thread, true) : NULL;
		if (!out)
			return;
		out->msg[i] = v;
	}
	inv->reply_length = i + 1;
}
