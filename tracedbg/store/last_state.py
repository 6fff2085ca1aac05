"""The registers that QEMU told at the end of a recording whose guest ran no instruction any more."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracedbg.ids import Time
from tracedbg.store.guest import HART_LIMIT, Fields

_HART = re.compile(r"^CPU#\d+\s*$", re.MULTILINE)
_VALUE = re.compile(r"(?:\b[xf]\d+/)?\b([a-z]\w*)[ \t]+([0-9a-f]{16})\b")


@dataclass(frozen=True)
class LastState:
    """``harts`` are the registers of each hart by name, among them ``pc``, as they were from ``t`` on."""

    t: Time
    harts: tuple[Mapping[str, int], ...]


def parse_last_state(record: Mapping[str, Any]) -> LastState:
    """Return metadata record ``last-state``; raises GuestError with the field that is wrong.

    Its ``registers`` are what QEMU 7.2 to 10 answer to ``info registers -a``.
    """
    fields = Fields(record)
    parts = _HART.split(fields.text("registers"))[1 : HART_LIMIT + 1]
    harts = tuple({name: int(digits, 16) for name, digits in _VALUE.findall(part)} for part in parts)
    return LastState(Time(fields.number("t")), harts)
