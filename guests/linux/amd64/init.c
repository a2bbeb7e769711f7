/* The only process of a Linux on a PC: says that it is there and which clock the kernel
 * chose, and switches off. */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
/* The kernel measures a time-stamp counter for a second before it trusts it. */
#define WAIT_S 5

static void clocksource(char name[static 32])
{
	FILE *f = fopen(CLOCKSOURCE, "r");

	if (!f || !fgets(name, 32, f))
		strcpy(name, "unknown");
	name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
}

int main(void)
{
	char name[32] = "";

	puts("init: the initrd is here");
	fflush(stdout);
	(void)mkdir("/sys", 0755);
	if (mount("sysfs", "/sys", "sysfs", 0, NULL))
		perror("init: /sys");
	clocksource(name);
	for (unsigned i = 0; i < WAIT_S && !strcmp(name, "tsc-early"); i++) {
		sleep(1);
		clocksource(name);
	}
	printf("init: clocksource %s\n", name);
	fflush(stdout);
	sync();
	return reboot(RB_POWER_OFF);
}
