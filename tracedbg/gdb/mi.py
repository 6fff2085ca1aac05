"""One gdb that is driven by its machine interface (gdb manual, chapter 27)."""

import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Any

from pygdbmi.gdbcontroller import GdbController

from tracedbg.closing import Closing
from tracedbg.gdb.launch import GdbError

_WAIT = 0.5
_AGAIN = 0.0005
"""Seconds that pygdbmi waits for more once something has come; its own 0.2 would be felt at every command."""

_LEAVE_SECONDS = 1.5

_MONITOR_ERROR = "Protocol error with Rcmd"

Payload = dict[str, Any]


@dataclass
class Answer:
    """What a command brought: its result, the stop that it led to (None for none), and what was printed."""

    result: Payload = field(default_factory=dict)
    stopped: Payload | None = None
    output: str = ""


class MachineInterface(Closing):
    """Starts gdb and sends it commands; a context manager that ends it.

    GdbError carries gdb's own message for a command that fails, and says so when gdb has ended.
    """

    def __init__(self, gdb: str, arguments: Sequence[str]) -> None:
        command = [gdb, "--interpreter=mi3", "-nx", "-q", *arguments]
        self._runs = False
        try:
            self._gdb = GdbController(command, time_to_check_for_additional_output_sec=_AGAIN)
        except OSError as error:
            raise GdbError(f"{gdb}: {error.strerror}") from error

    def command(self, text: str, seconds: float = inf) -> Answer:
        """Run an MI command; one that resumes the guest returns when it has stopped.

        After so many seconds it is made to stop, and that is a GdbError.
        """
        if "\n" in text or "\r" in text:
            raise GdbError(f"{text!r}: one command is one line")
        try:
            self._gdb.write(text, read_response=False)
        except OSError as error:
            raise GdbError("gdb has ended") from error
        answer = Answer()
        deadline, is_late = monotonic() + seconds, False
        runs: bool | None = None
        self._runs = True
        while runs is None or (runs and answer.stopped is None):
            for record in self._records():
                runs = self._take(record, answer, runs)
            process = self._gdb.gdb_process
            is_over = runs is False or answer.stopped is not None
            if process is not None and not (is_over or is_late) and monotonic() >= deadline:
                is_late = True
                process.send_signal(signal.SIGINT)
        self._runs = False
        if is_late:
            raise GdbError(f"the guest did not stop within {seconds:g} s, and was interrupted")
        return answer

    def console(self, text: str) -> Answer:
        """Run a command as a person types it."""
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return self.command(f'-interpreter-exec console "{escaped}"')

    def _records(self) -> list[Payload]:
        process = self._gdb.gdb_process
        has_ended = process is None or process.poll() is not None
        try:
            found: list[Payload] = self._gdb.get_gdb_response(_WAIT, raise_error_on_timeout=False)
        except OSError as error:
            raise GdbError("gdb has ended") from error
        if has_ended and not found:
            raise GdbError("gdb has ended")
        return found

    def _take(self, record: Payload, answer: Answer, runs: bool | None) -> bool | None:
        """Put a record into the answer; return whether the guest runs, None while there is no result."""
        kind, message, payload = record["type"], record["message"], record["payload"]
        if kind in ("console", "target", "output") and payload is not None:
            answer.output += str(payload)
        elif kind == "notify" and message == "stopped":
            answer.stopped = payload or {}
        elif kind == "result":
            if message == "error":
                self._runs = False
                text = str(payload["msg"])
                # What a monitor command has to say stands in what was printed before.
                text = answer.output if text.startswith(_MONITOR_ERROR) and answer.output else text
                raise GdbError(" ".join(text.split()))
            answer.result = payload or {}
            return message == "running" or bool(runs)
        elif kind == "notify" and message == "running":
            return runs if runs is None else True
        return runs

    def _leave(self, process: "subprocess.Popen[bytes]") -> None:
        """Have gdb take its breakpoints away and detach; one that does not is killed."""
        with suppress(OSError):
            self._gdb.write("-gdb-exit", read_response=False)
        # Of Ctrl-C on a terminal gdb knows already, and takes a second one for having to give up.
        for _ in range(2 if self._runs else 1):
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LEAVE_SECONDS)
                return
            process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LEAVE_SECONDS)
        process.kill()

    def close(self) -> None:
        """End gdb, which lets a guest go that runs elsewhere."""
        process = self._gdb.gdb_process
        if process is None:
            return
        if process.poll() is None:
            self._leave(process)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        self._gdb.gdb_process = None
