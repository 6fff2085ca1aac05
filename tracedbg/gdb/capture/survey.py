"""What is looked at at each stop: code, stacks, and memory asked for, with the page tables on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracedbg.arch import AddressSpace, Walk
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.gdb.capture.guest import LiveGuest

STACK_BYTES = 1 << 13
"""Bytes of each stack that are read, from the stack pointer up."""


@dataclass(frozen=True)
class Wanted:
    """A range of memory that is read at each stop: its name as given, virtual address and size."""

    name: str
    virtual: int
    size: int


@dataclass(frozen=True)
class Stack:
    """The stack pointer of a hart; ``physical`` is None where it is not mapped."""

    hart: int
    pointer: int
    physical: int | None


@dataclass(frozen=True)
class Found:
    """Where a wanted range begins: ``walk`` in the address space ``space``, which need not be in force.

    ``content`` is its first page's part, None where it cannot be read.
    """

    wanted: Wanted
    walk: Walk | None
    is_user: bool
    in_force: bool
    content: bytes | None


class Survey:
    """Reads what is wanted at a stop; remembers in which address space each range was mapped last."""

    def __init__(self, guest: LiveGuest, wanted: Sequence[Wanted]) -> None:
        self._guest = guest
        self._wanted = wanted
        self._spaces: dict[Wanted, AddressSpace] = {}

    def stacks(self) -> list[Stack]:
        """Read the code that each hart stands at, and its stack."""
        return [self._stack(hart) for hart in range(len(self._guest.harts))]

    def _stack(self, hart: int) -> Stack:
        guest = self._guest
        state = guest.harts[hart]
        guest.code(hart, state.pc)
        guest.code(hart, state.pc + 8)
        pointer = guest.value(hart, guest.arch.stack_pointer) or 0
        space = guest.space(hart)
        if space is None:
            return Stack(hart, pointer, None)
        # What a trap interrupted that was not seen.
        epc = guest.value(hart, guest.arch.trap_registers(state.privilege).epc)
        interrupted = None if epc is None else guest.walk(space, epc).physical
        if interrupted is not None:
            guest.memory.page(interrupted)
        for address in range(pointer & -PAGE_SIZE, pointer + STACK_BYTES, PAGE_SIZE):
            physical = guest.walk(space, address).physical
            if physical is None or guest.memory.page(physical) is None:
                break
        return Stack(hart, pointer, guest.walk(space, pointer).physical)

    def ranges(self, hart: int) -> list[Found]:
        """Read the ranges that are wanted, as a hart sees them, or as the last one did that saw them."""
        self.look()
        return [self._range(hart, wanted) for wanted in self._wanted]

    def look(self) -> None:
        """Take note of the address spaces in force that map what is wanted."""
        for number in range(len(self._guest.harts)):
            space = self._guest.space(number)
            if space is None:
                continue
            for wanted in self._wanted:
                if self._is_memory(self._guest.walk(space, wanted.virtual)):
                    self._spaces[wanted] = space

    def _range(self, hart: int, wanted: Wanted) -> Found:
        space = self._guest.space(hart)
        walk = None if space is None else self._guest.walk(space, wanted.virtual)
        in_force = True
        last = self._spaces.get(wanted)
        if (walk is None or not self._is_memory(walk)) and last is not None:
            walk, in_force = self._guest.walk(last, wanted.virtual), False
        if walk is None or walk.physical is None:
            return Found(wanted, walk, False, in_force, None)
        for address in range(
            (wanted.virtual & -PAGE_SIZE) + PAGE_SIZE, wanted.virtual + wanted.size, PAGE_SIZE
        ):
            following = self._guest.walk(walk.space, address).physical
            if following is not None:
                self._guest.memory.page(following)
        room = PAGE_SIZE - walk.physical % PAGE_SIZE
        content = self._guest.memory.read(walk.physical, min(wanted.size, room))
        return Found(wanted, walk, self._guest.arch.user_flag in walk.flags, in_force, content)

    def _is_memory(self, walk: Walk) -> bool:
        return walk.physical is not None and self._guest.memory.is_memory(walk.physical)
