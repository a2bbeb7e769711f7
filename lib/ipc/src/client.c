#include <selvage/client.h>

#include <selvage/rt.h>
#include <string.h>

static int request(cap_t dest, uint64_t label, unsigned words,
		   uint64_t mr[SEL4_MSG_REGS])
{
	return (int)msginfo_label(sel4_call(dest, msginfo(label, 0, words), mr));
}

int time_arm(unsigned timer, uint64_t deadline, uint64_t period)
{
	uint64_t mr[SEL4_MSG_REGS] = { timer, deadline, period };

	return request(PROC_CAP_TIME_EP, TIME_ARM, 3, mr);
}

int time_cancel(unsigned timer)
{
	uint64_t mr[SEL4_MSG_REGS] = { timer };

	return request(PROC_CAP_TIME_EP, TIME_CANCEL, 1, mr);
}

void init_ready(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	(void)request(PROC_CAP_INIT_EP, INIT_REQ_READY, 0, mr);
}

bool init_memory(enum init_request what, uint64_t gpa)
{
	uint64_t mr[SEL4_MSG_REGS] = { gpa };

	return request(PROC_CAP_INIT_EP, what, 1, mr) == 0;
}

_Noreturn void init_vm_off(enum vm_stop_reason reason)
{
	uint64_t mr[SEL4_MSG_REGS] = { (uint64_t)reason };

	(void)request(PROC_CAP_INIT_EP, INIT_REQ_VM_OFF, 1, mr);
	rt_panic("init answered INIT_REQ_VM_OFF");
}

_Noreturn void init_vm_reset(void)
{
	uint64_t mr[SEL4_MSG_REGS] = { 0 };

	(void)request(PROC_CAP_INIT_EP, INIT_REQ_VM_RESET, 0, mr);
	rt_panic("init answered INIT_REQ_VM_RESET");
}

_Static_assert(PROC_NAME == 32, "a name travels in MR1-MR4");

int server_add_client(cap_t service, unsigned client, const char *name)
{
	uint64_t words[4] = { 0 };
	uint64_t mr[SEL4_MSG_REGS];

	strncpy((char *)words, name, PROC_NAME - 1);
	mr[0] = client;
	mr[1] = words[0];
	mr[2] = words[1];
	mr[3] = words[2];
	sel4_ipcbuf->msg[4] = words[3];
	return request(service, SERVER_ADD_CLIENT, 5, mr);
}

int server_remove_client(cap_t service, unsigned client)
{
	uint64_t mr[SEL4_MSG_REGS] = { client };

	return request(service, SERVER_REMOVE_CLIENT, 1, mr);
}

void server_parse_client(struct server_client *c,
			 const uint64_t mr[SEL4_MSG_REGS])
{
	uint64_t words[4] = { mr[1], mr[2], mr[3], sel4_ipcbuf->msg[4] };

	c->number = mr[0];
	memcpy(c->name, words, PROC_NAME);
	c->name[PROC_NAME - 1] = '\0';
	for (char *s = c->name; *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
}
