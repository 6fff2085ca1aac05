"""The timeline's lanes: each turns what a trace says about a stretch of time into a row of cells."""

from tracedbg.session.lanes.lane import Lane, LaneSource, LaneView
from tracedbg.session.lanes.sources import BUILT_IN

__all__ = ["BUILT_IN", "Lane", "LaneSource", "LaneView"]
