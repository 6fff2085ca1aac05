"""The address spaces that harts have used, and where in them a frame appears."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.arch import AddressSpace, MappedPage
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, Hart, PhysicalAddress, Time
from tracedbg.query import registers_at
from tracedbg.state.memory import Memory
from tracedbg.state.recording import Recording
from tracedbg.state.registers import numbers_of

EPOCHS_BACK = 8
SPACES = 64


@dataclass(frozen=True)
class Alias:
    """A page of ``space`` that maps the frame asked for."""

    space: AddressSpace
    page: MappedPage


def spaces_around(recording: Recording, t: Time) -> tuple[AddressSpace, ...]:
    """Return the translated spaces in force on a hart at ``t`` or in the EPOCHS_BACK epochs up to it.

    Each value of the register that names them is one; the newest first, at most SPACES.
    """
    roots = dict.fromkeys(_roots(recording, t))
    spaces = [recording.arch.address_space_of(root) for root in roots]
    return tuple(space for space in spaces if space.is_translated)[:SPACES]


def _roots(recording: Recording, t: Time) -> Iterator[int]:
    store, arch = recording.store, recording.arch
    (number,) = numbers_of(arch, store.guest.registers, arch.address_space_register)
    for hart in range(store.guest.harts):
        values, known = registers_at(store, Hart(hart), t)
        if known[number]:
            yield int(values[number])
    last = store.epoch_of(t)
    for index in range(last, max(last - EPOCHS_BACK, -1), -1):
        epoch = store.epoch(index)
        states = epoch.states
        rows = np.flatnonzero(
            (states.register == number) & states.known & (states.t.astype(np.int64) + epoch.start <= t)
        )
        yield from states.value[rows[::-1]].tolist()


def iter_aliases(recording: Recording, memory: Memory, t: Time, frame: Frame) -> Iterator[Alias]:
    """Yield the pages that map a frame, space by space, by ascending virtual address in each."""
    within = (PhysicalAddress(frame * PAGE_SIZE), PAGE_SIZE)
    for space in spaces_around(recording, t):
        for page in recording.arch.iter_mappings(space, memory.page, within):
            yield Alias(space, page)
