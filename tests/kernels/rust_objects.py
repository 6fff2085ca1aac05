"""Compiles a kernel's Rust: first the language's own ``core`` from the distribution's sources, then it."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from tests.truth.linux import cache_home

RUSTC = "/usr/bin/rustc"
_SOURCES = "rustc-*/library/core/src/lib.rs"
_FLAGS = "--edition 2021 --target riscv64imac-unknown-none-elf -g -C panic=abort -C code-model=medium"
_LIBRARY = "--crate-type rlib"
_OBJECT = "--crate-type lib --emit obj -o kernel.o"
_NO_BUILTINS = "#![feature(compiler_builtins, no_core)] #![compiler_builtins] #![no_core]\n"


def compile_rust(source: Path, folder: Path, level: int) -> list[str]:
    """Return the object of a source, optimised so much and made in ``folder``, and the library to link."""
    libraries = _core(level)
    _rustc(folder, source, level, f"{_OBJECT} -L {libraries}")
    return [str(folder / "kernel.o"), str(libraries / "libcore.rlib")]


def _core(level: int) -> Path:
    """Return the folder with ``core`` and what it names; kept between runs, for it takes long to make."""
    source = sorted(Path("/usr/src").glob(_SOURCES))[-1]
    version = subprocess.run([RUSTC, "--version"], capture_output=True, text=True, check=True).stdout
    key = hashlib.sha256(f"{version} {_FLAGS} {level} {source}".encode()).hexdigest()[:16]
    kept = cache_home() / "tracedbg-guests" / f"rust-core-{key}"
    if kept.is_dir():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        builtins = made / "compiler_builtins.rs"
        builtins.write_text(_NO_BUILTINS)
        _rustc(made, source, level, f"{_LIBRARY} --crate-name core -o libcore.rlib")
        _rustc(made, builtins, level, f"{_LIBRARY} -L .")
        try:
            made.rename(kept)
        except OSError:
            if not kept.is_dir():  # else another process was faster
                raise
    return kept


def _rustc(folder: Path, source: Path, level: int, words: str) -> None:
    """Run the distribution's compiler as one that may build ``core``."""
    subprocess.run(
        [RUSTC, *_FLAGS.split(), "-C", f"opt-level={level}", *words.split(), str(source)],
        cwd=folder, check=True, timeout=600, env={**os.environ, "RUSTC_BOOTSTRAP": "1"},
    )  # fmt: skip
