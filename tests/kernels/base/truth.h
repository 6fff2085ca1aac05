/*
 * Where a kernel's accident happens, for the tests that judge findings; filled in when the memory is handed
 * out, and read by nothing in the kernel. The stack's bounds are addresses as its sp holds them, the victim's
 * is physical.
 */
#ifndef TRUTH_H
#define TRUTH_H

#include "riscv.h"

struct truth {
	uint64_t stack_base;
	uint64_t stack_top;
	uint64_t victim;
	uint64_t victim_size;
};

extern volatile struct truth truth;

#endif
