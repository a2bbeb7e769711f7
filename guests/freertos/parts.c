#include "parts.h"

#include <FreeRTOS.h>
#include <queue.h>
#include <semphr.h>
#include <task.h>
#include <timers.h>

#include "app.h"

#define ITEMS 2000u
#define FPU_TASKS 2u

static QueueHandle_t items;
static SemaphoreHandle_t received;
static volatile uint32_t sum, fpu_rounds[FPU_TASKS], timer_fired;
static volatile bool out_of_order, fpu_wrong, failed;

void vApplicationStackOverflowHook(TaskHandle_t task, char *name);
void vApplicationMallocFailedHook(void);

void vApplicationStackOverflowHook(TaskHandle_t task, char *name)
{
	(void)task;
	app_assert(name, 0, "stack overflow");
}

void vApplicationMallocFailedHook(void)
{
	app_assert("heap", 0, "out of memory");
}

void failed_unless(bool ok)
{
	failed |= !ok;
}

bool any_failed(void)
{
	return failed;
}

void verdict(const char *what, bool ok)
{
	app_print("freertos: %s %s\n", what, ok ? "ok" : "FAILED");
	failed_unless(ok);
}

void create(void (*task)(void *), const char *name, unsigned parameter, unsigned priority)
{
	if (xTaskCreate(task, name, STACK, (void *)(uintptr_t)parameter, priority, NULL) != pdPASS)
		app_assert(name, 0, "no memory for a task");
}

static void sender(void *unused)
{
	(void)unused;
	for (uint32_t i = 0; i < ITEMS; i++) {
		(void)xQueueSend(items, &i, portMAX_DELAY);
		if (i % 100 == 0)
			vTaskDelay(1);
	}
	vTaskDelete(NULL);
}

static void receiver(void *unused)
{
	uint32_t item;

	(void)unused;
	for (uint32_t i = 0; i < ITEMS; i++) {
		(void)xQueueReceive(items, &item, portMAX_DELAY);
		out_of_order |= item != i;
		sum += item;
	}
	(void)xSemaphoreGive(received);
	vTaskDelete(NULL);
}

bool test_queue(unsigned sender_priority, unsigned receiver_priority)
{
	items = xQueueCreate(4, sizeof(uint32_t));
	received = xSemaphoreCreateBinary();
	create(receiver, "receiver", 0, receiver_priority);
	create(sender, "sender", 0, sender_priority);
	(void)xSemaphoreTake(received, portMAX_DELAY);
	return !out_of_order && sum == ITEMS * (ITEMS - 1) / 2;
}

static void timer(TimerHandle_t unused)
{
	(void)unused;
	timer_fired++;
}

void start_timer(unsigned period)
{
	TimerHandle_t t = xTimerCreate("timer", period, pdTRUE, NULL, timer);

	(void)xTimerStart(t, portMAX_DELAY);
}

uint32_t timer_count(void)
{
	return timer_fired;
}

static void fpu(void *number)
{
	unsigned n = (unsigned)(uintptr_t)number;

	portTASK_USES_FLOATING_POINT();
	for (;;) {
		fpu_wrong |= !fpu_work(n * 1000u + fpu_rounds[n] % 7u);
		fpu_rounds[n]++;
		vTaskDelay(3);
	}
}

void start_fpu(unsigned priority)
{
	for (unsigned i = 0; i < FPU_TASKS; i++)
		create(fpu, "fpu", i, priority);
}

void test_fpu(void)
{
	verdict("fpu", !fpu_wrong && fpu_rounds[0] > 10 && fpu_rounds[1] > 10);
}
