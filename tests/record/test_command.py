"""What tracedbg makes of a QEMU command line, and that QEMU itself reads it so."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tracedbg.errors import RecordError
from tracedbg.record import command, qmp

QEMU = "qemu-system-riscv64"
RAM = ("-object", "memory-backend-file,id=tracedbg-ram,size=134217728,mem-path=/proc/self/fd/7,share=on")
ADDED = (*RAM, "-machine", "memory-backend=tracedbg-ram")
TCG = ("-accel", "tcg,thread=single")
PLUGIN = ("-plugin", "/p/recorder.so,slots=/out/a.slots,host=/run/h,ram=/proc/self/fd/7")
MONITOR = (
    "-chardev",
    "socket,id=tracedbg-qmp,path=/run/q,server=off",
    "-mon",
    "chardev=tracedbg-qmp,mode=control",
)


def facts(**changes: Any) -> command.Facts:  # noqa: ANN401 - any field of Facts
    known: dict[str, Any] = {
        "ram_bytes": 128 << 20,
        "ram_fd": 7,
        "plugin": Path("/p/recorder.so"),
        "host": Path("/run/h"),
        "slots": Path("/out/a.slots"),
        "qmp": Path("/run/q"),
    }
    return command.Facts(**{**known, **changes})


def rewritten(*words: str, **changes: Any) -> tuple[str, ...]:  # noqa: ANN401 - any field of Facts
    return command.rewrite([QEMU, *words], facts(**changes)).argv[1:]


@pytest.mark.parametrize(
    ("user", "accelerator", "kept"),
    [
        ("-machine virt", "tcg,thread=single", "-machine virt"),
        ("--machine virt,accel=tcg,acpi=off", "tcg,thread=single", "--machine virt,acpi=off"),
        ("-M accel=tcg -M virt", "tcg,thread=single", "-M virt"),
        ("-M virt -accel tcg,tb-size=64", "tcg,tb-size=64,thread=single", "-M virt"),
        ("-accel accel=tcg,thread=multi -M virt", "accel=tcg,thread=single", "-M virt"),
        ("-M virt -accel tcg,tb-size=8 -accel tcg", "tcg,tb-size=8,thread=single", "-M virt"),
        (
            "-m size=1G,slots=2,maxmem=4G -M type=virt",
            "tcg,thread=single",
            "-m size=1G,slots=2,maxmem=4G -M type=virt",
        ),
        ("-m 256 disk.img -kernel -m", "tcg,thread=single", "-m 256 disk.img -kernel -m"),
    ],
)
def test_the_accelerator_is_tcg_on_one_thread_and_the_rest_is_kept(
    user: str, accelerator: str, kept: str
) -> None:
    argv = rewritten(*user.split(), "-monitor", "none")
    assert argv == (*ADDED, "-accel", accelerator, *PLUGIN, *MONITOR, *kept.split(), "-monitor", "none")


@pytest.mark.parametrize(
    ("user", "restored"),
    [
        ("-nographic", "-serial mon:stdio"),
        ("--nographic", "-serial mon:stdio"),
        ("-nographic -serial null", "-monitor stdio"),
        ("-nographic -serial mon:stdio", ""),
        ("-nographic -serial null -parallel mon:stdio", ""),
        ("-nographic -monitor none", ""),
        ("-nographic -qmp unix:q", ""),
        ("-nographic -mon c", ""),
        ("-nographic -nodefaults", ""),
        ("-nographic -device isa-serial,chardev=c", "-monitor stdio"),
        ("-display none -serial stdio", ""),
        ("-display none -vnc :1", "-monitor vc:80Cx24C"),
        ("-display gtk", "-monitor vc:80Cx24C"),
    ],
)
def test_the_monitor_that_qemu_drops_for_qmp_is_asked_for_by_name(user: str, restored: str) -> None:
    assert rewritten(*user.split()) == (*ADDED, *TCG, *PLUGIN, *MONITOR, *restored.split(), *user.split())


def test_icount_is_added_once_and_the_users_own_wins() -> None:
    ours = command.rewrite([QEMU, "-monitor", "none"], facts(icount=True))
    assert ours.argv[1:] == (
        *ADDED,
        *TCG,
        "-icount",
        "shift=0,sleep=off",
        *PLUGIN,
        *MONITOR,
        "-monitor",
        "none",
    )
    assert ours.clock == "icount"
    own = command.rewrite([QEMU, "-icount", "3", "-monitor", "none"], facts(icount=True))
    assert own.argv[1:] == (*ADDED, *TCG, *PLUGIN, *MONITOR, "-icount", "3", "-monitor", "none")
    assert own.clock == "icount"
    assert command.rewrite([QEMU], facts()).clock == "host"


def test_a_held_machine_starts_stopped_and_the_users_own_stop_is_told() -> None:
    held = command.rewrite([QEMU, "-monitor", "none"], facts(hold=True))
    assert held.argv[1:] == (*ADDED, *TCG, "-S", *PLUGIN, *MONITOR, "-monitor", "none")
    assert not held.stopped
    own = command.rewrite([QEMU, "-S", "-monitor", "none"], facts(hold=True))
    assert own.argv[1:] == (*ADDED, *TCG, *PLUGIN, *MONITOR, "-S", "-monitor", "none")
    assert own.stopped


def test_commas_in_paths_and_plugin_options_are_doubled() -> None:
    argv = rewritten(
        "-monitor", "none", plugin=Path("/a,b/r.so"), qmp=Path("/q,q"), options={"stop-t": "5,6"}
    )
    assert argv[len(ADDED) + len(TCG) :][:4] == (
        "-plugin",
        "/a,,b/r.so,slots=/out/a.slots,host=/run/h,ram=/proc/self/fd/7,stop-t=5,,6",
        "-chardev",
        "socket,id=tracedbg-qmp,path=/q,,q,server=off",
    )


def test_the_users_shared_file_is_the_guests_ram() -> None:
    user = (
        "-object",
        "memory-backend-file,id=m,size=1G,mem-path=/a,,b,share=on",
        "-M",
        "virt,memory-backend=m",
    )
    found = command.rewrite([QEMU, *user, "-monitor", "none"], facts())
    plugin = ("-plugin", "/p/recorder.so,slots=/out/a.slots,host=/run/h,ram=/a,,b")
    assert found.argv[1:] == (*TCG, *plugin, *MONITOR, *user, "-monitor", "none")
    assert (found.ram_id, found.ram_path) == ("m", "/a,b")


@pytest.mark.parametrize(
    "backend",
    [
        "memory-backend-memfd,id=m,size=128M",
        "memory-backend-memfd,id=m,size=128M,share=on",
        "memory-backend-shm,id=m,size=128M",
        '{"qom-type":"memory-backend-memfd","id":"m","size":134217728,"share":true}',
    ],
)
def test_a_memfd_of_qemus_own_becomes_tracedbgs_under_the_same_id(backend: str) -> None:
    found = command.rewrite(
        [QEMU, "-M", "memory-backend=m", "--object", backend, "-monitor", "none"], facts()
    )
    ram = "memory-backend-file,id=m,size=134217728,mem-path=/proc/self/fd/7,share=on"
    user = ("-M", "memory-backend=m", "--object", ram, "-monitor", "none")
    assert found.argv[1:] == (*TCG, *PLUGIN, *MONITOR, *user)
    assert (found.ram_id, found.ram_path) == ("m", None)


USABLE = (
    "leave it and memory-backend=m out, or make it memory-backend-memfd,id=m,share=on"
    " or memory-backend-file,...,share=on"
)
TCG_ONLY = "recording needs QEMU's own emulation (TCG): remove it, or say -accel tcg"
FOREGROUND = "a recorded QEMU stays in the foreground: leave it out, and put & after tracedbg instead"
OWN_RAM = (
    "guest RAM has to be tracedbg's own: leave it out, or give"
    " -object memory-backend-file,id=ram,share=on,... with -machine memory-backend=ram"
)
RESET = "a recording starts with the machine's reset, not inside a running guest"


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ("-enable-kvm", f"-enable-kvm: {TCG_ONLY}"),
        ("--accel kvm", f"--accel kvm: {TCG_ONLY}"),
        ("-machine virt,accel=kvm:tcg", f"-machine virt,accel=kvm:tcg: {TCG_ONLY}"),
        ("-accel tcg -accel hvf", f"-accel hvf: {TCG_ONLY}"),
        (
            "-daemonize",
            f"-daemonize: {FOREGROUND}",
        ),
        ("-incoming defer", f"-incoming defer: {RESET}"),
        ("-loadvm one", f"-loadvm one: {RESET}"),
        ("--preconfig", "--preconfig: a recording needs the whole machine on the command line"),
        (
            "-readconfig q.cfg",
            "-readconfig q.cfg: what the file sets cannot be merged: write it as options on the command line",
        ),
        (
            "-mem-path /huge",
            f"-mem-path /huge: {OWN_RAM}",
        ),
        (
            "-numa node,memdev=m",
            "-numa node,memdev=m: guest RAM in several backends cannot be recorded; leave out memdev=",
        ),
        (
            "-M memory-backend=m -object memory-backend-ram,id=m,share=on",
            f"-object memory-backend-ram,id=m: {USABLE}",
        ),
        (
            "-M memory-backend=m -object memory-backend-file,id=m,mem-path=/a",
            f"-object memory-backend-file,id=m is not shared with tracedbg: {USABLE}",
        ),
        (
            "-M memory-backend=m -object memory-backend-file,id=m,share=on,offset=1M",
            "-object memory-backend-file,id=m: a backend with an offset cannot be recorded; leave it out",
        ),
        ("-M memory-backend=m", "-machine memory-backend=m: no -object has this id"),
    ],
)
def test_what_cannot_be_recorded_is_refused_by_name(user: str, sentence: str) -> None:
    with pytest.raises(RecordError) as refusal:
        rewritten(*user.split())
    assert str(refusal.value) == sentence


def test_another_architecture_is_refused_and_told_the_other_way() -> None:
    with pytest.raises(RecordError) as refusal:
        command.rewrite(["/opt/bin/qemu-system-aarch64"], facts())
    assert str(refusal.value) == (
        "qemu-system-aarch64: only riscv64 guests are recorded (aarch64 has stores that QEMU's plugins do not"
        " show); use `tracedbg attach` with QEMU's gdbstub instead"
    )


@pytest.mark.parametrize(
    "user", ["-snapshot -S -s", "-gdb tcp::1 -no-reboot", "-m 1G -semihosting -smp 2 -drive file=a,,b"]
)
def test_other_options_are_kept_as_they_are(user: str) -> None:
    assert rewritten(*user.split(), "-monitor", "none")[-len(user.split()) - 2 : -2] == tuple(user.split())


@pytest.mark.parametrize(
    ("user", "without"),
    [
        ("-version", True),
        ("--help", True),
        ("-h", True),
        ("-M help", True),
        ("-machine virt,help", True),
        ("-cpu ?", True),
        ("-device virtio-blk-pci,help", True),
        ("-nic model=help", True),
        ("-d help", True),
        ("-M none", True),
        ("-M virt,dumpdtb=a.dtb", True),
        ("-dump-vmstate f", True),
        ("-M none -M virt", False),
        ("-kernel help -append help -bios -version", False),
        ("-name a,process=help", False),
    ],
)
def test_a_call_without_a_guest_is_known(user: str, without: bool) -> None:
    assert command.starts_no_guest([QEMU, *user.split()]) is without


@pytest.mark.slow
def test_the_options_without_a_value_are_qemus() -> None:
    shown = subprocess.run([QEMU, "-help"], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0].lstrip("-") for line in shown.splitlines() if line.startswith("-")}
    names = {name for word in names for name in word.split("/-")} - {"fda", "hda", "hdc"}
    assert len(names) > 100
    for name in names:
        end = subprocess.run([QEMU, "-version", f"-{name}"], capture_output=True, text=True, check=False)
        assert ("requires an argument" not in end.stderr) == (name in command.FLAGS), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (["-nographic"], {"serial0": "mux", "serial0-base": "stdio", "parallel0": "null"}),
        (
            ["-nographic", "-serial", "null"],
            {"serial0": "null", "compat_monitor0": "stdio", "parallel0": "null"},
        ),
        (
            ["-nographic", "-monitor", "null"],
            {"serial0": "stdio", "compat_monitor0": "null", "parallel0": "null"},
        ),
        (["-display", "none", "-serial", "null"], {"serial0": "null", "parallel0": "vc"}),
        (["-display", "none", "-M", "accel=tcg", "-m", "128M"], {"serial0": "vc", "parallel0": "vc"}),
    ],
)
def test_qemu_has_the_users_machine_memory_and_consoles(
    user: list[str], expected: dict[str, str], tmp_path: Path
) -> None:
    source = tmp_path / "empty.c"
    source.write_text(
        'int qemu_plugin_version __attribute__((visibility("default"))) = 2;'
        "int qemu_plugin_install(void) { return 0; }"
    )
    plugin = tmp_path / "empty,plugin.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", plugin, source], check=True)
    ram = tmp_path / "ram"
    ram.touch()
    with qmp.QmpListener(tmp_path / "q") as listener, ram.open("r+b") as file:
        given = facts(plugin=plugin, qmp=tmp_path / "q", ram_fd=file.fileno(), hold=True)
        argv = command.rewrite([QEMU, "-M", "virt", *user], given).argv
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[file.fileno()]
        )
        try:
            with listener.accept(20) as client:
                found = {d["label"]: d["filename"] for d in client.execute("query-chardev")}
                ranges = client.memory_map()
                status = client.execute("query-status")["status"]
        finally:
            child.kill()
            child.wait()
    assert found.pop("tracedbg-qmp").startswith("unix:")
    assert found == expected
    assert [(r.start, r.size, r.offset) for r in ranges if r.kind == "ram"] == [(0x80000000, 128 << 20, 0)]
    assert status == "prelaunch"


@pytest.mark.slow
def test_qemus_own_default_consoles_are_those_that_are_restored() -> None:
    for user, typed, expected in [
        (["-nographic"], "\x01cinfo chardev\nquit\n", {"serial0": "mux", "serial0-base": "stdio"}),
        (
            ["-nographic", "-serial", "null"],
            "info chardev\nquit\n",
            {"serial0": "null", "compat_monitor0": "stdio"},
        ),
    ]:
        argv = [QEMU, "-M", "virt", "-S", *user]
        shown = subprocess.run(
            argv, input=typed, capture_output=True, text=True, timeout=20, check=True
        ).stdout
        lines = [line.split(": filename=") for line in shown.splitlines() if ": filename=" in line]
        assert dict(lines) == {**expected, "parallel0": "null"}


def test_the_words_that_decide_about_ram_leave_out_what_other_options_define() -> None:
    argv = [
        QEMU,
        "-M",
        "virt,accel=tcg,memory-backend=m,pflash0=code,pflash1=variables",
        "-m",
        "1G",
        "-bios",
        "b",
        "-smp",
        "2",
        "-nographic",
    ]
    assert command.machine_options(argv, loaded=False) == ["-M", "virt", "-m", "1G", "-smp", "2"]
    assert command.machine_options(argv, loaded=True) == ["-M", "virt", "-m", "1G", "-bios", "b", "-smp", "2"]
