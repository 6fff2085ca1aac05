"""What holds a value: a register or bytes of memory, at a moment."""

from dataclasses import dataclass

from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress


@dataclass(frozen=True)
class RegisterAt:
    """A hart's register, by its name in the architecture or ``pc``, at moment ``t``."""

    name: str
    hart: Hart
    t: Time

    @property
    def target(self) -> str:
        """How one asks for it."""
        return self.name


@dataclass(frozen=True)
class BytesAt:
    """Bytes that lie side by side in physical memory, at moment ``t``.

    ``virtual`` is the address that they were touched or asked for by, None for none.
    """

    physical: PhysicalAddress
    size: int
    t: Time
    virtual: VirtualAddress | None = None

    @property
    def target(self) -> str:
        """How one asks for them."""
        return f"{self.physical:#x}:{self.size}"

    def part(self, physical: PhysicalAddress, size: int) -> "BytesAt":
        """Return some of these bytes."""
        ahead = physical - self.physical
        virtual = None if self.virtual is None else VirtualAddress(self.virtual + ahead)
        return BytesAt(physical, size, self.t, virtual)


Place = RegisterAt | BytesAt
