"""What one single step showed: results, accesses and traps, from the registers before and after it."""

from collections.abc import Iterator
from dataclasses import dataclass

from tracedbg.arch.base import Architecture
from tracedbg.arch.effect import Changes, Effect
from tracedbg.format.schema import Source
from tracedbg.gdb.capture.access import Access
from tracedbg.gdb.capture.epoch import EpochColumns, Trap
from tracedbg.gdb.capture.places import Located
from tracedbg.gdb.capture.registers import HartState

_LOADED = {
    (1, True): Source.LOAD_S8, (2, True): Source.LOAD_S16, (4, True): Source.LOAD_S32,
    (1, False): Source.LOAD_U8, (2, False): Source.LOAD_U16, (4, False): Source.LOAD_U32,
    (8, True): Source.LOAD_64, (8, False): Source.LOAD_64,
}  # fmt: skip


@dataclass
class Step:
    """A step of one hart. ``before`` and ``after`` are the general registers and pc, as ``g`` tells them.

    ``single_before`` and ``single_after`` are all other registers; ``accesses`` follow from ``accesses()``.
    ``trapped`` says that the hart went where the instruction does not lead: by a trap of this ``cause``, or
    for a reason that is not known. ``is_interrupted`` tells that the instruction has nothing to do with it.
    ``printed`` is the byte that it put on the console, if it did.
    """

    pc: int
    physical: int
    data: bytes
    effect: Effect
    located: Located | None
    before: list[int]
    after: list[int]
    single_before: HartState
    single_after: HartState
    trapped: bool
    cause: int | None
    is_interrupted: bool
    accesses: list[Access]
    printed: int | None = None

    @property
    def source(self) -> Source:
        """Where the trace has the value of the destination from."""
        if self.effect.changes & Changes.ANY:
            return Source.ANY
        if self.is_interrupted:
            return Source.NONE
        if not self.effect.destination:
            return Source.NONE
        memory = self.effect.memory
        if memory is None or self.located is None or not memory.loads:
            return Source.RECORDED
        return _LOADED[memory.size, memory.signed]


def accesses(step: Step, back: bytes | None) -> Iterator[Access]:
    """Yield what a step that did not trap loaded and stored; ``back`` is memory there, as read afterwards."""
    located, destination = step.located, step.effect.destination
    if located is None or step.trapped:
        return
    use, mask = located.use, (1 << 8 * located.use.size) - 1
    held = None if back is None else int.from_bytes(back, "little")
    result = step.after[destination] & mask if destination and use.integer else None
    loaded = result if result is not None or use.stores else held
    if use.loads and loaded is not None:
        yield _access(located, loaded, is_store=False)
    # A store-conditional stores only where it leaves 0.
    is_conditional = use.integer and not use.loads and use.source is None
    if not use.stores or (is_conditional and result != 0):
        return
    stored = held if held is not None or use.source is None else step.before[use.source] & mask
    if stored is not None:
        yield _access(located, stored, is_store=True)


def _access(located: Located, value: int, *, is_store: bool) -> Access:
    second = located.pieces[1][0] if len(located.pieces) > 1 else None
    physical, size = located.pieces[0][0], located.use.size
    return Access(located.virtual, physical, size, value, is_store, located.kind, second)


def put(step: Step, epoch: EpochColumns, block: int, arch: Architecture) -> None:
    """Put a step into an epoch; ``block`` is that of its instruction."""
    epoch.start(block)
    source = step.source
    own = step.effect.destination if source not in (Source.NONE, Source.ANY) else 0
    if source == Source.RECORDED:
        epoch.value(step.after[own])
    _put_registers(epoch, (step.before, step.after), (step.single_before, step.single_after), own)
    for access in step.accesses:
        epoch.access(access)
    if step.printed is not None:
        epoch.printed(step.printed)
    if not step.trapped:
        return
    trap = _trap(step.single_before, step.single_after, arch) if step.cause is not None else None
    if trap is None or step.is_interrupted:
        epoch.leave_open()
    else:
        epoch.fail()
    if trap is not None:
        epoch.trap(trap)


def put_fall(
    epoch: EpochColumns,
    words: tuple[list[int], list[int]],
    states: tuple[HartState, HartState],
    arch: Architecture,
) -> None:
    """Put a trap into an epoch that came where no instruction could be had: registers before and after it."""
    _put_registers(epoch, words, states, 0)
    trap = _trap(*states, arch)
    if trap is not None:
        epoch.trap(trap)


def _put_registers(
    epoch: EpochColumns, words: tuple[list[int], list[int]], states: tuple[HartState, HartState], own: int
) -> None:
    """Put in what changed from the first to the second of each, but for register ``own``."""
    before, after = words
    if after[:own] != before[:own] or after[own + 1 : -1] != before[own + 1 : -1]:
        for place, value in enumerate(after[:-1]):
            if place != own and value != before[place]:
                epoch.register(epoch.hart, place, value)
    if states[0] is not states[1]:
        for place, (old, new) in enumerate(zip(states[0].values, states[1].values, strict=True)):
            if place >= len(before) - 1 and old != new:
                epoch.register(epoch.hart, place, new)


def _trap(before: HartState, after: HartState, arch: Architecture) -> Trap | None:
    """Return the trap between two states; None where a register that tells of it is not known."""
    names = arch.trap_registers(after.privilege)[:3]
    told = [after.values[arch.registers.index(name)] for name in names]
    cause, epc, tval = told
    if cause is None or epc is None or tval is None:
        return None
    return Trap(cause, epc, tval, before.privilege, after.privilege)
