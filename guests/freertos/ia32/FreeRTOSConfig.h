/* Configuration of the FreeRTOS kernel on a PC: port GCC/IA32_flat, whose tick is
 * the local APIC's timer. */
#pragma once

/* A tick is about a dozen accesses to the local APIC, most of them critical sections of the port
 * (its priority register). Each is an exit, and under an emulator on a busy host an exit may
 * take a tenth of a millisecond. */
#define configTICK_RATE_HZ 100
#define configUSE_PREEMPTION 1
#define configUSE_IDLE_HOOK 1
#define configUSE_TICK_HOOK 0
#define configTICK_TYPE_WIDTH_IN_BITS TICK_TYPE_WIDTH_32_BITS
#define configMAX_PRIORITIES 8
#define configMINIMAL_STACK_SIZE 256
#define configTOTAL_HEAP_SIZE (96 * 1024)
#define configMAX_TASK_NAME_LEN 12
#define configUSE_MUTEXES 1
#define configUSE_TIMERS 1
#define configTIMER_TASK_PRIORITY 6
#define configTIMER_QUEUE_LENGTH 8
#define configTIMER_TASK_STACK_DEPTH 512
#define configUSE_TASK_NOTIFICATIONS 1
#define configCHECK_FOR_STACK_OVERFLOW 2
#define configUSE_MALLOC_FAILED_HOOK 1
#define INCLUDE_vTaskDelay 1
#define INCLUDE_vTaskDelete 1

#define configISR_STACK_SIZE 1024
#define configSUPPORT_FPU 1
#define configUSE_PORT_OPTIMISED_TASK_SELECTION 1
#define configUSE_COMMON_INTERRUPT_ENTRY_POINT 1
#define configMAX_API_CALL_INTERRUPT_PRIORITY 10

#ifndef __ASSEMBLER__
/* What the timer counts in a second, before it divides by 16: main.c. */
extern unsigned long app_apic_hz;
#define configCPU_CLOCK_HZ app_apic_hz

void app_assert(const char *file, int line, const char *what);
#define configASSERT(x)                                     \
	do {                                                \
		if (!(x))                                   \
			app_assert(__FILE__, __LINE__, #x); \
	} while (0)
#endif
