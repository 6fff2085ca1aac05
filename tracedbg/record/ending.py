"""How a recorded QEMU ended, in a word, from its QMP events and from what the recorder itself did."""

from collections.abc import Iterable

from tracedbg.record.qmp import Event

DISK_FULL = "disk-full"
STOP_AT = "stop-at"
VIRTUAL = "virtual-mode"
KILLED = "killed"
RECORDER_KILLED = "recorder-killed"

_WORDS = {"host-signal": "signal", "host-qmp-quit": "quit", "host-ui": "quit"}


def ending_of(events: Iterable[Event]) -> str:
    """Return why QEMU shut down: ``guest-shutdown``, ``guest-reset``, ``signal``, ...; else KILLED."""
    reasons = [str(event.data.get("reason", "")) for event in events if event.name == "SHUTDOWN"]
    return _WORDS.get(reasons[-1], reasons[-1]) if reasons else KILLED
