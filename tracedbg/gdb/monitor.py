"""The commands after ``monitor``: a table that other parts of tracedbg add to."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tracedbg.errors import UsageError
from tracedbg.gdb.execution import Execution
from tracedbg.provenance import Limits, why
from tracedbg.provenance.text import explanation_text
from tracedbg.session.answers import Answers
from tracedbg.session.byte_text import find_selection
from tracedbg.session.naming import Names
from tracedbg.session.place import Selection
from tracedbg.state import Known

WHY_SECONDS = 10.0
"""How long a value is followed back; then what was found so far is said to be cut."""
_PER_LINE = 16
_AFTER_GOTO = "after goto gdb shows old registers until: maintenance flush register-cache, then frame"


@dataclass(frozen=True)
class MonitorCommand:
    """A command: ``run`` gets the place in time and what stands after the name, and returns what to print.

    It may move the place. TracedbgError is shown, and ends the gdb script that the command stands in.
    """

    name: str
    arguments: str
    summary: str
    run: Callable[[Execution, str], str]


class Monitor:
    """Finds commands by name, or by the beginning of one that no other has."""

    def __init__(self, commands: Iterable[MonitorCommand]) -> None:
        self._commands = {command.name: command for command in commands}

    def run(self, execution: Execution, line: str) -> str:
        """Return what a line prints; UsageError for a command that is none."""
        name, _, rest = line.strip().partition(" ")
        if name in ("", "help"):
            return self.help()
        found = [each for each in self._commands if each.startswith(name)]
        chosen = name if name in self._commands else found[0] if len(found) == 1 else None
        if chosen is None:
            raise UsageError(f"{name}: no monitor command; there are {', '.join([*self._commands, 'help'])}")
        # A register is $sp to those who come from gdb.
        text = self._commands[chosen].run(execution, re.sub(r"\$(?=[a-z])", "", rest.strip()))
        return text if text.endswith("\n") else f"{text}\n"

    def help(self) -> str:
        """Return a line for each command."""
        usages = [f"{each.name} {each.arguments}".strip() for each in self._commands.values()]
        width = max(map(len, usages), default=0)
        lines = [
            f"monitor {usage.ljust(width)}  {each.summary}"
            for usage, each in zip(usages, self._commands.values(), strict=True)
        ]
        return "\n".join([*lines, _AFTER_GOTO, ""])


def where(execution: Execution, _: str = "") -> str:
    """Say which moment it is, on which hart, and in which code."""
    moment = execution.moment(execution.stop.hart)
    names = Names(execution.trace.symbols)
    arch = execution.trace.recording.arch
    privilege = "" if moment.privilege is None else f" in {arch.privilege_name(moment.privilege)} mode"
    place = "" if moment.pc is None else f": {names.place(moment.pc)}"
    return f"t {execution.t} on hart {moment.hart} (thread {moment.hart + 1}){privilege}{place}"


def goto(execution: Execution, text: str) -> str:
    """Move to a position."""
    if not text:
        raise UsageError("goto needs a position: 12345, end, end-1000, last-kernel, sys_futex#3")
    execution.go(execution.trace.position(text))
    return where(execution)


def who(execution: Execution, text: str) -> str:
    """Say who wrote bytes, under which calls, and who reads them next."""
    trace, t = execution.trace, execution.t
    selection = _selection(execution, text, virtual=not execution.is_physical)
    place = (selection.address, selection.size)
    answers = Answers(trace, Names(trace.symbols))
    writer = trace.last_write(place, t, virtual=selection.is_virtual)
    reader = trace.next_read(place, t, virtual=selection.is_virtual)
    wrote = "not written before this t" if writer is None else answers.with_callers(writer)
    read = "not read after this t" if reader is None else f"next {answers.sentence(reader)}"
    return f"{selection.text} {wrote}\n{read}"


def explain(execution: Execution, text: str) -> str:
    """Say where a value came from, back to where it was made."""
    if not text:
        raise UsageError("why needs a register, bytes or the word fault: a0, 0x80501008:8, sp+16, fault")
    moment = execution.moment(execution.stop.hart)
    virtual = not execution.is_physical
    explanation = why(execution.trace, text, at=moment, virtual=virtual, limits=Limits(seconds=WHY_SECONDS))
    return explanation_text(explanation)


def physical_memory(execution: Execution, text: str) -> str:
    """Read physical memory, or make every address of gdb physical."""
    if text in ("on", "off", ""):
        execution.is_physical = execution.is_physical if not text else text == "on"
        return f"addresses are {'physical' if execution.is_physical else 'virtual'}"
    selection = _selection(execution, text, virtual=False)
    if selection.is_virtual:
        raise UsageError(f"{text}: a virtual address; `monitor translate` says where it lies")
    moment = execution.moment(execution.stop.hart)
    return _dump(selection.address, moment.memory.read_physical(selection.address, selection.size))


def translate(execution: Execution, text: str) -> str:
    """Show the page-table walk for a virtual address."""
    selection = _selection(execution, text, virtual=True)
    walk = execution.moment(execution.stop.hart).translate(selection.address)
    lines = [
        f"level {level.level}: {level.address:x} holds "
        + ("??" if level.value is None else f"{level.value:016x} {' '.join(level.flags)}")
        for level in walk.levels
    ]
    end = walk.problem if walk.physical is None else f"{selection.address:x} is physical {walk.physical:x}"
    return "\n".join(
        [f"{walk.space.mode}, root {walk.space.root:x}", *lines, end or "there is no translation"]
    )


def watches(execution: Execution, _: str) -> str:
    """Say which physical bytes are watched."""
    lines = [
        f"{address:x}:{size} is physical " + ", ".join(f"{piece.physical:x}:{piece.size}" for piece in pieces)
        for (address, size), pieces in execution.points.bound.items()
    ]
    return "\n".join(lines) or "nothing is watched"


def _selection(execution: Execution, text: str, *, virtual: bool) -> Selection:
    if not text:
        raise UsageError(
            "which bytes? name an address, a register or a symbol: 0x80501008:8, sp+16, results:4"
        )
    moment = execution.moment(execution.stop.hart)
    return find_selection(text, moment, execution.trace.symbols, virtual=virtual)


def _dump(start: int, known: Known) -> str:
    values = [f"{byte:02x}" if byte is not None else "??" for byte in known.values]
    lines = [
        f"{start + place:x}: {' '.join(values[place : place + _PER_LINE])}"
        for place in range(0, len(values), _PER_LINE)
    ]
    reasons = dict.fromkeys(gap.reason for gap in known.gaps)
    return "\n".join([*lines, *(f"not known: {reason}" for reason in reasons)])


BUILT_IN = (
    MonitorCommand("goto", "T", "go to a moment: 12345, end, end-1000, last-kernel, sys_futex#3", goto),
    MonitorCommand("where", "", "which moment this is, on which hart, in which code", where),
    MonitorCommand("who", "BYTES", "who wrote bytes before this moment, and who reads them next", who),
    MonitorCommand("why", "TARGET", "where a value came from: a register, bytes, or fault", explain),
    MonitorCommand(
        "phys", "[BYTES|on|off]", "physical memory; on and off: what gdb's addresses are", physical_memory
    ),
    MonitorCommand("translate", "ADDRESS", "the page-table walk for a virtual address", translate),
    MonitorCommand("watches", "", "where the watched bytes lie in physical memory", watches),
)
