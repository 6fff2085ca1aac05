"""Folds findings that tell of the same thing into one story, and tells it in a paragraph."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from tracedbg.detect.evidence import names_of
from tracedbg.detect.finding import Code, Evidence, Finding, Severity, Victim, Writer
from tracedbg.detect.wording import bytes_text, sentence
from tracedbg.ids import Time
from tracedbg.kernel.view import KernelView

CALLERS_TOLD = 6
CONSUMERS_TOLD = 2
LINES_TOLD = 3
DAMAGE = ("store", "read", "fault", "origin")
"""Roles of evidence that two findings on one fault share: a store, a load, or what a bad value came by."""
CAUSES_FIRST = (
    "stack-underflow", "live-frame-overwrite", "return-address", "futex-timespec", "guard-page", "fatal-trap",
)  # fmt: skip


def fold(view: KernelView, findings: Iterable[Finding]) -> list[Finding]:
    """Return stories, the worst first: of findings that hang together one, with the others as ``related``."""
    stories = []
    for group in _groups(list(findings)):
        first = min(finding.t for finding in group)
        cause, *others = sorted(group, key=lambda finding: _order(finding, first))
        paragraph = cause.paragraph or tell(view, cause, others)
        stories.append(replace(cause, related=(*cause.related, *others), paragraph=paragraph))
    return sorted(stories, key=lambda story: (story.severity.rank, story.t))


def _order(finding: Finding, first: int) -> tuple[int, int, int]:
    """Return the place of a finding in its story, which begins at ``first``: causes before what came of them.

    A stack that was used on after it had met its guard page is no cause.
    """
    known = finding.detector in CAUSES_FIRST
    place = CAUSES_FIRST.index(finding.detector) if known else len(CAUSES_FIRST)
    if finding.t == first and _is_caught(finding):
        place = -1
    return finding.severity.rank, place, finding.t


def _groups(findings: list[Finding]) -> list[list[Finding]]:
    """Return the findings in groups that hang together, directly or through others."""
    group_of = list(range(len(findings)))
    for one, other in combinations(range(len(findings)), 2):
        if hang_together(findings[one], findings[other]):
            old, new = group_of[other], group_of[one]
            group_of = [new if group == old else group for group in group_of]
    return [
        [finding for finding, own in zip(findings, group_of, strict=True) if own == group]
        for group in dict.fromkeys(group_of)
    ]


def hang_together(one: Finding, other: Finding) -> bool:
    """Say whether two findings share a store that did damage or a load that brought it, or have one cause."""
    if _moments(one) & _moments(other) or _is_end_of(one, other) or _is_end_of(other, one):
        return True
    if _is_aftermath(one, other) or _is_aftermath(other, one):
        return True
    cause = _cause(one)
    return cause is not None and cause == _cause(other)


def _is_end_of(end: Finding, cause: Finding) -> bool:
    """Say whether a panic came on the stack whose frames had been ruined, after they had been used."""
    if end.writer is not None or end.stack is None or not any(part.role == "panic" for part in end.chain):
        return False
    if cause.stack is None or not cause.consumers:
        return False
    used = cause.consumers[0]
    is_on_it = cause.stack.top == end.stack.top
    if used.virtual is not None:
        is_on_it |= end.stack.lowest_sp <= used.virtual < end.stack.top
    return is_on_it and cause.severity is Severity.ERROR and used.t < end.t


def _is_aftermath(later: Finding, overflow: Finding) -> bool:
    """Say whether a stack that had met its guard page was used on below it, by the handler of that fault."""
    if overflow.stack is None or later.stack is None or later.stack.top != overflow.stack.top:
        return False
    return _is_caught(overflow) and later.severity is Severity.ERROR and later.t > overflow.t


def _is_caught(finding: Finding) -> bool:
    return finding.detector == "guard-page" and finding.severity is Severity.ERROR


def _cause(finding: Finding) -> tuple[int, str, str] | None:
    """Return whose memory a stack ran into, and in which function; None where that is not what happened."""
    if finding.stack is None or finding.owner is None or finding.writer is None:
        return None
    code = finding.writer.code
    function = hex(code.pc) if code.symbol is None else code.symbol.rpartition("+")[0]
    return finding.stack.top, finding.owner.text, function


def _moments(finding: Finding) -> set[int]:
    moments = {int(evidence.t) for evidence in finding.consumers}
    moments |= {int(evidence.t) for evidence in finding.chain if evidence.role in DAMAGE}
    return moments if finding.writer is None else moments | {int(finding.writer.t)}


def tell(view: KernelView, cause: Finding, others: Iterable[Finding]) -> str:
    """Return what happened as a paragraph, from cause to symptom."""
    sentences = [sentence(cause.title)]
    if cause.writer is not None:
        sentences.append(_of_writer(cause, cause.writer))
    sentences += _of_readers(cause.consumers[:CONSUMERS_TOLD])
    sentences += [sentence(text) for other in others if (text := _news(cause, other))]
    sentences += _said(view, _last_moment(cause))
    return " ".join(sentences)


def _news(cause: Finding, other: Finding) -> str:
    """Return what another finding's title says beyond that of the cause, "" for nothing."""
    return other.title.removeprefix(cause.title).removeprefix(": ")


def _of_writer(finding: Finding, writer: Writer) -> str:
    """Say who stored what over whose bytes."""
    told = names_of(writer.backtrace[1:])
    under = f", called from {' < '.join(told[:CALLERS_TOLD])}" if told else ""
    under += " < …," if len(told) > CALLERS_TOLD else "," if told else ""
    sp = "" if writer.sp is None or finding.stack is None else f", with sp at {writer.sp:#x}"
    what = "" if finding.victim is None else f" stored over {_of_victim(finding, finding.victim)}"
    return f"At t {writer.t:,}{sp}, {writer.code.text}{under}{what}."


def _of_victim(finding: Finding, victim: Victim) -> str:
    where = f"{victim.physical:#x}"
    user = next((place for place in finding.virtual_addresses if place.root), None)
    if user is not None:
        where += f" (user address {user.address:#x})"
    name = "" if victim.name is None else f" ({victim.name})"
    what = "byte" if victim.size == 1 else bytes_text(victim.size)
    before, after = (value_text(part) for part in (victim.before, victim.after))
    return f"the {what} at {where}{name}: {before} became {after}"


def value_text(content: bytes | None) -> str:
    """Return bytes as a number where they are few, else as digits in order of address."""
    if content is None:
        return "??"
    return f"{int.from_bytes(content, 'little'):#x}" if len(content) <= 8 else content.hex(" ")


def _of_readers(consumers: Sequence[Evidence]) -> Iterator[str]:
    before: Code | None = None
    for evidence in consumers:
        if evidence.code is not None and evidence.code == before:
            yield f"At t {evidence.t:,} the same instruction reads {bytes_text(evidence.size or 0)} more."
        else:
            where = "" if evidence.code is None else f" (at {evidence.code.text})"
            yield f"At t {evidence.t:,} {evidence.text}{where}."
        before = evidence.code


def _last_moment(finding: Finding) -> Time:
    return max([finding.t, *(evidence.t for evidence in finding.consumers[:CONSUMERS_TOLD])])


def _said(view: KernelView, after: Time) -> Iterator[str]:
    """Yield what the guest printed from a moment on."""
    lines = [line for line in view.index.console_lines_since(after) if line.content.strip()]
    if not lines:
        yield "The guest printed nothing any more."
        return
    shown = [*lines[:LINES_TOLD], *(lines[-1:] if len(lines) > LINES_TOLD else [])]
    texts = [f"“{line.content.decode(errors='replace').strip()}” (t {line.t:,})" for line in shown]
    yield f"Then the guest printed {', '.join(texts)}."


def code_text(code: Code | None) -> str:
    """Return an instruction for people, ``??`` where it is not known."""
    return "??" if code is None else code.text
