"""Builds the small guest and asks binutils what tracedbg.symbols is compared with."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

GUEST = Path(__file__).parent / "guest"
PREFIX = "riscv64-unknown-elf-"
_SOURCES = ("start.S", "main.c", "sub/far.c")


def run(*command: str | Path, text: str | None = None, folder: Path | None = None) -> str:
    """The standard output of a command that must succeed."""
    line = [str(part) for part in command]
    done = subprocess.run(line, input=text, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def build_guest(output: Path, *options: str, prefix: str = PREFIX) -> Path:
    """Compile and link tests/symbols/guest, whose paths become /kernel/..., at 0x80200000."""
    run(
        f"{prefix}gcc", "-nostdlib", "-nostartfiles", "-static", "-march=rv64gc", "-mabi=lp64d",
        "-mcmodel=medany", "-fno-pie", "-no-pie",
        f"-ffile-prefix-map={GUEST}=/kernel", f"-fdebug-prefix-map={GUEST}=/kernel",
        "-Wl,-Ttext=0x80200000", "-Wl,-e,_start", "-Wl,--build-id", *options,
        *_SOURCES, "-o", output, folder=GUEST,
    )  # fmt: skip
    return output


class ReadSymbol(NamedTuple):
    """A line of readelf -s."""

    address: int
    size: int
    kind: str
    binding: str
    section: str
    name: str


def read_symbols(elf: Path, option: str = "-Ws") -> list[ReadSymbol]:
    """The defined symbols that readelf lists."""
    found = []
    for line in run("readelf", option, elf).splitlines():
        parts = line.split()
        if len(parts) == 8 and parts[0][:-1].isdigit() and parts[6] != "UND":
            found.append(
                ReadSymbol(int(parts[1], 16), int(parts[2], 0), parts[3], parts[4], parts[6], parts[7])
            )
    return found


def instruction_addresses(elf: Path) -> list[int]:
    """The address of every instruction that objdump -d lists."""
    listing = run(f"{PREFIX}objdump", "-d", elf)
    return [int(match, 16) for match in re.findall(r"^ *([0-9a-f]+):\t", listing, re.MULTILINE)]


def addr2line(elf: Path, addresses: list[int]) -> list[list[tuple[str, str]]]:
    """For each address the (function, file:line) pairs of addr2line -f -i -C -a, innermost first."""
    text = "\n".join(hex(address) for address in addresses)
    answers: list[list[tuple[str, str]]] = []
    lines = run("riscv64-linux-gnu-addr2line", "-a", "-f", "-i", "-C", "-e", elf, text=text).splitlines()
    pending = ""
    for line in lines:
        if line.startswith("0x"):
            answers.append([])
        elif not pending:
            pending = line
        else:
            answers[-1].append((pending, line.split(" (discriminator")[0]))
            pending = ""
    return answers


class FrameRow(NamedTuple):
    """A row of readelf's frames-interp: the CFA and the named columns, as text."""

    address: int
    end: int
    cfa: str
    columns: dict[str, str]


def frame_rows(elf: Path) -> list[FrameRow]:
    """Every row of every FDE, as readelf --debug-dump=frames-interp prints them, with its end."""
    rows: list[FrameRow] = []
    names: list[str] = []
    low = high = 0
    for line in run(f"{PREFIX}readelf", "--debug-dump=frames-interp", elf).splitlines():
        header = re.search(r" FDE .*pc=([0-9a-f]+)\.\.([0-9a-f]+)", line)
        if header:
            low, high = int(header[1], 16), int(header[2], 16)
        elif " CIE " in line:
            high = 0
        elif line.strip().startswith("LOC"):
            names = line.split()[2:]
        elif high and re.match(r"[0-9a-f]{16} ", line):
            address, cfa, *cells = line.split()
            start = int(address, 16)
            if rows and rows[-1].end == high and rows[-1].address >= low:
                rows[-1] = rows[-1]._replace(end=start)
            rows.append(FrameRow(start, high, cfa, dict(zip(names, cells, strict=True))))
    return rows
