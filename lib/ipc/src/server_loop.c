#include <selvage/server_loop.h>

#include <selvage/procinfo.h>
#include <selvage/servers.h>

_Noreturn void server_run(const struct server_ops *ops)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };
	uint64_t badge, answer;
	msginfo_t info;

	info = sel4_recv(PROC_CAP_SERVICE_EP, &badge, mr, PROC_CAP_REPLY);
	for (;;) {
		if (badge & SERVER_NTFN) {
			ops->signal(badge & ~SERVER_NTFN);
			info = sel4_recv(PROC_CAP_SERVICE_EP, &badge, mr,
					 PROC_CAP_REPLY);
			continue;
		}
		answer = ops->request(badge, info, mr);
		info = sel4_reply_recv(PROC_CAP_SERVICE_EP,
				       msginfo(answer, 0, 0), &badge, mr,
				       PROC_CAP_REPLY);
	}
}
