"""The user's QEMU command line, rewritten so that QEMU is recorded; pure, nothing is read or started.

What an option means was taken from qemu-options.hx and system/vl.c of QEMU 9.2 to 10.0 and tried with 10.0.2.
New options go in front of the user's, so that an option of his that lacks its value keeps QEMU's own message.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tracedbg.errors import RecordError

RECORDED_TARGET = "riscv64"
RAM_ID = "tracedbg-ram"
QMP_ID = "tracedbg-qmp"

_WITHOUT_VALUE = (
    "h help version mem-prealloc usb snapshot nographic full-screen preconfig S s enable-kvm no-reboot"
    " no-shutdown daemonize semihosting nodefaults no-user-config only-migratable enable-sync-profile perfmap"
    " jitdump win2k-hack no-fd-bootchk xen-attach xen-domid-restrict old-param"
)
FLAGS = frozenset(_WITHOUT_VALUE.split())
"""Options that take no value; every other one takes the next argument, whatever that looks like."""

_WITH_A_LIST = (
    "M machine cpu accel device object chardev netdev nic net display vga audio audiodev d trace drive tpmdev"
    " global rtc smp plugin"
)
_LISTING = frozenset(_WITH_A_LIST.split())
_NOT_FOR_SIZE = frozenset({"accel", "memory-backend", "pflash0", "pflash1", "audiodev"})
"""Properties of a machine that do not tell the size of its RAM, and name what other options define."""
_MONITORS = frozenset({"monitor", "mon", "qmp", "qmp-pretty", "nodefaults"})
_TRUE = frozenset({"on", "yes", "true", "y"})
_NEEDS_TCG = "recording needs QEMU's own emulation (TCG): remove it, or say -accel tcg"

_REFUSED = {
    "enable-kvm": _NEEDS_TCG,
    "qtest": _NEEDS_TCG,
    "daemonize": "a recorded QEMU stays in the foreground: leave it out, and put & after tracedbg instead",
    "incoming": "a recording starts with the machine's reset, not inside a running guest",
    "loadvm": "a recording starts with the machine's reset, not inside a running guest",
    "preconfig": "a recording needs the whole machine on the command line",
    "readconfig": "what the file sets cannot be merged: write it as options on the command line",
    "mem-path": "guest RAM has to be tracedbg's own: leave it out, or give"
    " -object memory-backend-file,id=ram,share=on,... with -machine memory-backend=ram",
}


@dataclass(frozen=True)
class Option:
    """One option of a command line: its name without dashes ("" for a disk image), value and own words."""

    name: str
    value: str | None
    words: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What the recorder adds: sizes in bytes, ``ram_fd`` as numbered inside QEMU's process.

    ``hold`` starts the machine stopped, as ``-S`` does, so that the host can look before it continues it.
    """

    ram_bytes: int
    ram_fd: int
    plugin: Path
    host: Path
    slots: Path
    qmp: Path
    icount: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    hold: bool = False


@dataclass(frozen=True)
class UserMemory:
    """The user's own shared backend: the file it maps, or None where QEMU would have made a memfd for it."""

    id: str
    path: str | None


@dataclass(frozen=True)
class Rewritten:
    """A command line to run.

    ``ram_id`` is the backend of guest RAM, and ``ram_path`` the user's file behind it: None where it is
    tracedbg's memfd. ``stopped`` says that the user himself asked for ``-S``.
    """

    argv: tuple[str, ...]
    ram_id: str
    ram_path: str | None
    clock: Literal["host", "icount"]
    stopped: bool


def iter_options(argv: Sequence[str]) -> Iterator[Option]:
    """Yield the options after ``argv[0]`` as QEMU splits them: one dash or two, a value in the next word."""
    at = 1
    while at < len(argv):
        word = argv[at]
        name = word.removeprefix("-").removeprefix("-") if word.startswith("-") else ""
        width = 1 if not name or name in FLAGS else 2
        words = tuple(argv[at : at + width])
        value = words[1] if len(words) == 2 else None
        yield Option(name, value if name else word, words)
        at += width


def target_of(qemu: str) -> str:
    """Return the guest architecture that a QEMU binary's name tells: ``qemu-system-riscv64`` is riscv64."""
    found = re.match(r"qemu-system-([a-z0-9_]+)", Path(qemu).name)
    return found[1] if found else ""


def check_target(qemu: str) -> None:
    """Raise RecordError unless the binary emulates an architecture that can be recorded."""
    target = target_of(qemu)
    if target != RECORDED_TARGET:
        raise RecordError(
            f"{Path(qemu).name}: only {RECORDED_TARGET} guests are recorded"
            f" ({target or 'this one'} has stores that QEMU's plugins do not show);"
            " use `tracedbg attach` with QEMU's gdbstub instead"
        )


def starts_no_guest(argv: Sequence[str]) -> bool:
    """Tell whether QEMU only prints something and ends, or builds a machine without a guest (``-M none``)."""
    machine = ""
    for option in iter_options(argv):
        if option.name in {"h", "help", "version", "dump-vmstate"} or _lists(option):
            return True
        if option.name in {"M", "machine"}:
            properties = _properties(option.value or "", "type")
            machine = properties.get("type", machine)
            if "dumpdtb" in properties:
                return True
    return machine == "none"


def user_memory(argv: Sequence[str]) -> UserMemory | None:
    """Return the user's own backend for guest RAM, None without one; RecordError when it is not shared."""
    options = list(iter_options(argv))
    wanted = None
    for option in options:
        if option.name in {"M", "machine"}:
            wanted = _properties(option.value or "", "type").get("memory-backend", wanted)
        if option.name == "numa" and "memdev" in _properties(option.value or "", "type"):
            raise RecordError(
                f"-numa {option.value}: guest RAM in several backends cannot be recorded; leave out memdev="
            )
    return _backend(wanted, options) if wanted is not None else None


def machine_options(argv: Sequence[str], *, loaded: bool) -> list[str]:
    """Return the words that decide how much RAM the machine has; with ``loaded`` also what it boots."""
    names = {"M", "machine", "m", "cpu", "smp"} | ({"bios", "kernel", "dtb", "L"} if loaded else set())
    words: list[str] = []
    for option in iter_options(argv):
        if option.name in names and option.value is not None:
            machine = option.name in {"M", "machine"}
            words += _replaced(option, _without(option.value, _NOT_FOR_SIZE if machine else set()))
    return words


def rewrite(argv: Sequence[str], facts: Facts) -> Rewritten:
    """Return the command line that runs the same guest recorded; RecordError says why one cannot be.

    >>> facts = Facts(1 << 27, 3, Path("r.so"), Path("c"), Path("s"), Path("q"))
    >>> rewrite(["qemu-system-riscv64", "-M", "virt", "-monitor", "none"], facts).argv[-4:]
    ('-M', 'virt', '-monitor', 'none')
    """
    check_target(argv[0])
    options = list(iter_options(argv))
    _refuse(options)
    memory = user_memory(argv)
    ram_path = memory.path if memory else None
    stopped = any(option.name == "S" for option in options)
    icount = any(option.name == "icount" for option in options)
    words = [] if memory else ["-object", _ram(RAM_ID, facts), "-machine", f"memory-backend={RAM_ID}"]
    words += _accelerator(options)
    words += ["-icount", "shift=0,sleep=off"] if facts.icount and not icount else []
    words += ["-S"] if facts.hold and not stopped else []
    words += [*_plugin(facts, ram_path), *_monitor(facts, options)]
    words += _user_words(options, {memory.id: facts} if memory and ram_path is None else {})
    clock: Literal["host", "icount"] = "icount" if icount or facts.icount else "host"
    return Rewritten((argv[0], *words), memory.id if memory else RAM_ID, ram_path, clock, stopped)


def _ram(ram_id: str, facts: Facts) -> str:
    path = f"/proc/self/fd/{facts.ram_fd}"
    return f"memory-backend-file,id={ram_id},size={facts.ram_bytes},mem-path={path},share=on"


def _accelerator(options: Sequence[Option]) -> list[str]:
    """One ``-accel``: the user's first, which QEMU would take, on a single thread."""
    own = [option.value or "" for option in options if option.name == "accel"]
    if own and _machine_accelerators(options):
        return []  # QEMU says itself that these two ways cannot be mixed
    first = _without(own[0], {"thread"}) if own else "tcg"
    return ["-accel", f"{first},thread=single"]


def _plugin(facts: Facts, ram_path: str | None) -> list[str]:
    ram = ram_path or f"/proc/self/fd/{facts.ram_fd}"
    values = {"slots": str(facts.slots), "host": str(facts.host), "ram": ram, **facts.options}
    settings = [f"{key}={_escaped(value)}" for key, value in values.items()]
    return ["-plugin", ",".join([_escaped(str(facts.plugin)), *settings])]


def _monitor(facts: Facts, options: Sequence[Option]) -> list[str]:
    """A QMP monitor, and the default monitor that QEMU drops as soon as it sees a ``-mon``."""
    socket = f"socket,id={QMP_ID},path={_escaped(str(facts.qmp))},server=off"
    words = ["-chardev", socket, "-mon", f"chardev={QMP_ID},mode=control"]
    names = {option.name for option in options}
    muxed = any(o.name in {"serial", "parallel"} and (o.value or "").startswith("mon:") for o in options)
    if names & _MONITORS or muxed:
        return words
    if "nographic" in names:
        return [*words, *(["-monitor", "stdio"] if _has_serial(options) else ["-serial", "mon:stdio"])]
    hidden = any(o.name == "display" and o.value == "none" for o in options) and "vnc" not in names
    return words if hidden else [*words, "-monitor", "vc:80Cx24C"]


def _has_serial(options: Sequence[Option]) -> bool:
    """QEMU also drops its default serial port for devices that are one."""
    drivers = {"isa-serial", "xen-console"}
    devices = {_properties(o.value or "", "driver").get("driver") for o in options if o.name == "device"}
    return bool(devices & drivers) or any(option.name == "serial" for option in options)


def _user_words(options: Sequence[Option], ours: Mapping[str, Facts]) -> list[str]:
    """The user's words, less what ``_accelerator`` has said again; backends in ``ours`` become the memfd."""
    mixed = _machine_accelerators(options) and any(option.name == "accel" for option in options)
    words: list[str] = []
    for option in options:
        if option.value is None or option.name not in {"M", "machine", "accel", "object"}:
            words += option.words
        elif option.name == "object":
            ram_id = _object(option.value).get("id", "")
            words += [option.words[0], _ram(ram_id, ours[ram_id])] if ram_id in ours else option.words
        elif mixed:
            words += option.words
        elif option.name != "accel":
            words += _replaced(option, _without(option.value, {"accel"}))
    return words


def _replaced(option: Option, value: str) -> list[str]:
    return [option.words[0], value] if value else []


def _refuse(options: Sequence[Option]) -> None:
    for option in options:
        if option.name in _REFUSED:
            raise RecordError(f"{' '.join(option.words)}: {_REFUSED[option.name]}")
        if option.name == "accel" and option.value:
            _check_accelerators(option, _properties(option.value or "", "accel").get("accel", ""))
        if option.name in {"M", "machine"}:
            _check_accelerators(option, _properties(option.value or "", "type").get("accel", "tcg"))


def _check_accelerators(option: Option, names: str) -> None:
    if any(name != "tcg" for name in names.split(":")):
        raise RecordError(f"{' '.join(option.words)}: {_NEEDS_TCG}")


def _machine_accelerators(options: Sequence[Option]) -> bool:
    return any(o.name in {"M", "machine"} and "accel" in _properties(o.value or "", "type") for o in options)


def _backend(wanted: str, options: Sequence[Option]) -> UserMemory:
    for option in options:
        if option.name != "object" or option.value is None:
            continue
        properties = _object(option.value)
        if properties.get("id") == wanted:
            return _shared(wanted, properties)
    raise RecordError(f"-machine memory-backend={wanted}: no -object has this id")


def _shared(wanted: str, properties: Mapping[str, str]) -> UserMemory:
    kind = properties.get("qom-type", "")
    default = {"memory-backend-file": "off", "memory-backend-memfd": "on", "memory-backend-shm": "on"}
    if kind not in default:
        raise RecordError(f"-object {kind},id={wanted}: {_usable(wanted)}")
    if properties.get("share", default[kind]).lower() not in _TRUE:
        raise RecordError(f"-object {kind},id={wanted} is not shared with tracedbg: {_usable(wanted)}")
    if properties.get("offset", "0") != "0":
        raise RecordError(
            f"-object {kind},id={wanted}: a backend with an offset cannot be recorded; leave it out"
        )
    return UserMemory(wanted, properties.get("mem-path", "") if kind == "memory-backend-file" else None)


def _usable(wanted: str) -> str:
    return (
        f"leave it and memory-backend={wanted} out, or make it"
        f" memory-backend-memfd,id={wanted},share=on or memory-backend-file,...,share=on"
    )


def _object(text: str) -> dict[str, str]:
    if not text.startswith("{"):
        return _properties(text, "qom-type")
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}  # QEMU says what is wrong with it
    return {key: str(value) for key, value in parsed.items()} if isinstance(parsed, dict) else {}


def _lists(option: Option) -> bool:
    if option.name not in _LISTING or option.value is None:
        return False
    asked = {"help", "?", "model=help", "model=?", "format=help", "format=?"}
    return not asked.isdisjoint(_segments(option.value))


def _segments(text: str) -> list[str]:
    """Split at single commas; a doubled one belongs to a value and stays doubled."""
    return re.findall(r"(?:[^,]|,,)+", text)


def _properties(text: str, implied: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for index, segment in enumerate(_segments(text)):
        key, equals, value = segment.partition("=")
        if not equals:
            key, value = (implied, segment) if index == 0 else (segment, "on")
        found[key] = value.replace(",,", ",")
    return found


def _without(text: str, keys: AbstractSet[str]) -> str:
    return ",".join(part for part in _segments(text) if "=" not in part or part.partition("=")[0] not in keys)


def _escaped(value: str) -> str:
    return value.replace(",", ",,")
