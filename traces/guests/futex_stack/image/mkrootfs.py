"""Lay out the guest's root directory: programs, /etc/issue, a sparse log and some small files."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

ISSUE = "Tracing Teaching Kernel 1.0 (riscv64)\nAll tasks present and correct.\n"
SPARSE_BLOCKS = 24
BLOCK_SIZE = 1024


def write_small_files(root: Path) -> None:
    """The small files that fill the directories of any system."""
    for name in ("fstab", "group", "hostname", "hosts", "inittab", "passwd", "profile", "shells"):
        (root / "etc" / name).write_text(f"# {name}\n")
    for number in range(24):
        (root / "lib" / "modules" / f"driver{number:02}.ko").write_text(f"module {number}\n")


def write_issue(root: Path) -> None:
    """/etc/issue, as distributions have it: a link to the text in /usr/lib."""
    (root / "usr" / "lib" / "issue").write_text(ISSUE)
    (root / "etc" / "issue").symlink_to("../usr/lib/issue")


def write_sparse_log(root: Path) -> None:
    """A log of which every fourth block was written; the rest are holes."""
    blocks = [
        f"record {n:04}\n".encode().ljust(BLOCK_SIZE, b".") if n % 4 == 3 else bytes(BLOCK_SIZE)
        for n in range(SPARSE_BLOCKS)
    ]
    (root / "var" / "log" / "sparse").write_bytes(b"".join(blocks))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--init", type=Path, required=True)
    parser.add_argument("--program", type=Path, action="append", default=[])
    arguments = parser.parse_args()
    root = arguments.root
    shutil.rmtree(root, ignore_errors=True)
    for directory in ("bin", "etc", "lib/modules", "usr/lib", "var/log"):
        (root / directory).mkdir(parents=True)
    write_small_files(root)
    write_issue(root)
    write_sparse_log(root)
    shutil.copy(arguments.init, root / "init")
    for program in arguments.program:
        shutil.copy(program, root / "bin" / program.name)


if __name__ == "__main__":
    main()
