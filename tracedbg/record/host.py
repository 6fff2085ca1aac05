"""``tracedbg record``: runs a command and records every QEMU that it starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracedbg.record import command, qmp
from tracedbg.record.ending import DISK_FULL, VIRTUAL
from tracedbg.record.launch import Answer, Launcher, QemuRequest, Run, Untouched
from tracedbg.record.options import Options, Summary
from tracedbg.record.outputs import Outputs
from tracedbg.record.session import Session

_FAILED = 1


@dataclass(frozen=True)
class Result:
    """One summary for each recorded QEMU, in order; ``problems`` are sentences on those that were not.

    ``status`` is the command's exit status as a shell has it, or 1 where that is 0 and the recording failed.
    """

    status: int
    summaries: tuple[Summary, ...]
    problems: tuple[str, ...]


class Recorder:
    """Records the QEMUs of one command; ``sessions`` grows as they start."""

    def __init__(self, output: Path, options: Options, *, force: bool = False) -> None:
        self.sessions: list[Session] = []
        self._output = output
        self._options = options
        self._force = force
        self._launcher: Launcher | None = None
        self._problems: list[str] = []
        Outputs(output).check(force=force)

    def run(self, words: Sequence[str], while_running: Callable[[], None] | None = None) -> Result:
        """Run the command to its end; ``while_running`` is called now and then. Raises RecordError."""
        with Launcher(words, self._on_qemu) as launcher:
            self._launcher = launcher
            while while_running is not None and launcher.running():
                while_running()
            outcome = launcher.wait()
            for session in self.sessions:
                session.wait()
        summaries = tuple(s.summary for s in self.sessions if s.summary is not None)
        if len(summaries) < len(self.sessions):
            self._problems.append(self._nothing_ran())
        failed = bool(self._problems) or any(summary.how in {DISK_FULL, VIRTUAL} for summary in summaries)
        return Result(outcome.status or _FAILED * failed, summaries, tuple(self._problems))

    def _on_qemu(self, request: QemuRequest) -> Answer:
        if command.starts_no_guest(request.argv):
            return Untouched()
        command.check_target(str(request.qemu))
        qmp.require_version(request.qemu)
        outputs = Outputs(numbered(self._output, request.number))
        outputs.check(force=self._force)
        try:
            session = Session(request, outputs, self._options, self._exit_status)
        except qmp.QemuEndedError:
            # It fails, and says why itself when it is started as the user wrote it.
            self._problems.append("QEMU could not make this machine: nothing was recorded of it")
            return Untouched()
        self.sessions.append(session)
        session.start()
        return Run(session.argv)

    def _exit_status(self, pid: int) -> int | None:
        return self._launcher.status_of(pid) if self._launcher is not None else None

    def _nothing_ran(self) -> str:
        if any(name.startswith("start-") for name in self._options.plugin):
            return "QEMU ended before --start-at was reached: nothing was recorded"
        return "QEMU ended before the guest's first instruction: nothing was recorded"


def numbered(output: Path, number: int) -> Path:
    """Return the name of the trace of a command's QEMU, counted from 1: ``t.bin``, then ``t-2.bin``."""
    return output if number == 1 else output.with_name(f"{output.stem}-{number}{output.suffix}")


__all__ = ["Options", "Recorder", "Result", "Summary", "numbered"]
