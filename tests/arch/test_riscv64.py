"""Names, views, causes and privileges of riscv64."""

import pytest

from tracedbg.arch import Use, architecture
from tracedbg.errors import UsageError

ARCH = architecture("riscv64")
VALUES = {"mstatus": 0x8000_000A_0000_7822, "mie": 0x22A, "mideleg": 0x222, "fcsr": 0xA3, "satp": 8 << 60 | 5}


@pytest.mark.parametrize(
    ("view", "value"),
    [("sstatus", 0x8000_0002_0000_6022), ("sie", 0x222), ("fflags", 0x03), ("frm", 5)],
)
def test_views_are_parts_of_whole_registers(view: str, value: int) -> None:
    assert ARCH.views[view].of(VALUES.get) == value


def test_a_view_of_an_unknown_register_is_unknown() -> None:
    assert ARCH.views["sie"].of({"mie": 1}.get) is None


def test_aliases() -> None:
    assert (ARCH.aliases["x2"], ARCH.aliases["fp"], ARCH.aliases["f10"]) == ("sp", "s0", "fa0")
    assert ARCH.dwarf_register(2) == "sp"
    assert ARCH.dwarf_register(42) == "fa0"
    assert ARCH.dwarf_register(64) is None
    assert {"s0", "s11", "fs11"} <= ARCH.callee_saved
    assert "sp" not in ARCH.callee_saved


def test_causes_and_privileges() -> None:
    assert ARCH.cause_name(8) == "environment call from user mode"
    assert ARCH.cause_name(1 << 63 | 5) == "supervisor timer interrupt"
    assert ARCH.cause_name(99) == "exception 99"
    assert ARCH.is_interrupt(1 << 63 | 5)
    assert ARCH.privilege_name(3) == "machine"


@pytest.mark.parametrize(
    ("privilege", "status", "use", "mode"),
    [
        (0, 0, Use.DATA, "sv39"),
        (1, 0, Use.FETCH, "sv39"),
        (3, 0, Use.DATA, "bare"),
        (3, 1 << 17, Use.DATA, "sv39"),
        (3, 1 << 17, Use.FETCH, "bare"),
        (3, 1 << 17 | 3 << 11, Use.DATA, "bare"),
    ],
)
def test_the_address_space_in_force(privilege: int, status: int, use: Use, mode: str) -> None:
    values = {"mstatus": status, "satp": 8 << 60}
    space = ARCH.address_space(values.get, privilege, use)
    assert space is not None
    assert space.mode == mode


def test_without_the_registers_that_decide_the_address_space_is_not_known() -> None:
    assert ARCH.address_space(lambda _: None, 1, Use.DATA) is None
    assert ARCH.address_space(lambda _: None, 3, Use.DATA) is None


def test_other_architectures_are_refused() -> None:
    with pytest.raises(UsageError, match="architecture 'arm' is not known: only riscv64 is"):
        architecture("arm")
