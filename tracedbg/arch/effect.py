"""What one instruction does, as far as its encoding tells: for those who see a guest step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag

_ADDRESSES = (1 << 64) - 1


class Changes(IntFlag):
    """Registers beyond the integer destination that an instruction may change."""

    CONTROL = 1
    """Control registers and privilege."""
    FLOAT = 2
    """The floating-point registers, their status, and the status that tells of them."""
    ANY = 4
    """The encoding is not known: any register."""
    MEMORY = 8
    """Memory, in a way that is not told."""


NO_CHANGES = Changes(0)


@dataclass(frozen=True)
class MemoryUse:
    """One access at ``base`` (an integer register) plus ``offset``.

    ``loads`` and ``stores`` are both true for an atomic that does both. ``source`` is the integer register
    whose low bytes are stored, None where the stored value is computed, conditional or not an integer's.
    ``signed`` tells how what is loaded is extended; ``integer`` that it goes to the integer destination.
    """

    base: int
    offset: int
    size: int
    loads: bool
    stores: bool
    source: int | None = None
    signed: bool = False
    integer: bool = True


@dataclass(frozen=True)
class Effect:
    """``destination`` is the integer register that is written, 0 for none.

    ``jumps`` is true where the next instruction need not be the one that follows; ``target`` is how far a
    direct jump or branch goes, ``through`` register and offset of an indirect one; both None for a return
    from a trap. ``is_conditional`` jumps may not be taken.
    """

    length: int
    destination: int = 0
    memory: MemoryUse | None = None
    changes: Changes = NO_CHANGES
    jumps: bool = False
    is_conditional: bool = False
    target: int | None = None
    through: tuple[int, int] | None = None

    def successors(self, pc: int, words: Sequence[int | None]) -> tuple[int, ...] | None:
        """Return the addresses that may follow where it retires at ``pc``, the target first; None for any.

        ``words`` are the integer registers before it.
        """
        following = pc + self.length & _ADDRESSES
        if not self.jumps:
            return None if self.changes & Changes.ANY else (following,)
        if self.through is not None:
            register, offset = self.through
            base = words[register]
            return None if base is None else (base + offset & _ADDRESSES & ~1,)
        if self.target is None:
            return None
        target = pc + self.target & _ADDRESSES
        return (target, following) if self.is_conditional else (target,)
