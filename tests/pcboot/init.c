/* The only process of a Linux that tests/pcboot starts: says so, and off. */
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
