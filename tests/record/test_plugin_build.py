"""The C of plugins/qemu, compiled once and found again."""

import ctypes
import os
import shutil
from pathlib import Path

import pytest

from tracedbg.errors import RecordError
from tracedbg.record import plugin_build

SOURCE = '#include "shared.h"\n__attribute__((visibility("default"))) int answer(void) { return ANSWER; }\n'


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "my cache"))
    monkeypatch.delenv("CC", raising=False)
    folder = tmp_path / "plugins qemu"
    (folder / "fold").mkdir(parents=True)
    (folder / "fold" / "fold.c").write_text(SOURCE)
    (folder / "shared.h").write_text("#define ANSWER 42\n")
    return folder


def test_the_sources_are_found_in_the_tree() -> None:
    assert (plugin_build.sources_dir() / "recorder" / "recorder.c").is_file()


def test_a_library_is_compiled_into_the_cache_once(sources: Path, tmp_path: Path) -> None:
    product = plugin_build.build(sources, "fold")
    assert product.parent == tmp_path / "my cache" / "tracedbg"
    assert ctypes.CDLL(str(product)).answer() == 42
    before = product.stat().st_ino
    assert plugin_build.build(sources, "fold") == product
    assert product.stat().st_ino == before
    assert [path.name for path in product.parent.iterdir()] == [product.name]


def test_a_changed_header_is_another_library(sources: Path) -> None:
    first = plugin_build.build(sources, "fold")
    (sources / "shared.h").write_text("#define ANSWER 43\n")
    second = plugin_build.build(sources, "fold")
    assert second != first
    assert ctypes.CDLL(str(second)).answer() == 43


def test_another_compiler_is_another_library(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = plugin_build.build(sources, "fold")
    other = tmp_path / "othercc"
    other.write_text('#!/bin/sh\n[ "$1" = --version ] && echo other 1 && exit\nexec cc "$@"\n')
    other.chmod(0o755)
    monkeypatch.setenv("CC", str(other))
    assert plugin_build.compiler_version(plugin_build.compiler_command()) == "other 1"
    assert plugin_build.build(sources, "fold") != first


def test_no_compiler_says_which_package_brings_one(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RecordError) as refusal:
        plugin_build.build(sources, "fold")
    assert str(refusal.value) == (
        "no C compiler (cc): recording compiles a QEMU plugin on first use; install one (Debian and Ubuntu:"
        " apt install gcc libc6-dev), or set CC"
    )


def test_a_failed_compilation_gives_its_first_error_and_the_log(sources: Path) -> None:
    (sources / "fold" / "fold.c").write_text("int x = 1;\nint y = zero;\n")
    with pytest.raises(RecordError) as refusal:
        plugin_build.build(sources, "fold")
    folder = plugin_build.cache_folder()
    (log,) = folder.iterdir()
    assert log.suffix == ".log"
    assert "error:" in log.read_text()
    assert str(refusal.value).startswith(
        f"{log.stem}: cannot be compiled: {sources}/fold/fold.c:2:9: error: "
    )
    assert str(refusal.value).endswith(f" (all of it: {log})")


def test_a_folder_without_sources_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordError) as refusal:
        plugin_build.build(tmp_path, "recorder")
    assert str(refusal.value) == f"{tmp_path}/recorder: no C sources here; install tracedbg again"


def test_a_cache_that_cannot_be_written_is_replaced_by_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    folder = plugin_build.cache_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert plugin_build.cache_folder() == folder
    assert tmp_path not in folder.parents


def test_the_cache_is_in_the_home_folder_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert plugin_build.cache_folder() == Path(os.environ["HOME"]) / ".cache" / "tracedbg"


def test_the_shipped_sources_compile_without_warnings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", f"{shutil.which('cc')} -Werror")
    for name in ("recorder", "fold"):
        assert plugin_build.build(plugin_build.sources_dir(), name).is_file()
