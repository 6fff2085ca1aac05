"""Looks at what recording needs on this machine, and says what to do about what is missing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tracedbg.errors import RecordError
from tracedbg.record import command, launch, plugin_build, qmp

_OLDEST_PYTHON = (3, 11)
_ENOUGH_DISK = 4 << 30
_GIB = 1 << 30
_SECONDS = 20


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was ``found``, and what is ``todo`` when it is not ``ok``."""

    name: str
    ok: bool
    found: str
    todo: str = ""


def diagnose() -> list[Check]:
    """Look at everything, in the order in which a recording needs it; nothing is raised."""
    return [
        _python(),
        *_qemus(),
        _raising("C compiler", _compiler),
        _raising("QEMU plugin", lambda: _built("recorder")),
        _raising("fold library", lambda: _built("fold")),
        _gdb(),
        _cache(),
        _memfd(),
        _disk(Path.cwd()),
    ]


def _raising(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except RecordError as error:
        return Check(name, False, "missing", str(error))


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    oldest = ".".join(map(str, _OLDEST_PYTHON))
    ok = sys.version_info >= _OLDEST_PYTHON
    return Check("Python", ok, found, "" if ok else f"use Python {oldest} or later")


def _qemus() -> list[Check]:
    found = launch.find_qemus(os.environ.get("PATH", os.defpath))
    recorded = f"qemu-system-{command.RECORDED_TARGET}"
    others = sorted(name.removeprefix("qemu-system-") for name in found if name != recorded)
    checks = [_qemu(recorded, found[recorded]) if recorded in found else _no_qemu(recorded)]
    if others:
        checks.append(Check("other QEMUs", True, f"{', '.join(others)} (not recorded)"))
    return checks


def _no_qemu(name: str) -> Check:
    oldest = ".".join(map(str, qmp.OLDEST_VERSION))
    return Check(
        name, False, "not on PATH", f"install QEMU {oldest} or later (Debian: apt install qemu-system-misc)"
    )


def _qemu(name: str, path: Path) -> Check:
    try:
        qmp.require_version(path)
        version = ".".join(map(str, qmp.qemu_version(path)))
    except RecordError as error:
        return Check(name, False, str(path), str(error))
    if not _takes_plugins(path):
        return Check(
            name, False, f"{version} ({path}), without plugins", "use a QEMU that is configured with plugins"
        )
    return Check(name, True, f"{version} ({path}), with plugins")


def _takes_plugins(qemu: Path) -> bool:
    try:
        done = subprocess.run(
            [qemu, "-plugin", "help"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _compiler() -> str:
    return plugin_build.compiler_version(plugin_build.compiler_command())


def _built(name: plugin_build.Product) -> str:
    return str(plugin_build.build(plugin_build.sources_dir(), name))


def _gdb() -> Check:
    for name in ("gdb-multiarch", f"{command.RECORDED_TARGET}-linux-gnu-gdb", "gdb"):
        path = shutil.which(name)
        if path and _knows_target(path):
            return Check("gdb", True, path)
    return Check(
        "gdb",
        False,
        f"none that knows {command.RECORDED_TARGET}",
        "only `tracedbg attach` needs it (Debian and Ubuntu: apt install gdb-multiarch)",
    )


def _knows_target(gdb: str) -> bool:
    question = [gdb, "-nx", "-batch", "-ex", "set architecture riscv:rv64"]
    try:
        done = subprocess.run(question, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and b"Undefined item" not in done.stderr


def _cache() -> Check:
    folder = plugin_build.cache_folder()
    if folder.name == "tracedbg":
        return Check("cache folder", True, str(folder))
    return Check(
        "cache folder",
        False,
        "not writable: the plugin is compiled for every recording",
        "make ~/.cache/tracedbg writable, or set XDG_CACHE_HOME",
    )


def _memfd() -> Check:
    try:
        os.close(os.memfd_create("tracedbg-doctor"))
    except OSError as error:
        return Check(
            "memfd", False, str(error.strerror), "guest RAM is shared by a memfd: use Linux 3.17 or later"
        )
    return Check("memfd", True, "works")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    found = f"{free / _GIB:.1f} GiB in {folder}"
    if free < _ENOUGH_DISK:
        return Check(
            "free disk", False, found, "a thousand million instructions take about 2 GiB: make room, or -o"
        )
    return Check("free disk", True, found)
