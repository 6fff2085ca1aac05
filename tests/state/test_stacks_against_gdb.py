"""Call stacks equal gdb's own at the same instruction, and go on where gdb must stop: through traps."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import tracedbg
from tests.state.runs import build_guest, live, qemu, record
from tracedbg.ids import Time, VirtualAddress
from tracedbg.query import executions, pc_at
from tracedbg.state import FoundBy, Trace

STOPS = 60
GDB = "gdb-multiarch"
VARIANTS = {"O0": ("-O0",), "O2": ("-O2",), "O2-frame-pointer": ("-O2", "-fno-omit-frame-pointer")}

Shown = tuple[int, str | None, int, bool]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=VARIANTS)
def guest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    folder = tmp_path_factory.mktemp("guest")
    elf = build_guest(folder / "guest.elf", *VARIANTS[request.param])
    with tracedbg.open(record(elf, folder / "guest.bin"), symbols=[elf]) as trace:
        assert trace.warnings == ()
        yield trace


def stops_in_kernel(trace: Trace, random: Random) -> list[Time]:
    """Random moments in the guest's own code, where gdb has symbols."""
    first = trace.position("_start")
    moments = (Time(random.randrange(first, trace.end)) for _ in range(100 * STOPS))
    inside = [t for t in moments if trace.symbols.at(pc_at(trace.store, t) or VirtualAddress(0)) is not None]
    return sorted(set(inside[:STOPS]))


def gdb_stacks(trace: Trace, elf: Path, moments: list[Time], folder: Path) -> list[list[Shown]]:
    stops = []
    now = Time(-1)
    for t in moments:
        pc = pc_at(trace.store, t)
        assert pc is not None
        stops.append((pc, len(executions(trace.store, pc, between=(Time(now + 1), Time(t + 1))))))
        now = t
    answer = folder / "stacks.json"
    with live(qemu(elf), folder) as path:
        environment = {
            **os.environ,
            "STACKS_SOCKET": str(path),
            "STACKS_STOPS": json.dumps(stops),
            "STACKS_OUTPUT": str(answer),
        }
        script = str(Path(__file__).with_name("gdb_stacks.py"))
        command = [GDB, "-nx", "-batch", "-ex", "set architecture riscv:rv64", "-x", script, str(elf)]
        subprocess.run(command, env=environment, check=True, stdout=sys.stderr, timeout=300)
    return [
        [(pc, name, line, inline) for pc, name, line, inline in stack]
        for stack in json.loads(answer.read_text())
    ]


def without_lines(stack: list[Shown]) -> list[Shown]:
    return [(pc, name, 0, inline) for pc, name, _, inline in stack]


def test_frames_equal_those_of_gdb_up_to_the_trap(
    guest: Trace, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    elf = Path(guest.store.path).with_name("guest.elf")
    moments = stops_in_kernel(guest, Random(3))
    assert len(moments) > STOPS // 2
    compared = 0
    for t, shown in zip(moments, gdb_stacks(guest, elf, moments, tmp_path), strict=True):
        own = guest.at(t).backtrace()
        trusted = [frame for frame in own if frame.found_by in (FoundBy.REGISTERS, FoundBy.CFI)]
        cut = next((index for index, frame in enumerate(own) if frame.found_by is FoundBy.TRAP), len(own))
        found = [
            (int(frame.pc), frame.function, frame.line.line if frame.line else 0, frame.is_inlined)
            for frame in trusted[:cut]
        ]
        # Of the lines that share an instruction gdb leaves out those that begin no statement.
        lines = "O0" in request.node.callspec.id
        found, expected = (stack if lines else without_lines(stack) for stack in (found, shown))
        assert found == expected[: len(found)], t
        if cut == len(own):
            assert len(expected) == len(found), t
        compared += len(found)
    assert compared > 2 * STOPS


def test_a_trap_leads_into_the_code_that_it_interrupted(guest: Trace) -> None:
    handlers = guest.executions("on_trap")["t"].tolist()
    random = Random(4)
    compared = 0
    for entered in random.sample(handlers, 25):
        t = Time(entered + random.randrange(40))
        stack = guest.at(t).backtrace()
        place, trap = next(((i, frame.trap) for i, frame in enumerate(stack) if frame.trap), (0, None))
        if trap is None or trap.last is None:
            continue
        compared += 1
        interrupted = stack[place:]
        before = guest.at(trap.last).backtrace()
        assert [(frame.pc, frame.sp) for frame in interrupted] == [(frame.pc, frame.sp) for frame in before]
    assert compared > 15
