/* The only process of a Linux on a PC: says that it is there, and switches off. */
#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
	puts("init: the initrd is here");
	fflush(stdout);
	sync();
	return reboot(RB_POWER_OFF);
}
