/* The devices that ACPI describes in byte code. */
#pragma once

#include "acpi.h"
#include "aml.h"

void dsdt_fill(struct aml *a, const struct acpi_config *c);
