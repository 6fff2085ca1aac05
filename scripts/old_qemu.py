"""Fetches Debian 12's own QEMU 7.2 beside the installed one, for tests: nothing outside a folder changes."""

from __future__ import annotations

import fcntl
import platform
import subprocess
from pathlib import Path

from scripts.install_tools import parse_madison
from scripts.tools import QEMU, parse_qemu_version

VERSION = (7, 2)
SHARED = ("qemu-system-common", "qemu-system-data")
"""What the programs of all packages need."""


class OldQemuError(Exception):
    """It cannot be had; ``str()`` says why."""


def is_offered() -> bool:
    """Whether this is the system that the packages are made for: elsewhere their libraries are missing."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME") == "bookworm"


def old_qemu(folder: Path, program: str = QEMU, package: str = "qemu-system-misc") -> list[str]:
    """The command of a QEMU 7.2 with the folder of its data files, unpacked into ``folder`` if need be.

    ``package`` is the one that brings the program.
    """
    root = folder / "root"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Several test runners may want it at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        for wanted in (package, *SHARED):
            if not (folder / f"{wanted}.unpacked").exists():
                _unpack(wanted, folder, root)
    return [str(root / "usr" / "bin" / program), "-L", str(root / "usr" / "share" / "qemu")]


def _unpack(package: str, folder: Path, root: Path) -> None:
    _run(["apt-get", "download", f"{package}={_version(package)}"], folder)
    for archive in sorted(folder.glob("*.deb")):
        _run(["dpkg", "-x", str(archive), str(root)], folder)
        archive.unlink()
    (folder / f"{package}.unpacked").touch()


def _version(package: str) -> str:
    rows = parse_madison(_run(["apt-cache", "madison", package], Path.cwd()))
    found = [version for version, _ in rows if parse_qemu_version(version) == VERSION]
    if not found:
        raise OldQemuError(
            f"apt offers no {package} 7.2: run apt-get update, or add Debian 12's main archive"
        )
    return found[0]


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OldQemuError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout
