"""Runs inside gdb: shows registers and memory at moments, of a live QEMU or of a served trace, as JSON.

The environment names the socket (SHOW_SOCKET), the stops (SHOW_STOPS: [[pc, times, t], ...]; with pc -1 it
is ``times`` steps on to t, where registers and memory are shown), the registers (SHOW_REGISTERS), the file
for the answer (SHOW_OUTPUT), and whether the target is a recording (SHOW_RECORDING).
"""

import json
import os
from pathlib import Path

import gdb  # type: ignore[import-untyped]

SIZE = 4096
MASK = (1 << 64) - 1


def run_to(pc: int, times: int) -> None:
    """Run until pc is met for the n-th time after this instruction."""
    stop = gdb.Breakpoint(f"*{pc:#x}", gdb.BP_HARDWARE_BREAKPOINT)
    stop.ignore_count = times - 1
    gdb.execute("continue", to_string=True)
    stop.delete()


def goto(t: int) -> None:
    """Go to a moment of a recording."""
    gdb.execute(f"monitor goto {t}", to_string=True)
    gdb.execute("maintenance flush register-cache", to_string=True)
    gdb.execute("maintenance flush dcache", to_string=True)


def memory(address: int) -> str | None:
    """A page's worth of memory, None where a part cannot be read."""
    try:
        return str(gdb.selected_inferior().read_memory(address, SIZE).tobytes().hex())
    except gdb.MemoryError:
        return None


def shown(names: str) -> list[object]:
    """Registers as gdb prints them, and memory around sp and pc."""
    sp, pc = (int(gdb.parse_and_eval(f"(unsigned long) ${name}")) & MASK for name in ("sp", "pc"))
    registers = gdb.execute(f"info registers {names}", to_string=True)
    return [registers, memory(max(sp - SIZE // 2, 0)), memory(pc & ~(SIZE - 1))]


def main() -> None:
    is_recording = os.environ["SHOW_RECORDING"] == "1"
    for setting in ("set pagination off", "set osabi none", "set architecture riscv:rv64"):
        gdb.execute(setting, to_string=True)
    gdb.execute(f"target remote {os.environ['SHOW_SOCKET']}", to_string=True)
    if not is_recording:
        gdb.execute("maintenance packet Qqemu.sstep=0x1", to_string=True)
    answers = []
    for pc, times, t in json.loads(os.environ["SHOW_STOPS"]):
        if pc >= 0:
            if not is_recording:
                run_to(pc, times)
            continue
        if is_recording:
            goto(t)
        elif times:
            gdb.execute(f"stepi {times}", to_string=True)
        answers.append(shown(os.environ["SHOW_REGISTERS"]))
    Path(os.environ["SHOW_OUTPUT"]).write_text(json.dumps(answers))


main()
