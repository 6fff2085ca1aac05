"""Builds the kernels of this folder and records their runs."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.kernels.rust_objects import compile_rust
from tests.kernels.variants import DESIGNS, Kernel

FOLDER = Path(__file__).parent
_CFLAGS = (
    "-nostdlib -nostartfiles -static -ffreestanding -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany"
    " -g -std=gnu11 -Wall -Wextra -Wno-missing-field-initializers -Werror -Ibase -Wa,-Ibase"
    " -Wl,--build-id=none -Wl,--gc-sections -Wl,--no-warn-rwx-segments -Wl,-T,base/kernel.ld"
)
_TOOLS = "riscv64-unknown-elf-"


@dataclass(frozen=True)
class Built:
    """A kernel's ``elf`` as QEMU loads it, and ``symbols``: the same with its symbols."""

    kernel: Kernel
    elf: Path
    symbols: Path


def build(kernel: Kernel, folder: Path) -> Built:
    """Compile a kernel into ``folder``."""
    design = DESIGNS[kernel.design]
    symbols = folder / f"{kernel.name}.elf"
    sources = list(design.sources)
    if kernel.source.endswith(".rs"):
        level = 3 if "-O2" in kernel.flags else 1
        sources += compile_rust(FOLDER / design.folder / kernel.source, folder, level)
    else:
        sources.append(f"{design.folder}/{kernel.source}")
    offset = f"-Wl,--defsym=OFFSET={design.offset:#x}"
    subprocess.run(
        [_TOOLS + "gcc", *_CFLAGS.split(), offset, *kernel.flags, *sources, "-o", str(symbols)],
        cwd=FOLDER, check=True, timeout=60,
    )  # fmt: skip
    if not kernel.stripped:
        return Built(kernel, symbols, symbols)
    elf = folder / f"{kernel.name}.stripped.elf"
    subprocess.run([_TOOLS + "strip", "-o", str(elf), str(symbols)], check=True, timeout=60)
    return Built(kernel, elf, symbols)


def command(built: Built) -> list[str]:
    """Return the command that runs a kernel; no longer than its ``seconds``."""
    return [
        "timeout", str(built.kernel.seconds), "qemu-system-riscv64", "-machine", "virt", "-m", "16M",
        "-cpu", built.kernel.cpu, "-smp", str(built.kernel.harts),
        "-bios", "none", "-display", "none", "-serial", "stdio", "-monitor", "none", "-nic", "none",
        "-kernel", str(built.elf),
    ]  # fmt: skip


def record(built: Built, output: Path) -> Path:
    """Record a run by instruction count, so that every run is the same."""
    subprocess.run(
        [sys.executable, "-m", "tracedbg", "record", "--icount", "-o", str(output), "--", *command(built)],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
    )  # fmt: skip
    return output
