/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generated from tracedbg/format/schema.py by python -m tracedbg.format.header; do not edit. */
#ifndef TRACEDBG_TRACE_COLUMNS_H
#define TRACEDBG_TRACE_COLUMNS_H

#define FORMAT_VERSION 1
#define EPOCH_INSTRUCTIONS 1048576
#define KEYFRAME_INSTRUCTIONS 16384
#define ACCESS_SIZE_MASK 7
#define ACCESS_STORE 8
#define ACCESS_KIND_SHIFT 4
#define ACCESS_KIND_MASK 48
#define ACCESS_MPRV 64
#define STATE_UNKNOWN 32768
/* An address or a t that there is none of. */
#define NEVER UINT64_MAX

enum value_source {
    SOURCE_NONE = 0,
    SOURCE_RECORDED = 1,
    SOURCE_CONSTANT = 2,
    SOURCE_LOAD_S8 = 3,
    SOURCE_LOAD_S16 = 4,
    SOURCE_LOAD_S32 = 5,
    SOURCE_LOAD_64 = 6,
    SOURCE_LOAD_U8 = 7,
    SOURCE_LOAD_U16 = 8,
    SOURCE_LOAD_U32 = 9,
    SOURCE_ANY = 10,
};

enum access_kind {
    KIND_RAM = 0,
    KIND_OTHER_MEMORY = 1,
    KIND_DEVICE = 2,
};

enum change_cause {
    CAUSE_UNEXPLAINED = 0,
    CAUSE_PAGE_TABLE_WALK = 1,
    CAUSE_DMA = 2,
    CAUSE_SEMIHOSTING = 3,
    CAUSE_RESET = 4,
    CAUSE_DEBUGGER = 5,
    CAUSE_IN_FLIGHT = 6,
    CAUSE_INSTRUCTION = 7,
};

enum late_kind {
    LATE_VALUE = 0,
    LATE_NOT_RETIRED = 1,
    LATE_NO_VALUE = 2,
};

enum column {
    COLUMN_BLOCKS_VIRTUAL, /* u8: virtual address of the block's first byte */
    COLUMN_BLOCKS_PHYSICAL, /* u8: its physical address; all ones where unknown */
    COLUMN_BLOCKS_NEXT_PHYSICAL, /* u8: physical address of the page that follows, where the block runs into it; else all ones */
    COLUMN_BLOCKS_PRIVILEGE, /* u1: privilege it runs at: 0 user, 1 supervisor, 3 machine */
    COLUMN_BLOCKS_INSTRUCTIONS, /* u2: number of its instructions */
    COLUMN_BLOCKS_INSN_LENGTH, /* u1: length of each instruction, in bytes */
    COLUMN_BLOCKS_INSN_DESTINATION, /* u1: its integer destination register, 0 for none */
    COLUMN_BLOCKS_INSN_SOURCE, /* u1: where that register's value comes from (Source) */
    COLUMN_BLOCKS_INSN_BYTES, /* u1: the bytes of all instructions, one after the other */
    COLUMN_BLOCKS_INSN_CONSTANT, /* u8: the value, for each instruction whose source is CONSTANT, in order */
    COLUMN_EPOCH_BOUNDS, /* u8: first t of the epoch, and the first t after it */
    COLUMN_EPOCH_RUN_BLOCK, /* u4: block of each run, in order of t */
    COLUMN_EPOCH_SHORT_RUN, /* u4: index of each run that did not start all its instructions */
    COLUMN_EPOCH_SHORT_STARTED, /* u2: how many instructions it started */
    COLUMN_EPOCH_TURN_RUN, /* u4: index of the first run of each stretch on one hart; first row 0 */
    COLUMN_EPOCH_TURN_HART, /* u2: that hart */
    COLUMN_EPOCH_LAST_T, /* u8: for each hart, t of its last instruction before the epoch; all ones for none */
    COLUMN_EPOCH_UNRETIRED_T, /* u4: instructions that started and trapped: no register written */
    COLUMN_EPOCH_OPEN_T, /* u4: instructions whose outcome was not known when the epoch was written (see late) */
    COLUMN_EPOCH_STATE_T, /* u4: t from which a register holds the value, up to the epoch's length */
    COLUMN_EPOCH_STATE_HART, /* u2: its hart */
    COLUMN_EPOCH_STATE_REGISTER, /* u2: its number in the trace's list of registers, plus STATE_UNKNOWN (0x8000) where it is not known */
    COLUMN_EPOCH_STATE_VALUE, /* u8: its value */
    COLUMN_EPOCH_TRAP_T, /* u4: first instruction of the handler, up to the epoch's length */
    COLUMN_EPOCH_TRAP_HART, /* u2: the hart that took the trap */
    COLUMN_EPOCH_TRAP_LAST, /* u8: absolute t of the hart's last instruction before it; all ones for none */
    COLUMN_EPOCH_TRAP_CAUSE, /* u8: mcause or scause */
    COLUMN_EPOCH_TRAP_EPC, /* u8: mepc or sepc */
    COLUMN_EPOCH_TRAP_TVAL, /* u8: mtval or stval */
    COLUMN_EPOCH_TRAP_FROM, /* u1: privilege it came from */
    COLUMN_EPOCH_TRAP_TO, /* u1: privilege that handles it */
    COLUMN_EPOCH_RESET_T, /* u4: first instruction after a reset */
    COLUMN_EPOCH_KEYFRAME_T, /* u4: moment of each keyframe */
    COLUMN_EPOCH_KEYFRAME_HART, /* u2: hart whose registers it holds */
    COLUMN_EPOCH_KEYFRAME_PC, /* u8: address of the instruction that starts at its t */
    COLUMN_EPOCH_KEYFRAME_RUN, /* u4: index of the run that starts, or is under way, at its t */
    COLUMN_EPOCH_KEYFRAME_WRITE, /* u4: index in writes.value of the first value made at or after its t */
    COLUMN_EPOCH_KEYFRAME_ACCESS, /* u4: index in accesses of the first access at or after its t */
    COLUMN_EPOCH_KEYFRAME_STATE, /* u4: index of the first state row that is not in the keyframe */
    COLUMN_EPOCH_KEYFRAME_VALUE, /* u8: all registers of the trace's list, one keyframe after the other; of a vector register the list has each 8-byte word, the lowest first: v8.0, v8.1, ... */
    COLUMN_WRITES_VALUE, /* u8: the value written; each 65,536 are sorted by their instruction's index in the dictionary, then by t, and each is exclusive-ored with the one before it of the same instruction */
    COLUMN_ACCESSES_T, /* u4: the instruction that made the access */
    COLUMN_ACCESSES_FLAGS, /* u1: size, store, kind, MPRV: the ACCESS_ constants */
    COLUMN_ACCESSES_VIRTUAL, /* u8: virtual address */
    COLUMN_ACCESSES_VALUE, /* u8: value, zero-extended */
    COLUMN_ACCESSES_MAPPING_ACCESS, /* u4: index of each access from which physical minus virtual address is as given; 0 before the first */
    COLUMN_ACCESSES_MAPPING_DELTA, /* u8: physical minus virtual address, modulo 2**64 */
    COLUMN_ACCESSES_CROSSING_ACCESS, /* u4: index of each access that crosses into another page */
    COLUMN_ACCESSES_CROSSING_PHYSICAL, /* u8: physical address of its first byte in the second page */
    COLUMN_ACCESSES_CHANGE_T, /* u4: t from which memory is known to hold the value */
    COLUMN_ACCESSES_CHANGE_SINCE, /* u8: absolute t after which the change happened; 0 for an unknown one */
    COLUMN_ACCESSES_CHANGE_PHYSICAL, /* u8: physical address, a multiple of 8 */
    COLUMN_ACCESSES_CHANGE_VALUE, /* u8: the eight bytes there */
    COLUMN_ACCESSES_CHANGE_CAUSE, /* u1: why (Cause) */
    COLUMN_LATE_T, /* u8: absolute t of the instruction */
    COLUMN_LATE_KIND, /* u1: what became known (LateKind) */
    COLUMN_LATE_VALUE, /* u8: the value of its destination register, for VALUE */
    COLUMNS
};

/* Bytes of one row. */
static const unsigned char column_size[COLUMNS] = {
    [COLUMN_BLOCKS_VIRTUAL] = 8,
    [COLUMN_BLOCKS_PHYSICAL] = 8,
    [COLUMN_BLOCKS_NEXT_PHYSICAL] = 8,
    [COLUMN_BLOCKS_PRIVILEGE] = 1,
    [COLUMN_BLOCKS_INSTRUCTIONS] = 2,
    [COLUMN_BLOCKS_INSN_LENGTH] = 1,
    [COLUMN_BLOCKS_INSN_DESTINATION] = 1,
    [COLUMN_BLOCKS_INSN_SOURCE] = 1,
    [COLUMN_BLOCKS_INSN_BYTES] = 1,
    [COLUMN_BLOCKS_INSN_CONSTANT] = 8,
    [COLUMN_EPOCH_BOUNDS] = 8,
    [COLUMN_EPOCH_RUN_BLOCK] = 4,
    [COLUMN_EPOCH_SHORT_RUN] = 4,
    [COLUMN_EPOCH_SHORT_STARTED] = 2,
    [COLUMN_EPOCH_TURN_RUN] = 4,
    [COLUMN_EPOCH_TURN_HART] = 2,
    [COLUMN_EPOCH_LAST_T] = 8,
    [COLUMN_EPOCH_UNRETIRED_T] = 4,
    [COLUMN_EPOCH_OPEN_T] = 4,
    [COLUMN_EPOCH_STATE_T] = 4,
    [COLUMN_EPOCH_STATE_HART] = 2,
    [COLUMN_EPOCH_STATE_REGISTER] = 2,
    [COLUMN_EPOCH_STATE_VALUE] = 8,
    [COLUMN_EPOCH_TRAP_T] = 4,
    [COLUMN_EPOCH_TRAP_HART] = 2,
    [COLUMN_EPOCH_TRAP_LAST] = 8,
    [COLUMN_EPOCH_TRAP_CAUSE] = 8,
    [COLUMN_EPOCH_TRAP_EPC] = 8,
    [COLUMN_EPOCH_TRAP_TVAL] = 8,
    [COLUMN_EPOCH_TRAP_FROM] = 1,
    [COLUMN_EPOCH_TRAP_TO] = 1,
    [COLUMN_EPOCH_RESET_T] = 4,
    [COLUMN_EPOCH_KEYFRAME_T] = 4,
    [COLUMN_EPOCH_KEYFRAME_HART] = 2,
    [COLUMN_EPOCH_KEYFRAME_PC] = 8,
    [COLUMN_EPOCH_KEYFRAME_RUN] = 4,
    [COLUMN_EPOCH_KEYFRAME_WRITE] = 4,
    [COLUMN_EPOCH_KEYFRAME_ACCESS] = 4,
    [COLUMN_EPOCH_KEYFRAME_STATE] = 4,
    [COLUMN_EPOCH_KEYFRAME_VALUE] = 8,
    [COLUMN_WRITES_VALUE] = 8,
    [COLUMN_ACCESSES_T] = 4,
    [COLUMN_ACCESSES_FLAGS] = 1,
    [COLUMN_ACCESSES_VIRTUAL] = 8,
    [COLUMN_ACCESSES_VALUE] = 8,
    [COLUMN_ACCESSES_MAPPING_ACCESS] = 4,
    [COLUMN_ACCESSES_MAPPING_DELTA] = 8,
    [COLUMN_ACCESSES_CROSSING_ACCESS] = 4,
    [COLUMN_ACCESSES_CROSSING_PHYSICAL] = 8,
    [COLUMN_ACCESSES_CHANGE_T] = 4,
    [COLUMN_ACCESSES_CHANGE_SINCE] = 8,
    [COLUMN_ACCESSES_CHANGE_PHYSICAL] = 8,
    [COLUMN_ACCESSES_CHANGE_VALUE] = 8,
    [COLUMN_ACCESSES_CHANGE_CAUSE] = 1,
    [COLUMN_LATE_T] = 8,
    [COLUMN_LATE_KIND] = 1,
    [COLUMN_LATE_VALUE] = 8,
};

#endif
