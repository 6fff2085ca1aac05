"""Rust's enumerations, texts, slices and tuples, out of the records that gdb 13 answers with."""

from math import inf
from typing import Any

import pytest

from tracedbg.gdb.evaluation import evaluate
from tracedbg.gdb.mi import Answer, MachineInterface


def child(parent: str, name: str, text: str, type_name: str, numchild: int = 0) -> dict[str, Any]:
    return {
        "name": f"{parent}.{name}",
        "exp": name,
        "numchild": str(numchild),
        "value": text,
        "type": type_name,
    }


STATE = [child("v", "<anonymous union>", "1", "u8"), child("v", "Waiting", "{...}", "State::Waiting", 1)]
TEXT = [child("v", "data_ptr", "0x55b988", "*mut u8", 1), child("v", "length", "4", "usize")]
SLICE = [child("v", "data_ptr", "0x55b950", "*mut u32", 1), child("v", "length", "2", "usize")]
PAIR = [child("v", "__0", "3", "u16"), child("v", "__1", "-4", "i8")]
NONE = [child("v", "<anonymous union>", "0", "u64"), child("v", "None", "{...}", "Option::None")]
ELEMENTS = [child("w", "0", "10", "u32"), child("w", "1", "20", "u32")]


class Recorded(MachineInterface):
    """Answers from what gdb said."""

    def __init__(self, type_name: str, parts: list[dict[str, Any]]) -> None:
        listing = "-var-list-children --all-values"
        self.answers: dict[str, dict[str, Any]] = {
            '-data-evaluate-expression "x"': {"value": "as gdb prints it"},
            '-var-create - * "x"': {"name": "v", "numchild": "2", "value": "{...}", "type": type_name},
            f"{listing} v 0 4097": {"children": parts},
            f"{listing} v.Waiting 0 4097": {"children": [child("v.Waiting", "on", "7", "u32")]},
            "-data-read-memory-bytes 0x55b988 4": {"memory": [{"contents": "696e6974"}]},
            "-var-info-path-expression v.data_ptr": {"path_expr": "(x).data_ptr"},
            '-data-evaluate-expression "*((x).data_ptr)@2"': {"value": "[10, 20]"},
            '-var-create - * "*((x).data_ptr)@2"': {
                "name": "w",
                "numchild": "2",
                "value": "[2]",
                "type": "[u32; 2]",
            },
            f"{listing} w 0 4097": {"children": ELEMENTS},
            "-var-delete v": {},
            "-var-delete w": {},
        }

    def command(self, text: str, seconds: float = inf) -> Answer:
        return Answer(self.answers[text])


@pytest.mark.parametrize(
    ("type_name", "parts", "value"),
    [
        ("State", STATE, {"Waiting": {"on": 7}}),
        ("core::option::Option<&Task>", NONE, {"None": {}}),
        ("&str", TEXT, "init"),
        ("&[u32]", SLICE, [10, 20]),
        ("(u16, i8)", PAIR, [3, -4]),
    ],
)
def test_values_of_rust(type_name: str, parts: list[dict[str, Any]], value: object) -> None:
    found = evaluate(Recorded(type_name, parts), "x")
    assert found.value == value
    assert (found.type, found.text) == (type_name, "as gdb prints it")
