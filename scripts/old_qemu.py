"""Fetches Debian 12's own QEMU 7.2 beside the installed one, for tests: nothing outside a folder changes."""

from __future__ import annotations

import fcntl
import platform
import subprocess
from pathlib import Path

from scripts.install_tools import parse_madison
from scripts.tools import QEMU, parse_qemu_version

VERSION = (7, 2)
PACKAGES = ("qemu-system-misc", "qemu-system-common", "qemu-system-data")
_DONE = "unpacked"


class OldQemuError(Exception):
    """It cannot be had; ``str()`` says why."""


def is_offered() -> bool:
    """Whether this is the system that the packages are made for: elsewhere their libraries are missing."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME") == "bookworm"


def old_qemu(folder: Path) -> list[str]:
    """The command of QEMU 7.2 with the folder of its data files, unpacked into ``folder`` if need be."""
    root = folder / "root"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Several test runners may want it at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _DONE).exists():
            _unpack(folder, root)
    return [str(root / "usr" / "bin" / QEMU), "-L", str(root / "usr" / "share" / "qemu")]


def _unpack(folder: Path, root: Path) -> None:
    for package in PACKAGES:
        _run(["apt-get", "download", f"{package}={_version(package)}"], folder)
    for archive in sorted(folder.glob("*.deb")):
        _run(["dpkg", "-x", str(archive), str(root)], folder)
        archive.unlink()
    (folder / _DONE).touch()


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
