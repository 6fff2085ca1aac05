"""Runs inside gdb: stops at the n-th execution of addresses and writes the call stacks as JSON.

The environment names the socket (STACKS_SOCKET), the stops as [[pc, times], ...] (STACKS_STOPS, times from
the stop before), and the file for the answer (STACKS_OUTPUT).
"""

import json
import os
from pathlib import Path

import gdb  # type: ignore[import-untyped]


def frames() -> list[list[object]]:
    found: list[list[object]] = []
    frame = gdb.newest_frame()
    while frame is not None and frame.is_valid():
        line = frame.find_sal().line
        inline = frame.type() == gdb.INLINE_FRAME
        found.append([frame.pc(), frame.name(), line, inline])
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found


def main() -> None:
    gdb.execute("set pagination off")
    gdb.execute("set backtrace past-main on")
    gdb.execute("set breakpoint auto-hw on")
    gdb.execute(f"target remote {os.environ['STACKS_SOCKET']}")
    gdb.execute("maintenance packet Qqemu.sstep=0x1", to_string=True)
    answers = []
    for pc, times in json.loads(os.environ["STACKS_STOPS"]):
        stop = gdb.Breakpoint(f"*{pc:#x}", gdb.BP_HARDWARE_BREAKPOINT)
        stop.ignore_count = times - 1
        gdb.execute("continue", to_string=True)
        answers.append(frames())
        stop.delete()
    Path(os.environ["STACKS_OUTPUT"]).write_text(json.dumps(answers))


main()
