"""Compiles a kernel's Rust: first the language's own ``core`` from the distribution's sources, then it."""

import os
import subprocess
from pathlib import Path

RUSTC = "/usr/bin/rustc"
_SOURCES = "rustc-*/library/core/src/lib.rs"
_FLAGS = "--edition 2021 --target riscv64imac-unknown-none-elf -g -C panic=abort -C code-model=medium"
_NO_BUILTINS = "#![feature(compiler_builtins, no_core)] #![compiler_builtins] #![no_core]\n"


def compile_rust(source: Path, folder: Path, level: int) -> list[str]:
    """Return the object of a source, optimised so much, and the library to link it with, in ``folder``."""
    core = sorted(Path("/usr/src").glob(_SOURCES))[-1]
    builtins = folder / "compiler_builtins.rs"
    builtins.write_text(_NO_BUILTINS)
    _rustc(
        folder,
        core,
        "-C",
        f"opt-level={level}",
        "--crate-name",
        "core",
        "--crate-type",
        "rlib",
        "-o",
        "libcore.rlib",
    )
    _rustc(folder, builtins, "--crate-type", "rlib", "-L", ".")
    _rustc(
        folder,
        source,
        "-C",
        f"opt-level={level}",
        "--crate-type",
        "lib",
        "--emit",
        "obj",
        "-L",
        ".",
        "-o",
        "kernel.o",
    )
    return [str(folder / "kernel.o"), str(folder / "libcore.rlib")]


def _rustc(folder: Path, source: Path, *words: str) -> None:
    """Run the distribution's compiler as one that may build ``core``."""
    subprocess.run(
        [RUSTC, *_FLAGS.split(), *words, str(source)],
        cwd=folder, check=True, timeout=300, env={**os.environ, "RUSTC_BOOTSTRAP": "1"},
    )  # fmt: skip
