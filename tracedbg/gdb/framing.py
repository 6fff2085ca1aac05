"""Packets of gdb's remote serial protocol as bytes, for a server and for a client (gdb manual, E.1)."""

import re
from dataclasses import dataclass
from enum import Enum

PACKET_LIMIT = 1 << 20
"""Bytes of a packet's content; a longer one is damaged."""

_START, _END, _NOTIFICATION = b"$", b"#", b"%"
_ESCAPE, _REPEAT = 0x7D, 0x2A
_FLIP = 0x20
_RUN_BASE = 29
_RUN = re.compile(rb"([^*}])\1{3,96}", re.DOTALL)
_FORBIDDEN_RUNS = {ord(sign) - _RUN_BASE for sign in "#$+-"}


class Mark(Enum):
    """What stands alone between packets."""

    ACK = b"+"
    NAK = b"-"
    INTERRUPT = b"\x03"


@dataclass(frozen=True)
class Packet:
    """The content of a packet whose checksum is right; escapes are undone."""

    content: bytes


@dataclass(frozen=True)
class Notification:
    """The content of a notification, which nobody acknowledges."""

    content: bytes


@dataclass(frozen=True)
class Damaged:
    """A packet that did not arrive whole; ``problem`` says why. The other side is to send it again."""

    problem: str


Event = Packet | Notification | Mark | Damaged

_MARKS = {mark.value[0]: mark for mark in Mark}
_MEANINGFUL = (_START, _NOTIFICATION, *(mark.value for mark in Mark))


def frame(content: bytes, *, run_lengths: bool = False) -> bytes:
    """Return a packet with this content, escaped, between its start and its checksum.

    ``run_lengths`` shortens repeated bytes, which only a server may do.
    """
    body = content
    for special in (_ESCAPE, *_START, *_END, _REPEAT):
        body = body.replace(bytes((special,)), bytes((_ESCAPE, special ^ _FLIP)))
    if run_lengths and body == content:
        body = _RUN.sub(_shortened, body)
    return _START + body + _END + b"%02x" % (sum(body) % 256)


def _shortened(run: re.Match[bytes]) -> bytes:
    byte, repeats = run[1], len(run[0]) - 1
    rest = 0
    while repeats in _FORBIDDEN_RUNS:
        repeats, rest = repeats - 1, rest + 1
    return byte + bytes((_REPEAT, repeats + _RUN_BASE)) + byte * rest


class PacketReader:
    """Takes bytes as they arrive and hands out what they say; nothing that arrives makes it fail.

    Bytes between packets that mean nothing are passed over, and a packet that is begun again is only read
    from its last start. ``run_lengths`` undoes run lengths, which only a server's packets have.
    """

    def __init__(self, *, run_lengths: bool = False, limit: int = PACKET_LIMIT) -> None:
        self._run_lengths = run_lengths
        self._limit = limit
        self._pending = bytearray()
        self._searched = 1

    @property
    def is_inside(self) -> bool:
        """Whether a packet has begun and not ended."""
        return bool(self._pending)

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that end with these bytes, in order."""
        self._pending += data
        events: list[Event] = []
        while self._pending:
            if self._pending.startswith((_START, _NOTIFICATION)):
                event = self._packet()
                if event is None:
                    break
                events.append(event)
            elif self._pending[0] in _MARKS:
                events.append(_MARKS[self._pending.pop(0)])
            else:
                self._pass_over()
        return events

    def _pass_over(self) -> None:
        """Drop what is pending up to the next byte that means something."""
        places = [self._pending.find(sign) for sign in _MEANINGFUL]
        del self._pending[: min((place for place in places if place >= 0), default=len(self._pending))]

    def _packet(self) -> Event | None:
        """Take the packet that is pending, None while it has not ended."""
        end = self._pending.find(_END, self._searched)
        if end < 0 and len(self._pending) > self._limit:
            self._drop(len(self._pending))
            return Damaged(f"more than {self._limit} bytes without an end")
        if end < 0 or len(self._pending) < end + 3:
            self._searched = len(self._pending) if end < 0 else end
            return None
        start = max(self._pending.rfind(_START, 1, end), 0)
        taken = bytes(self._pending[start : end + 3])
        self._drop(end + 3)
        return self._checked(taken[:1], taken[1:-3], taken[-2:])

    def _drop(self, count: int) -> None:
        del self._pending[:count]
        self._searched = 1

    def _checked(self, kind: bytes, body: bytes, checksum: bytes) -> Event:
        if checksum.lower() != b"%02x" % (sum(body) % 256):
            return Damaged("its checksum is wrong")
        content = _content(body, self._run_lengths)
        if content is None:
            return Damaged("it ends within an escape or a run length")
        if len(content) > self._limit:
            return Damaged(f"more than {self._limit} bytes")
        return Packet(content) if kind == _START else Notification(content)


def _content(body: bytes, run_lengths: bool) -> bytes | None:
    """Undo escapes and run lengths; None where they make no sense."""
    if _ESCAPE not in body and not (run_lengths and _REPEAT in body):
        return body
    out = bytearray()
    rest = iter(body)
    for byte in rest:
        if byte == _ESCAPE:
            following = next(rest, None)
            if following is None:
                return None
            out.append(following ^ _FLIP)
        elif byte == _REPEAT and run_lengths:
            following = next(rest, None)
            if following is None or following <= _RUN_BASE or not out:
                return None
            out += out[-1:] * (following - _RUN_BASE)
        else:
            out.append(byte)
    return bytes(out)
