/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The harts as the recorder follows them: who runs, what its last instruction has left to read, where it may go. */
#ifndef TRACEDBG_HARTS_H
#define TRACEDBG_HARTS_H

#include "blocks.h"
#include "registers.h"
#include "slots.h"

struct hart {
	struct block *block; /* that it last ran, or NULL */
	uint16_t index;	     /* instruction of it that was the last to start */
	bool seen;
	bool away;	 /* another hart has run since */
	uint64_t last_t; /* of that instruction */
	uint64_t keyframe_t;
	bool uncertain[REGISTERS_MAX]; /* the trace says that the register is not known */
	uint64_t csr[REGISTERS_MAX];   /* tracked registers from REGISTER_FCSR on */
	bool data_translated;	       /* its loads and stores go through page tables */
	bool mprv;		       /* with another privilege than the block's */
	uint8_t privilege;
	uint64_t operand;  /* read before an instruction that needs it later */
	uint64_t accesses; /* made by the instruction under way, for those that are checked afterwards */
};

extern struct hart harts[HARTS_MAX];
extern struct hart *hart; /* the one that runs */
extern uint64_t keyframe_every;
extern uint64_t reset_pc; /* where harts begin: the first instruction of all */

static inline uint32_t hart_id(void)
{
	return (uint32_t)(hart - harts);
}

/* Offset of t in the epoch. */
static inline uint32_t offset_of(uint64_t t)
{
	return (uint32_t)(t - slot->first_t);
}

/* A new run of `block` begins at slot->run_t + what the last run started. Returns its t. */
void hart_enter(struct hart *to, struct block *block);

/* The instruction before `insn` has retired in the same run: reads what it wrote. */
void hart_read_result(const struct insn *before);

/* Before the instruction runs: what must be known of it that will be gone afterwards. */
void hart_prepare(const struct insn *insn);

/* Lists all registers at t, where the hart is about to run the instruction at `pc`. */
void hart_keyframe(uint64_t t, uint64_t pc);

/* From t on, all registers are what they are now: after something that may have changed any of them. */
void hart_read_all(uint64_t t);

/* From t on, the hart's register holds the value: a row, unless a tracked CSR held it already. */
void hart_set_register(int id, uint64_t value, uint64_t t);

/* From t on the register may hold something else: the hart's last instruction writes it, if it retired. */
void hart_doubt(int id, uint64_t t);

/* The hart runs at this privilege, under the mstatus and satp that it has now. */
void hart_set_privilege(uint8_t privilege);

/* Recording begins at t: nothing is known of any hart. */
void hart_start_recording(uint64_t t);

/* Ends the run under way; returns the t after it. */
uint64_t hart_close(void);

/* Recording stops where the hart is about to run the block; returns the t after the last instruction. */
uint64_t hart_stop(struct hart *to, struct block *block);

/* Ends the epoch at t and begins the next. */
void epoch_next(uint64_t t);

#endif
