"""Says in one line what this Python lacks for a virtual environment; runs on Python 3.7 and later."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

OLDEST = (3, 11)


def find_problem(version: tuple[int, int], lacks: list[str], on_debian: bool) -> str | None:
    """What to do before a virtual environment can be made; None when nothing stands in the way.

    ``lacks`` are the modules of the standard library that this Python comes without.
    """
    if version < OLDEST:
        return (
            f"tracedbg needs Python 3.11 or later, and this is {version[0]}.{version[1]}; "
            "name a newer one: make PYTHON=python3.12 ..."
        )
    if not lacks:
        return None
    lack = f"this Python comes without {' and '.join(lacks)}"
    if on_debian:
        return f"{lack}; as root: apt-get install {venv_package(version)}"
    return f"{lack}; install the package of your system that brings it"


def venv_package(version: tuple[int, int]) -> str:
    """The Debian and Ubuntu package that brings venv and ensurepip to their Python of this version."""
    return f"python{version[0]}.{version[1]}-venv"


def missing_modules() -> list[str]:
    """Which of the modules that make a virtual environment this Python comes without."""
    return [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]


def main() -> str | None:
    """The problem of the Python that runs this, for ``sys.exit``."""
    version = (sys.version_info[0], sys.version_info[1])
    problem = find_problem(version, missing_modules(), Path("/etc/debian_version").exists())
    return f"tracedbg: {problem}" if problem else None


if __name__ == "__main__":
    sys.exit(main())
