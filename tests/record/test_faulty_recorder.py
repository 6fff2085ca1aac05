"""Verify is no rubber stamp: a recorder that loses stores does not pass it."""

import shutil
from pathlib import Path

import pytest

from tests.record import guests
from tests.record.guests import build
from tracedbg.record import plugin_build
from tracedbg.record.host import Options, Recorder
from tracedbg.verify.verify import verify

pytestmark = pytest.mark.slow

STORE = "	append(t, flags, address, value, physical);\n"
EVERY_THOUSANDTH = f"""\
	static unsigned int stores;

	if (!store || ++stores % 1000)
	{STORE}"""


@pytest.fixture
def patched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the plugin's sources, which recordings of this test are made with."""
    sources = tmp_path / "qemu"
    shutil.copytree(plugin_build.sources_dir(), sources)
    monkeypatch.setattr(plugin_build, "sources_dir", lambda: sources)
    return sources


def recorded(folder: Path) -> Path:
    trace = folder / "t.bin"
    guest = build(guests.DROPS, folder)
    result = Recorder(trace, Options()).run([*guest.command[:-4], "-serial", "null", *guest.command[-2:]])
    assert result.status == 0
    return trace


def test_a_recorder_that_drops_every_thousandth_store_fails(patched: Path, tmp_path: Path) -> None:
    source = patched / "recorder" / "accesses.c"
    text = source.read_text()
    assert text.count(STORE) == 1
    source.write_text(text.replace(STORE, EVERY_THOUSANDTH))
    report = verify(recorded(tmp_path))
    assert not report.passed
    assert report.mismatches["loads"] >= 40
    assert report.stores == 40_000 - 40 + 1


@pytest.mark.usefixtures("patched")
def test_the_same_sources_unpatched_pass(tmp_path: Path) -> None:
    report = verify(recorded(tmp_path))
    assert report.passed, report.examples
    assert report.stores == 40_001
