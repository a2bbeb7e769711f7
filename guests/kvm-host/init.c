/*
 * The first program of an arm64 Linux that is there to run one guest under KVM: makes the network
 * of QEMU's user mode, then becomes a QEMU with the arguments in /reference/arguments, one a line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS "/reference/arguments"
#define ARGUMENTS_MAX 256
/* Where QEMU's user network sends what it forwards. */
#define ADDRESS "10.0.2.15"
#define NETMASK "255.255.255.0"

/* In the order in which they need each other. */
static const char *const modules[] = { "virtio", "virtio_ring", "virtio_mmio", "virtio_console",
				       "failover", "net_failover", "virtio_net" };

static void say(const char *what)
{
	printf("kvm-host: %s\n", what);
	fflush(stdout);
}

static void must(int good, const char *what)
{
	if (good)
		return;
	printf("kvm-host: error: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void load_modules(void)
{
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/modules/%s.ko", modules[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		must(fd >= 0, path);
		must(syscall(SYS_finit_module, fd, "", 0) == 0, path);
		close(fd);
	}
}

static struct sockaddr ipv4(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr address;

	inet_pton(AF_INET, text, &in.sin_addr);
	memcpy(&address, &in, sizeof(address));
	return address;
}

static void start_network(void)
{
	struct ifreq request = { .ifr_name = "eth0" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd >= 0, "socket");
	request.ifr_addr = ipv4(ADDRESS);
	must(ioctl(fd, SIOCSIFADDR, &request) == 0, "the network's address");
	request.ifr_netmask = ipv4(NETMASK);
	must(ioctl(fd, SIOCSIFNETMASK, &request) == 0, "the network's mask");
	must(ioctl(fd, SIOCGIFFLAGS, &request) == 0, "the network's state");
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	must(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "starting the network");
	close(fd);
}

/* The file's lines, each a string of argv. */
static void read_arguments(char *argv[ARGUMENTS_MAX + 1])
{
	FILE *file = fopen(ARGUMENTS, "r");
	size_t n = 0;

	must(file != NULL, ARGUMENTS);
	while (n < ARGUMENTS_MAX) {
		char *line = NULL;
		size_t room = 0;
		ssize_t length = getline(&line, &room, file);

		if (length <= 0)
			break;
		line[strcspn(line, "\n")] = '\0';
		argv[n++] = line;
	}
	must(n > 0, ARGUMENTS);
	argv[n] = NULL;
	fclose(file);
}

int main(void)
{
	static char *argv[ARGUMENTS_MAX + 1];
	int status = 0;
	pid_t child;

	must(mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) == 0, "/dev");
	must(mount("proc", "/proc", "proc", 0, NULL) == 0, "/proc");
	must(mount("sysfs", "/sys", "sysfs", 0, NULL) == 0, "/sys");
	load_modules();
	start_network();
	read_arguments(argv);
	must(access("/dev/kvm", R_OK | W_OK) == 0, "/dev/kvm");
	say("starting QEMU with KVM");
	child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		execv(argv[0], argv);
		printf("kvm-host: error: %s: %s\n", argv[0], strerror(errno));
		fflush(stdout);
		_exit(127);
	}
	waitpid(child, &status, 0);
	printf("kvm-host: QEMU ended with code %d\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	fflush(stdout);
	reboot(RB_POWER_OFF);
}
