"""Fetches Debian packages of another architecture with apt, beside the machine's own packages.

apt gets an architecture, lists and a status file of its own in a folder; nothing outside that folder changes.
"""

import platform
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from scripts.apt_sources import AptSource, find_backports, read_sources

SUITE = "trixie"
"""The first Debian release that has riscv64 in its main archive."""
ARCHITECTURE = "riscv64"


class PackageError(AssertionError):
    """Packages cannot be fetched here; ``str()`` says why."""


def foreign_source(suite: str = SUITE) -> AptSource:
    """The source of ``suite`` at the mirror from which this machine's own Debian comes."""
    release = platform.freedesktop_os_release()
    own = find_backports(read_sources(), release.get("VERSION_CODENAME", ""))
    if release.get("ID") != "debian" or own is None:
        raise PackageError(
            "no Debian mirror among this machine's package sources, so there is no riscv64 kernel"
        )
    return replace(own, suites=(suite,))


@dataclass(frozen=True)
class Apt:
    """An apt of its own in a folder."""

    folder: Path

    @classmethod
    def prepare(cls, folder: Path) -> Self:
        """Makes the folder and fetches its package lists."""
        apt = cls(folder.resolve())
        for name in ("lists/partial", "cache/archives/partial", "state", "parts"):
            (apt.folder / name).mkdir(parents=True, exist_ok=True)
        (apt.folder / "state/status").touch()
        (apt.folder / "parts/archive.sources").write_text(foreign_source().as_deb822())
        apt._run("apt-get", "update")
        return apt

    def fetch(self, *packages: str) -> list[Path]:
        """Downloads the packages, and returns where they lie, in the same order."""
        self._run("apt-get", "download", *packages)
        return [self._file(package) for package in packages]

    def needs(self, package: str) -> list[str]:
        """The packages that ``package`` depends on."""
        text = self._run("apt-cache", "show", "--no-all-versions", package)
        found = re.search(r"^Depends: (.*)$", text, re.MULTILINE)
        return [part.split()[0] for part in found[1].split(",")] if found else []

    def _file(self, package: str) -> Path:
        newest = max(
            self.folder.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime, default=None
        )
        if newest is None:
            raise PackageError(f"apt downloaded no {package} into {self.folder}")
        return newest

    def _run(self, program: str, *arguments: str) -> str:
        settings = {
            "Dir::State": self.folder / "state",
            "Dir::State::lists": self.folder / "lists",
            "Dir::State::status": self.folder / "state/status",
            "Dir::Cache": self.folder / "cache",
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self.folder / "parts",
            "APT::Architecture": ARCHITECTURE,
            "APT::Architectures": ARCHITECTURE,
            "APT::Sandbox::User": "root",
            "Acquire::Retries": 3,
        }
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        run = subprocess.run(
            [program, *options, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        if run.returncode != 0:
            raise PackageError(f"{program} {' '.join(arguments)} failed:\n{run.stderr}")
        return run.stdout


def read_members(package: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """The files of a package whose names, without a leading slash, are wanted."""
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as members,
    ):
        for member in members:
            name = member.name.removeprefix("./")
            if member.isfile() and wanted(name):
                data = members.extractfile(member)
                assert data is not None
                yield name, data.read()
