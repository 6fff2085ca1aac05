import re
from pathlib import Path

from tracedbg.arch.riscv64.registers import (
    CONTROL,
    FLOAT,
    INTEGER,
    NAMES,
    VECTOR,
    VECTOR_CONTROL,
    trace_registers,
)

SOURCES = Path(__file__).parents[2] / "plugins" / "qemu" / "recorder"


def test_plugin_and_host_number_registers_alike() -> None:
    header = (SOURCES / "registers.h").read_text()
    body = re.search(r"enum register_id \{(.*?)\}", header, re.DOTALL)
    assert body is not None
    names = re.findall(r"REGISTER_(\w+)", body[1])
    assert names[:2] == ["X0", "F0"]
    assert tuple(name.lower() for name in names[2:]) == (*CONTROL, *VECTOR_CONTROL, "v0")
    assert (len(INTEGER), len(FLOAT)) == (32, 32)


def test_the_plugin_asks_qemu_for_the_same_names() -> None:
    source = (SOURCES / "registers.c").read_text()
    table = re.search(r"names\[REGISTER_V0\] = \{(.*?)\};", source, re.DOTALL)
    assert table is not None
    # QEMU calls s0 "fp".
    names = tuple("s0" if name == "fp" else name for name in re.findall(r'"(\w+)"', table[1]))
    assert names == NAMES[: len(INTEGER) + len(FLOAT)] + CONTROL + VECTOR_CONTROL


def test_a_vector_register_is_as_many_numbers_as_it_has_words() -> None:
    assert trace_registers(0) == NAMES
    names = trace_registers(2)
    assert names[: len(NAMES)] == NAMES
    assert names[len(NAMES) + len(VECTOR_CONTROL) :][:4] == ("v0.0", "v0.1", "v1.0", "v1.1")
    assert len(names) == len(NAMES) + len(VECTOR_CONTROL) + 2 * len(VECTOR)
