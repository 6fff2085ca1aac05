"""What a guest really ran under plain QEMU: mnemonics, families by their labels, causes of traps."""

import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tests.recorder.generator import STEP_PREFIX, Program, command
from tests.recorder.generator.layout import CODE_COPY_FRAMES, PAGE, STREAMS, SUPERVISOR_CODE, USER_CODE

_OBJDUMP = "riscv64-unknown-elf-objdump"
_NM = "riscv64-unknown-elf-nm"
_EXECUTED = re.compile(rb"^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/", re.MULTILINE)
_TRAP = re.compile(rb"riscv_cpu_do_interrupt: hart:(\d+), async:(\d), cause:([0-9a-f]+)")
_DISASSEMBLED = re.compile(r"^ *([0-9a-f]+):\t[0-9a-f ]+\t(\S+)", re.MULTILINE)


@dataclass
class Coverage:
    """Counts over one or more runs."""

    instructions: int = 0
    mnemonics: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    exceptions: Counter[int] = field(default_factory=Counter)
    interrupts: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Coverage") -> None:
        self.instructions += other.instructions
        self.mnemonics += other.mnemonics
        self.families += other.families
        self.exceptions += other.exceptions
        self.interrupts += other.interrupts


def measure(program: Program, elf: Path, *, timeout: float) -> Coverage:
    """Run a guest with one instruction per block and a log of each; TimeoutExpired if it does not end."""
    log = elf.with_suffix(".log")
    arguments = ["-accel", "tcg,thread=single,one-insn-per-tb=on", "-d", "exec,nochain,int", "-D", str(log)]
    subprocess.run(
        [*command(program, elf), *arguments],
        cwd=elf.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    text = log.read_bytes()
    log.unlink()
    executed = Counter(_in_image(int(found, 16)) for found in _EXECUTED.findall(text))
    coverage = Coverage(instructions=executed.total())
    for _, interrupt, cause in _TRAP.findall(text):
        (coverage.interrupts if interrupt == b"1" else coverage.exceptions)[int(cause, 16)] += 1
    for address, mnemonic in _mnemonics(elf).items():
        if address in executed:
            coverage.mnemonics[mnemonic] += executed[address]
    for address, family in _steps(elf).items():
        if address in executed:
            coverage.families[family] += executed[address]
    return coverage


def _in_image(address: int) -> int:
    """The address under which the ELF file has what ran at a virtual address."""
    for base in (USER_CODE, SUPERVISOR_CODE):
        if base <= address < base + CODE_COPY_FRAMES * PAGE:
            return address - base + STREAMS
    return address


def _mnemonics(elf: Path) -> dict[int, str]:
    text = _output([_OBJDUMP, "-d", "-M", "no-aliases", str(elf)])
    return {int(address, 16): mnemonic for address, mnemonic in _DISASSEMBLED.findall(text)}


def _steps(elf: Path) -> dict[int, str]:
    """Families by the address of their label, those that came out empty left out."""
    symbols = []
    for line in _output([_NM, "-n", str(elf)]).splitlines():
        address, _, name = line.split(maxsplit=2)
        if name.startswith((f"{STEP_PREFIX}.", "segment_", "streams_end")):
            symbols.append((int(address, 16), name))
    return {
        address: name.split(".")[1]
        for (address, name), (following, _) in pairwise(symbols)
        if name.startswith(STEP_PREFIX) and following != address
    }


def _output(arguments: list[str]) -> str:
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True).stdout
