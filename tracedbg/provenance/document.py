"""An explanation as an object for programs, made of what JSON knows."""

from typing import TypeAlias

from tracedbg.provenance.explanation import Explanation, Input, Step
from tracedbg.provenance.place import BytesAt, Place
from tracedbg.state import Frame

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"


def explanation_document(explanation: Explanation) -> dict[str, Json]:
    """Return the explanation; addresses and values are hexadecimal strings, what is not known is null."""
    return {
        "target": explanation.target,
        "t": explanation.t,
        "hart": explanation.hart,
        "roots": [_input(each) for each in explanation.roots],
        "spine": list(explanation.spine),
        "steps": [_step(step) for step in explanation.steps],
        "stack_of": explanation.stack_of,
        "stack": [_frame(frame) for frame in explanation.stack],
    }


def _step(step: Step) -> dict[str, Json]:
    symbol, line = step.symbol, step.line
    return {
        "number": step.number,
        "kind": step.kind,
        "t": step.t,
        "hart": step.hart,
        "pc": _hex(step.pc),
        "symbol": None if symbol is None else symbol.demangled,
        "offset": None if symbol is None else symbol.offset,
        "file": None if line is None else line.file,
        "line": None if line is None else line.line,
        "text": step.text,
        "place": _place(step.place),
        "value": _hex(step.value),
        "inputs": [_input(each) for each in step.inputs],
        "end": None if step.end is None else step.end.value,
    }


def _input(each: Input) -> dict[str, Json]:
    return {
        "role": each.role.value,
        "place": _place(each.place),
        "value": _hex(each.value),
        "made_by": list(each.made_by),
        "cut": None if each.cut is None else each.cut.value,
    }


def _place(place: Place) -> dict[str, Json]:
    if isinstance(place, BytesAt):
        return {
            "physical": _hex(place.physical),
            "size": place.size,
            "t": place.t,
            "virtual": _hex(place.virtual),
        }
    return {"register": place.name, "hart": place.hart, "t": place.t}


def _frame(frame: Frame) -> dict[str, Json]:
    line = frame.line
    return {
        "pc": _hex(frame.pc),
        "sp": _hex(frame.sp),
        "function": frame.function,
        "file": None if line is None else line.file,
        "line": None if line is None else line.line,
        "found_by": frame.found_by.value,
    }


def _hex(value: int | None) -> str | None:
    return None if value is None else hex(value)
