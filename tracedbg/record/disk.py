"""A full disk: files that ask for room before they fail, and the check that sees it coming."""

import errno
import fcntl
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from tracedbg.errors import RecordError

MARGIN = 64 << 20
"""With less free than this the recording ends by itself."""


_BUFFER = 1 << 18


class PatientFile(io.RawIOBase):
    """A new file for writing. When the disk is full, ``make_room`` is called and the write tried once more.

    What is written stays in order and whole, so that a trace in it can still be finished.
    """

    def __init__(self, path: Path, make_room: Callable[[], None]) -> None:
        self.name = str(path)
        self._make_room = make_room
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)

    def writable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Not by this class, but writers ask where they are."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As os.lseek does."""
        return os.lseek(self._descriptor, offset, whence)

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        """Write all of it; OSError when there is no room even then."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            rest = rest[self._write_some(rest) :]
        return size

    def _write_some(self, data: memoryview) -> int:
        try:
            return os.write(self._descriptor, data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._make_room()
            return os.write(self._descriptor, data)

    def close(self) -> None:
        """Close the descriptor."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def open_patient(path: Path, make_room: Callable[[], None]) -> BinaryIO:
    """Return a buffered PatientFile."""
    # The stubs of BufferedWriter want more methods of a raw file than it calls.
    return io.BufferedWriter(cast(io.FileIO, PatientFile(path, make_room)), _BUFFER)


def lock(descriptor: int, path: Path) -> None:
    """Keep others from repairing or recording to ``path``; RecordError when one does so now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise RecordError(f"{path}: a recording to it is still under way") from None


def is_nearly_full(path: Path) -> bool:
    """Say whether less than MARGIN is free where ``path`` lies."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize < MARGIN
