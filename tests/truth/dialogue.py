"""Runs a command whose guest asks for lines on its console, and answers each question when it comes."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 65536


class StuckError(AssertionError):
    """The guest did not end by itself in time; ``str()`` holds the end of what it said."""


@dataclass(frozen=True)
class Answer:
    """A line to type when a text shows on the console."""

    question: str
    line: str


@dataclass(frozen=True)
class Talk:
    """What came of a run."""

    status: int
    console: str
    errors: str
    seconds: float
    """From the start to the end of the command."""


def talk(
    command: Sequence[str],
    answers: Sequence[Answer] = (),
    *,
    limit: float,
    folder: Path,
    started: Callable[[int], None] | None = None,
) -> Talk:
    """Runs the command, gives each answer when its question shows, and waits for the command's end.

    ``started`` gets the command's process id.
    """
    start = time.monotonic()
    with subprocess.Popen(
        list(command), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        said: list[bytes] = []
        errors: list[bytes] = []
        readers = [
            threading.Thread(target=_answer, args=(process, list(answers), said)),
            threading.Thread(target=_collect, args=(process, errors)),
        ]
        for reader in readers:
            reader.start()
        if started is not None:
            started(process.pid)
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
            process.terminate()
            _end(process)
        for reader in readers:
            reader.join()
    console, complaints = (b"".join(part).decode(errors="replace") for part in (said, errors))
    if status is None:
        raise StuckError(
            f"not finished after {limit:.0f} s: {' '.join(command)}\n{console[-2000:]}\n{complaints[-2000:]}"
        )
    return Talk(status, console, complaints, time.monotonic() - start)


def _answer(process: subprocess.Popen[bytes], answers: list[Answer], said: list[bytes]) -> None:
    """Collects the console; answers whenever a question shows in what was said since the last answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    since = b""
    while data := os.read(process.stdout.fileno(), _CHUNK):
        said.append(data)
        since += data
        if answers and answers[0].question.encode() in since:
            since = b""
            with suppress(BrokenPipeError):
                process.stdin.write(answers.pop(0).line.encode() + b"\n")
                process.stdin.flush()


def _collect(process: subprocess.Popen[bytes], errors: list[bytes]) -> None:
    assert process.stderr is not None
    while data := os.read(process.stderr.fileno(), _CHUNK):
        errors.append(data)


def _end(process: subprocess.Popen[bytes], grace: float = 20.0) -> None:
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
