"""What `tracedbg doctor` finds here, and on machines that lack something."""

import os
import sys
from pathlib import Path

import pytest

from tracedbg.record import doctor, qmp


def looked_at() -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.diagnose()}


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.slow
def test_a_machine_that_records_has_everything() -> None:
    found = looked_at()
    assert [check.name for check in found.values() if not check.ok] == []
    assert all(check.todo == "" for check in found.values())
    version = ".".join(map(str, qmp.qemu_version(Path("/usr/bin/qemu-system-riscv64"))))
    assert found["qemu-system-riscv64"].found == f"{version} (/usr/bin/qemu-system-riscv64), with plugins"
    assert found["Python"].found == ".".join(map(str, sys.version_info[:3]))
    assert found["memfd"].found == "works"
    assert found["free disk"].found.endswith(f" GiB in {Path.cwd()}")
    assert Path(found["QEMU plugin"].found).is_file()


def test_a_bare_machine_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = looked_at()
    assert [name for name, check in found.items() if not check.ok] == [
        "qemu-system-riscv64",
        "C compiler",
        "QEMU plugin",
        "fold library",
        "gdb",
    ]
    assert found["qemu-system-riscv64"] == doctor.Check(
        "qemu-system-riscv64",
        False,
        "not on PATH",
        "install QEMU 9.2 or later (Debian: apt install qemu-system-misc)",
    )
    assert (
        found["gdb"].todo == "only `tracedbg attach` needs it (Debian and Ubuntu: apt install gdb-multiarch)"
    )
    assert "apt install gcc libc6-dev" in found["C compiler"].todo


def test_a_qemu_without_plugins_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    qemu = tmp_path / "qemu-system-riscv64"
    program(qemu, '[ "$1" = --version ] && echo QEMU emulator version 10.1.0 && exit\nexit 1')
    program(tmp_path / "qemu-system-arm", "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    found = looked_at()
    assert found["qemu-system-riscv64"] == doctor.Check(
        "qemu-system-riscv64",
        False,
        f"10.1.0 ({qemu}), without plugins",
        "use a QEMU that is configured with plugins",
    )
    assert "arm" in found["other QEMUs"].found


def test_an_old_qemu_is_not_ok(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path / "qemu-system-riscv64", "echo QEMU emulator version 8.2.2")
    monkeypatch.setenv("PATH", str(tmp_path))
    check = looked_at()["qemu-system-riscv64"]
    assert not check.ok
    assert check.todo.startswith(
        f"{tmp_path}/qemu-system-riscv64 is version 8.2.2; recording needs 9.2 or later"
    )


def test_a_cache_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert looked_at()["cache folder"] == doctor.Check(
        "cache folder",
        False,
        "not writable: the plugin is compiled for every recording",
        "make ~/.cache/tracedbg writable, or set XDG_CACHE_HOME",
    )
