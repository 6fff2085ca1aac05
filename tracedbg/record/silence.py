"""Notices a guest that takes traps without ever running an instruction, which gives no callback at all."""

import os
from pathlib import Path

SECONDS = 5.0
"""How often to look."""
_BUSY_SECONDS = 0.5
_USER_TIME, _SYSTEM_TIME = 11, 12  # in /proc/PID/stat, counted behind the command's name

Position = tuple[int, int]


class SilenceWatch:
    """Looks at a QEMU every SECONDS: busy while its guest stays where it is means a loop of traps.

    A guest that waits for an interrupt stays where it is too, but then QEMU sleeps.
    """

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._before: tuple[Position, float] | None = None

    def look(self, position: Position) -> bool:
        """Say whether the guest was at ``position`` the last time, too, and QEMU was busy since."""
        used, before = self._seconds(), self._before
        self._before = (position, used)
        return before is not None and before[0] == position and used - before[1] >= _BUSY_SECONDS

    def _seconds(self) -> float:
        """Processor time that the process has used so far."""
        try:
            fields = self._stat.read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[_USER_TIME]) + int(fields[_SYSTEM_TIME])) / os.sysconf("SC_CLK_TCK")
