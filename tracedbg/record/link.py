"""The socket between the recorder and the plugin: requests of one character, answered by one."""

import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

MAP = "m"
"""The machine is built: the plugin wants to know where RAM and devices are."""
START = "s"
"""Recording begins: the image is to be taken. A descriptor of the shadow of RAM comes with it."""
FULL = "f"
"""A slot is full. The answer says that one may be free; all others are just waited for."""
END = "x"
"""The last slot is full: ``--stop-at`` has been reached."""
VIRTUAL = "v"
"""The last slot is full: the guest is about to enter virtual mode."""

_SLOT_FREE, _GO_ON = b"f", b"a"


class PluginLink:
    """One connected plugin. ``shadow`` is the descriptor that came with START."""

    def __init__(self, connection: socket.socket) -> None:
        self.shadow: int | None = None
        self._socket = connection

    def iter_requests(self, silence: float, when_silent: Callable[[], None]) -> Iterator[str]:
        """Yield requests, each answered when the next is asked for, until QEMU ends.

        ``when_silent`` is called whenever none came for ``silence`` seconds.
        """
        self._socket.settimeout(silence)
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._socket, 1, 1)
            except TimeoutError:
                when_silent()
                continue
            except ConnectionResetError:
                return
            self.shadow = next(iter(descriptors), self.shadow)
            if not data:
                return
            request = data.decode("ascii", "replace")
            yield request
            with suppress(OSError):
                self._socket.send(_SLOT_FREE if request == FULL else _GO_ON)


class PluginDoor:
    """Listens for the plugin of one QEMU."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)

    def accept(self, timeout: float, pidfd: int) -> socket.socket | None:
        """Return the plugin's connection; None when the process of ``pidfd`` ends first or time is up."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(pidfd, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(timeout)]
        return self._listener.accept()[0] if self._listener in ready else None

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()
