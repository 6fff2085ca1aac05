"""Reads a machine's own apt sources, one-line or deb822, and derives a backports source from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path("/etc/apt")
LINE = re.compile(
    r"deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s*(?P<components>[^#]*)"
)
REMOVABLE = ("cdrom:", "file:")

Fields = dict[str, str]


@dataclass(frozen=True)
class AptSource:
    """Where packages come from; ``trust`` holds the fields that say which key signs them, as they stood."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    trust: tuple[tuple[str, str], ...] = ()

    def as_deb822(self) -> str:
        """The text of a ``.sources`` file that holds this source alone."""
        fields = [
            ("Types", "deb"),
            ("URIs", " ".join(self.uris)),
            ("Suites", " ".join(self.suites)),
            ("Components", " ".join(self.components)),
            *self.trust,
        ]
        return "".join(f"{name}: {value}\n" for name, value in fields)


def read_sources(root: Path = SOURCES) -> list[AptSource]:
    """Every enabled binary source of the machine whose configuration lies under ``root``."""
    found: list[AptSource] = []
    for path in [root / "sources.list", *sorted((root / "sources.list.d").glob("*"))]:
        if not path.is_file():
            continue
        if path.suffix == ".list":
            found += iter_one_line(path.read_text())
        elif path.suffix == ".sources":
            found += iter_deb822(path.read_text())
    return found


def iter_one_line(text: str) -> Iterator[AptSource]:
    """The sources of a file in the one-line style of sources.list(5)."""
    for line in text.splitlines():
        match = LINE.match(line.strip())
        if not match:
            continue
        options = dict(re.findall(r"(\S+?)\+?=(\S+)", match["options"] or ""))
        names = (("Signed-By", "signed-by"), ("Trusted", "trusted"))
        trust = tuple((field, options[name]) for field, name in names if name in options)
        yield AptSource((match["uri"],), (match["suite"],), tuple(match["components"].split()), trust)


def iter_deb822(text: str) -> Iterator[AptSource]:
    """The sources of a file in the deb822 style of sources.list(5)."""
    for fields in _iter_stanzas(text):
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        names = ("Signed-By", "Trusted")
        trust = tuple((name, fields[name.lower()]) for name in names if name.lower() in fields)
        uris, suites, components = (fields.get(name, "").split() for name in ("uris", "suites", "components"))
        yield AptSource(tuple(uris), tuple(suites), tuple(components), trust)


def _iter_stanzas(text: str) -> Iterator[Fields]:
    for stanza in re.split(r"\n\s*\n", text):
        fields: Fields = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace() and name:
                fields[name] += f"\n{line}"
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            yield fields


def find_backports(sources: list[AptSource], codename: str) -> AptSource | None:
    """The backports source of the Debian release ``codename``, from where its main suite comes from.

    None when no source names the release's main suite, which can also be spelled by its role (``stable``).
    """
    for source in sources:
        uris = tuple(uri for uri in source.uris if not uri.startswith(REMOVABLE))
        for suite in source.suites:
            if suite in (codename, "stable", "oldstable") and uris and "main" in source.components:
                return AptSource(uris, (f"{suite}-backports",), ("main",), source.trust)
    return None
