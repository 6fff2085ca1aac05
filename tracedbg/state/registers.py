"""The registers of a hart at a moment, by every name that they have."""

from collections.abc import Iterator, Mapping, Sequence

from tracedbg.arch import Architecture
from tracedbg.errors import UsageError


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
    are the 64 bits that they hold. An unknown name raises UnknownRegisterError.
    """

    def __init__(self, arch: Architecture, names: Sequence[str], values: Sequence[int | None]) -> None:
        self._arch = arch
        self._values = dict(zip(recorded_names(arch, names), values, strict=True))

    def __getitem__(self, name: str) -> int | None:
        view = self._arch.views.get(name)
        if view is not None and name not in self._values:
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
        return name in self._values or name in self._arch.aliases or name in self._arch.views

    @property
    def views(self) -> dict[str, int | None]:
        """The registers that are parts of others."""
        return {name: view.of(self.find) for name, view in self._arch.views.items()}


def recorded_names(arch: Architecture, names: Sequence[str]) -> list[str]:
    """Return a trace's register names as the architecture writes them."""
    return [arch.aliases.get(name, name) for name in names]


def register_number(arch: Architecture, names: Sequence[str], name: str) -> int:
    """Return the number of a recorded register by any of its names; UnknownRegisterError for
    another name, UsageError for one that is a part of another register."""
    if name in arch.views:
        whole = arch.views[name].register
        raise UsageError(f"{name} is a part of {whole}: ask for that one")
    known = recorded_names(arch, names)
    canonical = arch.aliases.get(name, name)
    if canonical not in known:
        raise UnknownRegisterError(name, known)
    return known.index(canonical)
