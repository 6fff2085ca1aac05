"""Registers that were saved on the stack and restored from there: steps that change nothing, taken as one."""

from dataclasses import dataclass

from tracedbg import query
from tracedbg.arch import Dataflow, Operation
from tracedbg.arch.dataflow import MEMORY
from tracedbg.provenance.byte_makers import find_bytes, loaded
from tracedbg.provenance.maker import By, Maker
from tracedbg.provenance.place import RegisterAt
from tracedbg.provenance.register_makers import RegisterMakers
from tracedbg.query import Executed
from tracedbg.state.recording import Recording

LIMIT = 100
"""How many times in a row are taken as one step; a path with several such steps is cut as a loop is."""


@dataclass(frozen=True)
class Restored:
    """A register that was restored ``times`` times; ``saved`` is what it was when it was saved first."""

    times: int
    saved: RegisterAt


def find_restored(recording: Recording, registers: RegisterMakers, maker: Maker) -> Restored | None:
    """Return how often a register's value was only saved and restored, None where it was not.

    Each time a load relative to the stack pointer brought the register whole what a store of the same
    register, relative to the stack pointer, had left.
    """
    times, saved = 0, None
    while times < LIMIT and (place := _saved(recording, maker)) is not None:
        times, saved = times + 1, place
        maker = registers.find(place)
    return None if saved is None else Restored(times, saved)


def _saved(recording: Recording, maker: Maker) -> RegisterAt | None:
    """Return the register when it was saved that a maker restores."""
    place = maker.place
    if maker.by is not By.INSTRUCTION or not isinstance(place, RegisterAt):
        return None
    flow = _flow(recording, query.executed_at(recording.store, maker.t))
    if flow.operation is not Operation.LOAD or not _is_on_stack(recording, flow):
        return None
    brought = loaded(recording.store, maker.t)
    if len(brought) != 1 or brought[0][0].size != recording.arch.word_size:
        return None
    stores = find_bytes(recording.store, *brought[0])
    if len(stores) != 1 or stores[0].by is not By.INSTRUCTION:
        return None
    executed = query.executed_at(recording.store, stores[0].t)
    flow = _flow(recording, executed)
    stored = flow.find(MEMORY)
    if (
        executed is None
        or stored is None
        or stored.sources != (place.name,)
        or not _is_on_stack(recording, flow)
    ):
        return None
    return RegisterAt(place.name, executed.hart, executed.t)


def _flow(recording: Recording, executed: Executed | None) -> Dataflow:
    assert executed is not None
    return recording.arch.dataflow(recording.store.blocks.instruction_bytes(executed.instruction))


def _is_on_stack(recording: Recording, flow: Dataflow) -> bool:
    return flow.address is not None and flow.address.base == recording.arch.stack_pointer
