"""The registers of a hart at a moment, by every name that they have."""

from collections.abc import Iterator, Mapping, Sequence

from tracedbg.arch import Architecture
from tracedbg.errors import UsageError

WORD_BITS = 64


class UnknownRegisterError(UsageError, KeyError):
    """A name is none of a register of the trace."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name)
        self.name = name
        self.known = tuple(known)

    def __str__(self) -> str:
        return f"{self.name}: no register of this trace; it has {', '.join(self.known)}"


class Registers(Mapping[str, int | None]):
    """Values by ABI name, as numbers without sign; None where the trace does not tell.

    Aliases (``fp``, ``x2``, ``f10``) and parts of other registers (``sstatus``, ``frm``) can be asked for as
    well; iteration gives each recorded register once, in the order of the trace. Floating-point registers
    are the 64 bits that they hold. A vector register is one number of VLEN bits: element i of n bits is
    ``value >> (i * n) & ((1 << n) - 1)``. An unknown name raises UnknownRegisterError.
    """

    def __init__(self, arch: Architecture, names: Sequence[str], values: Sequence[int | None]) -> None:
        """``values`` has an item for each of ``names``, the trace's list."""
        self._arch = arch
        self._values = {
            name: _joined([values[number] for number in numbers])
            for name, numbers in register_numbers(arch, names).items()
        }

    def __getitem__(self, name: str) -> int | None:
        view = self._arch.views.get(name)
        if view is not None and view.register in self._values and name not in self._values:
            return view.of(self.find)
        canonical = self._arch.aliases.get(name, name)
        if canonical not in self._values:
            raise UnknownRegisterError(name, list(self._values))
        return self._values[canonical]

    def find(self, name: str) -> int | None:
        """Return a recorded register, None when it is not known or the trace does not have it."""
        return self._values.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values or name in self._arch.aliases or name in self.views

    @property
    def views(self) -> dict[str, int | None]:
        """The registers that are parts of others."""
        views = self._arch.views.items()
        return {name: view.of(self.find) for name, view in views if view.register in self._values}


def _joined(words: Sequence[int | None]) -> int | None:
    """Return the number that words make, lowest first; None when one of them is not known."""
    known = [word for word in words if word is not None]
    if len(known) < len(words):
        return None
    return sum(word << (WORD_BITS * place) for place, word in enumerate(known))


def register_numbers(arch: Architecture, names: Sequence[str]) -> dict[str, list[int]]:
    """Return the numbers of each register of a trace's list by the name that the architecture writes.

    A register has one number, but for those that the trace holds word by word (``arch.word_name``): theirs
    come lowest word first.
    """
    found: dict[str, list[int]] = {}
    wide = frozenset(arch.vector_registers)
    for number, name in enumerate(names):
        whole = name.partition(".")[0]
        chosen = whole if whole in wide else arch.aliases.get(name, name)
        found.setdefault(chosen, []).append(number)
    return found


def numbers_of(arch: Architecture, names: Sequence[str], name: str) -> list[int]:
    """Return the numbers of a recorded register by any of its names, see ``register_numbers``.

    UnknownRegisterError for another name, UsageError for one that is a part of another register.
    """
    if name in arch.views:
        whole = arch.views[name].register
        raise UsageError(f"{name} is a part of {whole}: ask for that one")
    known = register_numbers(arch, names)
    canonical = arch.aliases.get(name, name)
    if canonical not in known:
        raise UnknownRegisterError(name, list(known))
    return known[canonical]
