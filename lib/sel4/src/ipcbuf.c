#include <selvage/sel4.h>

_Thread_local struct abi_ipcbuf *sel4_ipcbuf;
