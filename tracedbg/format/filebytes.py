"""The bytes of a trace file, read by position so that threads may share it."""

import os
from pathlib import Path

from tracedbg.errors import TraceFormatError


class FileBytes:
    """A file opened for reading; ``size`` is its length in bytes when it was opened."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._descriptor = -1
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            self.size = os.fstat(self._descriptor).st_size
            # A folder opens, but cannot be read.
            os.pread(self._descriptor, 1, 0)
        except OSError as error:
            self.close()
            raise self.error(None, f"cannot be opened: {error.strerror}") from error

    def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; raises TraceFormatError when the file has not as many."""
        if offset < 0 or offset + length > self.size:
            raise self.error(offset, f"{length} bytes are wanted here, and the file has {self.size}")
        parts = []
        while length:
            try:
                part = os.pread(self._descriptor, length, offset)
            except OSError as error:
                raise self.error(offset, f"cannot be read: {error.strerror}") from error
            if not part:
                raise self.error(offset, "the file has become shorter since it was opened")
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def error(self, offset: int | None, problem: str) -> TraceFormatError:
        """Return the error that says what is wrong at a byte of this file."""
        return TraceFormatError(self.path, offset, problem)

    def close(self) -> None:
        """Close the file; nothing can be read afterwards."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class FileWindow(FileBytes):
    """A stretch of a file that was read at once, for many small reads in it; nothing else can be read."""

    def __init__(self, file: FileBytes, offset: int, length: int) -> None:
        self.path = file.path
        self.size = file.size
        self._descriptor = -1
        self._start = offset
        self._content = file.read(offset, length)

    def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset`` of the file; TraceFormatError outside the stretch."""
        at = offset - self._start
        if at < 0 or at + length > len(self._content):
            raise self.error(offset, f"{length} bytes are wanted here, beyond the end of what they belong to")
        return self._content[at : at + length]
