"""What cannot be recorded: one line on stderr that says what to do, and nothing left on disk."""

import os
import shutil
from pathlib import Path

import pytest

from tests.record import guests
from tests.record.guests import QEMU, Guest, build
from tests.record.runs import Done, left_beside, prove, tracedbg
from tracedbg.store import Trace

pytestmark = pytest.mark.slow


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    return build(guests.SHUT_DOWN, tmp_path)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "t.bin"


def refused(done: Done, status: int, sentence: str, trace: Path) -> None:
    assert (done.status, done.err) == (status, f"tracedbg: {sentence}\n")
    assert left_beside(trace) == []


def test_an_output_that_exists_is_kept_unless_forced(trace: Path, guest: Guest) -> None:
    trace.write_text("mine")
    done = tracedbg("record", "-o", trace, "--", *guest.command)
    sentence = f"{trace} exists: choose another with -o, or overwrite it with --force"
    assert done == (2, "", f"tracedbg: {sentence}\n")
    assert trace.read_text() == "mine"
    assert tracedbg("record", "-o", trace, "--force", "--", *guest.command).status == 0
    prove(trace)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("none/t.bin", "{output}: there is no folder {folder}/none"),
        ("folder", "{output} is a folder: give -o the name of a file"),
    ],
)
def test_an_output_that_cannot_be_is_said_before_anything_starts(
    output: str, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / output
    done = tracedbg("record", "-o", path, "--force", "--", "touch", str(tmp_path / "started"))
    assert (done.status, done.err) == (2, f"tracedbg: {sentence.format(output=path, folder=tmp_path)}\n")
    assert not (tmp_path / "started").exists()


def test_a_command_without_qemu_is_a_failure(trace: Path) -> None:
    done = tracedbg("record", "-o", trace, "--", "true")
    assert done.status == 1
    assert done.err.startswith("tracedbg: true ended with 0 and started no QEMU: nothing recorded.")
    assert left_beside(trace) == []


def test_a_qemu_that_only_prints_something_runs_as_it_is(trace: Path) -> None:
    done = tracedbg("record", "-o", trace, "--", QEMU, "-version")
    assert done.out.startswith("QEMU emulator version ")
    assert left_beside(trace) == []


def test_a_qemu_that_fails_keeps_its_message_and_code(trace: Path) -> None:
    done = tracedbg("record", "-o", trace, "--", QEMU, "-machine", "nonsense")
    own, line = done.err.splitlines()[0], done.err.splitlines()[-1]
    assert done.status == 1
    assert own.startswith(f"{QEMU}: unsupported machine type: ")
    assert line == "tracedbg: QEMU could not make this machine: nothing was recorded of it"
    assert left_beside(trace) == []


def test_more_harts_than_a_machine_takes_keep_qemus_message_and_code(trace: Path) -> None:
    done = tracedbg("record", "-o", trace, "--", QEMU, "-machine", "sifive_e", "-smp", "2", "-nographic")
    assert done.status == 1
    assert done.err.splitlines() == [
        f"{QEMU}: Invalid SMP CPUs 2. The max CPUs supported by machine 'sifive_e' is 1",
        "tracedbg: QEMU could not make this machine: nothing was recorded of it",
    ]
    assert left_beside(trace) == []


@pytest.mark.parametrize(
    ("cpu", "sentence"),
    [
        ("rv32", "a 32-bit CPU cannot be recorded: use another -cpu"),
        ("rv64i", "a CPU without the register mhartid cannot be recorded: use another -cpu"),
    ],
)
def test_a_cpu_that_cannot_be_recorded_is_named(cpu: str, sentence: str, trace: Path, guest: Guest) -> None:
    done = tracedbg("record", "-o", trace, "--", *guest.command, "-cpu", cpu)
    assert done.status == 1
    assert f"tracedbg: {sentence}\n" in done.err
    assert left_beside(trace) == []


def test_a_missing_kernel_keeps_qemus_message_and_code(trace: Path) -> None:
    command = [QEMU, "-machine", "virt", "-nographic", "-kernel", "/none"]
    done = tracedbg("record", "-o", trace, "--", *command)
    assert done.status == 1
    assert f"{QEMU}: could not load kernel '/none'" in done.err
    assert done.err.splitlines()[-1] == (
        "tracedbg: QEMU ended before the guest's first instruction: nothing was recorded"
    )
    assert left_beside(trace) == []


def test_another_architecture_is_refused(trace: Path, tmp_path: Path) -> None:
    fake = tmp_path / "qemu-system-aarch64"
    fake.write_text("#!/bin/sh\ntouch started\n")
    fake.chmod(0o755)
    done = tracedbg("record", "-o", trace, "--", str(fake), "-M", "virt")
    sentence = (
        "qemu-system-aarch64: only riscv64 guests are recorded (aarch64 has stores that QEMU's plugins do not"
        " show); use `tracedbg attach` with QEMU's gdbstub instead"
    )
    refused(done, 2, sentence, trace)


@pytest.mark.parametrize("words", [["-enable-kvm"], ["-accel", "kvm"], ["-machine", "virt,accel=kvm"]])
def test_kvm_is_refused(trace: Path, words: list[str]) -> None:
    done = tracedbg("record", "-o", trace, "--", QEMU, "-machine", "virt", *words)
    assert done.status == 2
    assert "recording needs QEMU's own emulation (TCG): remove it, or say -accel tcg" in done.err
    assert len(done.err.splitlines()) == 1
    assert left_beside(trace) == []


def test_a_qemu_that_is_too_old_is_refused(trace: Path, tmp_path: Path) -> None:
    fake = tmp_path / QEMU
    fake.write_text("#!/bin/sh\necho QEMU emulator version 7.2.13\n")
    fake.chmod(0o755)
    sentence = (
        f"{fake} is version 7.2.13; recording needs 9.2 or later (its plugins see memory values):"
        " install a newer one, or use `tracedbg attach` with QEMU's gdbstub"
    )
    refused(tracedbg("record", "-o", trace, "--", str(fake), "-M", "virt"), 2, sentence, trace)


def test_without_a_compiler_it_is_said_what_to_install(trace: Path, tmp_path: Path, guest: Guest) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    qemu = shutil.which(QEMU)
    assert qemu is not None
    (tools / QEMU).symlink_to(qemu)
    (tools / "sh").symlink_to("/bin/sh")
    settings = {**os.environ, "PATH": str(tools), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    settings.pop("CC", None)
    done = tracedbg("record", "-o", trace, "--", *guest.command, env=settings)
    sentence = (
        "no C compiler (cc): recording compiles a QEMU plugin on first use; install one (Debian and Ubuntu:"
        " apt install gcc libc6-dev), or set CC"
    )
    refused(done, 2, sentence, trace)


def test_a_backend_that_cannot_be_shared_is_refused(trace: Path, tmp_path: Path) -> None:
    backend = f"memory-backend-file,id=r,size=128M,share=on,mem-path={tmp_path}"
    words = [QEMU, "-machine", "virt,memory-backend=r", "-m", "128M", "-object", backend, "-bios", "none"]
    done = tracedbg("record", "-o", trace, "--", *words)
    assert done.status == 2
    assert done.err.startswith(f"tracedbg: mem-path={tmp_path}: QEMU makes a file there that nobody else can")
    assert left_beside(trace) == []


def test_a_users_own_shared_memory_is_recorded(trace: Path, tmp_path: Path, guest: Guest) -> None:
    backend = f"memory-backend-file,id=r,size=16M,share=on,mem-path={tmp_path / 'ram'}"
    words = ["virt,memory-backend=r" if word == "virt" else word for word in guest.command]
    assert tracedbg("record", "-o", trace, "--", *words, "-object", backend).status == 0
    prove(trace)


def test_several_qemus_of_a_script_get_numbered_traces(trace: Path, tmp_path: Path, guest: Guest) -> None:
    script = tmp_path / "run.sh"
    run = " ".join(guest.command)
    script.write_text(f"#!/bin/sh\n{run} </dev/null\n{QEMU} -version >/dev/null\n{run} </dev/null\nexit 3\n")
    script.chmod(0o755)
    done = tracedbg("record", "-o", trace, "--", str(script))
    assert (done.status, done.out) == (3, "hi\nhi\n")
    assert len(done.err.splitlines()) == 2
    assert left_beside(tmp_path / "t") == ["t-2.bin", "t.bin"]
    for path in (trace, tmp_path / "t-2.bin"):
        prove(path)


def test_make_starts_a_recorded_qemu(trace: Path, tmp_path: Path, guest: Guest) -> None:
    (tmp_path / "Makefile").write_text(f"run:\n\t@{' '.join(guest.command)} </dev/null\n")
    done = tracedbg("record", "-o", trace, "--", "make", "-s", "-C", str(tmp_path), "run")
    assert (done.status, done.out) == (0, "hi\n")
    prove(trace)


def test_the_command_line_is_stored_relative_to_its_folder(tmp_path: Path, guest: Guest) -> None:
    done = tracedbg("record", "-o", "t.bin", "--", *guest.command, cwd=tmp_path)
    assert done.status == 0
    with Trace.open(tmp_path / "t.bin") as opened:
        assert opened.guest.command[-2:] == ("-kernel", "guest.elf")
        names = [entry.name for entry in opened.attachments]
        assert names[0] == "guest.elf"
        assert names[1].startswith("source/")
        assert names[1].endswith("/guest.S")
        assert opened.attachment(opened.attachments[1]).decode() == (tmp_path / "guest.S").read_text()


def test_sources_are_left_out_on_request(trace: Path, guest: Guest) -> None:
    assert tracedbg("record", "-o", trace, "--no-sources", "--", *guest.command).status == 0
    with Trace.open(trace) as opened:
        assert [entry.name for entry in opened.attachments] == [str(guest.elf)]


def test_a_broken_symbol_file_is_a_warning(trace: Path, tmp_path: Path, guest: Guest) -> None:
    broken = tmp_path / "broken.elf"
    broken.write_bytes(guest.elf.read_bytes()[:200])
    done = tracedbg("record", "-o", trace, "--symbols", broken, "--", *guest.command)
    assert done.status == 0
    assert f"tracedbg: {broken}: left out of the trace: " in done.err
    prove(trace)
    with Trace.open(trace) as opened:
        assert str(broken) not in [entry.name for entry in opened.attachments]
