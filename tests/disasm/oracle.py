"""Asks binutils for instructions of RV64, as bytes or as assembly."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from tracedbg.disasm import Instruction

PREFIX = "riscv64-unknown-elf-"
UBOOT = Path("/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf")
# binutils 2.40 prints most instructions with an immediate under the name of the one without.
_WITHOUT_I = re.compile(r"^(add|and|or|xor|sll|srl|sra|ror|bclr|bext|binv|bset|csrr?[wsc])i(w|)(?= )")


class Listed(NamedTuple):
    """A line of objdump -d."""

    address: int
    data: bytes
    text: str


def listing(*options: str | Path) -> list[Listed]:
    """What objdump prints for its options, texts without the symbols and comments behind."""
    command = [f"{PREFIX}objdump", "-M", "priv-spec=1.12", *(str(option) for option in options)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = []
    for line in output.splitlines():
        match = re.match(r" *([0-9a-f]+):\t([0-9a-f]+) +\t(.*)", line)
        if match:
            data = bytes.fromhex(match[2])[::-1]
            found.append(Listed(int(match[1], 16), data, _without_0x(_bare(match[3]))))
    return found


def _bare(text: str) -> str:
    text = re.sub(r"\s*[#<].*$", "", text).strip()
    mnemonic, _, operands = text.partition("\t")
    return f"{mnemonic} {operands}".strip()


def _without_0x(text: str) -> str:
    """A branch's target, which objdump prints with 0x only where there are no symbols."""
    jumps = re.match(r"(j|jal|b[a-z]+) (?!.*\()", text)
    return re.sub(r"0x(?=[0-9a-f]+$)", "", text) if jumps else text


def as_listed(instruction: Instruction) -> str:
    """Our text as binutils 2.40 would spell it."""
    operands = instruction.operands.replace(", ", ",")
    text = _without_0x(f"{instruction.mnemonic} {operands}".strip())
    return _WITHOUT_I.sub(r"\1\2", text)


def assembled(lines: str, folder: Path, march: str) -> list[Listed]:
    """Assembly put through gas and back through objdump."""
    source, target = folder / "source.S", folder / "source.o"
    source.write_text(lines)
    subprocess.run([f"{PREFIX}as", f"-march={march}", str(source), "-o", str(target)], check=True)
    return listing("-d", target)


def raw_listing(data: bytes, folder: Path) -> list[Listed]:
    """objdump's view of bytes without a file around them, as RV64GC."""
    path = folder / "raw.bin"
    path.write_bytes(data)
    return listing("-D", "-z", "-b", "binary", "-m", "riscv:rv64", path)
