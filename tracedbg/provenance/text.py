"""An explanation as lines that people read: the path of the value first, then the rest."""

from collections.abc import Iterable, Sequence

from tracedbg.provenance.explanation import Cut, Explanation, Input, Role, Step
from tracedbg.provenance.place import BytesAt, Place

UNKNOWN = "??"
_MOST_BESIDE = 20
_MOST_OPEN = 12
_MOST_ADDRESSES = 3


def explanation_text(explanation: Explanation) -> str:
    """Return the explanation: a heading, a line for each step, and where one may ask on."""
    spine = [explanation.steps[number] for number in explanation.spine]
    rest = [step for step in explanation.steps if step.number not in explanation.spine]
    parts = [_heading(explanation), _table(spine)]
    if rest:
        more = f"\n  and {len(rest) - _MOST_BESIDE} more (--json has all)" if len(rest) > _MOST_BESIDE else ""
        parts.append("beside it:\n" + _table(rest[:_MOST_BESIDE]) + more)
    open_ends = _open_ends(explanation)
    if open_ends:
        parts.append("not followed; to go on, ask for:\n" + "\n".join(open_ends))
    return "\n\n".join(parts)


def place_text(place: Place) -> str:
    """Return a register's name, or an address and the number of bytes there."""
    if isinstance(place, BytesAt):
        same = place.virtual is None or int(place.virtual) == int(place.physical)
        by = "" if same else f" at {place.virtual:#x}"
        return f"[{place.physical:#x}]:{place.size}{by}"
    return place.name


def value_text(value: int | None) -> str:
    """Return a value in hexadecimal, ``??`` for one that is not known."""
    return UNKNOWN if value is None else f"{value:#x}"


def _heading(explanation: Explanation) -> str:
    whose = "" if explanation.hart is None else f" on hart {explanation.hart}"
    asked = f"{explanation.target} at t {explanation.t}{whose}"
    if not explanation.roots:
        return f"why {asked}:"
    held = ", ".join(f"{place_text(root.place)} = {value_text(root.value)}" for root in explanation.roots)
    return f"why {asked}: {held}"


def _table(steps: Sequence[Step]) -> str:
    """A line for each step; columns as wide as they need to be."""
    rows = [_row(step) for step in steps]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(step: Step) -> tuple[str, ...]:
    symbol, line = step.symbol, step.line
    where = "" if symbol is None else f"{symbol.demangled}+{symbol.offset:#x}"
    if not where and step.pc is not None:
        where = f"{step.pc:#x}"
    source = "" if line is None else f"{line.file.rpartition('/')[2]}:{line.line}"
    made = f"{place_text(step.place)} = {value_text(step.value)}"
    hart = "" if step.hart is None else f"h{step.hart}"
    return f"#{step.number}", f"t {step.t}", hart, where, source, step.text, made, _behind(step)


def _behind(step: Step) -> str:
    """What the step was made of, or why nothing lies behind."""
    carried = [each for each in step.inputs if each.role is not Role.ADDRESS]
    shown = [_input_text(each) for each in carried]
    if step.end is not None:
        shown.append(f"end: {step.end.value}")
    return "<- " + ", ".join(shown) if shown else ""


def _input_text(each: Input) -> str:
    made = "".join(f" #{number}" for number in each.made_by[:3]) + (" ..." if len(each.made_by) > 3 else "")
    why = f" ({each.cut.value})" if each.cut is not None else ""
    table = "page table " if each.role is Role.TRANSLATION else ""
    return f"{table}{place_text(each.place)}{made}{why}"


def _open_ends(explanation: Explanation) -> list[str]:
    """The inputs that a walk could go on from; of addresses a few, for every access has one."""
    addresses = [each for each in explanation.cuts if each.cut is Cut.ADDRESS][:_MOST_ADDRESSES]
    others = [each for each in explanation.cuts if each.cut is not Cut.ADDRESS][:_MOST_OPEN]
    lines = list(dict.fromkeys(map(_resumption, (*others, *addresses))))
    more = len(explanation.cuts) - len(lines)
    return lines + ([f"  and {more} more (--json has all)"] if more > 0 else [])


def _resumption(each: Input) -> str:
    assert each.cut is not None
    return f"  {' '.join(resumption(each.place))}  = {value_text(each.value)}  ({each.cut.value})"


def resumption(place: Place) -> Iterable[str]:
    """Return the arguments of ``tracedbg why`` that ask for a place."""
    hart = () if isinstance(place, BytesAt) else ("--hart", str(place.hart))
    return (place.target, "--at", str(place.t), *hart)
