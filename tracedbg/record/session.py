"""One QEMU that is recorded: its files and sockets, and the thread that writes the trace."""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

from tracedbg.errors import RecordError, TracedbgError
from tracedbg.record import command, plugin_build, qmp
from tracedbg.record.launch import QemuRequest
from tracedbg.record.link import PluginDoor, PluginLink
from tracedbg.record.options import Options, Summary
from tracedbg.record.outputs import Outputs
from tracedbg.record.ram import check_backend
from tracedbg.record.recording import Recording, Task
from tracedbg.record.slots import SlotFile

_PLUGIN_SECONDS = 60.0

ExitStatus = Callable[[int], int | None]
"""Returns the exit status of a process that has just ended, None where it cannot be known."""


class Session:
    """Records the QEMU of a request; ``argv`` is the command line that QEMU is to run with.

    Takes over the request's descriptors. When the thread has ended, ``summary`` tells of the trace; where it
    is None, ``error`` says why, or QEMU never ran an instruction.
    """

    def __init__(
        self, request: QemuRequest, outputs: Outputs, options: Options, exit_status: ExitStatus
    ) -> None:
        self.error: TracedbgError | None = None
        self.summary: Summary | None = None
        self.notes: list[str] = []
        self._outputs = outputs
        self._request = request
        self._exit_status = exit_status
        with ExitStack() as files:
            rewritten = self._rewrite(options)
            self._door = PluginDoor(request.folder / "plugin")
            files.callback(self._door.close)
            listener = files.enter_context(qmp.QmpListener(request.folder / "qmp"))
            self._slots = SlotFile.create(outputs.slots)
            files.callback(self._slots.close)
            library = plugin_build.build(plugin_build.sources_dir(), "fold")
            task = Task(request, rewritten, options, outputs, library)
            self._recording = Recording(task, self._slots, listener)
            files.callback(self._recording.close)
            self._files = files.pop_all()
        self.argv = rewritten.argv
        self.notes = self._recording.notes
        for descriptor in (request.ram_fd, request.pidfd):
            self._files.callback(os.close, descriptor)
        self._thread = threading.Thread(target=self._run, name="tracedbg-recorder")

    @property
    def instructions(self) -> int:
        """Instructions recorded so far, by whole epochs."""
        return self._recording.sink.instructions

    @property
    def size(self) -> int:
        """Bytes written so far."""
        with suppress(OSError):
            return self._recording.sink.size
        return 0

    def start(self) -> None:
        """Begin to wait for the plugin."""
        self._thread.start()

    def wait(self) -> None:
        """Wait until the trace is finished; raises what went wrong."""
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _rewrite(self, options: Options) -> command.Rewritten:
        request = self._request
        size = qmp.default_ram_bytes(request.qemu, request.argv, request.cwd)
        os.ftruncate(request.ram_fd, size)
        facts = command.Facts(
            ram_bytes=size,
            ram_fd=request.qemu_ram_fd,
            plugin=plugin_build.build(plugin_build.sources_dir(), "recorder"),
            host=request.folder / "plugin",
            slots=self._outputs.slots.absolute(),
            qmp=request.folder / "qmp",
            icount=options.icount,
            options=options.plugin,
        )
        rewritten = command.rewrite(request.argv, facts)
        if rewritten.ram_path is not None:
            check_backend(request.cwd / rewritten.ram_path)
        return rewritten

    def _run(self) -> None:
        try:
            with self._files:
                self._record()
        except TracedbgError as error:
            self.error = error
        except OSError as error:
            self.error = RecordError(
                f"{error.filename or self._outputs.partial}: {error.strerror}:"
                f" `tracedbg repair {self._outputs.partial} -o FILE` saves what was recorded"
            )

    def _record(self) -> None:
        connection = self._door.accept(_PLUGIN_SECONDS, self._request.pidfd)
        if connection is None or not self._serve(connection):
            self._recording.close()
            self._outputs.discard()
            return
        recording = self._recording
        whole = recording.finish(self._exit_status(self._request.pid))
        self._outputs.keep(whole)
        size = self._outputs.path.stat().st_size
        self.summary = Summary(
            self._outputs.path, recording.kept, size, recording.how, tuple(recording.notes)
        )

    def _serve(self, connection: socket.socket) -> bool:
        with connection:
            link = PluginLink(connection)
            try:
                return self._recording.serve(link)
            except qmp.QemuEndedError:
                return False
            finally:
                if link.shadow is not None:
                    os.close(link.shadow)
