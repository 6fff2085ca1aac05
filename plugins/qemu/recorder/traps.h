/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a hart came from one block to the next: by its instructions, by a trap, or by a reset. */
#ifndef TRACEDBG_TRAPS_H
#define TRACEDBG_TRAPS_H

#include "harts.h"

enum arrival {
	RETIRED,	   /* the last instruction led here */
	RETIRED_THEN_TRAP, /* an interrupt, or the fetch of the next instruction trapped */
	NOT_RETIRED,	   /* the last instruction trapped */
	AFTER_RESET,
	OUT_OF_NOWHERE, /* nothing that is known of leads here: a debugger */
};

/* Whether the address can be told from the instruction alone, and is where it leads. */
bool trap_leads_directly(const struct insn *last, uint64_t pc);

struct trap_origin {
	uint8_t privilege; /* that a trap, if there was one, came from */
	bool twice; /* the supervisor's handler of another trap was interrupted before its first instruction */
};

enum arrival trap_classify(const struct insn *last, const struct block *block, struct trap_origin *origin);

/* Whether the mret or sret, about to run at this privilege, leads into virtual mode (V = 1), where other CSRs stand
 * behind the names and addresses go through two stages of page tables. */
bool trap_enters_virtual(const struct insn *insn, uint8_t privilege);

/* Lists the trap, or two at once, whose handler starts with `block` at t, and the registers that they changed. */
void trap_record(const struct block *block, const struct trap_origin *origin, uint64_t t);

/* RAM is as the loader leaves it again, all registers too. */
void trap_reset(uint64_t t);

/* The ebreak that retired was a semihosting call with this operation number; some write memory. */
void trap_after_semihosting(uint64_t operation, uint64_t t);

#endif
