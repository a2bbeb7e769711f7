/* The kernel's trace as a file that Perfetto opens. */
#include "chrome.h"
#include "unit.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

static cJSON *convert(const char *const lines[])
{
	static struct chrome c;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	cJSON *json;

	chrome_begin(&c, out);
	for (; *lines != NULL; lines++)
		chrome_line(&c, *lines);
	chrome_end(&c);
	fclose(out);
	json = cJSON_Parse(text);
	assert_non_null(json);
	free(text);
	return json;
}

/* The event of that name and kind, or NULL. */
static const cJSON *find(const cJSON *json, const char *name, const char *ph)
{
	const cJSON *event;

	cJSON_ArrayForEach(event, cJSON_GetObjectItem(json, "traceEvents"))
	{
		if (strcmp(cJSON_GetObjectItem(event, "name")->valuestring, name) == 0 &&
		    strcmp(cJSON_GetObjectItem(event, "ph")->valuestring, ph) == 0)
			return event;
	}
	return NULL;
}

static double value(const cJSON *event, const char *key)
{
	return cJSON_GetObjectItem(event, key)->valuedouble;
}

/* The guest goes on at 1000, exits at 2000; its monitor runs from 2100 to 2500, and the guest goes
 * on at 2600. A tick is a nanosecond. */
static cJSON *convert_an_exit(const char *codes, uint32_t number)
{
	char head[100], exit[120];
	const char *const lines[] = {
		head,
		"{\"thread\":2369,\"pid\":9,\"process\":\"vmm:one\",\"name\":\"vCPU 1\"}",
		"{\"thread\":2306,\"pid\":9,\"process\":\"vmm:one\",\"name\":\"thread 2\"}",
		exit,
		"{\"at\":3,\"e\":\"9c4 1 902 fffffffb 0;a28 5 941 0 0;\"}",
		NULL
	};

	snprintf(head, sizeof(head), "{\"hz\":1000000000,\"events\":5,\"lost\":7%s}", codes);
	snprintf(exit, sizeof(exit),
		 "{\"at\":0,\"e\":\"3e8 5 941 0 0;7d0 3 941 %x 0;834 5 902 0 0;\"}", number);
	return convert(lines);
}

static void test_an_exit(void **state)
{
	cJSON *json = convert_an_exit("", 0x6000000);
	const cJSON *guest = find(json, "guest", "X"), *runs = find(json, "runs", "X");
	const cJSON *event, *exit = NULL;

	(void)state;
	assert_float_equal(value(guest, "ts"), 0, 1e-6);
	assert_float_equal(value(guest, "dur"), 1, 1e-6);
	assert_int_equal(value(guest, "tid"), 2369);
	assert_float_equal(value(runs, "dur"), 0.4, 1e-6);
	assert_non_null(find(json, "call -5", "X"));
	cJSON_ArrayForEach(event, cJSON_GetObjectItem(json, "traceEvents"))
	{
		if (strcmp(cJSON_GetObjectItem(event, "name")->valuestring, "wfi") == 0 &&
		    value(event, "pid") == 9)
			exit = event;
	}
	assert_non_null(exit);
	assert_float_equal(value(exit, "ts"), 1, 1e-6);
	assert_float_equal(value(exit, "dur"), 0.6, 1e-6);
	cJSON_Delete(json);
}

static void test_names_of_exits(void **state)
{
	static const struct {
		const char *codes;
		uint32_t number;
		const char *name;
	} exits[] = {
		{ "", 0x93800000, "mmio" },
		{ ",\"exits\":\"esr\"", 0x5a000000, "hypercall" },
		{ ",\"exits\":\"esr\"", 0xb2000000, "class 0x2c" },
		{ ",\"exits\":7", 0x93800000, "mmio" },
		{ ",\"exits\":\"none of them\"", 0x93800000, "mmio" },
		{ ",\"exits\":\"svm\"", 0x00, "cr0 read" },
		{ ",\"exits\":\"svm\"", 0x13, "cr3 write" },
		{ ",\"exits\":\"svm\"", 0x37, "dr7 write" },
		{ ",\"exits\":\"svm\"", 0x41, "exception 1" },
		{ ",\"exits\":\"svm\"", 0x64, "irq-window" },
		{ ",\"exits\":\"svm\"", 0x6e, "rdtsc" },
		{ ",\"exits\":\"svm\"", 0x72, "cpuid" },
		{ ",\"exits\":\"svm\"", 0x78, "hlt" },
		{ ",\"exits\":\"svm\"", 0x7b, "port" },
		{ ",\"exits\":\"svm\"", 0x7c, "msr" },
		{ ",\"exits\":\"svm\"", 0x7d, "task-switch" },
		{ ",\"exits\":\"svm\"", 0x7f, "shutdown" },
		{ ",\"exits\":\"svm\"", 0x81, "hypercall" },
		{ ",\"exits\":\"svm\"", 0x89, "wbinvd" },
		{ ",\"exits\":\"svm\"", 0x8d, "xsetbv" },
		{ ",\"exits\":\"svm\"", 0x8e, "rdpru" },
		{ ",\"exits\":\"svm\"", 0x8f, "code 0x8f" },
		{ ",\"exits\":\"svm\"", 0x400, "nested page" },
		{ ",\"exits\":\"svm\"", 0xffffffff, "bad-state" },
		{ ",\"exits\":\"vmx\"", 0, "exception" },
		{ ",\"exits\":\"vmx\"", 1, "interrupt" },
		{ ",\"exits\":\"vmx\"", 2, "shutdown" },
		{ ",\"exits\":\"vmx\"", 7, "irq-window" },
		{ ",\"exits\":\"vmx\"", 10, "cpuid" },
		{ ",\"exits\":\"vmx\"", 12, "hlt" },
		{ ",\"exits\":\"vmx\"", 18, "hypercall" },
		{ ",\"exits\":\"vmx\"", 28, "cr access" },
		{ ",\"exits\":\"vmx\"", 30, "port" },
		{ ",\"exits\":\"vmx\"", 31, "msr read" },
		{ ",\"exits\":\"vmx\"", 32, "msr write" },
		{ ",\"exits\":\"vmx\"", 0x80000021, "bad-state" },
		{ ",\"exits\":\"vmx\"", 35, "reason 35" },
		{ ",\"exits\":\"vmx\"", 48, "nested page" },
		{ ",\"exits\":\"vmx\"", 52, "timer" },
		{ ",\"exits\":\"vmx\"", 55, "xsetbv" },
		{ ",\"exits\":\"vmx\"", 64, "xrstors" },
		{ ",\"exits\":\"vmx\"", 65, "reason 65" },
		{ ",\"exits\":\"vmx\"", 0xffffffff, "bad-state" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		cJSON *json = convert_an_exit(exits[i].codes, exits[i].number);
		const cJSON *exit = find(json, exits[i].name, "X");

		if (!exit)
			fail_msg("%s 0x%x is no %s", exits[i].codes, exits[i].number,
				 exits[i].name);
		cJSON_Delete(json);
	}
}

/* The kernel came and went, and says only that the guest goes on. */
static void test_a_doorbell(void **state)
{
	static const char *const lines[] = {
		"{\"hz\":1000000000,\"events\":3,\"lost\":0}",
		"{\"thread\":2369,\"pid\":9,\"process\":\"vmm:one\",\"name\":\"vCPU 1\"}",
		"{\"at\":0,\"e\":\"3e8 5 941 0 0;7d0 5 941 0 0;bb8 5 941 0 0;\"}",
		NULL
	};
	cJSON *json = convert(lines);
	const cJSON *event;
	double ran = 0;

	(void)state;
	cJSON_ArrayForEach(event, cJSON_GetObjectItem(json, "traceEvents"))
	{
		if (strcmp(cJSON_GetObjectItem(event, "name")->valuestring, "guest") == 0)
			ran += value(event, "dur");
	}
	assert_float_equal(ran, 2, 1e-6);
	cJSON_Delete(json);
}

static void test_a_monitor(void **state)
{
	static const char *const lines[] = {
		"{\"hz\":1000000,\"events\":0,\"lost\":0}",
		"{\"time\":10,\"pid\":9,\"event\":2,\"detail\":2049}",
		"{\"time\":15,\"pid\":9,\"event\":1,\"detail\":8706}",
		"{\"time\":16,\"pid\":9,\"event\":77,\"detail\":4294967295}",
		NULL
	};
	cJSON *json = convert(lines);
	const cJSON *irq = find(json, "irq 34", "i"), *kick = find(json, "kick 8", "i");

	(void)state;
	assert_non_null(irq);
	assert_float_equal(value(irq, "ts"), 5, 1e-6);
	assert_int_equal(value(cJSON_GetObjectItem(irq, "args"), "vcpu"), 2);
	assert_int_equal(value(cJSON_GetObjectItem(kick, "args"), "queue"), 1);
	assert_non_null(find(json, "event 16777215", "i"));
	cJSON_Delete(json);
}

static void test_what_is_not_as_it_should_be(void **state)
{
	static const char *const lines[] = {
		"{\"hz\":0,\"events\":-1}",
		"{\"thread\":1,\"pid\":1,\"process\":\"a\\\"b\",\"name\":\"x\"}",
		"{\"time\":5,\"vm\":\"one\",\"what\":\"\\\\\"}",
		"{\"time\":5,\"vm\":\"one\",\"what\":\"paused\"}",
		"{\"e\":\"3e8 5\"}",
		"{\"e\":\"3e8 77 1 ffffffff 0;1 5 1 0 0;junk\"}",
		"{\"e\":7}",
		"{",
		"",
		NULL
	};
	cJSON *json = convert(lines);

	(void)state;
	assert_null(find(json, "x", "M"));
	assert_non_null(find(json, "one paused", "i"));
	cJSON_Delete(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_exit),
		cmocka_unit_test(test_names_of_exits),
		cmocka_unit_test(test_a_doorbell),
		cmocka_unit_test(test_a_monitor),
		cmocka_unit_test(test_what_is_not_as_it_should_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
