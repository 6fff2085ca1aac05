"""Finds the gdb that knows a trace's architecture, and lays out what the trace carries for it."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tracedbg.errors import TracedbgError
from tracedbg.state import Trace
from tracedbg.state.symbol_files import ELF_MEDIA_TYPE, SOURCE_FOLDER, SOURCE_MEDIA_TYPE, find_problem
from tracedbg.symbols import SymbolFile, without_segments

CANDIDATES = ("gdb-multiarch", "riscv64-linux-gnu-gdb", "riscv64-unknown-elf-gdb", "riscv64-elf-gdb", "gdb")
OWN_PATIENCE, PATIENCE = 60, 2
"""For a server that is ours, and for one that may be none: then gdb's own."""
_PROBE_SECONDS = 30.0


class GdbError(TracedbgError):
    """gdb cannot be had, or does not do what it is told; ``str()`` says what to do."""


def find_gdb(architecture: str | None, given: str | None = None) -> str:
    """Return the path of ``given``, or of the first gdb found, that knows an architecture by gdb's own name.

    Any gdb will do for None. GdbError, which says what to install, when there is none.
    """
    names = CANDIDATES if given is None else (given,)
    found = [path for path in map(shutil.which, names) if path is not None]
    for path in found:
        if architecture is None or _knows(path, architecture):
            return path
    if given is not None and not found:
        raise GdbError(f"{given}: no such program; leave --gdb out to have one looked for")
    seen = f"{', '.join(found)} does not know {architecture}; " if found else "no gdb is installed; "
    raise GdbError(
        f"{seen}install gdb-multiarch (Debian, Ubuntu: apt-get install gdb-multiarch; Fedora, Arch: gdb), "
        "or name one with --gdb"
    )


def _knows(path: str, architecture: str) -> bool:
    command = [path, "-nx", "-batch", "-ex", f"set architecture {architecture}"]
    try:
        probe = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PROBE_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    # gdb says which one it has set; what is no gdb may well succeed, too.
    return probe.returncode == 0 and architecture in probe.stdout


@dataclass(frozen=True)
class Carried:
    """What a trace carries with it, as files: symbols, and the folder in which sources lie by their paths."""

    symbols: tuple[Path, ...]
    sources: Path | None


def unpack(trace: Trace, folder: Path) -> Carried:
    """Write symbol files and sources of a trace below a folder; what they are named cannot lead out of it.

    Symbol files that cannot be read are left out, as the trace itself does with a warning.
    """
    symbols = []
    sources = folder / "sources"
    for number, entry in enumerate(trace.store.attachments):
        content = trace.store.attachment(entry)
        if entry.media_type == ELF_MEDIA_TYPE and find_problem(SymbolFile(content, name=entry.name)) is None:
            name = PurePosixPath(entry.name).name or "symbols.elf"
            symbols.append(_write(folder / "symbols" / str(number) / name, without_segments(content)))
        elif entry.media_type == SOURCE_MEDIA_TYPE and entry.name.startswith(SOURCE_FOLDER):
            _write(sources.joinpath(*_inside(entry.name.removeprefix(SOURCE_FOLDER))), content)
    return Carried(tuple(symbols), sources if sources.exists() else None)


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _inside(name: str) -> Iterator[str]:
    return (part for part in PurePosixPath(name).parts if part not in ("/", "..", "."))


def settings(symbols: tuple[Path, ...], sources: Path | None, patience: int = OWN_PATIENCE) -> list[str]:
    """Return the gdb commands that make it behave with a recording, before it connects.

    ``patience`` is in seconds: how long it waits for an answer, and then asks some times more.

    Without an operating system gdb steps by asking the target, also over system calls; nothing that a symbol
    file brings with it is run or fetched.
    """
    commands = [
        "set auto-load off",
        "set debuginfod enabled off",
        "set confirm off",
        "set osabi none",
        f"set remotetimeout {patience}",
        "set tcp auto-retry off",
    ]
    commands += [f"file {_quoted(path)}" for path in symbols[:1]]
    commands += [f"add-symbol-file {_quoted(path)}" for path in symbols[1:]]
    if sources is not None:
        commands.append(f"directory {_quoted(sources)}")
    return commands


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


GOTO = Path(__file__).with_name("inside.py")
"""Gives gdb, where it has Python, the command ``goto``."""
