"""The system tools that the tests need: how each is recognised and which packages bring it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.check_python import missing_modules, venv_package

OLDEST_QEMU = (9, 2)
QEMU = "qemu-system-riscv64"


@dataclass(frozen=True)
class Tool:
    """Something that must be there, the Debian and Ubuntu packages that bring it, and what it is for."""

    packages: tuple[str, ...]
    purpose: str
    is_here: Callable[[], bool]


def on_path(*names: str) -> Callable[[], bool]:
    """Recognises a tool by its commands."""
    return lambda: all(shutil.which(name) for name in names)


def has_file(path: str) -> Callable[[], bool]:
    """Recognises a tool by a file that its package brings."""
    return Path(path).exists


def parse_qemu_version(text: str) -> tuple[int, int] | None:
    """Major and minor version out of ``qemu-system-* --version`` or of a package's version."""
    found = re.search(r"(?:version |^(?:\d+:)?)(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def installed_qemu() -> tuple[int, int] | None:
    """The version of the QEMU on PATH; None where there is none that starts."""
    if shutil.which(QEMU) is None:
        return None
    run = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=False)
    return parse_qemu_version(run.stdout)


def has_new_qemu() -> bool:
    """Whether the QEMU on PATH is new enough to record with."""
    version = installed_qemu()
    return version is not None and version >= OLDEST_QEMU


def has_c_compiler() -> bool:
    """Whether C can be compiled here: a compiler and the C library's headers."""
    return on_path("cc")() and has_file("/usr/include/stdio.h")()


def has_venv() -> bool:
    """Whether this Python can make virtual environments, or is not one that Debian's packages could mend."""
    return not missing_modules() or not sys.executable.startswith("/usr/bin/")


TOOLS = (
    Tool(("gcc", "libc6-dev"), "compiles the recorder", has_c_compiler),
    Tool(("git",), "tells sources from other files", on_path("git")),
    Tool(("make",), "builds the guests", on_path("make")),
    Tool(("tmux",), "runs the replay screen in a real terminal", on_path("tmux")),
    Tool(("e2fsprogs",), "makes the disk of a guest", on_path("mke2fs")),
    Tool(("clang-format",), "checks how the C is laid out", on_path("clang-format")),
    Tool(("gdb-multiarch",), "is the oracle for registers, memory and backtraces", on_path("gdb-multiarch")),
    Tool(
        ("gcc-riscv64-unknown-elf",),
        "builds bare-metal guests",
        on_path("riscv64-unknown-elf-gcc", "riscv64-unknown-elf-objdump"),
    ),
    Tool(
        ("gcc-riscv64-linux-gnu", "libc6-dev-riscv64-cross"),
        "builds guests and Linux programs",
        lambda: on_path("riscv64-linux-gnu-gcc")() and has_file("/usr/riscv64-linux-gnu/include/stdio.h")(),
    ),
    Tool(
        ("rustc", "rust-src"),
        "builds a kernel in Rust",
        lambda: on_path("/usr/bin/rustc")() and any(Path("/usr/src").glob("rustc-*/library/core")),
    ),
    Tool(("u-boot-qemu",), "is a guest that is recorded", has_file("/usr/lib/u-boot/qemu-riscv64_smode")),
    Tool(
        (venv_package((sys.version_info[0], sys.version_info[1])),),
        "makes the virtual environment",
        has_venv,
    ),
)

QEMU_TOOL = Tool(
    ("qemu-system-misc", "qemu-system-riscv", "opensbi"),
    "runs the guests, with its firmware",
    lambda: has_new_qemu() and has_file("/usr/lib/riscv64-linux-gnu/opensbi/generic")(),
)
