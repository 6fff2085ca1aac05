"""A tiny random machine: its history, instruction by instruction, in plain objects.

Nothing here is fast or clever. A History says what happened; ``tracefile`` writes it as a trace, and
``reference`` answers questions about it the slow and obvious way.
"""

from dataclasses import dataclass, field
from random import Random

from tracedbg.format.schema import AccessKind, Cause, LateKind, Source

REGISTERS = [f"x{number}" for number in range(32)] + ["satp", "scause"]
RAM_START, RAM_FRAMES = 0x8000_0000, 3
OTHER_START = 0x2000
DEVICE_START = 0x1000_0000
LOADS = {
    Source.LOAD_S8: 1, Source.LOAD_S16: 2, Source.LOAD_S32: 4, Source.LOAD_64: 8,
    Source.LOAD_U8: 1, Source.LOAD_U16: 2, Source.LOAD_U32: 4,
}  # fmt: skip
SIGNED = (Source.LOAD_S8, Source.LOAD_S16, Source.LOAD_S32)


@dataclass
class Insn:
    length: int
    destination: int
    source: Source
    constant: int
    code: bytes


@dataclass
class CodeBlock:
    virtual: int
    physical: int
    next_physical: int
    privilege: int
    insns: list[Insn]

    def address(self, place: int) -> int:
        return self.virtual + sum(insn.length for insn in self.insns[:place])


@dataclass
class Touch:
    """An access; ``places`` are the physical addresses of its bytes.

    They are fewer than ``size`` where nothing is known of the second page.
    """

    store: bool
    size: int
    kind: AccessKind
    virtual: int
    places: list[int]
    value: int


@dataclass
class Step:
    """One started instruction."""

    t: int
    hart: int
    block: int
    place: int
    retired: bool
    value: int | None
    touches: list[Touch]
    is_open: bool = False
    late: LateKind | None = None
    late_epoch: int | None = None

    @property
    def starts_run(self) -> bool:
        return self.place == 0


@dataclass
class StateRow:
    epoch: int
    moment: int
    hart: int
    register: int
    value: int


@dataclass
class Change:
    epoch: int
    moment: int
    since: int
    physical: int
    value: int
    cause: Cause


@dataclass
class Keyframe:
    epoch: int
    moment: int
    hart: int
    values: list[int]


@dataclass
class History:
    harts: int
    start: int
    blocks: list[CodeBlock]
    image: dict[int, bytes]
    steps: list[Step] = field(default_factory=list)
    states: list[StateRow] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    keyframes: list[Keyframe] = field(default_factory=list)
    epoch_starts: list[int] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + len(self.steps)

    def epoch_end(self, epoch: int) -> int:
        return self.epoch_starts[epoch + 1] if epoch + 1 < len(self.epoch_starts) else self.end

    def epoch_steps(self, epoch: int) -> list[Step]:
        return [step for step in self.steps if self.epoch_starts[epoch] <= step.t < self.epoch_end(epoch)]


class Machine:
    """Runs random instructions; ``history`` grows as it goes."""

    def __init__(self, seed: int, harts: int, start: int = 0) -> None:
        self.random = Random(seed)
        self.history = History(harts, start, self._blocks(), self._image())
        self.registers = [[0] * len(REGISTERS) for _ in range(harts)]
        self.memory: dict[int, int] = {}
        for frame, content in self.history.image.items():
            self.memory.update({frame * 4096 + place: byte for place, byte in enumerate(content)})
        rom = self.random.randbytes(64)
        self.memory.update({OTHER_START + place: byte for place, byte in enumerate(rom)})

    def _blocks(self) -> list[CodeBlock]:
        pages = [0x8020_0000, 0x8020_0FF0, 0x4000_0000, 0x8020_0004]
        blocks = []
        for number in range(self.random.randint(3, 8)):
            virtual = self.random.choice(pages) + 4 * self.random.randint(0, 3)
            crosses = virtual & 0xFFF >= 0xFF0
            insns = [self._insn() for _ in range(self.random.randint(1, 5))]
            following = (0x8000_3000 + 0x1000 * number) if crosses else (1 << 64) - 1
            blocks.append(
                CodeBlock(virtual, virtual & 0xFFFF_FFFF, following, self.random.choice([0, 1, 3]), insns)
            )
        return blocks

    def _insn(self) -> Insn:
        source = self.random.choice([Source.NONE, Source.RECORDED, Source.RECORDED, Source.CONSTANT, *LOADS])
        destination = 0 if source is Source.NONE else self.random.randint(1, 6)
        length = self.random.choice([2, 4])
        constant = self.random.getrandbits(64) if source is Source.CONSTANT else 0
        return Insn(length, destination, source, constant, self.random.randbytes(length))

    def _image(self) -> dict[int, bytes]:
        frames = self.random.sample(range(RAM_FRAMES), 2)
        return {RAM_START // 4096 + frame: self.random.randbytes(4096) for frame in sorted(frames)}

    def run(self, epochs: int, runs: int) -> History:
        """Run ``epochs`` epochs of about ``runs`` runs each."""
        hart = 0
        for epoch in range(epochs):
            self.history.epoch_starts.append(self.history.end)
            for _ in range(self.random.randint(1, 2 * runs)):
                if self.random.random() < 0.3:
                    hart = self.random.randrange(self.history.harts)
                self._run(epoch, hart)
            self._boundary(epoch)
        self._close()
        return self.history

    def _run(self, epoch: int, hart: int) -> None:
        block = self.random.randrange(len(self.history.blocks))
        insns = self.history.blocks[block].insns
        started = len(insns) if self.random.random() < 0.7 else self.random.randint(1, len(insns))
        for place, insn in enumerate(insns[:started]):
            self._between(epoch, hart)
            retired = place + 1 < started or self.random.random() < 0.8
            self._step(epoch, Step(self.history.end, hart, block, place, retired, None, []), insn)

    def _between(self, epoch: int, hart: int) -> None:
        """What happens before an instruction: a change, a trap's state, a keyframe."""
        moment = self.history.end
        if self.random.random() < 0.15:
            self._change(epoch, moment)
        if self.random.random() < 0.1:
            self._state(epoch, moment, hart)
        if self.random.random() < 0.12:
            self.history.keyframes.append(Keyframe(epoch, moment, hart, list(self.registers[hart])))

    def _boundary(self, epoch: int) -> None:
        if self.random.random() < 0.2:
            self._change(epoch, self.history.end)

    def _step(self, epoch: int, step: Step, insn: Insn) -> None:
        if step.retired:
            self._work(step, insn)
            if insn.destination:
                assert step.value is not None
                self.registers[step.hart][insn.destination] = step.value
        self.history.steps.append(step)
        if step.retired and self.random.random() < 0.1:
            self._state(epoch, self.history.end, step.hart)

    def _work(self, step: Step, insn: Insn) -> None:
        if insn.source in LOADS:
            touch = self._touch(False, LOADS[insn.source])
            step.touches.append(touch)
            step.value = self._extended(touch, insn.source)
        elif insn.source is Source.CONSTANT:
            step.value = insn.constant
        elif insn.source is Source.RECORDED:
            step.value = self.random.getrandbits(64)
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            step.touches.append(self._touch(self.random.random() < 0.6, self.random.choice([1, 2, 4, 8])))

    @staticmethod
    def _extended(touch: Touch, source: Source) -> int:
        sign = 1 << (8 * touch.size - 1)
        return ((touch.value ^ sign) - sign) % (1 << 64) if source in SIGNED else touch.value

    def _touch(self, store: bool, size: int) -> Touch:
        kind, places = self._places(size)
        if store:
            value = self.random.getrandbits(8 * size)
            if kind is AccessKind.RAM:
                self._put(places, value)
        elif kind is AccessKind.DEVICE:
            value = self.random.getrandbits(8 * size)
        else:
            value = sum(self.memory.get(place, 0) << (8 * index) for index, place in enumerate(places))
            value |= self.random.getrandbits(64) << (8 * len(places)) & ((1 << 8 * size) - 1)
        delta = self.random.choice([0, 0, 0, 0xFFFF_FFC0_0000_0000, 0x1000])
        return Touch(store, size, kind, (places[0] + delta) % (1 << 64), places, value)

    def _places(self, size: int) -> tuple[AccessKind, list[int]]:
        where = self.random.random()
        if where < 0.1:
            # Not the line-control register, at 3: nothing but the data register is made to work.
            start = DEVICE_START + 4 * self.random.randrange(4)
            return AccessKind.DEVICE, list(range(start, start + size))
        if where < 0.2:
            start = OTHER_START + self.random.randrange(16)
            return AccessKind.OTHER_MEMORY, list(range(start, start + size))
        frame = RAM_START + 4096 * self.random.randrange(RAM_FRAMES)
        if where < 0.3 and size > 1:
            first = self.random.randint(1, size - 1)
            second = RAM_START + 4096 * self.random.randrange(RAM_FRAMES)
            low = list(range(frame + 4096 - first, frame + 4096))
            if self.random.random() < 0.2:
                return AccessKind.RAM, low
            return AccessKind.RAM, low + list(range(second, second + size - first))
        start = frame + self.random.choice([0, 60, 4080]) + self.random.randrange(9)
        return AccessKind.RAM, list(range(start, start + size))

    def _put(self, places: list[int], value: int) -> None:
        for index, place in enumerate(places):
            self.memory[place] = value >> (8 * index) & 0xFF

    def _change(self, epoch: int, moment: int) -> None:
        physical = (
            RAM_START + 4096 * self.random.randrange(RAM_FRAMES) + 8 * self.random.choice([0, 1, 8, 511])
        )
        value = self.random.getrandbits(64)
        self._put(list(range(physical, physical + 8)), value)
        since = self.random.randint(self.history.start, moment)
        cause = self.random.choice([Cause.PAGE_TABLE_WALK, Cause.DMA])
        self.history.changes.append(Change(epoch, moment, since, physical, value, cause))

    def _state(self, epoch: int, moment: int, hart: int) -> None:
        register = self.random.choice([32, 33, 3])
        value = self.random.getrandbits(64)
        self.registers[hart][register] = value
        self.history.states.append(StateRow(epoch, moment, hart, register, value))

    def _close(self) -> None:
        """Decide which instructions were open when their epoch was written, and how they came out."""
        steps = self.history.steps
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            same = following is not None and following.hart == step.hart
            ends = step.t + 1 in self.history.epoch_starts or not same
            if ends and self.random.random() < 0.6:
                self._open(step)

    def _open(self, step: Step) -> None:
        step.is_open = True
        later = [other for other in self.history.steps if other.hart == step.hart and other.t > step.t]
        if not later or self.random.random() < 0.2:
            return
        starts = self.history.epoch_starts
        step.late_epoch = max(number for number, start in enumerate(starts) if start <= later[0].t)
        recorded = self.history.blocks[step.block].insns[step.place].source is Source.RECORDED
        if not step.retired:
            step.late = LateKind.NOT_RETIRED
        else:
            told = recorded and self.random.random() < 0.7
            step.late = LateKind.VALUE if told else LateKind.NO_VALUE
