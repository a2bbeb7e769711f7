/* watchdog DEVICE SECONDS: sets a watchdog going and leaves it alone. */
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int seconds = argc == 3 ? atoi(argv[2]) : 0;
	int fd = argc == 3 ? open(argv[1], O_WRONLY) : -1;

	if (fd < 0 || ioctl(fd, WDIOC_SETTIMEOUT, &seconds) != 0) {
		perror("watchdog");
		return 1;
	}
	return 0; /* closed without the magic word: it runs on */
}
