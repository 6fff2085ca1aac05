"""A client of the remote protocol that says exactly what a test wants said."""

from pathlib import Path
from types import TracebackType
from typing import Self

from tracedbg.gdb.framing import Mark, Packet, PacketReader, frame
from tracedbg.gdb.transport import Address, Unix, connect

TIMEOUT = 60.0


class Client:
    """Sends packets and bytes, and reads what comes back."""

    def __init__(self, address: Address | Path) -> None:
        self.connection = connect(Unix(address) if isinstance(address, Path) else address)
        self._reader = PacketReader(run_lengths=True)
        self.events: list[object] = []

    def ask(self, content: str | bytes) -> str:
        """Send a packet, and return the content of the next one that comes."""
        self.send(content)
        return self.packet()

    def send(self, content: str | bytes) -> None:
        self.raw(frame(content.encode("latin-1") if isinstance(content, str) else content))

    def raw(self, data: bytes) -> None:
        assert self.connection.send(data)

    def packet(self) -> str:
        while True:
            event = self.event()
            if isinstance(event, Packet):
                return event.content.decode("latin-1")

    def event(self) -> object:
        """Return the next mark or packet; None when the server has hung up."""
        while not self.events:
            assert self.connection.has_input(TIMEOUT), "no answer"
            data = self.connection.receive()
            if not data:
                return None
            self.events += self._reader.feed(data)
        return self.events.pop(0)

    def run(self, content: str) -> str:
        """Send a packet and its acknowledgement, as gdb does."""
        reply = self.ask(content)
        self.raw(Mark.ACK.value)
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
