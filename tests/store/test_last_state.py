"""What QEMU says of its registers where a guest runs no instruction any more."""

import pytest

from tracedbg.store.guest import GuestError
from tracedbg.store.last_state import parse_last_state

ONE_HART = (
    "\r\nCPU#0\r\n V      =   0\r\n pc       0000003ffffff000\r\n scause   000000000000000c\r\n"
    " x0/zero  0000000000000000 x1/ra    0000000080003f0e\r\n f0/ft0   ffffffff00000000\r\n"
)


def test_registers_are_told_by_hart_and_name() -> None:
    state = parse_last_state({"t": 7, "registers": ONE_HART + ONE_HART.replace("CPU#0", "CPU#1")})

    assert state.t == 7
    assert len(state.harts) == 2
    assert state.harts[1] == {
        "pc": 0x3F_FFFF_F000, "scause": 12, "zero": 0, "ra": 0x8000_3F0E, "ft0": 0xFFFF_FFFF_0000_0000,
    }  # fmt: skip


@pytest.mark.parametrize("registers", ["", "pc 0000003ffffff000", "CPU#0\npc 3f"])
def test_what_is_not_understood_is_left_out(registers: str) -> None:
    assert not any(parse_last_state({"t": 0, "registers": registers}).harts)


@pytest.mark.parametrize(
    ("record", "field"),
    [({"t": 0}, "registers"), ({"registers": ""}, "t"), ({"t": -1, "registers": ""}, "t")],
)
def test_a_malformed_record_is_refused(record: dict[str, object], field: str) -> None:
    with pytest.raises(GuestError, match=f"^{field} is not"):
        parse_last_state(record)
