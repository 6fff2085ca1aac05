"""The files of a recording: the trace under its own name, and what is beside it while the guest runs."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tracedbg.errors import UsageError


@dataclass(frozen=True)
class Outputs:
    """``partial`` becomes the trace; with ``--last`` it is a folder that holds the newest part."""

    path: Path

    @property
    def partial(self) -> Path:
        """What has been recorded so far."""
        return self.path.with_name(self.path.name + ".partial")

    @property
    def slots(self) -> Path:
        """The buffers that QEMU fills."""
        return self.path.with_name(self.path.name + ".slots")

    def check(self, *, force: bool) -> None:
        """Raise UsageError when a recording cannot go here; with ``force`` clear away an interrupted one."""
        folder = self.path.parent
        if not folder.is_dir():
            raise UsageError(f"{self.path}: there is no folder {folder}")
        if self.path.is_dir():
            raise UsageError(f"{self.path} is a folder: give -o the name of a file")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"{self.path}: nothing can be written to {folder}: choose another place with -o")
        if self.path.exists() and not force:
            raise UsageError(f"{self.path} exists: choose another with -o, or overwrite it with --force")
        if self.partial.exists() or self.slots.exists():
            if not force:
                left = self.partial if self.partial.exists() else self.slots
                raise UsageError(
                    f"{left}: an interrupted recording is here; save it with"
                    f" `tracedbg repair {self.partial} -o FILE`, or give it up with --force"
                )
            self.discard()

    def discard(self) -> None:
        """Remove everything but the trace."""
        self.slots.unlink(missing_ok=True)
        if self.partial.is_dir():
            shutil.rmtree(self.partial)
        else:
            self.partial.unlink(missing_ok=True)

    def keep(self, whole: Path) -> None:
        """Give the finished trace its name, and remove the rest."""
        whole.replace(self.path)
        self.discard()
