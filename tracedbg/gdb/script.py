"""Sessions kept as Python files: a function ``main(session)``, with plain asserts as expectations."""

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracedbg.errors import TracedbgError, UsageError
from tracedbg.gdb.log import Json, Log
from tracedbg.gdb.session import Session


@dataclass(frozen=True)
class Failure:
    """Why a script did not come to its end: the script's line, the last step, and what went wrong."""

    line: int | None
    step: str
    problem: str

    def __str__(self) -> str:
        after = f" (after {self.step})" if self.step else ""
        place = "" if self.line is None else f"line {self.line}: "
        return f"{place}{self.problem}{after}"


@dataclass(frozen=True)
class Outcome:
    """A script, what it did, and why it failed; None when everything was as expected."""

    script: str
    log: Log
    failure: Failure | None

    def json(self) -> Json:
        """The outcome as plain values."""
        failed = self.failure
        return {
            "script": self.script,
            "passed": failed is None,
            "steps": [step.json() for step in self.log.steps],
            "failure": None if failed is None else {"line": failed.line, "problem": failed.problem},
        }


def run_script(path: Path, session: Session) -> Outcome:
    """Run a file's ``main`` with the session; its failures are outcomes, not exceptions.

    UsageError for a file that cannot be read as Python or has no ``main``.
    """
    try:
        code = compile(path.read_text(), str(path), "exec")
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        raise UsageError(f"{path}:{line or 1}: not Python: {error.args[0]}") from error
    if "main" not in code.co_names:
        raise UsageError(f"{path}: no function main(session), where a session begins")
    names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    failure = None
    try:
        exec(code, names)
        names["main"](session)
    except Exception as error:  # noqa: BLE001  whatever a script raises is its own failure
        failure = _failure(path, session.log, error)
    return Outcome(str(path), session.log, failure)


def _failure(path: Path, log: Log, error: Exception) -> Failure:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    last = frames[-1] if frames else None
    step = str(log.steps[-1]) if log.steps else ""
    if isinstance(error, AssertionError):
        source = (last.line or "") if last is not None else ""
        problem = f"not as expected: {source.removeprefix('assert ')}"
        problem += f": {error}" if str(error) else ""
    elif isinstance(error, TracedbgError):
        problem = str(error)
    else:
        problem = f"{type(error).__name__}: {error}"
    return Failure(None if last is None else last.lineno, step, problem)
