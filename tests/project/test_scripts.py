"""What the set-up scripts read out of a machine, and what they say about it."""

from pathlib import Path

import pytest

from scripts.apt_sources import AptSource, find_backports, iter_deb822, iter_one_line, read_sources
from scripts.check_python import find_problem
from scripts.install_tools import parse_candidate, parse_madison
from scripts.tools import parse_qemu_version

DEB822 = """\
# our mirror
Types: deb deb-src
URIs: mirror://one.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/a.gpg

Types: deb
URIs: mirror://one.example/security
Suites: bookworm-security
Components: main
Enabled: no
"""

INLINE_KEY = """\
Types: deb
URIs: mirror://one.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----
"""


def test_deb822_sources_are_read_with_their_keys() -> None:
    assert list(iter_deb822(DEB822)) == [
        AptSource(
            ("mirror://one.example/debian",),
            ("bookworm", "bookworm-updates"),
            ("main", "contrib"),
            (("Signed-By", "/usr/share/keyrings/a.gpg"),),
        )
    ]


def test_one_line_sources_are_read_with_their_keys() -> None:
    text = (
        "# deb mirror://off.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] mirror://two.example/debian bookworm main non-free # ours\n"
        "deb-src mirror://two.example/debian bookworm main\n"
    )
    assert list(iter_one_line(text)) == [
        AptSource(
            ("mirror://two.example/debian",), ("bookworm",), ("main", "non-free"), (("Signed-By", "/k.gpg"),)
        )
    ]


def test_backports_come_from_where_the_main_suite_comes_from() -> None:
    source = find_backports(list(iter_deb822(DEB822)), "bookworm")
    assert source is not None
    assert source.as_deb822() == (
        "Types: deb\n"
        "URIs: mirror://one.example/debian\n"
        "Suites: bookworm-backports\n"
        "Components: main\n"
        "Signed-By: /usr/share/keyrings/a.gpg\n"
    )


def test_a_key_inside_the_source_is_kept() -> None:
    source = find_backports(list(iter_deb822(INLINE_KEY)), "bookworm")
    assert source is not None
    assert source.as_deb822().split("Signed-By:")[1].split() == INLINE_KEY.split("Signed-By:")[1].split()
    assert next(iter_deb822(source.as_deb822())).trust == source.trust


@pytest.mark.parametrize(
    ("line", "codename"),
    [
        ("deb mirror://a.example/debian bookworm-security main", "bookworm"),
        ("deb mirror://a.example/debian trixie main", "bookworm"),
        ("deb mirror://a.example/debian bookworm contrib", "bookworm"),
        ("deb cdrom:[disc]/ bookworm main", "bookworm"),
    ],
)
def test_without_a_main_suite_there_are_no_backports(line: str, codename: str) -> None:
    assert find_backports(list(iter_one_line(line)), codename) is None


def test_sources_of_both_styles_are_read_and_other_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb mirror://a.example/debian bookworm main\n")
    (tmp_path / "sources.list.d/b.sources").write_text(DEB822)
    (tmp_path / "sources.list.d/c.list.disabled").write_text("deb mirror://c.example/debian bookworm main\n")
    assert [source.uris[0] for source in read_sources(tmp_path)] == [
        "mirror://a.example/debian",
        "mirror://one.example/debian",
    ]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1~bpo12+1)\nCopyright", (10, 0)),
        ("QEMU emulator version 9.2.1\n", (9, 2)),
        ("1:7.2+dfsg-7+deb12u15", (7, 2)),
        ("8.2.2", (8, 2)),
        ("(none)", None),
        ("", None),
    ],
)
def test_versions_of_qemu_are_read(text: str, version: tuple[int, int] | None) -> None:
    assert parse_qemu_version(text) == version


def test_versions_and_suites_come_from_apt() -> None:
    madison = (
        "qemu | 1:10.0.2+ds-2~bpo12+1 | mirror://a.example/debian bookworm-backports/main amd64 Packages\n"
        "qemu | 1:7.2+dfsg-7 | mirror://a.example/debian bookworm/main amd64 Packages\n"
    )
    assert parse_madison(madison) == [
        ("1:10.0.2+ds-2~bpo12+1", "bookworm-backports"),
        ("1:7.2+dfsg-7", "bookworm"),
    ]
    assert parse_candidate("qemu:\n  Installed: (none)\n  Candidate: 1:7.2+dfsg-7\n") == "1:7.2+dfsg-7"
    assert parse_candidate("") == ""


def test_an_old_python_is_named() -> None:
    problem = find_problem((3, 9), [], on_debian=True)
    assert problem == (
        "tracedbg needs Python 3.11 or later, and this is 3.9; name a newer one: make PYTHON=python3.12 ..."
    )


def test_a_python_without_venv_names_the_package_that_brings_it() -> None:
    assert find_problem((3, 11), ["ensurepip"], on_debian=True) == (
        "this Python comes without ensurepip; as root: apt-get install python3.11-venv"
    )
    assert find_problem((3, 12), [], on_debian=False) is None
