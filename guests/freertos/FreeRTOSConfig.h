/* Configuration of the FreeRTOS kernel: one for all ports and boards. */
#pragma once

#include "board.h"

#define configTICK_RATE_HZ 1000
#define configUSE_PREEMPTION 1
#define configUSE_IDLE_HOOK 1
#define configUSE_TICK_HOOK 0
#define configUSE_16_BIT_TICKS 0
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
#define configUSE_TASK_FPU_SUPPORT 1
#define INCLUDE_vTaskDelay 1
#define INCLUDE_xTaskDelayUntil 1
#define INCLUDE_vTaskDelete 1

/* The GIC: 32 priorities are what an A9, KVM's and Selvage's have. */
#define configINTERRUPT_CONTROLLER_BASE_ADDRESS BOARD_GICD
#define configINTERRUPT_CONTROLLER_CPU_INTERFACE_OFFSET (BOARD_GICC - BOARD_GICD)
#define configUNIQUE_INTERRUPT_PRIORITIES 32
#define configMAX_API_CALL_INTERRUPT_PRIORITY 18

#define configSETUP_TICK_INTERRUPT() app_setup_tick()
#define configCLEAR_TICK_INTERRUPT() board_tick_clear()

#ifndef __ASSEMBLER__
void app_setup_tick(void);
void app_assert(const char *file, int line, const char *what);
#define configASSERT(x)                                     \
	do {                                                \
		if (!(x))                                   \
			app_assert(__FILE__, __LINE__, #x); \
	} while (0)
#define traceTASK_SWITCHED_IN() (app_switches++)
extern volatile unsigned app_switches, app_started;
#endif
