"""A gdb session for Python programs: the same moves that a person makes, with typed answers."""

import re
import sys
from collections.abc import Callable
from functools import wraps
from math import inf
from typing import Concatenate, ParamSpec, TypeVar

from tracedbg.gdb import evaluation
from tracedbg.gdb.evaluation import Value
from tracedbg.gdb.launch import GdbError
from tracedbg.gdb.log import Log
from tracedbg.gdb.mi import Answer, MachineInterface, Payload
from tracedbg.gdb.records import Frame, Stop
from tracedbg.state import Known

_WHERE = re.compile(r"^t (\d+) on hart (\d+) \(thread (\d+)\)", re.MULTILINE)
_WATCHES = {"write": "watch", "read": "rwatch", "access": "awatch"}
_NO_HISTORY = "No more reverse-execution history"
_HIT = ("wpt", "hw-rwpt", "hw-awpt")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def _logged(
    method: "Callable[Concatenate[Session, Parameters], Result]",
) -> "Callable[Concatenate[Session, Parameters], Result]":
    """Make a method's calls steps of the session's log."""

    @wraps(method)
    def step(self: "Session", /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        words = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
        begun = self.log.begin(f"{method.__name__}({', '.join(words)})", self._calling_line())
        result = method(self, *args, **kwargs)
        self.log.end(begun, result)
        return result

    return step


class Session:
    """A gdb that is connected to a recording, or to another remote target.

    Every call is a step in ``log``; ``script`` is the file whose lines the steps tell. GdbError has gdb's
    message for what does not work. Positions, as in ``goto``, are those of tracedbg; locations and
    expressions are gdb's own.
    """

    def __init__(self, gdb: MachineInterface, log: Log, script: str | None = None) -> None:
        self._gdb = gdb
        self._script = script
        self.log = log

    def _calling_line(self) -> int | None:
        """Return the line of the script that is running, None outside one."""
        frame = sys._getframe(1)  # noqa: SLF001  the documented way to the caller
        while frame.f_code.co_filename != self._script:
            if frame.f_back is None:
                return None
            frame = frame.f_back
        return frame.f_lineno

    @_logged
    def goto(self, position: int | str) -> Stop:
        """Go to a moment of the recording: ``12345``, ``end``, ``end-1000``, ``sys_futex#3``."""
        output = self._gdb.console(f"monitor goto {position}").output
        self._gdb.console("maintenance flush register-cache")
        self._gdb.console("maintenance flush dcache")
        where = _WHERE.search(output)
        if where is None:
            raise GdbError(f"{position}: the target has no positions; it is no recording")
        self._gdb.command(f"-thread-select {where[3]}")
        return Stop("goto", self._frame(), int(where[1]), int(where[2]))

    @_logged
    def break_(self, location: str, *, condition: str | None = None) -> int:
        """Set a breakpoint at a function, ``file:line`` or ``*ADDRESS``; returns its number."""
        option = "" if condition is None else f"-c {_quoted(condition)} "
        return int(self._gdb.command(f"-break-insert {option}{_quoted(location)}").result["bkpt"]["number"])

    @_logged
    def watch(self, expression: str, *, kind: str = "write") -> int:
        """Watch the bytes of an expression, for ``write``, ``read`` or ``access``; returns the number.

        The bytes are those that the expression means now, wherever the guest is when they are touched.
        """
        if kind not in _WATCHES:
            raise GdbError(f"{kind}: no kind of access; say write, read or access")
        output = self._gdb.console(f"{_WATCHES[kind]} -location {expression}").output
        number = re.search(r"atchpoint (\d+):", output)
        if number is None:
            raise GdbError(f"{expression}: not watched: {' '.join(output.split())}")
        return int(number[1])

    @_logged
    def delete(self, number: int) -> None:
        """Delete a breakpoint or watchpoint."""
        self._gdb.command(f"-break-delete {number}")

    @_logged
    def continue_(self, *, seconds: float = inf) -> Stop:
        """Run forwards to the next breakpoint, watchpoint, or the end of the recording.

        GdbError for a guest that has not stopped after so many seconds; it is interrupted then.
        """
        return self._resumed("-exec-continue", seconds)

    @_logged
    def reverse_continue(self, *, seconds: float = inf) -> Stop:
        """Run backwards to the last breakpoint, watchpoint, or the beginning of the recording."""
        return self._resumed("-exec-continue --reverse", seconds)

    @_logged
    def stepi(self, count: int = 1) -> Stop:
        """Go forwards by instructions of the selected thread."""
        return self._stepped("-exec-step-instruction", count)

    @_logged
    def reverse_stepi(self, count: int = 1) -> Stop:
        """Go backwards by instructions of the selected thread."""
        return self._stepped("-exec-step-instruction --reverse", count)

    @_logged
    def finish(self, *, seconds: float = inf) -> Stop:
        """Run forwards until the selected frame's function has returned."""
        return self._resumed("-exec-finish", seconds)

    @_logged
    def reverse_finish(self, *, seconds: float = inf) -> Stop:
        """Run backwards to the call of the selected frame's function."""
        return self._resumed("-exec-finish --reverse", seconds)

    @_logged
    def evaluate(self, expression: str) -> Value:
        """Return the value of an expression in the selected frame."""
        return evaluation.evaluate(self._gdb, expression)

    @_logged
    def backtrace(self, limit: int = 64) -> list[Frame]:
        """Return the call stack as gdb sees it, innermost frame first, at most ``limit`` frames."""
        result = self._gdb.command(f"-stack-list-frames 0 {limit - 1}").result
        return [Frame.of(record) for record in result["stack"]]

    @_logged
    def memory(self, address: int | str, size: int) -> Known:
        """Return ``size`` bytes from the address that an expression gives; those not known are masked."""
        base = address if isinstance(address, int) else self._address(address)
        data = bytearray(size)
        mask = bytearray(size)
        self._read(base, memoryview(data), memoryview(mask))
        return Known(bytes(data), bytes(mask))

    def _read(self, address: int, data: memoryview, mask: memoryview) -> None:
        """Fill in what can be read, halving what cannot be read whole.

        gdb 13 gives a byte too many where only the beginning of a range is readable, so that it is believed
        only when the last byte can be read by itself.
        """
        size = len(data)
        content = self._read_whole(address, size)
        if content is not None and (size == 1 or self._read_whole(address + size - 1, 1) is not None):
            data[:] = content
            mask[:] = b"\x01" * size
        elif size > 1:
            half = size // 2
            self._read(address, data[:half], mask[:half])
            self._read(address + half, data[half:], mask[half:])

    def _read_whole(self, address: int, size: int) -> bytes | None:
        try:
            parts = self._gdb.command(f"-data-read-memory-bytes {address:#x} {size}").result["memory"]
        except GdbError:
            return None
        content = bytes.fromhex(parts[0]["contents"])
        return content if len(parts) == 1 and len(content) == size else None

    def _address(self, expression: str) -> int:
        """Return a number or a pointer as an address."""
        text = self._gdb.command(f"-data-evaluate-expression {_quoted(expression)}").result["value"]
        value = evaluation.scalar(str(text), "")
        if not isinstance(value, int):
            raise GdbError(f"{expression}: {text} is no address")
        return value & (1 << 64) - 1

    @_logged
    def command(self, text: str) -> str:
        """Run any gdb command that does not resume the guest, and return what it prints."""
        return self._gdb.console(text).output

    def _resumed(self, command: str, seconds: float = inf) -> Stop:
        answer = self._gdb.command(command, seconds)
        if answer.stopped is None:
            raise GdbError("the guest has not stopped")
        return self._stop(answer)

    def _stepped(self, command: str, count: int) -> Stop:
        if count < 1:
            raise GdbError(f"{count} instructions: at least 1")
        stop = self._resumed(command)
        while count > 1 and stop.reason == "end-stepping-range":
            stop, count = self._resumed(command), count - 1
        return stop

    def _frame(self) -> Frame:
        return Frame.of(self._gdb.command("-stack-info-frame").result["frame"])

    def _stop(self, answer: Answer) -> Stop:
        record = answer.stopped or {}
        values = record.get("value", {})
        hit: Payload = next((record[name] for name in _HIT if name in record), {})
        number = record.get("bkptno", hit.get("number"))
        t, hart = self._where()
        # gdb 13 prints this reason and leaves it out of the record.
        reason = "no-history" if _NO_HISTORY in answer.output else "stopped"
        return Stop(
            reason=record.get("reason", reason),
            frame=Frame.of(record.get("frame", {})),
            t=t,
            hart=hart,
            number=None if number is None else int(number),
            old=values.get("old"),
            new=values.get("new", values.get("value")),
        )

    def _where(self) -> tuple[int | None, int | None]:
        """Return t and hart, None for both where the target is no recording."""
        try:
            found = _WHERE.search(self._gdb.console("monitor where").output)
        except GdbError:
            found = None
        return (None, None) if found is None else (int(found[1]), int(found[2]))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
