"""Who ruined the timeout of the last futex call that has one in stack_futex.bin.

    tracedbg gdb traces/stack_futex.bin -x traces/stack_futex.py

The call fails with EINVAL, for its tv_nsec is a kernel address. A watchpoint on the timeout, followed
backwards from the call, leads to the store that put it there: an interrupt that saves registers on a kernel
stack which has grown into the user's page.
"""

from tracedbg.gdb import Session

NANOSECONDS = 1_000_000_000
TIMEOUT = "*(long (*)[2]) args[3]"


def main(session: Session) -> None:
    """Goes from the end of the recording back to the guilty store."""
    session.goto("end")
    breakpoint_number = session.break_("sys_futex", condition="args[3] != 0")
    call = session.reverse_continue()
    assert call.frame.function == "sys_futex"
    _, nanoseconds = session.evaluate(TIMEOUT).value
    assert not 0 <= nanoseconds < NANOSECONDS

    session.delete(breakpoint_number)
    session.watch(TIMEOUT)
    store = session.reverse_continue()
    assert store.reason == "watchpoint-trigger"
    assert store.frame.function == "trap_entry", "the interrupt's saved registers went into the user's page"
    assert session.backtrace()[0].file.endswith("trap.S")
