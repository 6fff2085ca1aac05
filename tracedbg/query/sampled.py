"""What bytes of physical memory held at a moment of a capture: what was seen of them since a gap."""

import numpy as np

from tracedbg.ids import Epoch, Time
from tracedbg.query.written import Content, written_bytes
from tracedbg.store.source import Flags, Integers, Numbers
from tracedbg.store.trace import Trace

_Told = tuple[Integers, Numbers, Content]
"""The moment from which each byte is known, its address, and its value."""


def sampled_at(trace: Trace, physical: int, size: int, t: Time) -> tuple[Content, Flags]:
    """Return ``size`` bytes at moment ``t``, and which of them are known; unknown ones are 0."""
    since = trace.stops.floor(t)
    stop = physical + size
    parts = [_stored(trace, (physical, stop), since, t), _samples(trace, (physical, stop), since, t)]
    moment, address, byte = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    # What a sample shows at a moment has all stores before it in it.
    order = np.argsort(moment, kind="stable")
    address, byte = address[order], byte[order]
    inside = (address >= np.uint64(physical)) & (address < np.uint64(stop))
    places = (address[inside] - np.uint64(physical)).astype(np.int64)
    content, known = np.zeros(size, np.uint8), np.zeros(size, np.bool_)
    # Where a place occurs several times numpy keeps the last, which is the newest.
    content[places] = byte[inside]
    known[places] = True
    return content, known


def _stored(trace: Trace, where: tuple[int, int], since: int, t: Time) -> _Told:
    """Return what instructions from ``since`` on loaded and stored, and the state at ``t`` shows."""
    parts: list[_Told] = [(np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.uint8))]
    first, last = trace.epoch_of(Time(max(since, trace.start))), trace.epoch_of(t)
    for index in trace.spans.candidates(
        first, last + 1, lambda span: span.writes(*where) or span.reads(*where)
    ):
        epoch = trace.epoch(Epoch(index))
        shown, address, byte = written_bytes(epoch, *where, t - epoch.start, loads=True)
        parts.append((shown + epoch.start, address, byte))
    moment, address, byte = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    # A store by an instruction at t shows from t + 1 on.
    later = moment > since
    return moment[later], address[later], byte[later]


def _samples(trace: Trace, where: tuple[int, int], since: int, t: Time) -> _Told:
    moments, addresses = [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
    contents = [np.empty(0, np.uint8)]
    for sample in trace.stops.iter_samples(since, t, where):
        size = len(sample.content)
        moments.append(np.full(size, sample.t, np.int64))
        addresses.append(np.uint64(sample.physical) + np.arange(size, dtype=np.uint64))
        contents.append(sample.content)
    return np.concatenate(moments), np.concatenate(addresses), np.concatenate(contents)
