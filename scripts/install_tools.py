"""Installs the system packages that the tests need: says what is missing first, does nothing without need."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.apt_sources import find_backports, read_sources
from scripts.tools import OLDEST_QEMU, QEMU_TOOL, TOOLS, Tool, installed_qemu, parse_qemu_version

BACKPORTS = Path("/etc/apt/sources.list.d/tracedbg-backports.sources")
PATIENTLY = ("-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3")
NEED = ".".join(map(str, OLDEST_QEMU))


class SetupError(Exception):
    """The machine cannot be set up; ``str()`` says why and what to do."""


def main() -> str | None:
    """Installs what is missing; returns the problem that stands in the way, for ``sys.exit``."""
    missing = [tool for tool in TOOLS if not tool.is_here()]
    lacks_qemu = not QEMU_TOOL.is_here()
    if not missing and not lacks_qemu:
        return None
    try:
        install(missing, lacks_qemu)
    except SetupError as error:
        return f"tracedbg: {error}"
    return None


def install(missing: Sequence[Tool], lacks_qemu: bool) -> None:
    """Brings what is missing and checks that it is there afterwards."""
    wanted = [*missing, QEMU_TOOL] if lacks_qemu else list(missing)
    print("tracedbg: the tests need these, which are not here yet:")
    for tool in wanted:
        print(f"  {' '.join(tool.packages)}: {tool.purpose}")
    packages = [package for tool in wanted for package in tool.packages]
    prefix = _as_root(packages)
    _run([*prefix, "apt-get", *PATIENTLY, "update"], "the package lists could not be fetched")
    _apt_install(prefix, [package for tool in missing for package in tool.packages])
    if lacks_qemu:
        _apt_install(prefix, *_find_qemu(prefix))
    left = [package for tool in wanted if not tool.is_here() for package in tool.packages]
    if left:
        raise SetupError(f"still not usable after the installation: {' '.join(left)}")


def _as_root(packages: Sequence[str]) -> list[str]:
    """The words that go before a command which must run as root; none for root itself."""
    by_hand = f"as root: apt-get install {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise SetupError(f"this system has no apt-get; install by hand what brings: {' '.join(packages)}")
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if os.geteuid() == 0:
        return environment
    if shutil.which("sudo") is None:
        raise SetupError(f"system packages are missing, and there is no sudo to install them with; {by_hand}")
    may_ask = [] if sys.stdin.isatty() else ["-n"]
    if subprocess.run(["sudo", *may_ask, "-v"], check=False).returncode != 0:
        raise SetupError(f"system packages are missing, and sudo may not install them here; {by_hand}")
    return ["sudo", *environment]


def _apt_install(prefix: Sequence[str], packages: Sequence[str], suite: str | None = None) -> None:
    if not packages:
        return
    target = ["-t", suite] if suite else []
    print(f"tracedbg: installing {' '.join(packages)}{f' from {suite}' if suite else ''}", flush=True)
    command = ["apt-get", *PATIENTLY, "install", "--yes", "--no-install-recommends", *target, *packages]
    _run([*prefix, *command], f"apt-get could not install {' '.join(packages)}")


def _find_qemu(prefix: Sequence[str]) -> tuple[list[str], str | None]:
    """The packages of a new enough QEMU, and the suite to ask for them; may add a suite.

    The suite is None when apt would take a new enough one by itself.
    """
    if _is_new(parse_candidate(_output(["apt-cache", "policy", QEMU_TOOL.packages[0]]))):
        return _offered(QEMU_TOOL.packages), None
    suite = _suite_with_new_qemu()
    if suite is None and _add_backports(prefix):
        suite = _suite_with_new_qemu()
        if suite is None:
            _run([*prefix, "rm", "-f", str(BACKPORTS)], f"{BACKPORTS} could not be removed")
    if suite is None:
        raise SetupError(
            f"the package sources of this system offer no QEMU {NEED} or later (here: {_here()}), which "
            "recording needs; Debian 12 has it in its backports, Debian 13 and Ubuntu 25.04 by themselves"
        )
    return _offered(QEMU_TOOL.packages), suite


def _here() -> str:
    version = installed_qemu()
    return "none" if version is None else ".".join(map(str, version))


def _suite_with_new_qemu() -> str | None:
    rows = parse_madison(_output(["apt-cache", "madison", QEMU_TOOL.packages[0]]))
    return next((suite for version, suite in rows if _is_new(version)), None)


def _is_new(package_version: str) -> bool:
    version = parse_qemu_version(package_version)
    return version is not None and version >= OLDEST_QEMU


def parse_candidate(text: str) -> str:
    """The version that apt would install, out of ``apt-cache policy PACKAGE``; empty when there is none."""
    found = re.search(r"^\s*Candidate: (\S+)", text, re.MULTILINE)
    return found[1] if found else ""


def parse_madison(text: str) -> list[tuple[str, str]]:
    """Version and suite of each line that ``apt-cache madison PACKAGE`` prints, newest first as it does."""
    rows = [line.split("|") for line in text.splitlines()]
    return [(row[1].strip(), row[2].split()[1].split("/")[0]) for row in rows if len(row) == 3]


def _offered(packages: Sequence[str]) -> list[str]:
    return [package for package in packages if _output(["apt-cache", "madison", package]).strip()]


def _add_backports(prefix: Sequence[str]) -> bool:
    """Adds the backports suite of this Debian from where its own packages come; False where there is none."""
    release = platform.freedesktop_os_release()
    source = find_backports(read_sources(), release.get("VERSION_CODENAME", ""))
    if release.get("ID") != "debian" or source is None:
        return False
    print(f"tracedbg: adding the suite {source.suites[0]} in {BACKPORTS}", flush=True)
    with tempfile.NamedTemporaryFile("w", suffix=".sources") as text:
        text.write(source.as_deb822())
        text.flush()
        _run(
            [*prefix, "install", "-m", "644", text.name, str(BACKPORTS)], f"{BACKPORTS} could not be written"
        )
    _run([*prefix, "apt-get", *PATIENTLY, "update"], "the package lists could not be fetched")
    return True


def _run(command: Sequence[str], problem: str) -> None:
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise SetupError(f"{problem}; the command was: {' '.join(command)}")


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    sys.exit(main())
