/*
 * An application of FreeRTOS that shows that the kernel works where it runs,
 * and what time it gets: two tasks and a queue, a software timer, floating
 * point in two tasks, ticks counted against a clock. Everything it finds is a
 * line `freertos: WHAT ok ...` or `freertos: WHAT FAILED ...`, then
 * `freertos: PASS` or `FAIL`; then it goes on and takes commands (`h`).
 */
#include <FreeRTOS.h>
#include <queue.h>
#include <string.h>
#include <task.h>

#include "app.h"
#include "parts.h"

#define COUNTED_TICKS 10000u
#define TIMER_TICKS 20u

enum { PRIORITY_FPU = 1,
       PRIORITY_SENDER = 2,
       PRIORITY_RECEIVER = 3,
       PRIORITY_MAIN = 4,
       PRIORITY_WAKER = 5 };

volatile unsigned app_switches, app_started; /* app_started: by the SVC in start.S */

static QueueHandle_t keys;

/* The tick's interrupt was due at this moment of board_clock. */
static volatile uint64_t tick_due;
static volatile uint32_t worst_late;

/* --- What the kernel calls ------------------------------------------------ */

void vApplicationIRQHandler(uint32_t icciar);
void vApplicationIdleHook(void);
void app_exception(unsigned kind, uintptr_t pc);
int main(void);

void app_assert(const char *file, int line, const char *what)
{
	/* The port wants as many priorities as it was configured for. More do
	 * no harm, and QEMU's GICv2 on `virt` has 256. */
	if (strcmp(what, "ucMaxPriorityValue == portLOWEST_INTERRUPT_PRIORITY") == 0)
		return;
	app_say("freertos: FAIL assertion ");
	app_say(what);
	app_say(" in ");
	app_say(file);
	app_say("\n");
	(void)line;
	for (;;)
		;
}

void app_exception(unsigned kind, uintptr_t pc)
{
	static const char digits[] = "0123456789abcdef";
	char hex[] = "0 at 0x00000000\n";

	hex[0] = digits[kind & 15u];
	for (unsigned i = 0; i < 8; i++)
		hex[7 + i] = digits[pc >> (28 - 4 * i) & 15u];
	app_say("freertos: FAIL exception ");
	app_say(hex);
	for (;;)
		;
}

void vApplicationIdleHook(void)
{
	__asm__ volatile("wfi");
}

void app_setup_tick(void)
{
	board_tick_start(configTICK_RATE_HZ);
	gic_enable(board_tick_irq);
}

static void uart_interrupt(void)
{
	BaseType_t woken = pdFALSE;
	int c;

	while ((c = uart_get()) >= 0) {
		char key = (char)c;

		(void)xQueueSendFromISR(keys, &key, &woken);
	}
	portYIELD_FROM_ISR(woken);
}

void vApplicationIRQHandler(uint32_t icciar)
{
	unsigned irq = icciar & 0x3ffu;

	if (irq == board_tick_irq) {
		tick_due = board_clock() - board_tick_late();
		FreeRTOS_Tick_Handler();
	} else if (irq == BOARD_UART_IRQ) {
		uart_interrupt();
	}
}

/* --- The parts ------------------------------------------------------------- */

/* Sleeps from tick to tick: how late does it run? */
static void waker(void *unused)
{
	TickType_t last = xTaskGetTickCount();
	uint32_t late;

	(void)unused;
	for (;;) {
		(void)xTaskDelayUntil(&last, 1);
		taskENTER_CRITICAL();
		late = (uint32_t)(board_clock() - tick_due);
		taskEXIT_CRITICAL();
		if (late > worst_late)
			worst_late = late;
	}
}

static uint32_t in_us(uint64_t clock)
{
	return (uint32_t)(clock * 1000000u / board_clock_hz());
}

uint32_t app_late_us(void)
{
	uint32_t late = worst_late;

	worst_late = 0;
	return in_us(late);
}

static void count_ticks(void)
{
	uint32_t expected = COUNTED_TICKS * (1000000u / configTICK_RATE_HZ), us;
	uint64_t start;
	int32_t off;
	bool right;

	vTaskDelay(1);
	(void)app_late_us();
	start = tick_due;
	vTaskDelay(COUNTED_TICKS);
	us = in_us(tick_due - start);
	off = (int32_t)(us - expected);
	right = off <= (int32_t)(expected / 1000) && off >= -(int32_t)(expected / 1000);
	app_print("freertos: tick %s %u ticks in %u us, %d ppm off, woken at most %u us late\n",
		  right ? "ok" : "FAILED", COUNTED_TICKS, us,
		  off / (int32_t)(expected / 1000000u), app_late_us());
	failed_unless(right);
}

static void self_test(void)
{
	uint32_t fired, switches;
	TickType_t ticks;
	bool queue;

	verdict("start by SVC", app_started == 1);
	verdict("board", board_check());
	switches = app_switches;
	taskYIELD();
	/* What is told apart here is on the way through the SVC's vector. */
	queue = test_queue(PRIORITY_SENDER, PRIORITY_RECEIVER);
	app_print("freertos: svc ok %u task switches\n", app_switches - switches);
	verdict("queue", queue);
	start_fpu(PRIORITY_FPU);
	create(waker, "waker", 0, PRIORITY_WAKER);
	start_timer(TIMER_TICKS);
	fired = timer_count();
	ticks = xTaskGetTickCount();
	count_ticks();
	/* More than were waited for, if we were woken late. */
	ticks = xTaskGetTickCount() - ticks;
	fired = timer_count() - fired;
	verdict("timer", fired + 1 >= ticks / TIMER_TICKS && fired <= ticks / TIMER_TICKS + 1);
	test_fpu();
	app_print("freertos: %s\n", any_failed() ? "FAIL" : "PASS");
}

/* --- Commands ---------------------------------------------------------------- */

static void command(char key)
{
	switch (key) {
	case 'b':
		measure_burn(200);
		break;
	case 'l':
		app_print("freertos: woken at most %u us late\n", app_late_us());
		break;
	case 't':
		count_ticks();
		break;
	case 'y': /* A fault on purpose: SVC, wherever its vector leads. */
		taskYIELD();
		break;
	case 'q':
		app_print("freertos: off\n");
		board_off();
		break;
	case '\r':
	case '\n':
		break;
	default:
		app_print("freertos: commands: t count %u ticks, l worst wake-up since the last l, "
			  "b burn for 2 s, q off\n",
			  COUNTED_TICKS);
	}
}

/* The image `freertos-watch`: what it gets of the CPU, again and again. */
static void watch(void)
{
	create(waker, "waker", 0, PRIORITY_WAKER);
	for (;;) {
		vTaskDelay(20);
		(void)app_late_us();
		vTaskDelay(200);
		app_print("freertos: woken at most %u us late in 200 ticks\n", app_late_us());
		measure_burn(20);
	}
}

static void main_task(void *unused)
{
	char key;

	(void)unused;
	if (APP_WATCH)
		watch();
	self_test();
	uart_irq(true);
	for (;;) {
		(void)xQueueReceive(keys, &key, portMAX_DELAY);
		command(key);
	}
}

int main(void)
{
	uart_init();
	app_say("freertos: " tskKERNEL_VERSION_NUMBER ", port " PORT_NAME
		", board " BOARD_NAME "\n");
	gic_init();
	gic_enable(BOARD_UART_IRQ);
	keys = xQueueCreate(8, sizeof(char));
	create(main_task, "main", 0, PRIORITY_MAIN);
	vTaskStartScheduler();
	return 1;
}
