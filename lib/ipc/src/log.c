#include <selvage/log.h>

#include <selvage/clock.h>
#include <selvage/procinfo.h>
#include <selvage/rt.h>
#include <selvage/sel4.h>
#include <string.h>

static struct logring *log_ring;
static cap_t log_notification;
static enum log_level log_level;
static const struct procinfo *log_info_page; /* NULL: init's own */

static void log_panic(const char *text)
{
	log_print(LOG_LEVEL_ERROR, "%s", text);
}

void log_attach(void *ring, uint64_t notification, enum log_level level)
{
	log_ring = ring;
	log_notification = notification;
	log_level = level;
	rt_set_panic_output(log_panic);
}

void log_set_level(enum log_level level)
{
	log_level = level;
}

/* A process of init's is attached before main(); the root task has no
 * procinfo and calls log_attach() itself. */
__attribute__((constructor)) static void attach_from_procinfo(void)
{
	const struct procinfo *info;

	if (rt_bootinfo())
		return;
	info = procinfo_get();
	log_info_page = info;
	if (info->log_ring)
		log_attach((void *)info->log_ring, PROC_CAP_LOG_NTFN,
			   (enum log_level)info->log_level);
}

/* Init may change that of a process at any time. */
static enum log_level level_now(void)
{
	const volatile uint32_t *level;

	if (!log_info_page)
		return log_level;
	level = &log_info_page->log_level;
	return (enum log_level) * level;
}

void log_printv(enum log_level level, const char *format, va_list args)
{
	char text[LOG_TEXT + 1];
	size_t size;

	if (!log_ring || level > level_now())
		return;
	size = fmt_printv(text, sizeof(text), format, args);
	logring_put(log_ring, clock_now(), level, text, size);
	/* A server logs before init has connected it: the slot is empty then,
	 * and the log server looks when the client is added. */
	sel4_try_signal(log_notification);
}

void log_print(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_printv(level, format, args);
	va_end(args);
}
