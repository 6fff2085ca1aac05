"""Trap causes and privileges by name (RISC-V privileged ISA 1.2 and 3.1.15, table 14)."""

from tracedbg.arch.base import TrapKind

INTERRUPT = 1 << 63
CALL_FROM_USER = 8

EXCEPTIONS = {
    0: "instruction address misaligned",
    1: "instruction access fault",
    2: "illegal instruction",
    3: "breakpoint",
    4: "load address misaligned",
    5: "load access fault",
    6: "store address misaligned",
    7: "store access fault",
    8: "environment call from user mode",
    9: "environment call from supervisor mode",
    11: "environment call from machine mode",
    12: "instruction page fault",
    13: "load page fault",
    15: "store page fault",
    16: "double trap",
    18: "software check",
    19: "hardware error",
    20: "instruction guest-page fault",
    21: "load guest-page fault",
    22: "virtual instruction",
    23: "store guest-page fault",
}

INTERRUPTS = {
    1: "supervisor software interrupt",
    2: "virtual supervisor software interrupt",
    3: "machine software interrupt",
    5: "supervisor timer interrupt",
    6: "virtual supervisor timer interrupt",
    7: "machine timer interrupt",
    9: "supervisor external interrupt",
    10: "virtual supervisor external interrupt",
    11: "machine external interrupt",
    12: "supervisor guest external interrupt",
    13: "counter overflow interrupt",
}

PRIVILEGES = {0: "user", 1: "supervisor", 3: "machine"}


_KINDS = {
    3: TrapKind.BREAKPOINT,
    **dict.fromkeys((8, 9, 10, 11), TrapKind.CALL),
    **dict.fromkeys((0, 1, 12, 20), TrapKind.FETCH),
    **dict.fromkeys((4, 5, 6, 7, 13, 15, 21, 23), TrapKind.DATA),
}


def cause_name(cause: int) -> str:
    """Return the meaning of a value of mcause or scause."""
    number = cause & ~INTERRUPT
    if cause & INTERRUPT:
        return INTERRUPTS.get(number, f"interrupt {number}")
    return EXCEPTIONS.get(number, f"exception {number}")


def trap_kind(cause: int) -> TrapKind:
    """Return what a value of mcause or scause came from."""
    if cause & INTERRUPT:
        return TrapKind.INTERRUPT
    return _KINDS.get(cause, TrapKind.INSTRUCTION)


def privilege_name(privilege: int) -> str:
    """Return the name of a privilege."""
    return PRIVILEGES.get(privilege, f"privilege {privilege}")
