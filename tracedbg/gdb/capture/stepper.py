"""A window of single steps of one hart, while the others stand still."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tracedbg.arch.effect import Changes, Effect
from tracedbg.gdb.capture.access import Access
from tracedbg.gdb.capture.epoch import EpochColumns
from tracedbg.gdb.capture.guest import LiveGuest
from tracedbg.gdb.capture.memory import WORD, content
from tracedbg.gdb.capture.places import Places
from tracedbg.gdb.capture.registers import HartState, general_words
from tracedbg.gdb.capture.step import Step, accesses, put, put_fall
from tracedbg.gdb.capture.stub import StopReply, StubError
from tracedbg.gdb.capture.writer import CaptureWriter, Code, Told

STEP_SECONDS = 2.0
STRAYS_LIMIT = 8
"""Stops one after the other that come before a step has begun."""
EPOCH_STEPS = 1 << 16
"""Steps that are written as one epoch at most."""


@dataclass(frozen=True)
class Window:
    """How a window ended: steps taken, the address of a watchpoint that ended it, and the last accesses.

    ``is_idle`` says that the hart waits for an interrupt.
    """

    steps: int
    watched: int | None
    last: Sequence[Access]
    is_idle: bool


class Stepper:
    """Steps one hart; what it sees goes to a writer, and the guest's state of the hart is kept up to date."""

    def __init__(self, guest: LiveGuest, writer: CaptureWriter, hart: int) -> None:
        self._guest = guest
        self._writer = writer
        self._hart = hart
        self._places = Places(guest, hart)
        self._request = b"s:" + guest.threads[hart]
        self._general = guest.registers.numbers.general
        self._state = guest.harts[hart]
        self._words = [*_known(self._state.values[: self._general - 1]), self._state.pc]
        self._pending: Step | None = None
        self._is_idle = False
        self._is_lost = False
        self._strays = 0
        arch, registers = guest.arch, guest.registers
        every = frozenset(arch.registers)
        self._control = registers.places(every - frozenset(arch.float_registers), arch.registers)
        self._single = registers.places(every, arch.registers)
        self._epoch = EpochColumns(writer.t, hart, guest.harts)

    def run(self, count: int, on_moment: Callable[[], bool] | None = None) -> Window:
        """Step up to ``count`` times, or until ``on_moment``, asked after each step, returns True.

        What was seen before an error is written.
        """
        steps, watched, met = 0, None, False
        last: Sequence[Access] = ()
        try:
            while steps < count and watched is None and not (met or self._is_idle or self._is_lost):
                step, watched = self._one()
                if step is None:
                    break
                last = step.accesses
                steps += 1
                if on_moment is not None:
                    self._keep_state()
                    met = on_moment()
        finally:
            self._write()
            if self._is_lost:
                self._guest.forget()
                self._writer.tell(Told(gaps=[self._writer.t]))
        return Window(steps, watched, last, self._is_idle)

    def _one(self) -> tuple[Step | None, int | None]:
        """Take a step; no step and the watched address where a watchpoint stopped the hart before it."""
        pc = self._words[-1]
        code = self._places.fetch(pc)
        if code is None:
            self._fall()
            return self._one()
        physical, data = code
        effect = self._guest.arch.effect(data)
        located = None if effect.memory is None else self._places.locate(effect.memory, self._words)
        if self._guest.memory.fresh or self._epoch.length >= EPOCH_STEPS:
            self._cut()
        self._guest.stub.resume(self._request)
        # While the guest takes this step, the one before it is put in its place.
        self._settle()
        before, state = self._words, self._state
        reply = self._wait()
        if reply.watched is not None:
            return None, reply.watched
        read = self._places.readable(located, effect)
        back = self._look(effect, read)
        following = effect.successors(pc, before)
        is_elsewhere = following is not None and self._words[-1] not in following
        if is_elsewhere and not effect.changes:
            self._take(self._control, self._guest.stub.batch(self._guest.registers.requests(self._control)))
        # Where an instruction leads that may lead anywhere, as a return from a trap, is not known.
        cause = self._trap_cause(pc) if is_elsewhere or following is None else None
        trapped = is_elsewhere or cause is not None
        if trapped and cause is None and self._words[-1] == pc:
            return self._again()
        self._is_lost = trapped and cause is None
        self._strays = 0
        interrupted = cause is not None and self._guest.arch.is_interrupt(cause)
        step = Step(
            pc, physical, data, effect, located, before, self._words, state, self._state, trapped,
            cause, interrupted or self._is_lost, [],
        )  # fmt: skip
        step.accesses.extend(accesses(step, back))
        self._follow(step)
        self._pending = step
        if effect.changes & Changes.MEMORY and not trapped:
            self._lose_memory()
        return step, None

    def _lose_memory(self) -> None:
        """Go on as after a gap: an instruction stored what is not known, at a place that is not."""
        self._write()
        self._guest.forget()
        self._places.forget()
        self._writer.tell(Told(gaps=[self._writer.t]))

    def _fall(self) -> None:
        """Step where no instruction can be had: the hart traps, and nothing has started."""
        self._settle()
        pc, state, before = self._words[-1], self._state, self._words
        if not self._epoch.length:
            raise StubError(f"no instruction can be read at {pc:#x}: the guest is not stepped on from there")
        self._guest.stub.resume(self._request)
        self._wait()
        general, *rest = self._guest.stub.batch([b"g", *self._guest.registers.requests(self._single)])
        self._words = general_words(general, self._general)
        self._take(self._single, rest)
        if self._words[-1] == pc:
            raise StubError(f"no instruction can be read at {pc:#x}, and the hart does not go on from there")
        put_fall(self._epoch, (before, self._words), (state, self._state), self._guest.arch)

    def _wait(self) -> StopReply:
        """Wait for a step's end; an instruction that waits for an interrupt is not waited for long."""
        reply = self._guest.stub.wait(STEP_SECONDS)
        if reply is None:
            self._is_idle = True
            self._guest.stub.interrupt()
            reply = self._guest.stub.wait(STEP_SECONDS)
        if reply is None:
            raise StubError(f"a single step did not end within {2 * STEP_SECONDS:g} s")
        return reply

    def _look(self, effect: Effect, read: Sequence[tuple[int, int]]) -> bytes | None:
        """Read what a step may have changed; return the memory at ``read``."""
        places = self._control if effect.changes == Changes.CONTROL else self._single
        single = self._guest.registers.requests(places) if effect.changes else []
        memory = [self._guest.physical.request(*piece) for piece in read]
        general, *rest = self._guest.stub.batch([b"g", *memory, *single])
        self._words = general_words(general, self._general)
        if effect.changes:
            self._take(places, rest[len(memory) :])
        parts = [content(reply) for reply in rest[: len(memory)]]
        whole = b"".join(part for part in parts if part is not None)
        return whole if read and len(whole) == sum(size for _, size in read) else None

    def _take(self, places: dict[int, int], replies: list[bytes]) -> None:
        """Take in control and floating-point registers; address spaces may be others now, or flushed."""
        values, privilege = self._guest.registers.parse(places, replies)
        changed = [values.get(place, old) for place, old in enumerate(self._state.values)]
        self._state = HartState(self._words[-1], privilege, tuple(changed))
        self._places.forget()
        self._keep_state()

    def _again(self) -> tuple[Step | None, int | None]:
        """Step once more: the hart was stopped before it could begin. No step where it does not go on."""
        self._strays += 1
        self._is_idle |= self._strays > STRAYS_LIMIT
        return (None, None) if self._is_idle else self._one()

    def _trap_cause(self, pc: int) -> int | None:
        """Return the cause of the trap that the hart took at ``pc``, None where registers tell of none."""
        arch = self._guest.arch
        values = dict(zip(arch.registers, self._state.values, strict=True))
        names = arch.trap_registers(self._state.privilege)
        cause = values[names.cause]
        if cause is None or values[names.epc] != pc:
            return None
        return cause if self._words[-1] in arch.trap_vectors(values.get, cause) else None

    def _follow(self, step: Step) -> None:
        """Keep what is known of memory up to date with a step."""
        for access in step.accesses:
            if access.is_store:
                step.printed = self._guest.printing.byte(access)
            data = access.value.to_bytes(access.size, "little")
            for physical, size in access.pieces:
                piece, data = data[:size], data[size:]
                if access.is_store:
                    self._guest.memory.keep(physical, piece)
                    self._places.stored(physical)
                else:
                    self._compare(physical, piece)

    def _compare(self, physical: int, piece: bytes) -> None:
        """A load that brings something else than was known tells of a change that no store made."""
        memory = self._guest.memory
        if not memory.differs(physical, piece):
            memory.keep(physical, piece)
            return
        self._settle()
        words = range(physical & -WORD, physical + len(piece), WORD)
        # What the step has stored by now, if it did, are just the bytes that it loaded.
        held = bytearray(b"".join(self._guest.physical.word(word) for word in words))
        held[physical - words.start : physical - words.start + len(piece)] = piece
        memory.keep(words.start, bytes(held))
        for place, word in enumerate(words):
            value = int.from_bytes(held[place * WORD : (place + 1) * WORD], "little")
            self._epoch.change(word, value, self._writer.gap)

    def _settle(self) -> None:
        """Put the step before into the epoch."""
        step, self._pending = self._pending, None
        if step is not None:
            code = Code(
                step.pc, step.physical, step.data, step.single_before.privilege,
                0 if step.is_interrupted else step.effect.destination, step.source,
            )  # fmt: skip
            put(step, self._epoch, self._writer.block(code), self._guest.arch)

    def _keep_state(self) -> None:
        values = (*self._words[:-1], *self._state.values[self._general - 1 :])
        self._guest.harts[self._hart] = replace(self._state, pc=self._words[-1], values=values)

    def _write(self) -> None:
        """Write what was gathered."""
        self._settle()
        self._keep_state()
        if self._epoch.length:
            self._epoch.keyframe(self._guest.harts[self._hart])
            self._writer.epoch(self._epoch)
        self._epoch = EpochColumns(self._writer.t, self._hart, self._guest.harts)

    def _cut(self) -> None:
        """Begin another epoch: what memory was read is told of at its start."""
        self._write()
        told = Told(samples=[(self._writer.t, *page) for page in self._guest.memory.take_fresh()])
        self._writer.tell(told)


def _known(values: Sequence[int | None]) -> Iterator[int]:
    """Yield general registers, which a stub always tells."""
    for value in values:
        if value is None:
            raise StubError("the stub does not tell all general registers")
        yield value
