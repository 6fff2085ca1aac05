"""Where a recording starts and stops: ``--start-at`` and ``--stop-at`` as options of the plugin."""

import re
from collections.abc import Sequence
from pathlib import Path

from tracedbg.errors import UsageError
from tracedbg.numerals import NUMBER, parse_number
from tracedbg.record import command
from tracedbg.symbols import SymbolTable


def plugin_limits(
    start: str | None, stop: str | None, symbols: Sequence[Path], words: Sequence[str]
) -> dict[str, str]:
    """Return ``start-pc``, ``start-t``, ``stop-pc`` and ``stop-t`` as far as they are wanted.

    Symbols are looked up in ``symbols`` and in the ELF files that QEMU's own options among ``words`` name.
    Raises UsageError for a text that is no count, address or known symbol.
    """
    found: dict[str, str] = {}
    for name, text in (("start", start), ("stop", stop)):
        if text is not None:
            kind, value = _limit(text, symbols, words)
            found[f"{name}-{kind}"] = str(value)
    return found


def _limit(text: str, symbols: Sequence[Path], words: Sequence[str]) -> tuple[str, int]:
    if re.fullmatch(NUMBER, text):
        value = parse_number(text)
        if value >= 1 << 64:
            raise UsageError(f"{text[:40]}: more than 64 bits hold")
        return "pc" if text.startswith("0x") else "t", value
    files = [*symbols, *elf_files(words, Path.cwd())]
    table = SymbolTable.load(files)
    symbol = table.find(text)
    if symbol is None:
        near = ", ".join(table.nearest(text))
        hint = f"; near it: {near}" if near else "" if files else "; give an ELF file with --symbols"
        raise UsageError(f"{text}: neither a count, an address with 0x, nor a symbol{hint}")
    return "pc", int(symbol.address)


def elf_files(argv: Sequence[str], folder: Path) -> list[Path]:
    """Return the ELF files that a QEMU command line boots."""
    return [folder / word for word in boot_files(argv) if is_elf(folder / word)]


def boot_files(argv: Sequence[str]) -> list[str]:
    """Return the files that a QEMU command line boots, as it names them: kernel, firmware, loader devices."""
    found = []
    for option in command.iter_options(argv):
        value = option.value or ""
        if option.name in {"kernel", "bios"}:
            found.append(value)
        elif option.name == "device" and value.startswith("loader,"):
            found += [word.removeprefix("file=") for word in value.split(",") if word.startswith("file=")]
    return [word for word in found if word]


def is_elf(path: Path) -> bool:
    """Say whether a file begins as an ELF file does."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False
