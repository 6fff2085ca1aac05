"""Bytes of which some may be unknown."""

from dataclasses import dataclass

UNKNOWN = "??"


@dataclass(frozen=True)
class Gap:
    """``size`` bytes from ``address`` on that are not known, and a phrase that says why."""

    address: int
    size: int
    reason: str


@dataclass(frozen=True)
class Known:
    """Bytes in order of address; ``mask`` has a 1 for each that is known, 0 else, and ``data`` then 0.

    ``gaps`` tell why bytes are not known, where there is more to say than that the trace never saw them.
    """

    data: bytes
    mask: bytes
    gaps: tuple[Gap, ...] = ()

    def __len__(self) -> int:
        return len(self.data)

    @property
    def is_complete(self) -> bool:
        """Whether every byte is known."""
        return 0 not in self.mask

    @property
    def values(self) -> tuple[int | None, ...]:
        """Each byte, None where it is not known."""
        return tuple(byte if known else None for byte, known in zip(self.data, self.mask, strict=True))

    @property
    def integer(self) -> int | None:
        """The bytes as a little-endian number without sign, None unless all are known."""
        return int.from_bytes(self.data, "little") if self.is_complete else None

    @property
    def hex(self) -> str:
        """Two hexadecimal digits for each byte, ``??`` for an unknown one, set apart by blanks."""
        return " ".join(UNKNOWN if value is None else f"{value:02x}" for value in self.values)


def unknown(address: int, size: int, reason: str) -> Known:
    """Return ``size`` bytes of which none is known."""
    return Known(bytes(size), bytes(size), (Gap(address, size, reason),) if size else ())


def join(parts: list[Known]) -> Known:
    """Return the bytes of all parts, one after the other."""
    return Known(
        b"".join(part.data for part in parts),
        b"".join(part.mask for part in parts),
        tuple(gap for part in parts for gap in part.gaps),
    )
