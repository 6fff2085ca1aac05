/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "accesses.h"
#include "harts.h"
#include "memory.h"
#include "traps.h"
#include "vectors.h"
#include "walk.h"

#define CHECK_INSTRUCTIONS 4096

struct hart harts[HARTS_MAX];
struct hart *hart;
uint64_t keyframe_every = KEYFRAME_INSTRUCTIONS;
uint64_t reset_pc = NEVER;

static uint64_t next_check;

static void epoch_begin(void)
{
	for (uint64_t i = 0; i < shared->harts; i++)
		APPEND(COLUMN_EPOCH_LAST_T, uint64_t, harts[i].seen ? harts[i].last_t : NEVER);
	access_new_epoch();
}

void epoch_next(uint64_t t)
{
	slots_next(t);
	epoch_begin();
}

static void append_state(uint16_t id, uint64_t value, uint64_t t)
{
	APPEND(COLUMN_EPOCH_STATE_HART, uint16_t, (uint16_t)hart_id());
	APPEND(COLUMN_EPOCH_STATE_REGISTER, uint16_t, id);
	APPEND(COLUMN_EPOCH_STATE_VALUE, uint64_t, value);
	APPEND(COLUMN_EPOCH_STATE_T, uint32_t, offset_of(t));
}

void hart_set_register(int id, uint64_t value, uint64_t t)
{
	if (id >= REGISTER_FCSR && hart->csr[id] == value && !hart->uncertain[id])
		return;
	if (id >= REGISTER_FCSR)
		hart->csr[id] = value;
	hart->uncertain[id] = false;
	append_state((uint16_t)id, value, t);
}

void hart_doubt(int id, uint64_t t)
{
	hart->uncertain[id] = true;
	append_state((uint16_t)(id | STATE_UNKNOWN), 0, t);
}

/* Whether a write of the CSR sets mstatus.FS or VS. */
static bool makes_dirty(int csr)
{
	return csr == REGISTER_FCSR || (csr >= REGISTER_VSTART && csr < REGISTER_V0);
}

/* The registers, besides an integer destination, that the instruction may have written. */
static void doubt_special(const struct decoded *d, uint64_t t)
{
	int csr = d->traits & WRITES_CSR ? register_of_csr(d->csr) : NO_REGISTER;

	if (d->traits & WRITES_FLOAT)
		hart_doubt(REGISTER_F0 + d->rd, t);
	if ((d->traits & WRITES_FCSR) || csr == REGISTER_FCSR)
		hart_doubt(REGISTER_FCSR, t);
	if ((d->traits & (WRITES_FCSR | IS_XRET)) || makes_dirty(csr))
		hart_doubt(REGISTER_MSTATUS, t);
	if (csr != NO_REGISTER && csr != REGISTER_FCSR)
		hart_doubt(csr, t);
	if (d->traits & IS_VECTOR)
		vectors_doubt(d, t);
	for (int id = 1; (d->traits & IS_UNKNOWN) && id < register_count; id++)
		hart_doubt(id, t);
}

/* The hart runs again: what its last instruction did not write after all is as it was. */
static void settle_doubts(uint64_t t)
{
	for (int id = 1; id < register_count; id++) {
		if (hart->uncertain[id])
			hart_set_register(id, register_read_or(id, hart->csr[id]), t);
	}
}

void hart_read_all(uint64_t t)
{
	uint64_t values[REGISTERS_MAX];

	memcpy(values, hart->csr, sizeof(values));
	registers_read(values);
	for (int id = 1; id < register_count; id++)
		hart_set_register(id, values[id], t);
}

void hart_set_privilege(uint8_t privilege)
{
	uint64_t status = hart->csr[REGISTER_MSTATUS];
	uint64_t effective = privilege;

	hart->privilege = privilege;
	hart->mprv = false;
	if (privilege == 3 && (status >> 17 & 1)) {
		effective = status >> 11 & 3;
		hart->mprv = effective != 3;
	}
	hart->data_translated = effective != 3 && hart->csr[REGISTER_SATP] >> 60;
}

void hart_keyframe(uint64_t t, uint64_t pc)
{
	uint64_t n = slot->count[COLUMN_EPOCH_KEYFRAME_VALUE];
	uint64_t *value = COLUMN(COLUMN_EPOCH_KEYFRAME_VALUE, uint64_t) + n;

	memcpy(value, hart->csr, (size_t)register_count * sizeof(*value));
	registers_read(value);
	memcpy(hart->csr + REGISTER_FCSR, value + REGISTER_FCSR,
	       (size_t)(register_count - REGISTER_FCSR) * sizeof(*value));
	APPEND(COLUMN_EPOCH_KEYFRAME_HART, uint16_t, (uint16_t)hart_id());
	APPEND(COLUMN_EPOCH_KEYFRAME_RUN, uint32_t, (uint32_t)slot->count[COLUMN_EPOCH_RUN_BLOCK]);
	APPEND(COLUMN_EPOCH_KEYFRAME_WRITE, uint32_t, (uint32_t)slot->count[COLUMN_WRITES_VALUE]);
	APPEND(COLUMN_EPOCH_KEYFRAME_ACCESS, uint32_t, (uint32_t)slot->count[COLUMN_ACCESSES_T]);
	APPEND(COLUMN_EPOCH_KEYFRAME_STATE, uint32_t, (uint32_t)slot->count[COLUMN_EPOCH_STATE_T]);
	slot->count[COLUMN_EPOCH_KEYFRAME_VALUE] = n + (uint64_t)register_count;
	APPEND(COLUMN_EPOCH_KEYFRAME_PC, uint64_t, pc);
	APPEND(COLUMN_EPOCH_KEYFRAME_T, uint32_t, offset_of(t));
	hart->keyframe_t = t;
}

/* What instructions write besides an integer register; `t` is the moment from which it holds. */
static void read_special(const struct insn *insn, uint64_t t)
{
	const struct decoded *d = &insn->decoded;

	if (d->traits & WRITES_FLOAT)
		hart_set_register(REGISTER_F0 + d->rd, register_read(REGISTER_F0 + d->rd), t);
	if (d->traits & WRITES_FCSR) {
		hart_set_register(REGISTER_FCSR, register_read(REGISTER_FCSR), t);
		hart_set_register(REGISTER_MSTATUS, register_read(REGISTER_MSTATUS), t);
	}
	if (d->traits & WRITES_CSR) {
		int id = register_of_csr(d->csr);

		if (id != NO_REGISTER)
			hart_set_register(id, register_read_or(id, hart->csr[id]), t);
		if (makes_dirty(id))
			hart_set_register(REGISTER_MSTATUS, register_read(REGISTER_MSTATUS), t);
		if (id == REGISTER_SATP)
			walk_forget();
		hart_set_privilege(hart->privilege);
	}
	if (d->traits & IS_VECTOR)
		vectors_read(d, t);
	if (d->traits & IS_XRET)
		hart_set_register(REGISTER_MSTATUS, register_read(REGISTER_MSTATUS), t);
	if (d->traits & IS_FENCE_VMA)
		walk_forget();
	if (d->traits & IS_CBO_ZERO)
		access_add_zeros(hart->operand & ~63ull, offset_of(t - 1));
	/* Without a destination nothing tells whether it failed but that nothing changed. */
	if ((d->traits & IS_SC) && d->source == SOURCE_NONE && !hart->away)
		access_drop_store(offset_of(t - 1));
	if (d->traits & IS_UNKNOWN)
		hart_read_all(t);
	if (d->traits & IS_EBREAK)
		trap_after_semihosting(hart->operand, t);
}

void hart_read_result(const struct insn *before)
{
	uint64_t t = slot->run_t + slot->run_index + 1;

	if (before->decoded.source == SOURCE_RECORDED) {
		uint64_t value = register_read(before->decoded.rd);

		APPEND(COLUMN_WRITES_VALUE, uint64_t, value);
		if ((before->decoded.traits & IS_SC) && value)
			access_drop_store(offset_of(t - 1));
	}
	if (before->decoded.traits & SPECIAL)
		read_special(before, t);
}

void hart_prepare(const struct insn *insn)
{
	hart->accesses = 0;
	if (insn->decoded.traits & IS_CBO_ZERO)
		hart->operand = insn->decoded.rs1 ? register_read(insn->decoded.rs1) : 0;
	else if (insn->decoded.traits & IS_EBREAK)
		hart->operand = register_read(10);
}

/* Ends the run under way; returns the t after it. */
static uint64_t close_run(struct hart *of)
{
	uint64_t started = slot->run_index + 1;

	if (started < of->block->instructions) {
		APPEND(COLUMN_EPOCH_SHORT_STARTED, uint16_t, (uint16_t)started);
		APPEND(COLUMN_EPOCH_SHORT_RUN, uint32_t, (uint32_t)(slot->count[COLUMN_EPOCH_RUN_BLOCK] - 1));
	}
	of->index = (uint16_t)slot->run_index;
	of->last_t = slot->run_t + slot->run_index;
	return of->last_t + 1;
}

static void late(uint64_t t, enum late_kind kind, uint64_t value)
{
	APPEND(COLUMN_LATE_KIND, uint8_t, (uint8_t)kind);
	APPEND(COLUMN_LATE_VALUE, uint64_t, value);
	APPEND(COLUMN_LATE_T, uint64_t, t);
}

/* Another hart runs now: how the last instruction came out will be seen when this one runs again. */
static void leave(struct hart *from)
{
	if (from->block->insn[from->index].decoded.source == SOURCE_RECORDED)
		APPEND(COLUMN_WRITES_VALUE, uint64_t, 0);
	APPEND(COLUMN_EPOCH_OPEN_T, uint32_t, offset_of(from->last_t));
	if (from->block->insn[from->index].decoded.traits & SPECIAL)
		doubt_special(&from->block->insn[from->index].decoded, from->last_t + 1);
	from->away = true;
	walk_forget();
}

/* Finds out how the hart's last instruction came out, now that its next one is about to run at t. */
static void settle(const struct block *block, uint64_t t)
{
	const struct insn *insn = &hart->block->insn[hart->index];
	struct trap_origin origin;
	enum arrival arrival = trap_classify(insn, block, &origin);
	bool retired = arrival != NOT_RETIRED && arrival != AFTER_RESET;
	bool recorded = insn->decoded.source == SOURCE_RECORDED;

	if (!hart->away) {
		uint64_t value = retired && recorded ? register_read(insn->decoded.rd) : 0;

		if (recorded)
			APPEND(COLUMN_WRITES_VALUE, uint64_t, value);
		if (!retired)
			APPEND(COLUMN_EPOCH_UNRETIRED_T, uint32_t, offset_of(hart->last_t));
		else if ((insn->decoded.traits & IS_SC) && recorded && value)
			access_drop_store(offset_of(hart->last_t));
	} else if (!retired) {
		late(hart->last_t, LATE_NOT_RETIRED, 0);
	} else if (recorded) {
		late(hart->last_t, LATE_VALUE, register_read(insn->decoded.rd));
	} else {
		late(hart->last_t, LATE_NO_VALUE, 0);
	}
	if (retired && (insn->decoded.traits & SPECIAL))
		read_special(insn, t);
	if (arrival == NOT_RETIRED && (insn->decoded.traits & IS_VECTOR))
		vectors_read(&insn->decoded, t);
	if (arrival == NOT_RETIRED || arrival == RETIRED_THEN_TRAP)
		trap_record(block, &origin, t);
	if (arrival == AFTER_RESET)
		trap_reset(t);
	if (block->privilege != hart->privilege)
		hart_set_privilege(block->privilege);
	if (arrival == OUT_OF_NOWHERE || arrival == AFTER_RESET)
		hart_read_all(t);
	if (hart->away)
		settle_doubts(t);
}

/* The block at the address where the hart is. QEMU shares a translation among all virtual addresses of the same
 * code; where control came by a direct way from a block at its own address, the address follows. */
static struct block *block_here(struct block *block)
{
	if (hart->block && !hart->block->is_alias &&
	    trap_leads_directly(&hart->block->insn[hart->index], block->virtual))
		return block;
	return block_at(block, register_read_pc());
}

static bool epoch_is_full(uint64_t t)
{
	/* These two can grow by many rows an instruction: looked at before each block. */
	if (slot->count[COLUMN_ACCESSES_CHANGE_T] > shared->column[COLUMN_ACCESSES_CHANGE_T].capacity / 4 ||
	    slot->count[COLUMN_EPOCH_STATE_T] > shared->column[COLUMN_EPOCH_STATE_T].capacity / 2)
		return true;
	if (vectors_nearly_fill())
		return true;
	if (t < next_check)
		return false;
	next_check = t + CHECK_INSTRUCTIONS;
	return t - slot->first_t >= EPOCH_INSTRUCTIONS || slots_nearly_full();
}

void hart_start_recording(uint64_t t)
{
	slot->first_t = t;
	slot->end_t = t;
	slot->run_t = t;
	next_check = t + CHECK_INSTRUCTIONS;
	for (int i = 0; i < HARTS_MAX; i++)
		harts[i] = (struct hart){ .keyframe_t = NEVER };
	hart = NULL;
	epoch_begin();
}

uint64_t hart_close(void)
{
	return hart ? close_run(hart) : slot->run_t;
}

/* The run under way has ended, and hart `to` is about to run the block at t: what was open is settled. Returns the
 * block as it is where the hart is. */
static struct block *arrive(struct hart *to, struct block *block, uint64_t t)
{
	if (to != hart && hart)
		leave(hart);
	hart = to;
	block = block_here(block);
	if (to->seen)
		settle(block, t);
	to->seen = true;
	to->away = false;
	return block;
}

uint64_t hart_stop(struct hart *to, struct block *block)
{
	uint64_t t = hart_close();

	arrive(to, block, t);
	return t;
}

void hart_enter(struct hart *to, struct block *block)
{
	uint64_t t = hart_close();
	bool switched = to != hart;

	block = arrive(to, block, t);
	if (epoch_is_full(t))
		epoch_next(t);
	/* Each epoch in which a hart runs begins, for that hart, with a keyframe. */
	if (to->keyframe_t == NEVER || to->keyframe_t < slot->first_t || t - to->keyframe_t >= keyframe_every)
		hart_keyframe(t, register_read_pc());
	if (to->privilege != block->privilege || !to->block)
		hart_set_privilege(block->privilege);
	if (switched || slot->count[COLUMN_EPOCH_TURN_RUN] == 0) {
		APPEND(COLUMN_EPOCH_TURN_HART, uint16_t, (uint16_t)hart_id());
		APPEND(COLUMN_EPOCH_TURN_RUN, uint32_t, (uint32_t)slot->count[COLUMN_EPOCH_RUN_BLOCK]);
	}
	to->block = block;
	slot->run_t = t;
	slot->run_index = 0;
	if (block->id == NO_BLOCK)
		block_publish(block);
	APPEND(COLUMN_EPOCH_RUN_BLOCK, uint32_t, block->id);
	if (to->csr[REGISTER_SATP] >> 60 && block->privilege != 3)
		walk_repeat(to->csr[REGISTER_SATP], block->virtual, WALK_FETCH, offset_of(t));
}
