"""The text of source files: carried with a trace, else found on this machine's disk."""

from collections.abc import Iterator, Mapping
from pathlib import Path

_LARGEST = 16 << 20


class SourceFinder:
    """Finds a file by the path that a line table gives. ``carried`` maps such paths to texts.

    On disk the path itself is tried, then under each of ``folders`` the path with more and more of its
    leading components left off, so that prefix-mapped paths and moved trees are found. Only regular
    files of at most 16 MiB are read.
    """

    def __init__(self, carried: Mapping[str, str] | None = None, folders: tuple[Path, ...] = ()) -> None:
        self._carried = carried or {}
        self._folders = folders
        self._found: dict[str, tuple[str, ...] | None] = {}

    def find(self, file: str) -> tuple[str, ...] | None:
        """The lines of the file without their ends, None where it is not to be had."""
        if file not in self._found:
            self._found[file] = self._read(file)
        return self._found[file]

    def _read(self, file: str) -> tuple[str, ...] | None:
        text = self._carried.get(file)
        if text is not None:
            return tuple(text.split("\n")) if not text.endswith("\n") else tuple(text[:-1].split("\n"))
        for candidate in self._candidates(file):
            lines = _read_lines(candidate)
            if lines is not None:
                return lines
        return None

    def _candidates(self, file: str) -> Iterator[Path]:
        path = Path(file)
        if path.is_absolute():
            yield path
        parts = path.parts[1:] if path.is_absolute() else path.parts
        for folder in self._folders:
            for start in range(len(parts)):
                yield folder.joinpath(*parts[start:])


def _read_lines(path: Path) -> tuple[str, ...] | None:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        return tuple(path.read_text("utf-8", "replace").splitlines())
    except (OSError, ValueError):
        return None
