"""From a program to an ELF file, and the command that runs it."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import layout

QEMU = "qemu-system-riscv64"
COMPILER = "riscv64-unknown-elf-gcc"
_FLAGS = (
    "-nostdlib",
    "-nostartfiles",
    "-static",
    "-mcmodel=medany",
    "-Wl,--build-id=none",
    "-Wl,--no-relax",
    "-Wl,--no-warn-rwx-segments",
    "-Wl,-z,max-page-size=4096",
)
_LINKER_SCRIPT = """\
ENTRY(_start)
SECTIONS
{{
  . = {ram:#x};
  .text.runtime : {{ *(.text.runtime) }}
  .data.runtime : {{ *(.data.runtime) }}
  . = {streams:#x};
  .text.streams : {{ *(.text.streams) streams_end = .; }}
  ASSERT(. <= {tables:#x}, "the streams run into the page tables")
  . = {tables:#x};
  .tables : {{ *(.tables) }}
  . = {data:#x};
  .data.shared : {{ *(.data.shared) }}
  . = {patch:#x};
  .patch : {{ *(.patch) }}
}}
"""


class BuildError(Exception):
    """The assembler or linker refused a guest; ``output`` is what it said."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.output = output


@dataclass(frozen=True)
class Program:
    """A guest as text; ``files`` are those that it finds in its working folder."""

    name: str
    source: str
    march: str
    harts: int
    cpu: str
    qemu_args: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    exit_code: int = 0
    wrapper: tuple[str, ...] = ()
    """What goes before QEMU on the command line, such as timeout."""


def linker_script() -> str:
    return _LINKER_SCRIPT.format(
        ram=layout.RAM, streams=layout.STREAMS, tables=layout.TABLES, data=layout.DATA, patch=layout.PATCH
    )


def _abi(march: str) -> str:
    """The calling convention that the base extensions of ``march`` allow."""
    return "lp64d" if "d" in march.partition("_")[0] else "lp64"


def build(program: Program, folder: Path) -> Path:
    """Write source, linker script and files into ``folder``, and return the linked ELF file."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"{program.name}.S"
    script = folder / "link.ld"
    elf = folder / f"{program.name}.elf"
    source.write_text(program.source)
    script.write_text(linker_script())
    for name, content in program.files.items():
        (folder / name).write_bytes(content)
    command = [
        COMPILER,
        *_FLAGS,
        f"-march={program.march}",
        f"-mabi={_abi(program.march)}",
        "-T",
        str(script),
        str(source),
        "-o",
        str(elf),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if result.returncode:
        raise BuildError(result.stderr)
    return elf


def command(program: Program, elf: Path) -> list[str]:
    """The QEMU command line; to be run in the folder of the ELF file."""
    return [
        *program.wrapper,
        QEMU,
        "-machine",
        "virt",
        "-bios",
        "none",
        "-m",
        f"{layout.RAM_MEBIBYTES}M",
        "-cpu",
        program.cpu,
        "-smp",
        str(program.harts),
        "-nographic",
        *program.qemu_args,
        "-kernel",
        elf.name,
    ]
