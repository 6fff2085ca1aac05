"""An analysis as text that a person reads top down: the story, its evidence, then what was found clean."""

import textwrap
from collections.abc import Iterator

from tracedbg.detect.analysis import Analysis
from tracedbg.detect.finding import Evidence, Finding, Writer
from tracedbg.detect.story import code_text, value_text
from tracedbg.detect.wording import sentence

WIDTH = 100


def report(analysis: Analysis) -> str:
    """Return the whole report."""
    parts = [_finding(number, finding) for number, finding in enumerate(analysis.findings, 1)]
    if not analysis.findings:
        parts.append(sentence(analysis.absence))
    return "\n\n".join([*parts, "\n".join(_checks(analysis))])


def _finding(number: int, finding: Finding) -> str:
    title = f"{number}. {finding.severity.value}: {finding.title}  [{finding.detector}]"
    lines = [*textwrap.wrap(title, WIDTH, subsequent_indent="   "), ""]
    lines += _wrapped(sentence(finding.paragraph))
    if finding.picture:
        lines += ["", *(f"    {line}" for line in finding.picture.splitlines())]
    lines += ["", *_wrapped(f"How sure: {finding.certainty.value}. {sentence(finding.why)}")]
    lines += ["", "   Evidence:", *(f"     {line}" for line in _evidence(finding.chain))]
    if finding.writer is not None and len(finding.writer.backtrace) > 1:
        lines += ["", f"   Call stack at t {finding.writer.t:,}:", *_stack(finding.writer)]
    for related in finding.related:
        lines += ["", *_wrapped(f"{related.severity.value}: {related.title}  [{related.detector}]")]
        lines += [f"     {line}" for line in _evidence(related.chain)]
    return "\n".join(line.rstrip() for line in lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="   ", subsequent_indent="   ")


def _evidence(chain: tuple[Evidence, ...]) -> Iterator[str]:
    width = max((len(f"{evidence.t:,}") for evidence in chain), default=0)
    roles = max((len(evidence.role) for evidence in chain), default=0)
    for evidence in chain:
        head = f"t {evidence.t:>{width},}  {evidence.role.ljust(roles)}  "
        indent = " " * len(head)
        yield from textwrap.wrap(evidence.text, WIDTH, initial_indent=head, subsequent_indent=indent)
        if evidence.code is not None and evidence.code.text not in evidence.text:
            yield f"{indent}at {code_text(evidence.code)}"
        if evidence.physical is not None:
            yield indent + _place(evidence)


def _place(evidence: Evidence) -> str:
    virtual = "" if evidence.virtual is None else f" (virtual {evidence.virtual:#x})"
    change = value_text(evidence.before)
    if evidence.before != evidence.after:
        change += f" → {value_text(evidence.after)}"
    return f"{evidence.physical:#x}{virtual}: {change}"


def _stack(writer: Writer) -> Iterator[str]:
    for number, code in enumerate(writer.backtrace):
        yield f"     {number:>2}  {code.full_text}"


def _checks(analysis: Analysis) -> Iterator[str]:
    yield "Checked:"
    named = [(checked.detector, check) for checked in analysis.checked for check in checked.checks]
    width = max((len(name) for name, _ in named), default=0)
    for name, check in named:
        if check.is_done:
            yield f"   {name.ljust(width)}  {check.text}"
    missed = [(name, check) for name, check in named if not check.is_done]
    if missed or analysis.failures:
        yield "Not checked:"
    for name, check in missed:
        yield f"   {name.ljust(width)}  {check.text}"
    for failure in analysis.failures:
        yield f"   {failure}"
