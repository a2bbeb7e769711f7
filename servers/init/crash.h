/* Faults of native processes: the report, with registers and symbols. */
#pragma once

#include "process.h"

/* Logs what happened to the thread whose fault arrived as (info, mr[]). */
void crash_report(const struct process *p, unsigned thread, msginfo_t info,
		  const uint64_t mr[SEL4_MSG_REGS]);
