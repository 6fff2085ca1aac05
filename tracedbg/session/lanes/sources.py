"""The lanes that every session has, in the order in which they are shown."""

from tracedbg.session.lanes.accesses import Accesses
from tracedbg.session.lanes.console import Console
from tracedbg.session.lanes.findings import Findings
from tracedbg.session.lanes.lane import LaneSource
from tracedbg.session.lanes.privilege import Privileges
from tracedbg.session.lanes.stack_base import StackBase
from tracedbg.session.lanes.stack_depth import StackDepth
from tracedbg.session.lanes.tasks import TaskLanes
from tracedbg.session.lanes.traps import SystemCalls, Traps

BUILT_IN: tuple[LaneSource, ...] = (
    Privileges(),
    SystemCalls(),
    TaskLanes(),
    Traps(),
    StackDepth(),
    StackBase(),
    Accesses(),
    Findings(),
    Console(),
)
