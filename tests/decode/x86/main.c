/* x86-diff FIRST COUNT: compares so many cases from this number on; the last
 * line is what came of them. Exit code 1 if any differs. */
#include "diff.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
	struct diff_result r = { 0 };

	if (argc != 3) {
		fprintf(stderr, "usage: x86-diff FIRST COUNT\n");
		return 2;
	}
	diff_run(strtoull(argv[1], NULL, 0), strtoull(argv[2], NULL, 0), &r, stdout);
	printf("%llu compared, %llu exceptions, %llu skipped, %llu differing\n",
	       (unsigned long long)r.compared, (unsigned long long)r.exceptions,
	       (unsigned long long)r.skipped, (unsigned long long)r.differing);
	return r.differing != 0;
}
