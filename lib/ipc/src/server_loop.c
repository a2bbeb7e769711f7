#include <selvage/server_loop.h>

#include <selvage/procinfo.h>
#include <selvage/servers.h>

static cap_t owed; /* a signal, or 0 */

void server_signal(cap_t notification)
{
	if (owed != 0 && owed != notification)
		sel4_signal(owed);
	owed = notification;
}

static void pay(void)
{
	if (owed != 0)
		sel4_signal(owed);
	owed = 0;
}

static msginfo_t receive(bool at_once, uint64_t *badge, uint64_t mr[SEL4_MSG_REGS])
{
	const cap_t last = owed;

	if (at_once || last == 0) {
		pay();
		return at_once ? sel4_nb_recv(PROC_CAP_SERVICE_EP, badge, mr, PROC_CAP_REPLY)
			       : sel4_recv(PROC_CAP_SERVICE_EP, badge, mr, PROC_CAP_REPLY);
	}
	owed = 0;
	return sel4_nb_send_recv(last, msginfo(0, 0, 0), mr, PROC_CAP_SERVICE_EP, badge,
				 PROC_CAP_REPLY);
}

_Noreturn void server_run(const struct server_ops *ops)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	uint64_t badge, answer;
	msginfo_t info;

	info = receive(false, &badge, mr);
	for (;;) {
		if (badge & SERVER_NTFN) {
			ops->signal(badge & ~SERVER_NTFN);
		} else if (badge != 0) {
			answer = ops->request(badge, info, mr);
			pay(); /* while the client is there for certain */
			if (ops->work == NULL) {
				info = sel4_reply_recv(PROC_CAP_SERVICE_EP,
						       msginfo(answer, 0, 0), &badge, mr,
						       PROC_CAP_REPLY);
				continue;
			}
			sel4_send(PROC_CAP_REPLY, msginfo(answer, 0, 0), mr);
		}
		info = receive(ops->work != NULL && ops->work(), &badge, mr);
	}
}

uint64_t server_client_request(const struct server_client_ops *ops,
			       uint64_t badge, msginfo_t info,
			       const uint64_t mr[SEL4_MSG_REGS])
{
	if (badge != SERVER_BADGE_INIT)
		return SERVER_BAD_REQUEST;
	switch (msginfo_label(info)) {
	case SERVER_ADD_CLIENT:
		return msginfo_words(info) < 5 ? SERVER_BAD_ARGUMENT
					       : ops->add(mr);
	case SERVER_REMOVE_CLIENT:
		return msginfo_words(info) < 1 ? SERVER_BAD_ARGUMENT
					       : ops->remove(mr[0]);
	default:
		return SERVER_BAD_REQUEST;
	}
}
