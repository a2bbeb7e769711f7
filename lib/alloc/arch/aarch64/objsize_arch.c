#include <selvage/objsize.h>

/* All of its objects are every architecture's. */
unsigned object_arch_bits(unsigned type)
{
	(void)type;
	return 0;
}
