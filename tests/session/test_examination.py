"""How an examination goes, and what it tells meanwhile."""

import pytest

from tests.session.found import analysis, finding
from tracedbg.errors import TracedbgError
from tracedbg.ids import PhysicalAddress
from tracedbg.session import examination as examinations
from tracedbg.session.examination import Examination, Stage, examine
from tracedbg.session.running_context import go_on
from tracedbg.session.session import Session


class StoppedError(Exception):
    pass


def test_the_history_comes_first_then_the_detectors(session: Session) -> None:
    told: list[Examination] = []
    done = examine(session.trace, told.append, go_on)
    stages = list(dict.fromkeys(state.stage for state in told))
    assert stages == [Stage.READING, Stage.DETECTING]
    shares = [state.share for state in told if state.stage is Stage.READING]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all((state.view is None) == (state.stage is Stage.READING) for state in told)
    assert done.stage is Stage.DONE
    assert done.analysis is not None
    assert {state.task for state in told} >= {checked.detector for checked in done.analysis.checked}


@pytest.mark.parametrize("after", [0, 2])
def test_it_can_be_given_up(session: Session, after: int) -> None:
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked > after:
            raise StoppedError

    with pytest.raises(StoppedError):
        examine(session.trace, lambda _: None, check)
    assert asked == after + 1


def test_a_detector_is_interrupted_at_its_next_question(session: Session) -> None:
    stop = False

    def check() -> None:
        if stop:
            raise StoppedError

    done = examine(session.trace, lambda _: None, check)
    assert done.view is not None
    stop = True
    with pytest.raises(StoppedError):
        done.view.accesses((PhysicalAddress(0x8000_2000), 4096))


def test_a_trace_that_cannot_be_read_is_told(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise TracedbgError("epoch 3 is damaged")

    monkeypatch.setattr(examinations, "analyze", broken)
    done = examine(session.trace, lambda _: None, go_on)
    assert (done.stage, done.problem) == (Stage.FAILED, "epoch 3 is damaged")
    assert done.view is not None


def test_summaries() -> None:
    found = [analysis(), analysis(finding()), analysis(finding(), finding())]
    done = [Examination(Stage.DONE, analysis=one).summary for one in found]
    assert done == ["nothing found", "◆ 1 finding", "◆ 2 findings"]
    assert Examination().summary == "not analysed yet: n begins"
    assert Examination(Stage.READING, share=0.256).summary == "analysing 26%"
    assert Examination(Stage.DETECTING, "guard-page").summary == "analysing …"
    assert Examination(Stage.FAILED, problem="x").summary == "! analysis failed"
