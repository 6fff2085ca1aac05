"""An instruction stream under construction: text, free registers, good and bad addresses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from random import Random

from . import layout
from .machine import Machine
from .tables import AddressSpace, Page


class Mode(IntEnum):
    USER = 0
    SUPERVISOR = 1
    MACHINE = 3


@dataclass(frozen=True)
class Setting:
    """The circumstances in which a segment runs, which the driver sets up before it."""

    mode: Mode
    hart: int
    space: AddressSpace | None
    """None: satp is zero."""
    alias: int
    """The address of the streams in the view that the segment runs in."""
    exception_delegation: int
    interrupt_delegation: int
    hardware_dirty: bool
    """menvcfg.ADUE: hardware sets A and D; else their absence is a page fault."""
    stimecmp: bool

    @property
    def translated(self) -> bool:
        return self.mode != Mode.MACHINE and self.space is not None


class Stream:
    """Lines of one segment. Registers are numbers; ``locked`` ones hold something that later lines need."""

    def __init__(
        self, rng: Random, machine: Machine, setting: Setting, spaces: list[AddressSpace], name: str
    ) -> None:
        self.rng = rng
        self.machine = machine
        self.setting = setting
        self.spaces = spaces
        self.name = name
        self.lines: list[str] = []
        self.locked: set[int] = set()
        self.depth = 0
        self._labels = 0

    @property
    def mode(self) -> Mode:
        return self.setting.mode

    def emit(self, *lines: str) -> None:
        self.lines.extend(f"  {line}" for line in lines)

    def new_label(self) -> str:
        self._labels += 1
        return f".L{self.name}_{self._labels}"

    def place(self, label: str) -> None:
        self.lines.append(f"{label}:")

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    @contextmanager
    def lock(self, *registers: int) -> Iterator[None]:
        """Keep registers from being written by what is emitted inside."""
        added = set(registers) - self.locked
        self.locked |= added
        try:
            yield
        finally:
            self.locked -= added

    def writable(self, *, compressed: bool = False, zero: bool = False) -> int:
        """A register that may be written; x0 only with ``zero``."""
        choices = [
            x for x in self.machine.free if x not in self.locked and not (compressed and not 8 <= x < 16)
        ]
        if zero and self.chance(0.03):
            return 0
        return self.rng.choice(choices)

    def several(self, count: int, *, compressed: bool = False) -> list[int]:
        """Distinct registers that may be written."""
        choices = [
            x for x in self.machine.free if x not in self.locked and not (compressed and not 8 <= x < 16)
        ]
        return self.rng.sample(choices, count)

    def readable(self, *, compressed: bool = False) -> int:
        return self.rng.randrange(8, 16) if compressed else self.rng.randrange(32)

    def load_immediate(self, register: int, value: int) -> None:
        value &= (1 << 64) - 1
        self.emit(f"li x{register}, {value - (1 << 64) if value >> 63 else value:#x}")

    @contextmanager
    def resuming(self) -> Iterator[None]:
        """An exception inside goes on behind the end, wherever it happened."""
        label = self.new_label()
        self.emit(f"lla x{self.machine.resume}, {label}")
        yield
        self.place(label)
        self.emit(f"li x{self.machine.resume}, 0")

    def interesting(self) -> int:
        """A value at which instructions behave in their special ways, or any."""
        rng = self.rng
        return rng.choice(
            (
                0,
                1,
                (1 << 64) - 1,
                1 << 63,
                (1 << 63) - 1,
                1 << 31,
                (1 << 31) - 1,
                0xFFFF_FFFF,
                0x7FF0 << 48,
                0x3FF0 << 48,
                rng.getrandbits(64),
                rng.getrandbits(64),
                rng.getrandbits(rng.randrange(1, 64)),
                0xFFFF_FFFF_0000_0000 | rng.getrandbits(32),
                0xFFFF_FFFF_7FC0_0000,
            )
        )

    def page(self, *, store: bool, user: bool | None = None) -> Page:
        """A page of the current or some address space that allows the access."""
        space = self.setting.space or self.rng.choice(self.spaces)
        wanted = self.mode == Mode.USER if user is None else user
        return self.rng.choice([page for page in space.pages if page.allows(user=wanted, store=store)])

    def good_address(self, size: int, *, store: bool, aligned: bool = True) -> int:
        """An address of data that this mode may access."""
        offset = (
            self.rng.randrange(0, layout.PAGE, size) if aligned else self.rng.randrange(layout.PAGE - size)
        )
        if not self.setting.translated or (self.mode == Mode.SUPERVISOR and self.chance(0.3)):
            return layout.DATA + self.rng.randrange(layout.DATA_FRAMES) * layout.PAGE + offset
        if self.chance(0.15):
            if self.mode == Mode.USER:
                return (
                    layout.USER_LARGE + self.rng.randrange(layout.SLICE // layout.PAGE) * layout.PAGE + offset
                )
            return (
                layout.SUPERVISOR_LARGE
                + layout.DATA
                - layout.RAM
                + self.rng.randrange(layout.DATA_FRAMES) * layout.PAGE
                + offset
            )
        return self.page(store=store).virtual + offset

    def bad_address(self) -> int:
        """An address at which some access of this mode traps, mostly."""
        choices = [layout.ABSENT, 0x9000_0000, layout.DENIED]
        if self.setting.translated and self.setting.space is not None:
            choices = [
                layout.UNMAPPED,
                layout.NOT_CANONICAL,
                layout.ABSENT_TABLE,
                layout.MISALIGNED_LARGE,
                layout.SUPERVISOR_LARGE + layout.DATA - layout.RAM,
                layout.USER_LARGE,
                *(page.virtual for page in self.setting.space.pages[::3]),
            ]
            if self.mode == Mode.SUPERVISOR:
                choices += [layout.ABSENT, layout.DENIED]
        return self.rng.choice(choices) + self.rng.randrange(0, layout.PAGE, 8)

    def device(self, physical: int) -> int:
        """The address under which this mode reaches a device or ROM."""
        return physical + (layout.USER_DEVICES if self.mode == Mode.USER and self.setting.translated else 0)

    def scratch(self, size: int, *, store: bool) -> int:
        """Emit the loading of a good address into a register, and return the register."""
        register = self.writable()
        self.load_immediate(register, self.good_address(size, store=store))
        return register


@dataclass(frozen=True)
class Family:
    """A kind of instruction sequence; ``emit`` appends one to a stream."""

    name: str
    emit: Callable[[Stream], None]
    weight: int = 4
    modes: frozenset[Mode] = frozenset(Mode)
    fits: Callable[[Stream], bool] = lambda _: True


MACHINE_ONLY = frozenset({Mode.MACHINE})
PRIVILEGED = frozenset({Mode.MACHINE, Mode.SUPERVISOR})
SUPERVISOR_ONLY = frozenset({Mode.SUPERVISOR})
USER_ONLY = frozenset({Mode.USER})
