"""One gdb's connection: packets in, packets out, acknowledgements, and Ctrl-C while a search goes on."""

from collections import deque
from math import inf
from time import monotonic

from tracedbg.gdb.dispatch import Dispatcher
from tracedbg.gdb.execution import InterruptedSearchError
from tracedbg.gdb.framing import Damaged, Event, Mark, Packet, PacketReader, frame
from tracedbg.gdb.replies import Failure, Reply
from tracedbg.gdb.requests import Leave, NoAck, RequestError, parse
from tracedbg.gdb.transport import Connection

WAITING_LIMIT = 1024
"""Events that may wait while a search goes on; then no more is read until it ends."""
LATE_SECONDS = 1.0
"""How long Ctrl-C holds that came between two runs.

A gdb whose breakpoint's condition was false goes on at once, and takes the guest for running all the time.
"""


class Conversation:
    """Talks to one gdb until it leaves; what it sends, and when it goes, can do no harm."""

    def __init__(self, connection: Connection, dispatcher: Dispatcher) -> None:
        self._connection = connection
        self._dispatcher = dispatcher
        self._reader = PacketReader()
        self._waiting: deque[Event] = deque()
        self._acknowledges = True
        self._sent = b""
        self._is_over = self._was_met = False
        self._asked_to_stop = -inf

    def run(self) -> bool:
        """Answer until gdb detaches or hangs up; return whether there was anybody who said something."""
        while not self._is_over:
            if self._waiting:
                self._take(self._waiting.popleft())
            else:
                self._receive()
        return self._was_met

    def _receive(self) -> None:
        data = self._connection.receive()
        self._is_over = not data
        self._was_met |= bool(data)
        self._waiting.extend(self._reader.feed(data))

    def _take(self, event: Event) -> None:
        if isinstance(event, Packet):
            self._acknowledge(Mark.ACK)
            self._answer(event.content)
        elif isinstance(event, Damaged):
            self._acknowledge(Mark.NAK)
        elif event is Mark.INTERRUPT:
            self._asked_to_stop = monotonic()
        elif event is Mark.NAK and self._acknowledges:
            self._send(self._sent)

    def _acknowledge(self, mark: Mark) -> None:
        if self._acknowledges:
            self._send(mark.value)

    def _answer(self, content: bytes) -> None:
        try:
            request = parse(content)
        except RequestError as error:
            self._reply(Failure(sentence=str(error)))
            return
        self._reply(self._dispatcher.reply(request, self._poll))
        if isinstance(request, NoAck):
            self._acknowledges = False
        if isinstance(request, Leave):
            self._is_over = True

    def _reply(self, reply: Reply) -> None:
        self._sent = b"".join(frame(content, run_lengths=True) for content in reply.packets())
        self._send(self._sent)

    def _send(self, data: bytes) -> None:
        if data and not self._connection.send(data):
            self._is_over = True

    def _poll(self) -> None:
        """Look for Ctrl-C; raises InterruptedSearchError for it, and when gdb has gone."""
        while len(self._waiting) < WAITING_LIMIT and not self._is_over and self._connection.has_input():
            self._receive()
        was_asked = monotonic() - self._asked_to_stop < LATE_SECONDS
        if self._is_over or was_asked or Mark.INTERRUPT in self._waiting:
            self._waiting = deque(event for event in self._waiting if event is not Mark.INTERRUPT)
            self._asked_to_stop = -inf
            raise InterruptedSearchError
