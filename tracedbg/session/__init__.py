"""A person's place in a trace: the cursor, what is picked out, and snapshots of all that a screen shows."""

from tracedbg.session.examination import Examination, examine
from tracedbg.session.function_steps import StepError
from tracedbg.session.place import Bookmark, Place, Selection, Visible, Watch
from tracedbg.session.screen import ScreenSize, screen_at
from tracedbg.session.session import Question, Session, Step
from tracedbg.session.snapshots import Screen

__all__ = [
    "Bookmark", "Examination", "Place", "Question", "Screen", "ScreenSize", "Selection", "Session", "Step",
    "StepError", "Visible", "Watch", "examine", "screen_at",
]  # fmt: skip
