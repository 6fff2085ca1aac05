"""A server that answers like a gdbstub, as far as a test says."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tracedbg.gdb.framing import Packet, PacketReader, frame

Answer = Callable[[bytes], bytes | None]
"""Returns the reply to a request; None hangs up."""

RISCV = (
    b'l<?xml version="1.0"?><target><architecture>riscv:rv64</architecture>'
    b'<xi:include href="riscv-64bit-cpu.xml"/></target>'
)
SUPPORTED = b"PacketSize=1000;qXfer:features:read+;vContSupported+;multiprocess+"


@contextmanager
def stub(folder: Path, answer: Answer) -> Iterator[str]:
    """Listens for one client, and yields the address."""
    path = folder / "stub"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_serve, args=(listener, answer), daemon=True)
        thread.start()
        yield f"unix:{path}"
    thread.join(10)


def _serve(listener: socket.socket, answer: Answer) -> None:
    try:
        peer, _ = listener.accept()
    except OSError:
        return
    reader = PacketReader()
    with peer:
        while data := peer.recv(1 << 16):
            for event in reader.feed(data):
                if not isinstance(event, Packet):
                    continue
                reply = answer(event.content)
                if reply is None:
                    return
                try:
                    peer.sendall(b"+" + frame(reply))
                except OSError:
                    return
