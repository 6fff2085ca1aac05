"""Commands that start QEMU somewhere inside, with their terminal, signals and exit codes as before."""

import fcntl
import os
import pty
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.record.runs import wait_until
from tracedbg.errors import RecordError
from tracedbg.record import command, qmp
from tracedbg.record.launch import Answer, Launcher, Outcome, QemuRequest, Refuse, Run, Untouched, find_qemus

FAKE = "qemu-system-riscv64"


@pytest.fixture(autouse=True)
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, first on PATH, whose QEMU says how it was called and ends with the code after -exit."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    program(folder / FAKE, 'printf "%s|" "$0" "$@"; echo; [ "$1" = -exit ] && exit $2; exit 0')
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return folder


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def untouched(_: QemuRequest) -> Answer:
    return Untouched()


def launched(words: list[str], on_qemu: Callable[[QemuRequest], Answer] = untouched) -> Outcome:
    with Launcher(words, on_qemu) as launcher:
        return launcher.wait()


def keeping(
    requests: list[QemuRequest], answer: Callable[[QemuRequest], Answer]
) -> Callable[[QemuRequest], Answer]:
    def on_qemu(request: QemuRequest) -> Answer:
        requests.append(request)
        return answer(request)

    return on_qemu


def close(requests: list[QemuRequest]) -> None:
    for request in requests:
        os.close(request.ram_fd)
        os.close(request.pidfd)


def test_a_qemu_inside_a_script_gets_the_recorders_words(
    fake: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    requests: list[QemuRequest] = []
    answer = keeping(requests, lambda request: Run((*request.argv, "-added", "it's")))
    outcome = launched(["sh", "-c", f"{FAKE} -a 'b c' ''; echo code $?"], answer)
    close(requests)
    assert outcome == Outcome(status=0, recorded=1, untouched=0, refused=0)
    assert capfd.readouterr().out == f"{fake}/{FAKE}|-a|b c||-added|it's|\ncode 0\n"
    assert requests[0].argv == (FAKE, "-a", "b c", "")
    assert requests[0].qemu == fake / FAKE
    assert requests[0].cwd == Path.cwd()
    assert requests[0].number == 1


def test_each_recorded_qemu_has_its_own_number_and_folder() -> None:
    requests: list[QemuRequest] = []
    answer = keeping(
        requests, lambda request: Untouched() if "-version" in request.argv else Run(request.argv)
    )
    outcome = launched(["sh", "-c", f"{FAKE}; {FAKE} -version; {FAKE}"], answer)
    close([requests[0], requests[2]])
    assert outcome == Outcome(status=0, recorded=2, untouched=1, refused=0)
    assert [request.number for request in requests] == [1, 2, 2]
    assert [request.folder.name for request in requests] == ["1", "2", "2"]
    assert not requests[0].folder.exists()


@pytest.mark.parametrize("code", [0, 1, 77])
def test_the_commands_exit_code_is_kept(code: int) -> None:
    assert launched([FAKE, "-exit", str(code)]).status == code


def test_a_signals_death_is_told_as_a_shell_does() -> None:
    assert launched(["sh", "-c", f"{FAKE}; kill -KILL $$"]).status == 137


def test_a_refusal_is_one_line_on_stderr_and_code_two(capfd: pytest.CaptureFixture[str]) -> None:
    outcome = launched([FAKE], lambda _: Refuse("not this one"))
    assert outcome == Outcome(status=2, recorded=0, untouched=0, refused=1)
    assert capfd.readouterr() == ("", "tracedbg: not this one\n")


def test_an_error_of_the_recorder_is_a_refusal(capfd: pytest.CaptureFixture[str]) -> None:
    def on_qemu(_: QemuRequest) -> Answer:
        raise RecordError("too old")

    assert launched([FAKE], on_qemu).refused == 1
    assert capfd.readouterr().err == "tracedbg: too old\n"


def test_a_bug_of_the_recorder_is_raised_again(capfd: pytest.CaptureFixture[str]) -> None:
    def on_qemu(_: QemuRequest) -> Answer:
        raise KeyError("oops")

    with pytest.raises(KeyError, match="oops"):
        launched([FAKE], on_qemu)
    assert capfd.readouterr().err == "tracedbg: the recorder failed: 'oops'\n"


def test_a_command_without_qemu_says_that_nothing_was_recorded() -> None:
    hint = (
        "and started no QEMU: nothing recorded. A QEMU that a script starts must be called by its name"
        " (qemu-system-riscv64, found on PATH), not by its full path"
    )
    with pytest.raises(RecordError) as refusal:
        launched(["sh", "-c", "exit 3"])
    assert str(refusal.value) == f"sh -c 'exit 3' ended with 3 {hint}"
    with pytest.raises(RecordError) as refusal:
        launched(["sh", "-c", "kill -TERM $$"])
    assert str(refusal.value) == f"sh -c 'kill -TERM $$' was ended by SIGTERM {hint}"


def test_a_command_that_does_not_exist_or_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"^no-such-command: command not found$"):
        launched(["no-such-command"])
    plain = tmp_path / "plain"
    plain.touch()
    with pytest.raises(RecordError, match=rf"^{plain}: cannot be run: Permission denied$"):
        launched([str(plain)])


def test_a_qemu_named_by_its_path_is_recorded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    program(other / FAKE, "exit 9")
    monkeypatch.chdir(tmp_path)
    requests: list[QemuRequest] = []
    assert launched(["env", "X=1", f"other/{FAKE}", "-S"], keeping(requests, untouched)).status == 9
    assert requests[0].qemu == other / FAKE
    assert requests[0].argv == (f"other/{FAKE}", "-S")


def test_a_cleaned_environment_does_not_matter_as_long_as_path_is_kept(
    fake: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program(fake / FAKE, "/usr/bin/env")
    launched(["sh", "-c", f'env -i PATH="$PATH" KEPT=1 {FAKE}'])
    shown = dict(line.split("=", 1) for line in capfd.readouterr().out.splitlines())
    assert shown.pop("PATH").endswith(f"{fake}:/usr/bin:/bin")
    shown.pop("PWD")
    assert {key: value for key, value in shown.items() if key != "_"} == {"KEPT": "1"}


def test_pid_stdin_and_signal_dispositions_are_qemus_own(
    fake: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dispositions = "grep SigIgn /proc/self/status"
    own = subprocess.run(["sh", "-c", dispositions], capture_output=True, text=True, check=True).stdout
    program(fake / FAKE, f"echo $$; cat; {dispositions}")
    requests: list[QemuRequest] = []
    outcome = launched(["sh", "-c", f"echo input | {FAKE}"], keeping(requests, untouched))
    assert capfd.readouterr().out == f"{requests[0].pid}\ninput\n{own}"
    assert outcome.status == 0


def test_the_memfd_is_shared_and_the_pidfd_tells_the_end(fake: Path) -> None:
    program(fake / FAKE, 'printf guest > "$1"')
    requests: list[QemuRequest] = []
    answer = keeping(requests, lambda request: Run((FAKE, f"/proc/self/fd/{request.qemu_ram_fd}")))
    launched([FAKE], answer)
    assert os.pread(requests[0].ram_fd, 16, 0) == b"guest"
    with qmp.QmpListener(fake / "q") as listener, pytest.raises(qmp.QemuEndedError):
        listener.accept(20, requests[0].pidfd)
    close(requests)


def test_a_qemu_that_is_not_recorded_has_no_memfd_left(fake: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program(fake / FAKE, 'ls -l /proc/self/fd | grep -c "memfd:tracedbg"')
    launched([FAKE])
    assert capfd.readouterr().out == "0\n"


def test_descriptors_of_the_users_own_reach_qemu(fake: Path, capfd: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    inherited = fcntl.fcntl(reading, fcntl.F_DUPFD, 3)
    program(fake / FAKE, f"cat /proc/self/fd/{inherited}")
    os.write(writing, b"the user's own\n")
    os.close(writing)
    try:
        launched([FAKE])
    finally:
        os.close(reading)
        os.close(inherited)
    assert capfd.readouterr().out == "the user's own\n"


def test_shims_are_not_found_again_and_the_first_of_a_name_wins(fake: Path, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    program(tmp_path / "second" / FAKE, "exit 0")
    (tmp_path / "second" / "qemu-system-notes.txt").touch()
    search = [f"{tmp_path}/second", f"{tmp_path}/nowhere"]
    with Launcher([FAKE], untouched) as launcher:
        found = find_qemus(os.pathsep.join([f"{launcher.folder}/bin", str(fake), *search]))
        assert launcher.folder.stat().st_mode & 0o777 == 0o700
        launcher.wait()
    assert found == {FAKE: fake / FAKE}
    assert not launcher.folder.exists()


def test_a_recorder_inside_a_recorder_takes_over(fake: Path, capfd: pytest.CaptureFixture[str]) -> None:
    inner = (
        "from tracedbg.record.launch import Launcher, Refuse\n"
        f"with Launcher(['{FAKE}'], lambda request: Refuse(str(request.qemu))) as launcher:\n"
        "    raise SystemExit(launcher.wait().status)"
    )
    program(fake / "inner", f"PYTHONPATH={Path.cwd()} exec {sys.executable} -c {shlex.quote(inner)}")
    with pytest.raises(RecordError):
        launched(["inner"])
    assert capfd.readouterr().err == f"tracedbg: {fake}/{FAKE}\n"


def test_a_shim_whose_recorder_is_gone_says_so(tmp_path: Path) -> None:
    with Launcher([FAKE], untouched) as launcher:
        shim = tmp_path / FAKE
        shim.write_text((launcher.folder / "bin" / FAKE).read_text())
        shim.chmod(0o700)
        launcher.wait()
    done = subprocess.run([shim], capture_output=True, text=True, check=False)
    path = launcher.folder / "control"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"tracedbg: the recorder that runs this command is gone ({path}: [Errno 2] No such file or directory)"
        "; QEMU not started\n"
    )


def test_a_connection_that_is_no_shim_is_dropped() -> None:
    with Launcher(["sh", "-c", f"read line; {FAKE}"], untouched) as launcher:
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(launcher.folder / "control"))
            stranger.sendall(b"\x02\0\0\0[]")
            assert stranger.recv(1) == b""
        launcher.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_tracedbg_reaches_the_command(fake: Path, number: signal.Signals) -> None:
    ready = fake / "ready"
    trap = f'trap "exit 42" {number.name.removeprefix("SIG")}'
    program(fake / FAKE, f'{trap}; : > "{ready}"; while :; do sleep 0.05; done')

    def send() -> None:
        wait_until(ready.exists)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)

    def on_qemu(_: QemuRequest) -> Answer:
        sender.start()
        return Untouched()

    handler = signal.getsignal(number)
    assert launched([FAKE], on_qemu).status == 42
    sender.join()
    assert signal.getsignal(number) is handler


def test_leaving_the_block_early_ends_the_command() -> None:
    started = time.monotonic()
    with Launcher(["sleep", "60"], untouched) as launcher:
        assert launcher.running()
    assert not launcher.running()
    assert time.monotonic() - started < 30


def test_the_keyboards_interrupt_reaches_the_command_once(fake: Path, tmp_path: Path) -> None:
    program(
        fake / FAKE,
        'n=0; trap "n=\\$((n+1))" INT; echo ready; i=0; while [ $n = 0 ] && [ $i -lt 300 ]; do '
        'i=$((i+1)); sleep 0.1; done; for i in 1 2 3; do sleep 0.1; done; echo "n=$n"',
    )
    script = tmp_path / "run.py"
    script.write_text(
        "from tracedbg.record.launch import Launcher, Untouched\n"
        f"with Launcher(['{FAKE}'], lambda request: Untouched()) as launcher:\n"
        "    print('status', launcher.wait().status)\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
        os.execv(sys.executable, [sys.executable, str(script)])
    shown = b""
    while b"\r\n" not in shown.partition(b"status")[2]:
        shown += os.read(terminal, 1024)
        if shown.count(b"ready") == 1 and b"^C" not in shown:
            os.write(terminal, b"\x03")
            shown += b"^C sent"
    os.close(terminal)
    os.waitpid(pid, 0)
    assert b"n=1\r\n" in shown
    assert b"status 0" in shown


@pytest.mark.slow
def test_a_real_qemu_keeps_its_message_and_code(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert launched(["sh", "-c", "qemu-system-riscv64 -M virt -nonsense"]).status == 1
    assert capfd.readouterr().err == "qemu-system-riscv64: -nonsense: invalid option\n"


@pytest.mark.slow
def test_a_real_guest_runs_with_the_recorders_memory_and_ends_by_qmp(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    source = tmp_path / "plugin.c"
    source.write_text(
        '__attribute__((visibility("default"))) int qemu_plugin_version = 2;'
        "int qemu_plugin_install(void) { return 0; }"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "plugin.so", source], check=True)
    seen: list[tuple[bytes, bytes]] = []
    threads: list[threading.Thread] = []
    shown: list[str] = []

    def printed() -> bool:
        shown.append(capfd.readouterr().out)
        return "OpenSBI" in "".join(shown)

    def on_qemu(request: QemuRequest) -> Answer:
        size = qmp.default_ram_bytes(request.qemu, request.argv, request.cwd)
        os.ftruncate(request.ram_fd, size)
        place = request.folder
        facts = command.Facts(
            size,
            request.qemu_ram_fd,
            tmp_path / "plugin.so",
            place / "h",
            place / "s",
            place / "q",
            hold=True,
        )
        listener = qmp.QmpListener(place / "q")

        def control() -> None:
            with listener, listener.accept(20, request.pidfd) as client:
                before = os.pread(request.ram_fd, 4, 0)
                client.execute("cont")
                wait_until(printed)
                client.execute("quit")
                client.poll(10)
                seen.append((before, os.pread(request.ram_fd, 4, 0x4_0000)))
            close([request])

        threads.append(threading.Thread(target=control))
        threads[0].start()
        return Run(command.rewrite(request.argv, facts).argv)

    outcome = launched(["sh", "-c", "qemu-system-riscv64 -M virt -nographic </dev/null"], on_qemu)
    threads[0].join()
    assert outcome == Outcome(status=0, recorded=1, untouched=0, refused=0)
    ((before, after),) = seen
    assert before != bytes(4)
    assert after != bytes(4)
