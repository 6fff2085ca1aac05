"""Call frame rules that compilers seldom write, from assembly and by hand."""

from pathlib import Path

import pytest

from tests.symbols.oracles import PREFIX, run
from tracedbg.errors import SymbolError
from tracedbg.symbols import (
    AtCfa,
    CfaRule,
    InRegister,
    SameValue,
    SymbolTable,
    Undefined,
    Unsupported,
    UnwindRow,
    ValueOfCfa,
)

pytestmark = pytest.mark.slow
HEAD = "\n.globl _start\n_start:\n.cfi_startproc\nnop\n"
TAIL = "\nnop\nnop\n.cfi_endproc\n"


def row_after(directives: str, folder: Path, *options: str) -> UnwindRow:
    """The row at the second instruction of a function with these directives after its first."""
    source, elf = folder / "frame.S", folder / "frame.elf"
    source.write_text(HEAD + directives.replace("; ", "\n") + TAIL)
    command = ("-nostdlib", "-march=rv64g", "-Wl,-Ttext=0x80000000", *options)
    run(f"{PREFIX}gcc", *command, source, "-o", elf)
    table = SymbolTable.load([elf])
    start = table.find("_start")
    assert start is not None
    row = table.unwind_row(type(start.address)(start.address + 4))
    assert row is not None
    assert (row.start, row.end) == (start.address + 4, start.address + 12)
    return row


@pytest.mark.parametrize(
    ("directive", "rules"),
    [
        (".cfi_offset ra, -8; .cfi_offset s0, -16", {1: AtCfa(-8), 8: AtCfa(-16)}),
        (".cfi_register ra, t0", {1: InRegister(5)}),
        (".cfi_undefined ra", {1: Undefined()}),
        (".cfi_same_value s1", {9: SameValue()}),
        (".cfi_val_offset sp, 32", {2: ValueOfCfa(32)}),
        (".cfi_escape 0x15,2,0x7e", {2: ValueOfCfa(8)}),
        (".cfi_escape 0x05,64,2", {64: AtCfa(-8)}),
        (".cfi_escape 0x11,8,0x7e", {8: AtCfa(8)}),
        (".cfi_offset ra, -8; .cfi_restore ra", {}),
        (".cfi_offset 40, -8; .cfi_escape 0x06,40", {}),
        (".cfi_offset ra, -8; .cfi_remember_state; .cfi_undefined ra; .cfi_restore_state", {1: AtCfa(-8)}),
        (".cfi_escape 0x10,1,2,0x72,0", {1: Unsupported("the register's rule is an expression")}),
        (".cfi_escape 0x16,1,2,0x72,0", {1: Unsupported("the register's rule is an expression")}),
    ],
)
def test_register_rule_is_read(directive: str, rules: dict[int, object], tmp_path: Path) -> None:
    row = row_after(directive, tmp_path)
    assert dict(row.rules) == rules
    assert row.cfa == CfaRule(2, 0)
    assert row.return_address == rules.get(1, SameValue())
    assert row.source == ".eh_frame"


@pytest.mark.parametrize(
    ("directive", "cfa"),
    [
        (".cfi_def_cfa s0, 16", CfaRule(8, 16)),
        (".cfi_def_cfa_offset 48; .cfi_def_cfa_register s0", CfaRule(8, 48)),
        (".cfi_def_cfa_offset 48; .cfi_adjust_cfa_offset -16", CfaRule(2, 32)),
        (".cfi_escape 0x12,8,0x7e", CfaRule(8, 8)),
        (".cfi_escape 0x13,0x7c", CfaRule(2, 16)),
        (".cfi_escape 0x0f,2,0x72,0", Unsupported("the CFA is an expression")),
        (".cfi_remember_state; .cfi_def_cfa s0, 16; .cfi_restore_state", CfaRule(2, 0)),
    ],
)
def test_cfa_rule_is_read(directive: str, cfa: object, tmp_path: Path) -> None:
    assert row_after(directive, tmp_path).cfa == cfa


def test_signal_frame_is_told(tmp_path: Path) -> None:
    assert row_after(".cfi_signal_frame", tmp_path).signal_frame
    assert not row_after(".cfi_offset ra, -8", tmp_path).signal_frame


def test_debug_frame_is_used_where_there_is_no_eh_frame(tmp_path: Path) -> None:
    source = tmp_path / "frame.S"
    source.write_text(".cfi_sections .debug_frame" + HEAD + ".cfi_offset ra, -8" + TAIL)
    run(f"{PREFIX}gcc", "-nostdlib", "-march=rv64g", source, "-o", tmp_path / "frame.elf")
    table = SymbolTable.load([tmp_path / "frame.elf"])
    start = table.find("_start")
    assert start is not None
    found = table.unwind_row(type(start.address)(start.address + 4))
    assert found is not None
    assert (found.source, dict(found.rules)) == (".debug_frame", {1: AtCfa(-8)})


def test_unknown_instruction_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SymbolError, match=r": \.eh_frame: offset 0x[0-9a-f]+: .* 0x3f is not known$"):
        row_after(".cfi_escape 0x3f,1", tmp_path)


def test_state_restored_without_one_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SymbolError, match=r"DW_CFA_restore_state without a state$"):
        row_after(".cfi_escape 0x0b", tmp_path)
