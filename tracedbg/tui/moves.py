"""What keys have found out in a thread: steps, searches and questions, and what they come to."""

from collections.abc import Callable
from dataclasses import dataclass

from tracedbg.ids import Time
from tracedbg.session.place import Place, Selection, Watch
from tracedbg.session.running_context import Check
from tracedbg.session.session import Question, Session, Step


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a move or a question came to: where the cursor goes (None: it stays), and the sentence to show.

    ``found`` are bytes to select, or to watch.
    """

    t: Time | None
    answer: str
    found: Selection | Watch | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Something to find out from a place; ``task`` names it while it runs."""

    task: str
    find: Callable[[Place, Check], Outcome]


def step_move(session: Session, step: Step) -> Move:
    """A step in time."""

    def find(place: Place, check: Check) -> Outcome:
        t = session.step(step, place.t, check)
        return Outcome(t, f"{step.value}: t {t:,} ({t - place.t:+,})")

    return Move(step.value, find)


def position_move(session: Session, position: str) -> Move:
    """A jump to a position by its text."""

    def find(_: Place, __: Check) -> Outcome:
        t = session.resolve(position)
        return Outcome(t, f"{position}: t {t:,}")

    return Move(position, find)


def return_move() -> Move:
    """Back to where the last move began."""
    return Move("back", lambda place, _: Outcome(place.came_from, f"t {place.came_from:,}"))


def access_move(session: Session, question: Question) -> Move:
    """A jump to an access of the selected bytes."""

    def find(place: Place, _: Check) -> Outcome:
        access, chosen = session.ask(question, place), place.selection.text
        if access is None:
            return Outcome(None, f"{question.value} of {chosen}: there is none in this trace")
        return Outcome(access.t, f"{chosen} {session.answers.sentence(access)}")

    return Move(question.value, find)


def writer_question(session: Session) -> Move:
    """Who wrote the selected bytes."""
    return Move("who wrote", lambda place, _: Outcome(None, session.who(place)))


def other_space_move(session: Session) -> Move:
    """The selected bytes by their other address."""

    def find(place: Place, _: Check) -> Outcome:
        found = session.in_other_space(place)
        return Outcome(None, f"{place.selection.text} is {found.text}", found)

    return Move("translating", find)


def watch_move(session: Session) -> Move:
    """The selected bytes, to be watched."""
    return Move("translating", lambda place, _: Outcome(None, "", session.find_watch(place)))
