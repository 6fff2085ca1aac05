"""A gdb with something to connect to: a server over a trace while it runs, or a target that is there."""

import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tracedbg.gdb.launch import GOTO, PATIENCE, settings, unpack
from tracedbg.gdb.server import Served, serve
from tracedbg.gdb.transport import Address, Listener, Unix, connect


@dataclass(frozen=True)
class Target:
    """What gdb is told before it connects, and the command that connects it."""

    commands: tuple[str, ...]
    connect: str


@contextmanager
def hosted(served: Served, symbols: Sequence[Path]) -> Iterator[Target]:
    """Serve a trace on a socket of its own, in a thread, with what it carries laid out in a folder.

    ``symbols`` go before those that the trace carries. A bug in the server is raised at the end.
    """
    with tempfile.TemporaryDirectory(prefix="tracedbg-") as name:
        folder = Path(name)
        carried = unpack(served.trace, folder)
        files = tuple(path.absolute() for path in symbols) + carried.symbols
        bugs: list[BaseException] = []

        def run() -> None:
            try:
                serve(served, listener)
            except BaseException as error:  # noqa: BLE001  it is raised where someone sees it
                bugs.append(error)

        with Listener(Unix(folder / "socket")) as listener:
            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            try:
                commands = settings(files, carried.sources)
                yield Target(tuple(commands), f"target remote {folder / 'socket'}")
            finally:
                listener.stop()
                thread.join()
        if bugs:
            raise bugs[0]


def remote(address: Address, symbols: Sequence[Path]) -> Target:
    """Return a target that is there already; TransportError when nobody answers."""
    connect(address).close()
    place = address.path if isinstance(address, Unix) else address
    return Target(tuple(settings(tuple(symbols), None, PATIENCE)), f"target remote {place}")


def run_gdb(gdb: str, target: Target, script: Path | None = None) -> int:
    """Hand gdb over to the terminal, or have it run a script of its own commands; returns its exit code."""
    with tempfile.TemporaryDirectory(prefix="tracedbg-") as name:
        setup = Path(name) / "setup.gdb"
        lines = [*target.commands, target.connect]
        lines += [] if script is None else [f"source {script.absolute()}"]
        setup.write_text("\n".join(lines) + "\n")
        batch = [] if script is None else ["-nx", "-batch"]
        # Ctrl-C is gdb's. A handler is not inherited, as ignoring would be.
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            return subprocess.run(
                [gdb, "-q", *batch, "-x", str(GOTO), "-x", str(setup)], check=False
            ).returncode
        finally:
            signal.signal(signal.SIGINT, before)
