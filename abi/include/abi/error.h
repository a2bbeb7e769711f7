/* Error codes (the label of a failing invocation's reply), lookup failures. */
#pragma once

enum abi_error {
	ABI_OK = 0,
	ABI_INVALID_ARGUMENT = 1,   /* MR0: argument number */
	ABI_INVALID_CAPABILITY = 2, /* MR0: capability number */
	ABI_ILLEGAL_OPERATION = 3,
	ABI_RANGE_ERROR = 4, /* MR0: minimum, MR1: maximum */
	ABI_ALIGNMENT_ERROR = 5,
	ABI_FAILED_LOOKUP = 6, /* MR0: was source, MR1..: lookup failure */
	ABI_TRUNCATED_MESSAGE = 7,
	ABI_DELETE_FIRST = 8,
	ABI_REVOKE_FIRST = 9,
	ABI_NOT_ENOUGH_MEMORY = 10, /* MR0: bytes left */
};

enum abi_lookup_failure {
	ABI_LOOKUP_NONE = 0,
	ABI_LOOKUP_INVALID_ROOT = 1,
	ABI_LOOKUP_MISSING_CAPABILITY = 2, /* bits left */
	ABI_LOOKUP_DEPTH_MISMATCH = 3,     /* bits left, bits found */
	ABI_LOOKUP_GUARD_MISMATCH = 4,     /* bits left, guard, guard size */
};
