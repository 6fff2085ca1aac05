"""The registers of the hart that runs, with marks where they differ from the moment before the last move."""

from tracedbg.arch import Architecture
from tracedbg.session.snapshots import RegisterPanel, RegisterRow
from tracedbg.state import Moment

HARDWIRED = "zero"


def register_panel(arch: Architecture, moment: Moment, before: Moment) -> RegisterPanel:
    """Return the panel; ``before`` is the moment to compare with, seen from the same hart.

    Integer registers come first, then control registers; floating-point registers are left out. Of vector
    registers, which take a line each, only those that changed are there.
    """
    left_out = {*arch.float_registers, *arch.vector_registers, HARDWIRED}
    names = [name for name in moment.registers if name not in left_out]
    rows = tuple(_row(name, moment.registers.find(name), before.registers.find(name)) for name in names)
    privilege = "" if moment.privilege is None else arch.privilege_name(moment.privilege)
    vectors = (
        _row(name, moment.registers.find(name), before.registers.find(name))
        for name in arch.vector_registers
        if name in moment.registers
    )
    return RegisterPanel(
        moment.hart, privilege, moment.pc, rows, tuple(row for row in vectors if row.changed)
    )


def _row(name: str, value: int | None, before: int | None) -> RegisterRow:
    return RegisterRow(name, value, value != before)
