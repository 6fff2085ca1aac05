"""Arguments of one system call, read from memory as its caller saw it, before the call and after."""

from dataclasses import dataclass

from tracedbg.arch import AddressSpace
from tracedbg.errors import UsageError
from tracedbg.ids import Time, VirtualAddress
from tracedbg.kernel.call_signatures import (
    ERRORS,
    FUTEX_FLAGS,
    FUTEX_OPERATIONS,
    FUTEX_WITH_TIMEOUT,
    OPEN_ACCESS,
    OPEN_FLAGS,
    SIGNATURES,
    ArgumentKind,
    Parameter,
)
from tracedbg.kernel.system_calls import SystemCall
from tracedbg.state import Known, Trace

TIMESPEC_BYTES = 16
STRING_LIMIT = 256
BYTES_LIMIT = 64
NANOSECONDS = 1_000_000_000
CENTURIES = 300 * 365 * 86_400
"""Seconds beyond which nobody waits on purpose, other than for ever."""
FOR_EVER = frozenset(((1 << 63) - 1, (1 << 31) - 1, (1 << 32) - 1))
SIGN = 1 << 63


@dataclass(frozen=True)
class Timespec:
    """A struct timespec."""

    seconds: int
    nanoseconds: int

    @property
    def problem(self) -> str | None:
        """What is odd about it as a time to wait, None where nothing is."""
        if not 0 <= self.nanoseconds < NANOSECONDS:
            return f"tv_nsec {self.nanoseconds} is not within 0 to {NANOSECONDS - 1}"
        if self.seconds < 0:
            return f"tv_sec {self.seconds} is negative"
        if self.seconds > CENTURIES and self.seconds not in FOR_EVER:
            return f"tv_sec {self.seconds:#x} is centuries away"
        return None

    @property
    def text(self) -> str:
        """``{tv_sec 0, tv_nsec 5000000}``; large numbers in hexadecimal as well."""
        shown = f"{self.seconds}" if abs(self.seconds) <= CENTURIES else f"{self.seconds:#x}"
        return f"{{tv_sec {shown}, tv_nsec {self.nanoseconds}}}"

    @classmethod
    def of(cls, content: bytes) -> "Timespec":
        """Return the timespec that 16 bytes hold."""
        return cls(*(int.from_bytes(content[at : at + 8], "little", signed=True) for at in (0, 8)))


@dataclass(frozen=True)
class Argument:
    """An argument by name; ``text`` says what it means, and what was in memory before and after the call.

    ``before`` and ``after`` are the timespecs of an argument that is one, None where they are not known.
    """

    name: str
    kind: ArgumentKind
    value: int | None
    text: str
    before: Timespec | None = None
    after: Timespec | None = None


class ArgumentReader:
    """Decodes arguments of the calls of a trace; immutable."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def decode(self, name: str, call: SystemCall) -> tuple[Argument, ...]:
        """Return the arguments of a call that is confirmed to be ``name``; none where they are not known."""
        parameters = SIGNATURES.get(name, ())
        pairs = zip(parameters, call.arguments, strict=False)
        return tuple(self._decode(place, item, value, call) for place, (item, value) in enumerate(pairs))

    def string(self, parameter: str, name: str, call: SystemCall) -> str | None:
        """Return the text that a call's parameter points to, None where it is not known to its end."""
        for item, value in zip(SIGNATURES.get(name, ()), call.arguments, strict=False):
            if item.name == parameter and value:
                known = self._read(value, STRING_LIMIT, call.space, call.t)
                end = -1 if known is None else known.data.find(0)
                if known is not None and end >= 0 and 0 not in known.mask[: end + 1]:
                    return known.data[:end].decode("utf-8", "replace")
        return None

    def timespec(self, name: str, call: SystemCall) -> tuple[Parameter, VirtualAddress] | None:
        """Return the parameter by which a call hands the kernel a timespec, and where that lies."""
        for parameter, value in zip(SIGNATURES.get(name, ()), call.arguments, strict=False):
            if _kind(parameter, call) is ArgumentKind.TIMESPEC and value:
                return parameter, VirtualAddress(value)
        return None

    def timespec_at(self, address: VirtualAddress, space: AddressSpace | None, t: Time) -> Timespec | None:
        """Return the timespec at an address of a space, None unless all of it is known."""
        known = self._read(address, TIMESPEC_BYTES, space, t)
        return Timespec.of(known.data) if known is not None and known.is_complete else None

    def _decode(self, place: int, parameter: Parameter, value: int | None, call: SystemCall) -> Argument:
        kind = _kind(parameter, call)
        if value is None:
            return Argument(parameter.name, kind, None, "?")
        if kind in {ArgumentKind.TIMESPEC, ArgumentKind.TIMESPEC_OUT}:
            return self._timespec(Parameter(parameter.name, kind), value, call)
        return Argument(parameter.name, kind, value, self._text(place, kind, value, call))

    def _timespec(self, parameter: Parameter, value: int, call: SystemCall) -> Argument:
        name, kind = parameter.name, parameter.kind
        if not value:
            return Argument(name, kind, value, "NULL")
        address = VirtualAddress(value)
        before = self.timespec_at(address, call.space, call.t)
        after = None if call.returned is None else self.timespec_at(address, call.space, call.returned)
        shown = after if kind is ArgumentKind.TIMESPEC_OUT else before
        text = f"{value:#x} -> " + ("??" if shown is None else shown.text)
        if kind is ArgumentKind.TIMESPEC and after is not None and after != before:
            text += f", {after.text} afterwards"
        return Argument(name, kind, value, text, before, after)

    def _text(self, place: int, kind: ArgumentKind, value: int, call: SystemCall) -> str:
        if kind is ArgumentKind.STRING:
            return self._string(value, call)
        if kind is ArgumentKind.BYTES:
            count = call.arguments[place + 1] if place + 1 < len(call.arguments) else None
            return self._bytes(value, count, call.space, call.t)
        if kind is ArgumentKind.FILLED:
            count = call.result if call.result is not None and call.result < SIGN else 0
            return self._bytes(value, count, call.space, call.returned)
        if kind is ArgumentKind.FUTEX_OPERATION:
            return futex_operation(value)
        if kind is ArgumentKind.OPEN_FLAGS:
            return open_flags(value)
        return f"{value:#x}" if kind is ArgumentKind.HEX else f"{signed(value)}"

    def _string(self, value: int, call: SystemCall) -> str:
        known = self._read(value, STRING_LIMIT, call.space, call.t)
        if known is None or not value:
            return f"{value:#x}"
        end = known.data.find(0) if 0 in known.data else len(known)
        # Unknown bytes read as zero: a text ends there only where that zero is known.
        whole = known.mask[: end + 1].count(1) == min(end + 1, len(known)) and end < len(known)
        return _quoted(known.data[:end]) + ("" if whole else "...")

    def _bytes(self, value: int, count: int | None, space: AddressSpace | None, t: Time | None) -> str:
        if not count or t is None:
            return f"{value:#x}"
        known = self._read(value, min(count, BYTES_LIMIT), space, t)
        if known is None or not known.is_complete:
            return f"{value:#x}"
        return _quoted(known.data) + ("..." if count > BYTES_LIMIT else "")

    def _read(self, address: int, size: int, space: AddressSpace | None, t: Time) -> Known | None:
        if space is None:
            return None
        try:
            return self._trace.at(t).memory.read_virtual(address, size, space=space)
        except UsageError:
            return None


def _kind(parameter: Parameter, call: SystemCall) -> ArgumentKind:
    """Return how a parameter is to be read in a call: a futex has a timeout only where it waits."""
    if parameter.kind is not ArgumentKind.FUTEX_TIMEOUT:
        return parameter.kind
    waits = futex_name(call.arguments[1]) in FUTEX_WITH_TIMEOUT
    return ArgumentKind.TIMESPEC if waits else ArgumentKind.NUMBER


def signed(value: int) -> int:
    """Return a register's value as a number with sign."""
    return value - (1 << 64) if value & SIGN else value


def futex_name(operation: int | None) -> str | None:
    """Return what a futex operation does, without its flags; None where that is not known."""
    command = None if operation is None else operation & 0x7F
    return FUTEX_OPERATIONS[command] if command is not None and command < len(FUTEX_OPERATIONS) else None


def futex_operation(value: int) -> str:
    """Return ``FUTEX_WAIT|FUTEX_PRIVATE``, or the number of an operation without a name."""
    name = futex_name(value)
    flags = [f"FUTEX_{text}" for bit, text in FUTEX_FLAGS.items() if value & bit]
    return f"{value:#x}" if name is None else "|".join([f"FUTEX_{name}", *flags])


def open_flags(value: int) -> str:
    """Return ``O_RDWR|O_CREAT``; bits without a name in hexadecimal."""
    names = [OPEN_ACCESS[value & 3]] + [text for bit, text in OPEN_FLAGS.items() if value & bit]
    rest = value & ~3 & ~sum(OPEN_FLAGS)
    return "|".join(names + ([f"{rest:#x}"] if rest else []))


def error_name(result: int | None) -> str | None:
    """Return the name of the error that a result means to Linux, None where it means none."""
    return None if result is None else ERRORS.get(-signed(result))


def result_text(value: int | None) -> str:
    """Return a result as a number, with the name of the error where it is one of Linux's."""
    name = error_name(value)
    number = "?" if value is None else f"{signed(value)}"
    return number if name is None else f"{number} ({name})"


def _quoted(content: bytes) -> str:
    return '"' + content.decode("latin-1").encode("unicode_escape").decode("ascii") + '"'


def call_text(
    name: str, call: SystemCall, arguments: tuple[Argument, ...], *, with_result: bool = True
) -> str:
    """Return a call as ``write(fd=1, ...) = 5``; with raw arguments where it has none that are decoded."""
    if arguments or name in SIGNATURES:
        shown = [f"{argument.name}={argument.text}" for argument in arguments]
    else:
        shown = ["?" if value is None else f"{value:#x}" for value in call.arguments]
    has_result = with_result and call.returned is not None
    result = f" = {result_text(call.result)}" if has_result else ""
    return f"{name}({', '.join(shown)}){result}"
