"""Moments equal what a live QEMU shows when it is stopped at the same instruction."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.state.rsp import RspClient
from tests.state.runs import UBOOT, live_client, recorded_uboot
from tracedbg.ids import PhysicalAddress, Time, VirtualAddress
from tracedbg.query import executions, pc_at
from tracedbg.state import Moment, Trace

STOPS = 200
STEPS = 24
WINDOW = 4000
NOT_COMPARED = {"fcsr"}
"""Not a register of its own in the stub's description."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    with recorded_uboot(tmp_path_factory.mktemp("uboot")) as opened:
        yield opened


def plan(trace: Trace, random: Random) -> list[tuple[int, int, Time]]:
    """Return stops in order: an address to run to, how often it is met on the way, and t after some steps."""
    stops = []
    now = trace.start
    for t in sorted(random.sample(range(trace.start + WINDOW, trace.end - WINDOW), STOPS)):
        if t <= now:
            continue
        pc, times, at = rarest(trace, now, Time(t), random)
        now = Time(at + random.randrange(STEPS))
        stops.append((pc, times, now))
        stops.append((-1, now - at, now))
    return stops


def rarest(trace: Trace, now: Time, t: Time, random: Random) -> tuple[int, int, Time]:
    """Return the instruction at or shortly after t that ran least often since ``now``."""
    best: tuple[int, int, Time] | None = None
    for _ in range(16):
        at = Time(t + random.randrange(WINDOW // 2))
        pc = pc_at(trace.store, at)
        assert pc is not None
        times = len(executions(trace.store, VirtualAddress(pc), between=(Time(now + 1), Time(at + 1))))
        if best is None or times < best[1]:
            best = (pc, times, at)
    assert best is not None
    return best


def written_frames(trace: Trace) -> set[int]:
    """Every frame of RAM that was ever written: random ones of all RAM hold nothing but zero."""
    store = trace.store
    spans = [store.spans.span(stretch) for stretch in store.spans.cover(0, store.epochs, reverse=False)]
    frames = {int(frame) for span in spans for frame in span.written_frames}
    return {frame for frame in frames if store.guest.is_ram(PhysicalAddress(frame << 12))}


def compare_registers(moment: Moment, client: RspClient) -> int:
    compared = 0
    names = [*moment.registers, *moment.registers.views]
    for name in names:
        if name in client.numbers and name not in NOT_COMPARED:
            value = moment.registers[name]
            assert value == client.register(name), (moment.t, name)
            compared += 1
    assert moment.pc == client.register("pc"), moment.t
    return compared


def compare_memory(moment: Moment, client: RspClient, address: int, *, physical: bool) -> None:
    read = moment.memory.read_physical if physical else moment.memory.read_virtual
    found, expected = read(address, 4096), client.read(address, 4096, physical=physical)
    if expected is None:
        assert not any(found.mask), (moment.t, hex(address))
        return
    for place, (byte, known) in enumerate(zip(found.data, found.mask, strict=True)):
        assert not known or byte == expected[place], (moment.t, hex(address + place))
    if physical:
        assert found.is_complete, (moment.t, hex(address))


def test_registers_and_memory_at_random_moments(trace: Trace, tmp_path: Path) -> None:
    random = Random(2)
    ram = trace.store.guest.ram[0]
    touched = sorted(written_frames(trace))
    compared = 0
    with live_client(UBOOT, tmp_path) as client:
        for pc, times, t in plan(trace, random):
            if pc >= 0:
                client.run_to(pc, times)
                continue
            client.step(times)
            moment = trace.at(t)
            compared += compare_registers(moment, client)
            sp = moment.registers["sp"]
            assert sp is not None
            compare_memory(moment, client, max(sp - 2048, 0), physical=False)
            for frame in (random.choice(touched), random.randrange(ram.start >> 12, ram.end >> 12)):
                compare_memory(moment, client, frame << 12, physical=True)
    assert compared > 60 * STOPS
