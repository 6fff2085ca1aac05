"""From a typed request to its reply: what each request does to the place in a recorded run."""

from collections.abc import Callable, Iterable
from typing import Any

from tracedbg.errors import TracedbgError
from tracedbg.gdb import requests as ask
from tracedbg.gdb.description import DOCUMENT, Description
from tracedbg.gdb.execution import Execution, Poll
from tracedbg.gdb.monitor import Monitor
from tracedbg.gdb.replies import (
    EFAULT,
    INTERRUPT,
    TRAP,
    Bytes,
    Console,
    Failure,
    NotSupported,
    Ok,
    Part,
    Reply,
    Silence,
    Stopped,
    Text,
)
from tracedbg.gdb.requests import PointKind, Request
from tracedbg.gdb.values import register_text
from tracedbg.ids import Hart
from tracedbg.state import Moment

PACKET_SIZE = 0x8000
"""Bytes of a packet that gdb may expect or send."""
_READ_LIMIT = PACKET_SIZE // 2 - 16
_FEATURES = (
    f"PacketSize={PACKET_SIZE:x};QStartNoAckMode+;qXfer:features:read+;vContSupported+;ReverseStep+;"
    "ReverseContinue+;swbreak+;hwbreak+;binary-upload+"
)

HartNote = Callable[[Moment], str]
"""Returns what to say of a hart in ``info threads``, such as the task that it runs; empty for nothing."""

Handler = Callable[[Any], Reply]


class Dispatcher:
    """Answers one gdb's requests. Threads are harts, numbered from 1.

    TracedbgError becomes an error reply and a request that makes no sense E01; anything else is a bug and
    goes up.
    """

    def __init__(self, execution: Execution, monitor: Monitor, notes: Iterable[HartNote] = ()) -> None:
        self._execution = execution
        self._monitor = monitor
        self._notes = tuple(notes)
        trace = execution.trace
        self._harts = trace.store.guest.harts
        self._description = Description.of(trace)
        self._client: frozenset[str] = frozenset()
        self._poll: Poll = lambda: None
        self._general = execution.stop.hart
        self._stepping: Hart | None = None
        self._handlers: dict[type, Handler] = {
            ask.Supported: self._supported,
            ask.NoAck: lambda _: Ok(),
            ask.WhyStopped: lambda _: self._stopped(),
            ask.ReadGeneral: self._read_general,
            ask.ReadRegister: self._read_register,
            ask.ReadMemory: self._read_memory,
            ask.Write: self._refuse,
            ask.SelectThread: self._select_thread,
            ask.IsAlive: lambda request: Failure() if self._hart(request.thread) is None else Ok(),
            ask.Resume: self._resume,
            ask.VContActions: lambda _: Text("vCont;c;C;s;S;r"),
            ask.Insert: self._insert,
            ask.Remove: self._remove,
            ask.Transfer: self._transfer,
            ask.CurrentThread: lambda _: Text(f"QC{_thread(self._general):x}"),
            ask.ListThreads: self._list_threads,
            ask.DescribeThread: self._describe,
            ask.WasAttached: lambda _: Text("1"),
            ask.OfferSymbols: lambda _: Ok(),
            ask.Command: self._command,
            ask.PhysicalMode: self._physical_mode,
            ask.Leave: lambda request: Silence() if request.is_kill else Ok(),
            ask.Unknown: lambda _: NotSupported(),
        }

    def reply(self, request: Request, poll: Poll) -> Reply:
        """Return the answer; ``poll`` is called now and then while a search goes on."""
        self._poll = poll
        try:
            return self._handlers[type(request)](request)
        except TracedbgError as error:
            return Failure(sentence=" ".join(str(error).split()))

    def _hart(self, thread: int) -> Hart | None:
        """Return the hart of a thread, None for a number that is none; any thread is the selected one."""
        if thread in (ask.ANY_THREAD, ask.ALL_THREADS):
            return self._general
        return Hart(thread - 1) if 1 <= thread <= self._harts else None

    def _supported(self, request: ask.Supported) -> Reply:
        self._client = request.features
        return Text(_FEATURES)

    def _moment(self) -> Moment:
        return self._execution.moment(self._general)

    def _read_general(self, _: ask.ReadGeneral) -> Reply:
        moment = self._moment()
        return Text("".join(register_text(moment, each) for each in self._description.general))

    def _read_register(self, request: ask.ReadRegister) -> Reply:
        register = self._description.registers.get(request.number)
        return Failure() if register is None else Text(register_text(self._moment(), register))

    def _read_memory(self, request: ask.ReadMemory) -> Reply:
        memory = self._moment().memory
        read = memory.read_physical if self._execution.is_physical else memory.read_virtual
        size = min(request.size, _READ_LIMIT, (1 << 64) - request.address)
        known = read(request.address, size)
        count = len(known.mask) if known.is_complete else known.mask.index(0)
        if request.size and not count:
            return Failure(EFAULT)
        # A shorter answer is allowed; gdb asks for the rest and gets the error then.
        data = known.data[:count]
        return Bytes(data) if request.is_binary else Text(data.hex())

    def _refuse(self, request: ask.Write) -> Reply:
        return Failure(sentence=f"{request.what} cannot be changed: this is a recording")

    def _select_thread(self, request: ask.SelectThread) -> Reply:
        hart = self._hart(request.thread)
        if hart is None:
            return Failure()
        if request.operation == "g":
            self._general = hart
        else:
            self._stepping = hart if request.thread > 0 else None
        return Ok()

    def _resume(self, request: ask.Resume) -> Reply:
        hart = self._hart(request.thread)
        if hart is None:
            return Failure()
        if request.thread <= 0 and self._stepping is not None:
            hart = self._stepping
        if request.is_step:
            stop = self._execution.step(hart, self._poll, reverse=request.is_reverse, within=request.within)
        else:
            stop = self._execution.run(self._poll, reverse=request.is_reverse)
        self._general, self._stepping = stop.hart, None
        return self._stopped()

    def _stopped(self) -> Reply:
        stop = self._execution.stop
        moment = self._execution.moment(stop.hart)
        numbers = self._description.layout.quick
        texts = {each: register_text(moment, self._description.registers[each]) for each in numbers}
        # gdb takes no unknown register here; it asks for those that are left out.
        registers = {number: text for number, text in texts.items() if "x" not in text}
        hit = stop.hit
        point = None if hit is None or not self._is_told(hit.kind) else hit.kind
        return Stopped(
            thread=_thread(stop.hart),
            signal=INTERRUPT if stop.interrupted else TRAP,
            point=point,
            address=None if hit is None else hit.address,
            edge=stop.edge,
            registers=registers,
        )

    def _is_told(self, kind: PointKind) -> bool:
        """Say whether gdb wants to be told that a point of this kind was hit."""
        feature = {PointKind.SOFTWARE: "swbreak+", PointKind.HARDWARE: "hwbreak+"}.get(kind)
        return feature is None or feature in self._client

    def _insert(self, request: ask.Insert) -> Reply:
        self._execution.insert(request.point, self._general)
        return Ok()

    def _remove(self, request: ask.Remove) -> Reply:
        self._execution.points.remove(request.point)
        return Ok()

    def _transfer(self, request: ask.Transfer) -> Reply:
        if request.document != "features":
            return NotSupported()
        if request.annex != DOCUMENT:
            return Failure(0)
        document = self._description.xml().encode()
        part = document[request.offset : request.offset + min(request.size, _READ_LIMIT)]
        return Part(part, request.offset + len(part) >= len(document))

    def _list_threads(self, request: ask.ListThreads) -> Reply:
        if not request.is_first:
            return Text("l")
        return Text("m" + ",".join(f"{_thread(Hart(hart)):x}" for hart in range(self._harts)))

    def _describe(self, request: ask.DescribeThread) -> Reply:
        hart = self._hart(request.thread)
        if hart is None:
            return Failure()
        moment = self._execution.moment(hart)
        arch = self._execution.trace.recording.arch
        privilege = "" if moment.privilege is None else arch.privilege_name(moment.privilege)
        notes = [privilege, *(note(moment) for note in self._notes)]
        text = " ".join([f"hart {hart}", *(f"[{note}]" for note in notes if note)])
        return Text(text.encode().hex())

    def _command(self, request: ask.Command) -> Reply:
        try:
            return Console(self._monitor.run(self._execution, request.line))
        except TracedbgError as error:
            return Console(f"{error}\n", failed=True)

    def _physical_mode(self, request: ask.PhysicalMode) -> Reply:
        if request.enable is None:
            return Text(str(int(self._execution.is_physical)))
        self._execution.is_physical = request.enable
        return Ok()


def _thread(hart: Hart) -> int:
    return hart + 1
