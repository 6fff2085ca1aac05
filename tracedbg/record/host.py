"""``tracedbg record``: runs a command and records every QEMU that it starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracedbg.errors import UsageError
from tracedbg.record import command, qmp
from tracedbg.record.launch import Answer, Launcher, QemuRequest, Run, Untouched
from tracedbg.record.session import Options, Session, Summary


@dataclass(frozen=True)
class Result:
    """``status`` is the command's exit status as a shell has it; one summary for each QEMU, in order."""

    status: int
    summaries: tuple[Summary, ...]


class Recorder:
    """Records the QEMUs of one command; ``sessions`` grows as they start."""

    def __init__(self, output: Path, options: Options, *, force: bool = False) -> None:
        self.sessions: list[Session] = []
        self._output = output
        self._options = options
        self._force = force
        self._check(output)

    def run(self, words: Sequence[str], while_running: Callable[[], None] | None = None) -> Result:
        """Run the command to its end; ``while_running`` is called now and then. Raises RecordError."""
        with Launcher(words, self._on_qemu) as launcher:
            while while_running is not None and launcher.running():
                while_running()
            outcome = launcher.wait()
            for session in self.sessions:
                session.wait()
        return Result(outcome.status, tuple(s.summary for s in self.sessions if s.summary is not None))

    def _on_qemu(self, request: QemuRequest) -> Answer:
        if command.starts_no_guest(request.argv):
            return Untouched()
        command.check_target(str(request.qemu))
        qmp.require_version(request.qemu)
        output = numbered(self._output, request.number)
        self._check(output)
        session = Session(request, output, self._options)
        self.sessions.append(session)
        session.start()
        return Run(session.argv)

    def _check(self, output: Path) -> None:
        if not output.parent.is_dir():
            raise UsageError(f"{output}: there is no folder {output.parent}")
        left = [output.with_name(output.name + end) for end in (".partial", ".slots")]
        if output.exists() and not self._force:
            raise UsageError(f"{output} exists: choose another with -o, or overwrite it with --force")
        if any(path.exists() for path in left):
            if not self._force:
                raise UsageError(
                    f"{left[0]}: an interrupted recording is here; save it with `tracedbg repair {left[0]} -o FILE`,"
                    " or give it up with --force"
                )
            for path in left:
                path.unlink(missing_ok=True)


def numbered(output: Path, number: int) -> Path:
    """Return the name of the trace of a command's QEMU, counted from 1: ``t.bin``, then ``t-2.bin``."""
    return output if number == 1 else output.with_name(f"{output.stem}-{number}{output.suffix}")


__all__ = ["Options", "Recorder", "Result", "Summary", "numbered"]
