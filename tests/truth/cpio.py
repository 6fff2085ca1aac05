"""Writes the archive that Linux unpacks as its first file system: cpio in the "newc" layout."""

from dataclasses import dataclass

_FOLDER = 0o040755
_PROGRAM = 0o100755
_CHARACTER_DEVICE = 0o020600


@dataclass(frozen=True)
class Entry:
    """One name in the archive."""

    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def folder(name: str) -> Entry:
    """A folder; it has to come before what lies in it."""
    return Entry(name, _FOLDER)


def program(name: str, data: bytes) -> Entry:
    """A file that may be run."""
    return Entry(name, _PROGRAM, data)


def character_device(name: str, major: int, minor: int) -> Entry:
    """A node of a character device."""
    return Entry(name, _CHARACTER_DEVICE, device=(major, minor))


def archive(entries: list[Entry]) -> bytes:
    """The archive that holds these entries in this order, all of them root's and without times."""
    members = [_member(number, entry) for number, entry in enumerate(entries, start=1)]
    return b"".join([*members, _member(0, Entry("TRAILER!!!", 0))])


def _member(number: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    links = 2 if entry.mode == _FOLDER else 1
    numbers = (number, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, *entry.device, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in numbers)
    return _padded(header + name) + _padded(entry.data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
