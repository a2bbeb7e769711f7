/* What a message carries, word by word and capability by capability. */
#include "kt.h"

#define FRESH 0xf2e5000000000000ull /* what a register or buffer held before */
#define PAGE 4096u

/* A receiver that says all that came. */
static struct {
	cap_t ep, reply;
	struct abi_ipcbuf receive; /* where it wants capabilities */
	msginfo_t info;
	uint64_t badge, word[ABI_MSG_MAX_WORDS], caps[3];
	volatile unsigned count;
	msginfo_t answer;
} r;

static void clear(void)
{
	r.ep = kt_make(ABI_OBJ_ENDPOINT, 0);
	r.reply = kt_make(ABI_OBJ_REPLY, 0);
	r.receive.receive_cnode = KT_CNODE;
	r.receive.receive_index = kt_slot();
	r.receive.receive_depth = 64;
	r.count = 0;
	r.info = r.answer = 0;
}

static cap_t place(void) { return r.receive.receive_index; }

static void prepare_buffer(void)
{
	for (unsigned i = 0; i < ABI_MSG_MAX_WORDS; i++)
		sel4_ipcbuf->msg[i] = FRESH + i;
	for (unsigned i = 0; i < 3; i++)
		sel4_ipcbuf->caps_or_badges[i] = FRESH + i;
	sel4_ipcbuf->receive_cnode = r.receive.receive_cnode;
	sel4_ipcbuf->receive_index = r.receive.receive_index;
	sel4_ipcbuf->receive_depth = r.receive.receive_depth;
}

static void keep(msginfo_t info, uint64_t badge, const uint64_t *mr)
{
	r.info = info;
	r.badge = badge;
	for (unsigned i = 0; i < ABI_MSG_MAX_WORDS; i++)
		r.word[i] = i < SEL4_MSG_REGS ? mr[i] : sel4_ipcbuf->msg[i];
	for (unsigned i = 0; i < 3; i++)
		r.caps[i] = sel4_ipcbuf->caps_or_badges[i];
	r.count++;
}

static void receive_once(void)
{
	uint64_t badge = 0, mr[SEL4_MSG_REGS] = { FRESH, FRESH + 1, FRESH + 2, FRESH + 3 };

	prepare_buffer();
	msginfo_t info = sel4_recv(r.ep, &badge, mr, r.reply);
	keep(info, badge, mr);
}

static void receiver(void *arg)
{
	(void)arg;
	for (;;)
		receive_once();
}

static void check_words(unsigned length, unsigned arrives)
{
	CHECK_EQ(msginfo_words(r.info), arrives);
	for (unsigned i = 0; i < ABI_MSG_MAX_WORDS; i++)
		if (r.word[i] != (i < arrives ? 1000 * length + i : FRESH + i))
			CHECK_EQ(i, ~0ull);
}

static void fill(uint64_t mr[SEL4_MSG_REGS], unsigned length)
{
	for (unsigned i = 0; i < ABI_MSG_MAX_WORDS; i++)
		*(i < SEL4_MSG_REGS ? &mr[i] : &sel4_ipcbuf->msg[i]) = 1000 * length + i;
}

/* --- lengths --- */

static void send_length(unsigned length, unsigned arrives)
{
	uint64_t mr[SEL4_MSG_REGS];
	unsigned before = r.count;

	fill(mr, length);
	sel4_send(r.ep, msginfo(length, 0, length), mr);
	CHECK_EQ(r.count, before + 1);
	CHECK_EQ(msginfo_label(r.info), length);
	check_words(length, arrives);
}

static void every_length_to_a_receiver(void)
{
	clear();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	for (unsigned n = 0; n <= ABI_MSG_MAX_WORDS; n++)
		send_length(n, n);
	for (unsigned n = ABI_MSG_MAX_WORDS + 1; n < 128; n++)
		send_length(n, ABI_MSG_MAX_WORDS);
}

static void sends_every_length(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS];

	(void)arg;
	for (unsigned n = 0; n <= ABI_MSG_MAX_WORDS; n++) {
		fill(mr, n);
		sel4_send(r.ep, msginfo(n, 0, n), mr);
	}
	kt_stop();
}

static void every_length_from_a_sender(void)
{
	clear();
	(void)kt_start(0, sends_every_length, NULL, KT_HIGH);
	for (unsigned n = 0; n <= ABI_MSG_MAX_WORDS; n++) {
		receive_once();
		check_words(n, n);
	}
}

/* Answers a call of n words with n words, each one more. */
static void echo(void *arg)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };
	msginfo_t info = sel4_recv(r.ep, &badge, mr, r.reply);

	(void)arg;
	for (;;) {
		for (unsigned i = 0; i < msginfo_words(info); i++)
			*(i < SEL4_MSG_REGS ? &mr[i] : &sel4_ipcbuf->msg[i]) += 1;
		info = sel4_reply_recv(r.ep, info, &badge, mr, r.reply);
	}
}

static void every_length_called(bool passive)
{
	clear();
	struct kt_thread t = kt_start(0, echo, NULL, KT_HIGH);
	if (passive)
		CHECK_OK(sel4_sched_context_unbind(t.sc));
	for (unsigned n = 0; n <= ABI_MSG_MAX_WORDS; n++) {
		uint64_t mr[SEL4_MSG_REGS];

		fill(mr, n);
		msginfo_t info = sel4_call(r.ep, msginfo(n + 5, 0, n), mr);
		CHECK_EQ(info, msginfo(n + 5, 0, n));
		for (unsigned i = 0; i < ABI_MSG_MAX_WORDS; i++)
			if ((i < SEL4_MSG_REGS ? mr[i] : sel4_ipcbuf->msg[i]) !=
			    1000 * n + i + (i < n))
				CHECK_EQ(i, ~0ull);
	}
}

static void every_length_to_an_active_server(void) { every_length_called(false); }
static void every_length_to_a_passive_server(void) { every_length_called(true); }

static void labels(void)
{
	static const uint64_t values[] = { 0, 1, 0xfff, 1ull << 32, (1ull << 52) - 1 };
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	clear();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	for (unsigned i = 0; i < 5; i++) {
		sel4_send(r.ep, msginfo(values[i], 0, 0), mr);
		CHECK_EQ(r.info, values[i] << ABI_MSGINFO_LABEL_SHIFT);
	}
}

static void badges(void)
{
	static const uint64_t values[] = { 1, 0xffffffff, 1ull << 63, ~0ull };
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	clear();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	sel4_send(r.ep, msginfo(0, 0, 0), mr);
	CHECK_EQ(r.badge, 0);
	for (unsigned i = 0; i < 4; i++) {
		sel4_send(kt_mint(r.ep, ABI_RIGHT_WRITE, values[i]), msginfo(0, 0, 0), mr);
		CHECK_EQ(r.badge, values[i]);
	}
	/* The unwrapped bits of a sender are not believed. */
	sel4_send(r.ep, 7ull << ABI_MSGINFO_UNWRAPPED_SHIFT, mr);
	CHECK_EQ(r.info, 0);
}

/* --- IPC buffers --- */

static void set_buffer(struct kt_thread t, cap_t frame, uint64_t address)
{
	CHECK_OK(sel4_tcb_set_ipc_buffer(t.tcb, frame, address));
}

static void receiver_without_a_buffer(void)
{
	clear();
	struct kt_thread t = kt_start(0, receiver, NULL, KT_HIGH);
	set_buffer(t, 0, 0);
	for (unsigned n = 0; n < 8; n++) {
		uint64_t mr[SEL4_MSG_REGS];

		fill(mr, n);
		sel4_send(r.ep, msginfo(0, 0, n), mr);
		CHECK_EQ(msginfo_words(r.info), n < SEL4_MSG_REGS ? n : SEL4_MSG_REGS);
	}
}

static void receiver_with_a_read_only_buffer(void)
{
	uint64_t mr[SEL4_MSG_REGS];

	clear();
	struct kt_thread t = kt_start(0, receiver, NULL, KT_HIGH);
	set_buffer(t, kt_mint(kt_make(ABI_OBJ_SMALL_PAGE, 0), ABI_RIGHT_READ, 0), PAGE);
	fill(mr, 20);
	sel4_send(r.ep, msginfo(0, 0, 20), mr);
	CHECK_EQ(msginfo_words(r.info), SEL4_MSG_REGS);
}

static void buffer_revoked(void)
{
	uint64_t mr[SEL4_MSG_REGS];
	cap_t frame = kt_make(ABI_OBJ_SMALL_PAGE, 0);

	clear();
	struct kt_thread t = kt_start(0, receiver, NULL, KT_HIGH);
	set_buffer(t, frame, PAGE);
	CHECK_OK(kt_revoke(frame));
	fill(mr, 20);
	sel4_send(r.ep, msginfo(0, 0, 20), mr);
	CHECK_EQ(msginfo_words(r.info), SEL4_MSG_REGS);
}

static void sends_without_a_buffer(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS] = { 1, 2, 3, 4 };

	(void)arg;
	sel4_send(r.ep, msginfo(3, 3, 60), mr);
	kt_stop();
}

static void sender_without_a_buffer(void)
{
	clear();
	struct kt_thread t = kt_thread(0, sends_without_a_buffer, NULL, KT_HIGH, 0, true);
	set_buffer(t, 0, 0);
	CHECK_OK(sel4_tcb_resume(t.tcb));
	receive_once();
	CHECK_EQ(r.info, msginfo(3, 0, SEL4_MSG_REGS));
	CHECK_EQ(r.word[3], 4);
	CHECK_EQ(r.word[4], FRESH + 4);
}

/* The buffer is where the address says within its frame. */
static void buffer_at(enum abi_object type, uint64_t offset)
{
	volatile struct abi_ipcbuf *buffer;
	uint64_t mr[SEL4_MSG_REGS], window = 0x40000000ull;
	cap_t frame = kt_make(type, 0), copy = kt_copy(frame);

	clear();
	for (unsigned i = 0; i < 4; i++)
		if (sel4_page_map(copy, ABI_ROOT_VSPACE, window, KT_ALL, ABI_VM_DEFAULT))
			CHECK_OK(kt_map_table(ABI_ROOT_VSPACE, window));
	buffer = (volatile struct abi_ipcbuf *)(uintptr_t)(window + offset);
	struct kt_thread t = kt_start(0, receiver, NULL, KT_HIGH);
	set_buffer(t, frame, 0x70000000ull + offset);
	fill(mr, 120);
	sel4_send(r.ep, msginfo(0, 0, 120), mr);
	CHECK_EQ(msginfo_words(r.info), 120);
	CHECK_EQ(buffer->msg[4], 120004);
	CHECK_EQ(buffer->msg[119], 120119);
	CHECK_EQ(buffer->caps_or_badges[0], 0);
}

static void buffer_at_the_end_of_a_page(void) { buffer_at(ABI_OBJ_SMALL_PAGE, 3072); }
static void buffer_in_a_large_page(void) { buffer_at(ABI_OBJ_LARGE_PAGE, 0x1ffc00); }

/* --- capabilities --- */

static void send_caps(cap_t ep, unsigned n, cap_t a, cap_t b, cap_t c)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0x1111, 0x2222 };

	sel4_ipcbuf->caps_or_badges[0] = a;
	sel4_ipcbuf->caps_or_badges[1] = b;
	sel4_ipcbuf->caps_or_badges[2] = c;
	sel4_send(ep, msginfo(1, n, 2), mr);
	CHECK_EQ(r.word[1], 0x2222); /* whatever happens to the capabilities */
}

static unsigned unwrapped(void)
{
	return (unsigned)(r.info >> ABI_MSGINFO_UNWRAPPED_SHIFT) & 7;
}

static void check_caps(unsigned count, unsigned mask)
{
	CHECK_EQ(msginfo_caps(r.info), count);
	CHECK_EQ(unwrapped(), mask);
}

static void one_of_three(void)
{
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0);

	clear();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	send_caps(r.ep, 3, n, KT_CNODE, KT_CNODE);
	check_caps(1, 0);
	CHECK_EQ(r.caps[0], FRESH);
	sel4_signal(place());
	CHECK_EQ(sel4_poll(n), 0); /* no badge: but it was active */
}

static void badge_and_rights_travel(void)
{
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0);

	clear();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	send_caps(r.ep, 1, kt_mint(n, ABI_RIGHT_WRITE, 0x77), 0, 0);
	check_caps(1, 0);
	sel4_signal(place());
	CHECK_EQ(sel4_poll(n), 0x77);
	/* Write only still. */
	CHECK_EQ(sel4_tcb_bind_notification(kt_make(ABI_OBJ_TCB, 0), place()),
		 ABI_ILLEGAL_OPERATION);
}

static void child_of_its_source(void)
{
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0);

	clear();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	send_caps(r.ep, 1, n, 0, 0);
	CHECK(!kt_is_empty(place()));
	CHECK_OK(kt_revoke(n));
	CHECK(kt_is_empty(place()));
}

static void unwrap_all(void)
{
	clear();
	cap_t a = kt_mint(r.ep, KT_ALL, 0xa), b = kt_mint(r.ep, ABI_RIGHT_READ, 0xb);
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	send_caps(r.ep, 3, a, r.ep, b);
	check_caps(3, 7);
	CHECK_EQ(r.caps[0], 0xa);
	CHECK_EQ(r.caps[1], 0);
	CHECK_EQ(r.caps[2], 0xb);
	CHECK(kt_is_empty(place()));
}

static void unwrap_second(void)
{
	clear();
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0), b = kt_mint(r.ep, KT_ALL, 0xb);
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	send_caps(r.ep, 2, n, b, 0);
	check_caps(2, 2);
	CHECK_EQ(r.caps[0], FRESH);
	CHECK_EQ(r.caps[1], 0xb);
	CHECK_EQ(r.caps[2], FRESH + 2);
	CHECK(!kt_is_empty(place()));
}

static void stops_at_the_first_without_a_place(void)
{
	clear();
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0), b = kt_mint(r.ep, KT_ALL, 0xb);
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	send_caps(r.ep, 3, n, n, b);
	check_caps(1, 0);
	CHECK_EQ(r.caps[2], FRESH + 2);
}

static void underivable(cap_t c)
{
	clear();
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	send_caps(r.ep, 1, c, 0, 0);
	check_caps(0, 0);
	CHECK(kt_is_empty(place()));
}

static void irq_control_stays(void) { underivable(ABI_ROOT_IRQ_CONTROL); }
static void used_untyped_stays(void) { underivable(kt_pool); }
static void unmapped_table_stays(void) { underivable(kt_make(ABI_OBJ_PAGE_TABLE, 0)); }
static void empty_slot_stays(void) { underivable(kt_slot()); }

/* The receiver's own idea of where to put it is wrong. */
static void bad_place(cap_t cnode, uint64_t index, uint64_t depth)
{
	clear();
	r.receive.receive_cnode = cnode;
	r.receive.receive_index = index;
	r.receive.receive_depth = depth;
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	send_caps(r.ep, 1, KT_CNODE, 0, 0);
	CHECK_EQ(r.count, 1);
	check_caps(0, 0);
}

static void place_in_use(void) { bad_place(KT_CNODE, ABI_ROOT_TCB, 64); }
static void place_of_depth_0(void) { bad_place(KT_CNODE, kt_slot(), 0); }
static void place_of_depth_65(void) { bad_place(KT_CNODE, kt_slot(), 65); }
static void place_with_bits_left(void) { bad_place(kt_make(ABI_OBJ_CNODE, 4), 0, 9); }
static void place_with_few_bits(void) { bad_place(kt_make(ABI_OBJ_CNODE, 4), 0, 3); }
static void place_in_no_cnode(void) { bad_place(kt_make(ABI_OBJ_TCB, 0), 0, 4); }
static void place_in_an_empty_slot(void) { bad_place(kt_slot(), 0, 4); }
static void place_out_of_reach(void) { bad_place(1ull << 61, 0, 4); }

static void place_two_levels_down(void)
{
	cap_t outer = kt_make(ABI_OBJ_CNODE, 3), inner = kt_make(ABI_OBJ_CNODE, 5);

	clear();
	CHECK_OK(sel4_cnode_copy(outer, 6, 3, KT_CNODE, inner, 64, KT_ALL));
	r.receive.receive_cnode = outer;
	r.receive.receive_index = 6 << 5 | 21;
	r.receive.receive_depth = 8;
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	send_caps(r.ep, 1, ABI_ROOT_TCB, 0, 0);
	check_caps(1, 0);
	CHECK_EQ(sel4_cnode_copy(inner, 21, 5, KT_CNODE, KT_CNODE, 64, KT_ALL), ABI_DELETE_FIRST);
}

/* The extra capability's slot is emptied while the sender waits. */
static void waits_with_a_cap(void *arg)
{
	(void)arg;
	send_caps(r.ep, 1, r.receive.receive_cnode, 0, 0);
	kt_stop();
}

static void gone_while_the_sender_waited(void)
{
	clear();
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	r.receive.receive_cnode = n;
	(void)kt_start(0, waits_with_a_cap, NULL, KT_HIGH);
	r.receive.receive_cnode = KT_CNODE;
	CHECK_OK(kt_delete(n));
	receive_once();
	check_caps(0, 0);
	CHECK_EQ(r.word[0], 0x1111);
}

static void calls_for_a_cap(void *arg)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	(void)arg;
	prepare_buffer();
	r.answer = sel4_call(r.ep, msginfo(0, 0, 0), mr);
	r.count++;
	kt_stop();
}

static void reply_carries_a_cap(void)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	clear();
	cap_t n = kt_make(ABI_OBJ_NOTIFICATION, 0);
	(void)kt_start(0, calls_for_a_cap, NULL, KT_HIGH);
	(void)sel4_recv(r.ep, &badge, mr, r.reply);
	sel4_ipcbuf->caps_or_badges[0] = n;
	sel4_send(r.reply, msginfo(0, 1, 0), mr);
	CHECK_EQ(r.count, 1);
	CHECK_EQ(msginfo_caps(r.answer), 1);
	CHECK(!kt_is_empty(place()));
}

/* In a reply, capabilities to the endpoint are like all others. */
static void reply_does_not_unwrap(void)
{
	uint64_t badge, mr[SEL4_MSG_REGS] = { 0 };

	clear();
	(void)kt_start(0, calls_for_a_cap, NULL, KT_HIGH);
	(void)sel4_recv(r.ep, &badge, mr, r.reply);
	sel4_ipcbuf->caps_or_badges[0] = r.ep;
	sel4_send(r.reply, msginfo(0, 1, 0), mr);
	CHECK_EQ(r.answer, msginfo(0, 1, 0));
	CHECK(!kt_is_empty(place()));
}

static void grant_reply_is_not_grant(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	clear();
	cap_t weak = kt_mint(r.ep, ABI_RIGHT_WRITE | ABI_RIGHT_GRANT_REPLY, 0);
	(void)kt_start(0, receiver, NULL, KT_HIGH);
	sel4_ipcbuf->caps_or_badges[0] = KT_CNODE;
	sel4_send(weak, msginfo(0, 1, 0), mr);
	CHECK_EQ(r.count, 1);
	check_caps(0, 0);
	CHECK(kt_is_empty(place()));
}

static const struct kt_case cases[] = {
	{ "transfer: every length, to a thread that waits", every_length_to_a_receiver },
	{ "transfer: every length, from a thread that waits", every_length_from_a_sender },
	{ "transfer: every length, called and answered", every_length_to_an_active_server },
	{ "transfer: every length, to a passive server", every_length_to_a_passive_server },
	{ "transfer: labels of 52 bits", labels },
	{ "transfer: badges of 64 bits", badges },
	{ "transfer: the receiver has no buffer", receiver_without_a_buffer },
	{ "transfer: the receiver's buffer is read-only", receiver_with_a_read_only_buffer },
	{ "transfer: the receiver's buffer was revoked", buffer_revoked },
	{ "transfer: the sender has no buffer", sender_without_a_buffer },
	{ "transfer: a buffer at the end of its page", buffer_at_the_end_of_a_page },
	{ "transfer: a buffer at the end of a large page", buffer_in_a_large_page },
	{ "transfer: one capability of three", one_of_three },
	{ "transfer: badge and rights travel", badge_and_rights_travel },
	{ "transfer: what arrives is revoked with its source", child_of_its_source },
	{ "transfer: three capabilities unwrapped", unwrap_all },
	{ "transfer: one moved, one unwrapped", unwrap_second },
	{ "transfer: stops at the first without a place", stops_at_the_first_without_a_place },
	{ "transfer: IRQ control stays", irq_control_stays },
	{ "transfer: an untyped with children stays", used_untyped_stays },
	{ "transfer: a table that is not mapped stays", unmapped_table_stays },
	{ "transfer: an empty slot as extra capability", empty_slot_stays },
	{ "transfer: the place is in use", place_in_use },
	{ "transfer: a place of depth 0", place_of_depth_0 },
	{ "transfer: a place of depth 65", place_of_depth_65 },
	{ "transfer: a place with bits left over", place_with_bits_left },
	{ "transfer: a place with too few bits", place_with_few_bits },
	{ "transfer: a place in what is no CNode", place_in_no_cnode },
	{ "transfer: a place in an empty slot", place_in_an_empty_slot },
	{ "transfer: a place whose root is out of reach", place_out_of_reach },
	{ "transfer: a place two levels down", place_two_levels_down },
	{ "transfer: deleted while the sender waited", gone_while_the_sender_waited },
	{ "transfer: a reply carries a capability", reply_carries_a_cap },
	{ "transfer: a reply does not unwrap", reply_does_not_unwrap },
	{ "transfer: GrantReply is not Grant", grant_reply_is_not_grant },
};
KT_GROUP(kt_transfer);
