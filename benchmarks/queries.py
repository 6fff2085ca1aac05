"""How fast an opened trace answers when nothing is in memory yet, each time in an epoch not asked before."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

import tracedbg
from benchmarks.machine import forget, peak_of, percentile
from benchmarks.report import Goal, Section
from tracedbg.state import Trace

OPENINGS = 7
PAGE = 4096


@dataclass(frozen=True)
class Question:
    """A moment, and the physical address of a byte that was stored to before it."""

    t: int
    address: int


@dataclass(frozen=True)
class Timing:
    """Seconds that an answer took, and how many of them its process ran on a processor."""

    whole: float
    busy: float


@dataclass
class Answers:
    """How long answers took."""

    instructions: int
    size: int
    opening: list[float] = field(default_factory=list)
    moment: list[Timing] = field(default_factory=list)
    writer: list[Timing] = field(default_factory=list)
    peak: int = 0


def measure(path: Path, count: int) -> Answers:
    """Asks a trace; up to ``count`` questions of each kind, fewer when it has fewer epochs."""
    with tracedbg.open(path) as trace:
        answers = Answers(trace.end - trace.start, trace.store.size)
        questions = list(prepare(trace, count))
    half = len(questions) // 2
    for question in questions[:OPENINGS]:
        answers.opening.append(_open_and_ask(path, question))
    for question in questions[:half]:
        answers.moment.append(_timed(path, question, _ask_moment))
    for question in questions[half:]:
        answers.writer.append(_timed(path, question, _ask_writer))
    answers.peak = peak_of("self") or 0
    return answers


def prepare(trace: Trace, count: int, seed: int = 1) -> Iterator[Question]:
    """Twice ``count`` questions at random moments of different epochs, about bytes stored in earlier ones."""
    chance = random.Random(seed)
    epochs = range(1, trace.store.epochs)
    for number in chance.sample(epochs, min(2 * count, len(epochs))):
        stored: list[int] = []
        while not stored:
            accesses = trace.store.epoch(chance.randrange(number)).accesses
            addresses = accesses.physical[np.asarray(accesses.is_store)]
            stored = [
                int(address)
                for address in chance.choices(addresses, k=8)
                if trace.store.guest.is_ram(address)
            ]
        epoch = trace.store.epoch(number)
        yield Question(chance.randrange(epoch.start, epoch.end), stored[0])


def _open_and_ask(path: Path, question: Question) -> float:
    """From the start of a new Python to its end, with one answer between."""
    forget(path)
    start = time.perf_counter()
    words = [
        sys.executable,
        "-m",
        "benchmarks.first_answer",
        str(path),
        str(question.t),
        str(question.address),
    ]
    subprocess.run(words, check=True)
    return time.perf_counter() - start


def _timed(path: Path, question: Question, ask: Callable[[Trace, Question], None]) -> Timing:
    """One question to a trace that was opened just now; of its data only the block dictionary is there."""
    with _opened(path) as trace:
        start, busy = time.perf_counter(), time.process_time()
        ask(trace, question)
        return Timing(time.perf_counter() - start, time.process_time() - busy)


@contextmanager
def _opened(path: Path) -> Iterator[Trace]:
    with tracedbg.open(path) as trace:
        assert len(trace.store.blocks.address)
        forget(path)
        yield trace


def _ask_moment(trace: Trace, question: Question) -> None:
    moment = trace.at(question.t)
    assert moment.registers is not None
    moment.memory.read_physical(question.address // PAGE * PAGE, PAGE)


def _ask_writer(trace: Trace, question: Question) -> None:
    assert trace.last_write((question.address, 1), question.t) is not None


def section(results: dict[str, Answers]) -> Section:
    """The table of queries."""
    times = ("p50", "p95", "p95 of processor time")
    cells = ["trace", "instructions", "size", "first answer"]
    cells += [f"{what} {which}" for what in ("moment", "last writer") for which in times] + ["memory"]
    rows, goals = [], []
    for name, answers in results.items():
        opening = median(answers.opening)
        moment, writer = _percentiles(answers.moment), _percentiles(answers.writer)
        row = [
            name,
            f"{answers.instructions / 1e6:,.0f} M",
            f"{answers.size / 1e9:.2f} GB",
            f"{opening:.2f} s",
        ]
        row += [*map(_ms, moment), *map(_ms, writer), f"{answers.peak / 1e6:,.0f} MB"]
        rows.append(" | ".join(row))
        goals += [
            Goal(f"{name}: open to first answer under 1 s", f"{opening:.2f} s", opening < 1),
            Goal(f"{name}: a moment and 4 KiB, p95 under 50 ms", _ms(moment[1]), moment[1] < 0.05),
            Goal(f"{name}: last writer, p95 under 50 ms", _ms(writer[1]), writer[1] < 0.05),
            Goal(f"{name}: reader under 1 GB", f"{answers.peak / 1e6:,.0f} MB", answers.peak < 1e9),
        ]
    return Section("queries", " | ".join(cells), rows, goals)


def _percentiles(timings: list[Timing]) -> tuple[float, float, float]:
    """Half and 95 in a hundred of whole times, and 95 in a hundred of processor times."""
    whole = [timing.whole for timing in timings]
    return percentile(whole, 50), percentile(whole, 95), percentile([timing.busy for timing in timings], 95)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
