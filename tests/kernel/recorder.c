#include "recorder.h"

#include "kt.h"

void recorder_note(struct recorder *r, uint64_t gap_us)
{
	uint64_t now = kt_now_us();

	if (r->runs == 0 || now > r->run[r->runs - 1].to + gap_us) {
		if (r->runs == RUNS)
			return;
		r->run[r->runs].from = now;
		r->runs++;
	}
	r->run[r->runs - 1].to = now;
}
