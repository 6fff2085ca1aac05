"""Runs inside gdb: the command ``goto``, which moves in time and lets gdb forget what it read before.

gdb's own Python runs this file; the rest of tracedbg does not import it.
"""

import re

import gdb  # type: ignore[import-untyped]


class Goto(gdb.Command):  # type: ignore[misc]
    """Go to a moment of the recording: 12345, end, end-1000, last-kernel, sys_futex#3.

    The thread of the hart that runs then is selected.
    """

    def __init__(self) -> None:
        super().__init__("goto", gdb.COMMAND_RUNNING)

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Move, forget, and show where that is."""
        try:
            # What it prints, also where it fails, goes to the user at once: gdb drops what an error cuts off.
            gdb.execute(f"monitor goto {argument}", from_tty)
        except gdb.error:
            raise gdb.GdbError("goto: still where it was") from None
        answer = gdb.execute("monitor where", to_string=True)
        for cache in ("register-cache", "dcache"):
            gdb.execute(f"maintenance flush {cache}", to_string=True)
        thread = re.search(r"\(thread (\d+)\)", answer)
        gdb.execute("frame" if thread is None else f"thread {thread[1]}")


Goto()
