"""What the panels read of one moment, as a protocol and as the plainest thing that fulfils it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from tracedbg.arch import Architecture, Use, Walk
from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.query import hart_at, pc_at, privilege_at, registers_at
from tracedbg.state.known import Known
from tracedbg.state.memory import Memory
from tracedbg.state.registers import Registers
from tracedbg.store import Trace
