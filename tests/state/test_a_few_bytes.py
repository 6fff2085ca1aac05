"""A few bytes of a page are what the whole page has there, whichever way they are looked up."""

import random
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from tracedbg.format.schema import PAGE_SIZE, Cause
from tracedbg.state import Trace

SHIPPED = Path(__file__).parents[2] / "traces/stack_futex.bin"
PAGES = import_module("tracedbg.query.pages")


@pytest.fixture(scope="module")
def trace() -> Trace:
    return Trace.open(SHIPPED)


def places(trace: Trace, count: int) -> list[tuple[int, int, int]]:
    """Moments, addresses and sizes: near accesses of that time, and near what devices wrote."""
    found = []
    chance = random.Random(3)
    store = trace.store
    for index in range(store.epochs):
        epoch = store.epoch(index)
        table, changes = epoch.accesses, epoch.accesses.changes
        devices = np.flatnonzero(changes.cause == Cause.DMA)
        for _ in range(count):
            row = chance.randrange(len(table.physical))
            found.append((int(epoch.start) + int(table.t[row]), int(table.physical[row])))
            if len(devices):
                row = chance.choice(devices.tolist())
                # Before it is noticed.
                t = max(int(epoch.start) + int(changes.t[row]) - chance.choice((1, 100, 20000)), 0)
                found.append((t, int(changes.physical[row]) + chance.randrange(8)))
    return [(t, address, min(chance.randint(1, 40), PAGE_SIZE - address % PAGE_SIZE)) for t, address in found]


@pytest.mark.parametrize("few", [0, 1 << 30])
def test_they_are_the_pages(trace: Trace, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(PAGES, "FEW_READS", few)
    unknown = 0
    for t, address, size in places(trace, 12):
        page = trace.at(t).memory.read_physical(address & -PAGE_SIZE, PAGE_SIZE)
        some = trace.at(t).memory.read_physical(address, size)
        place = slice(address % PAGE_SIZE, address % PAGE_SIZE + size)
        assert (some.data, some.mask) == (page.data[place], page.mask[place]), (t, hex(address), size)
        assert some.is_complete == all(some.mask)
        unknown += not some.is_complete
    assert unknown
