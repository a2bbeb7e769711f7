/*
 * FreeRTOS on a PC, booted by Multiboot, with the local APIC's timer as its tick.
 * It tells what the boot loader gave it, tests itself as the Arm application does,
 * and then prints its tick each second; the restart counter is in the RTC's memory.
 *
 * Of its command line: apic_hz=N, what the timer counts; without it the PIT tells.
 * Keys: r restart, q off (by QEMU's and Selvage's ports).
 */
#include <FreeRTOS.h>
#include <string.h>
#include <task.h>

#include "app.h"
#include "net.h"
#include "parts.h"
#include "pc.h"

#define SECONDS 3u
#define BOOT_MAGIC 0x2badb002u

extern uint32_t boot_eax, boot_ebx, boot_others; /* start.S */

unsigned long app_apic_hz;

int main(void);
void vApplicationIdleHook(void);

/* --- What the kernel calls ------------------------------------------------ */

void app_assert(const char *file, int line, const char *what)
{
	(void)line;
	app_say("freertos: FAIL assertion ");
	app_say(what);
	app_say(" in ");
	app_say(file);
	app_say("\n");
	for (;;)
		__asm__ volatile("cli; hlt");
}

void vApplicationIdleHook(void)
{
	__asm__ volatile("hlt");
}

/* --- What the boot loader gave --------------------------------------------- */

/* struct multiboot_info, as far as it is used. */
struct boot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};

struct boot_module {
	uint32_t start, end, string, reserved;
};

static const void *at(uint32_t address)
{
	return (const void *)(uintptr_t)address;
}

static unsigned sum_of(const struct boot_module *m)
{
	const uint8_t *bytes = at(m->start);
	unsigned sum = 0;

	for (uint32_t i = 0; i < m->end - m->start; i++)
		sum += bytes[i];
	return sum;
}

static void tell_boot(const struct boot_info *b)
{
	const struct boot_module *m = at(b->mods_addr);

	app_print("freertos: memory %u KiB and %u KiB, %u bytes of map\n", b->mem_lower,
		  b->mem_upper, b->mmap_length);
	app_print("freertos: command line '%s'\n", (const char *)at(b->cmdline));
	for (uint32_t i = 0; i < b->mods_count; i++)
		app_print("freertos: module '%s', %u bytes, sum %u\n",
			  (const char *)at(m[i].string), m[i].end - m[i].start, sum_of(&m[i]));
}

/* The number behind `key` in the command line; 0: it is not there. */
static unsigned long parameter(const char *line, const char *key)
{
	unsigned long value = 0;
	size_t n = strlen(key);

	for (; *line != '\0'; line++) {
		size_t i = 0;

		while (i < n && line[i] == key[i])
			i++;
		if (i == n)
			break;
	}
	if (*line == '\0')
		return 0;
	for (line += n; *line >= '0' && *line <= '9'; line++)
		value = value * 10 + (unsigned long)(*line - '0');
	return value;
}

/* --- The parts ------------------------------------------------------------- */

/* Waits for a second of the RTC to begin. */
static void next_second(void)
{
	unsigned second = rtc_second();

	while (rtc_second() == second)
		vTaskDelay(1);
}

static void count_ticks(void)
{
	TickType_t start, ticks;
	bool right;

	next_second();
	start = xTaskGetTickCount();
	for (unsigned i = 0; i < SECONDS; i++)
		next_second();
	ticks = xTaskGetTickCount() - start;
	right = ticks + ticks / 20 >= SECONDS * configTICK_RATE_HZ &&
		ticks - ticks / 20 <= SECONDS * configTICK_RATE_HZ;
	app_print("freertos: tick %s %u in %u s of the RTC\n", right ? "ok" : "FAILED", ticks,
		  SECONDS);
	failed_unless(right);
}

static void self_test(void)
{
	verdict("state", boot_eax == BOOT_MAGIC && boot_others == 0);
	verdict("queue", test_queue(2, 3));
	start_fpu(1);
	start_timer(configTICK_RATE_HZ / 50);
	count_ticks();
	verdict("timer", timer_count() >= 50 * SECONDS - 10);
	test_fpu();
	app_print("freertos: %s\n", any_failed() ? "FAIL" : "PASS");
}

/* When there is something new. */
static void tell_network(void)
{
	static uint32_t told;
	const struct net_counts c = net_counts();

	if (c.received == told)
		return;
	told = c.received;
	app_print("freertos: network: %u sent, %u received, %u dropped\n", c.sent, c.received,
		  c.dropped);
}

static void main_task(void *unused)
{
	bool networked;

	(void)unused;
	pc_start_tick();
	tell_boot(at(boot_ebx));
	app_print("freertos: restart counter %u\n", restart_count());
	self_test();
	networked = net_start(STACK, 3);
	if (networked)
		app_print("freertos: network 192.168.19.100/24\n");
	for (;;) {
		int key = uart_get();

		if (key == 'r')
			pc_restart();
		if (key == 'q')
			pc_off();
		app_print("Hello, World! System Tick = %u\n", xTaskGetTickCount());
		if (networked)
			tell_network();
		vTaskDelay(configTICK_RATE_HZ);
	}
}

int main(void)
{
	const struct boot_info *b = at(boot_ebx);

	uart_init();
	app_say("freertos: " tskKERNEL_VERSION_NUMBER ", port " PORT_NAME ", board pc\n");
	pc_mask_8259();
	app_apic_hz = parameter(at(b->cmdline), "apic_hz=");
	if (app_apic_hz == 0)
		app_apic_hz = pc_measure_apic();
	app_print("freertos: the local APIC's timer counts %u Hz\n",
		  (unsigned)app_apic_hz);
	create(main_task, "main", 0, 4);
	vTaskStartScheduler();
	return 1;
}
