/* What a trap saves on the kernel stack; assembly and C agree on it here. */
#ifndef TRAP_FRAME_H
#define TRAP_FRAME_H

#define TRAP_FRAME_SIZE 288
#define TRAP_FRAME_SEPC 248
#define TRAP_FRAME_SSTATUS 256
#define TRAP_FRAME_SCAUSE 264
#define TRAP_FRAME_STVAL 272
#define TRAP_FRAME_HART 280

#ifndef __ASSEMBLER__
#include "types.h"

struct hart;

struct trap_frame {
	uint64_t ra, sp, gp, tp, t0, t1, t2, s0, s1;
	uint64_t a[8];
	uint64_t s2_to_s11[10];
	uint64_t t3_to_t6[4];
	uint64_t sepc, sstatus, scause, stval;
	struct hart *hart; /* the kernel's tp, while user mode has its own */
};

_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_SIZE, "trap.S relies on this size");
_Static_assert(offsetof(struct trap_frame, sepc) == TRAP_FRAME_SEPC, "trap.S relies on this");
#endif

#endif
