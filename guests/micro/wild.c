/* A guest that reads where its machine has nothing. */
#include "micro.h"

void micro_main(void)
{
	micro_print("micro: wild\n");
	(void)micro_read32(0x3f000000ull);
	micro_print("micro: still here\n");
}
