/*
 * ACPI's fixed hardware (ACPI 6.4, 4.8.3): PM1a event and control blocks, the
 * power management timer of 24 bits, a power button. ACPI mode is always on.
 *
 * One block of ports, in this order: PM1a_STS, PM1a_EN, PM1a_CNT, PM_TMR; the
 * FADT names them (PM1_EVT_LEN 4, PM1_CNT_LEN 2, PM_TMR_LEN 4, no SMI_CMD).
 */
#pragma once

#include <dev/mmio.h>
#include <dev/timer_env.h>
#include <stdbool.h>
#include <stdint.h>

#define ACPI_PM_PORTS 16u
#define ACPI_PM_EVENT 0u /* offsets of the blocks */
#define ACPI_PM_CONTROL 4u
#define ACPI_PM_TIMER 8u
#define ACPI_PM_HZ 3579545u
/* SLP_TYPa of \_S5 in the DSDT. */
#define ACPI_PM_S5 5u

struct acpi_pm_env {
	/* Line 0 is the SCI, sensed by level; no reset. */
	struct timer_env timer;
	/* The guest turns itself off. */
	void (*power_off)(void *opaque);
};

/* Private to the model; here so that the owner can embed it. */
struct acpi_pm {
	struct acpi_pm_env env;
	uint16_t status, enable, control;
	uint64_t seen; /* the timer up to which changes of its top bit were noticed */
	bool irq;
};

/* Reset state; `env` is copied; its clock is called. */
void acpi_pm_init(struct acpi_pm *a, const struct acpi_pm_env *env);
void acpi_pm_reset(struct acpi_pm *a);
enum mmio_outcome acpi_pm_access(struct acpi_pm *a, struct mmio *m);
/* Asks the guest to turn itself off. */
void acpi_pm_press_button(struct acpi_pm *a);
void acpi_pm_expired(struct acpi_pm *a);
/* In the clock of env.now_ns; UINT64_MAX: none. */
uint64_t acpi_pm_deadline(const struct acpi_pm *a);
