/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RISC-V ISA manual, volume II, 3.1.6 to 3.1.16 and 12.1; Semihosting for AArch32 and AArch64, 5. */
#include "memory.h"
#include "traps.h"
#include "walk.h"

#define INTERRUPT (1ull << 63)

enum exception {
	CAUSE_FETCH_ACCESS = 1,
	CAUSE_LOAD_ACCESS = 5,
	CAUSE_STORE_ACCESS = 7,
	CAUSE_FETCH_PAGE = 12,
	CAUSE_LOAD_PAGE = 13,
	CAUSE_STORE_PAGE = 15,
	CAUSE_FETCH_GUEST_PAGE = 20,
};
enum { SYS_READ = 0x06, SYS_TMPNAM = 0x0d, SYS_GET_CMDLINE = 0x15, SYS_HEAPINFO = 0x16, SYS_ELAPSED = 0x30 };

struct trap_registers {
	int vector, cause, epc, tval, enabled; /* `enabled`: the bit of mstatus */
};

static const struct trap_registers machine = { REGISTER_MTVEC, REGISTER_MCAUSE, REGISTER_MEPC, REGISTER_MTVAL,
					       3 };
static const struct trap_registers supervisor = { REGISTER_STVEC, REGISTER_SCAUSE, REGISTER_SEPC,
						  REGISTER_STVAL, 1 };

static const struct trap_registers *registers_for(uint8_t privilege)
{
	return privilege == 3 ? &machine : &supervisor;
}

static bool is_vector(uint64_t tvec, uint64_t pc)
{
	uint64_t base = tvec & ~3ull;

	if (pc == base)
		return true;
	return (tvec & 3) == 1 && pc > base && pc - base < 4 * 64 && !(pc & 3);
}

/* Where traps lead to now: the last instruction may just have set it. */
static uint64_t vector_behind(const struct insn *last, int vector)
{
	return last->decoded.traits & WRITES_CSR ? register_read(vector) : hart->csr[vector];
}

static bool leads_to(const struct insn *last, uint64_t pc)
{
	uint64_t next = last->address + last->length;

	switch (last->decoded.successor) {
	case NEXT:
		return pc == next;
	case NEXT_OR_TARGET:
		return pc == next || pc == last->decoded.target;
	case TARGET:
		return pc == last->decoded.target;
	case ANYWHERE:
		return true;
	}
	return false;
}

bool trap_leads_directly(const struct insn *last, uint64_t pc)
{
	return last->decoded.successor != ANYWHERE && leads_to(last, pc);
}

/* mstatus as mret (from == 3) or sret leave it. */
static uint64_t status_after_return(uint64_t status, bool from_machine)
{
	unsigned int enable = from_machine ? 3 : 1, previous = from_machine ? 7 : 5;
	uint64_t privilege = from_machine ? status >> 11 & 3 : status >> 8 & 1;

	status &= ~(1ull << enable);
	status |= (status >> previous & 1) << enable;
	status |= 1ull << previous;
	status &= ~(from_machine ? 3ull << 11 : 1ull << 8);
	if (privilege != 3)
		status &= ~(1ull << 17);
	return status;
}

/* The hart is at a trap vector and its last instruction may have led there. A trap leaves its marks. */
static bool trap_was_taken(const struct insn *last, const struct trap_registers *r)
{
	uint64_t before = hart->csr[REGISTER_MSTATUS];

	if (register_read(REGISTER_MSTATUS) >> r->enabled & 1)
		return false;
	if (last->decoded.traits & IS_XRET)
		before = status_after_return(before, (last->bits >> 28) == 3);
	return register_read(REGISTER_MSTATUS) != before || register_read(r->cause) != hart->csr[r->cause] ||
	       register_read(r->epc) != hart->csr[r->epc] || register_read(r->tval) != hart->csr[r->tval];
}

/* The privilege that the hart has after the instruction: mret and sret change it. */
static uint8_t privilege_after(const struct insn *last)
{
	uint64_t status = hart->csr[REGISTER_MSTATUS];

	if (!(last->decoded.traits & IS_XRET))
		return hart->privilege;
	return (uint8_t)((last->bits >> 28) == 3 ? status >> 11 & 3 : status >> 8 & 1);
}

/* A trap to the supervisor has left its marks in mstatus, which one to machine mode leaves alone, but for MPP. */
static bool supervisor_status_changed(const struct insn *last)
{
	uint64_t before = hart->csr[REGISTER_MSTATUS], status = register_read(REGISTER_MSTATUS);

	if (last->decoded.traits & IS_XRET)
		before = status_after_return(before, (last->bits >> 28) == 3);
	return (status ^ before) & (1ull << 1 | 1ull << 5 | 1ull << 8) ||
	       (status >> 11 & 3) != privilege_after(last);
}

/* The trap to machine mode came before the supervisor's handler of another trap ran its first instruction. The same
 * interrupt may have come twice at one place, so that cause and epc are as they were. */
static bool supervisor_was_interrupted(const struct insn *last)
{
	uint64_t epc = register_read(REGISTER_MEPC);

	if (privilege_after(last) == 3 || !is_vector(vector_behind(last, REGISTER_STVEC), epc))
		return false;
	return !leads_to(last, epc) || supervisor_status_changed(last) ||
	       register_read(REGISTER_SCAUSE) != hart->csr[REGISTER_SCAUSE] ||
	       register_read(REGISTER_SEPC) != hart->csr[REGISTER_SEPC] ||
	       register_read(REGISTER_STVAL) != hart->csr[REGISTER_STVAL];
}

static enum arrival trap_kind(const struct insn *last, const struct trap_registers *r)
{
	uint64_t cause = register_read(r->cause);

	if (cause & INTERRUPT)
		return RETIRED_THEN_TRAP;
	if (cause == CAUSE_FETCH_ACCESS || cause == CAUSE_FETCH_PAGE || cause == CAUSE_FETCH_GUEST_PAGE)
		return RETIRED_THEN_TRAP;
	return register_read(r->epc) == last->address ? NOT_RETIRED : RETIRED_THEN_TRAP;
}

/* The hart is where harts begin, and its last instruction may have led there: a reset also changes CSRs. */
static bool was_reset(const struct insn *last)
{
	static const int changed[] = { REGISTER_MCAUSE, REGISTER_MENVCFG, REGISTER_SATP, REGISTER_MSTATUS };

	for (unsigned int i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
		uint64_t before = hart->csr[changed[i]];

		if (changed[i] == REGISTER_MSTATUS && (last->decoded.traits & IS_XRET))
			before = status_after_return(before, (last->bits >> 28) == 3);
		if (register_read_or(changed[i], before) != before)
			return true;
	}
	return false;
}

enum arrival trap_classify(const struct insn *last, const struct block *block, struct trap_origin *origin)
{
	const struct trap_registers *r = registers_for(block->privilege);
	bool led = leads_to(last, block->virtual);
	bool rises = block->privilege > hart->privilege;
	bool at_vector = block->privilege && is_vector(vector_behind(last, r->vector), block->virtual);
	enum arrival arrival;

	origin->privilege = privilege_after(last);
	origin->twice = at_vector && r == &machine && supervisor_was_interrupted(last);

	if (block->privilege == 3 && block->virtual == reset_pc && (!led || was_reset(last)))
		return AFTER_RESET;
	if (led && !rises && !at_vector)
		return RETIRED;
	if (last->decoded.traits & IS_XRET && !at_vector)
		return RETIRED;
	if (at_vector && led && !rises && !trap_was_taken(last, r))
		return RETIRED;
	if (!at_vector)
		return OUT_OF_NOWHERE;
	arrival = trap_kind(last, origin->twice ? &supervisor : r);
	/* An mret or sret that trapped has not left its privilege. */
	if (arrival == NOT_RETIRED)
		origin->privilege = hart->privilege;
	return arrival;
}

bool trap_enters_virtual(const struct insn *insn, uint8_t privilege)
{
	uint64_t status = register_read(REGISTER_MSTATUS);

	switch (insn->bits >> 28) {
	case 3:
		return privilege == 3 && (status >> 39 & 1) && (status >> 11 & 3) != 3;
	case 1:
		return (privilege == 3 || (privilege == 1 && !(status >> 22 & 1))) &&
		       (register_read_hypervisor_status() >> 7 & 1);
	}
	return false;
}

/* What an access that trapped has done to memory before: bits in page tables, and a part of a store that runs into a
 * second page where nothing answers. */
static void look_at_memory(uint64_t cause, uint64_t tval, uint64_t t)
{
	bool store = cause == CAUSE_STORE_ACCESS || cause == CAUSE_STORE_PAGE;
	enum walk_for what = store ? WALK_STORE : WALK_LOAD;
	uint64_t satp = hart->csr[REGISTER_SATP], before = (tval & ~(PAGE_SIZE - 1)) - 1;
	uint64_t physical = before;

	if (!store && cause != CAUSE_LOAD_ACCESS && cause != CAUSE_LOAD_PAGE)
		return;
	if (hart->data_translated) {
		walk_forget();
		walk_repeat(satp, tval, what, offset_of(t));
		walk_repeat(satp, before, what, offset_of(t));
		physical = walk_translate(satp, before);
	}
	if (cause == CAUSE_STORE_ACCESS && physical != NO_TRANSLATION && ram_offset(physical) != NO_OFFSET)
		memory_compare_frame(ram_offset(physical), offset_of(t), CAUSE_INSTRUCTION);
}

static void record(const struct trap_registers *r, uint8_t from, uint8_t to, uint64_t t)
{
	hart_set_register(REGISTER_MSTATUS, register_read(REGISTER_MSTATUS), t);
	hart_set_register(r->cause, register_read(r->cause), t);
	hart_set_register(r->epc, register_read(r->epc), t);
	hart_set_register(r->tval, register_read(r->tval), t);
	APPEND(COLUMN_EPOCH_TRAP_HART, uint16_t, (uint16_t)hart_id());
	APPEND(COLUMN_EPOCH_TRAP_LAST, uint64_t, hart->last_t);
	APPEND(COLUMN_EPOCH_TRAP_CAUSE, uint64_t, hart->csr[r->cause]);
	APPEND(COLUMN_EPOCH_TRAP_EPC, uint64_t, hart->csr[r->epc]);
	APPEND(COLUMN_EPOCH_TRAP_TVAL, uint64_t, hart->csr[r->tval]);
	APPEND(COLUMN_EPOCH_TRAP_FROM, uint8_t, from);
	APPEND(COLUMN_EPOCH_TRAP_TO, uint8_t, to);
	APPEND(COLUMN_EPOCH_TRAP_T, uint32_t, offset_of(t));
	look_at_memory(hart->csr[r->cause], hart->csr[r->tval], t);
}

void trap_record(const struct block *block, const struct trap_origin *origin, uint64_t t)
{
	if (origin->twice)
		record(&supervisor, origin->privilege, 1, t);
	record(registers_for(block->privilege), origin->twice ? 1 : origin->privilege, block->privilege, t);
}

void trap_reset(uint64_t t)
{
	APPEND(COLUMN_EPOCH_RESET_T, uint32_t, offset_of(t));
	walk_forget();
	memory_compare_all(t, CAUSE_RESET);
}

void trap_after_semihosting(uint64_t operation, uint64_t t)
{
	switch (operation) {
	case SYS_READ:
	case SYS_TMPNAM:
	case SYS_GET_CMDLINE:
	case SYS_HEAPINFO:
	case SYS_ELAPSED:
		memory_compare_all(t, CAUSE_SEMIHOSTING);
	}
}
