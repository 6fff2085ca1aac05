"""The registers that instructions read and write, against the operands in objdump's text."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.disasm.oracle import UBOOT, Listed, assembled, listing, raw_listing
from tests.disasm.test_against_objdump import EXTENSIONS, MARCH
from tracedbg.arch.dataflow import MEMORY, PROGRAM_COUNTER, Dataflow, Operation
from tracedbg.arch.riscv64.dataflow import dataflow
from tracedbg.arch.riscv64.registers import FLOAT, INTEGER

pytestmark = pytest.mark.slow

REGISTER = re.compile(rf"\b(?:{'|'.join((*INTEGER, *FLOAT))})\b")
LOADS = re.compile(r"f?l[bhwdq]u?")
STORES = re.compile(r"f?s[bhwdq]")
AMOS = re.compile(r"amo(\w+)\.[wd]")
NO_RESULT = ("fence", "nop", "ecall", "ebreak", "wfi", "sfence", "hfence", "sinval", "hinval", "pause", "cbo")
MORE = """
 lb a0,1(a1); lhu a0,-2(a1); lwu a0,4(zero); fld fa0,8(a1); flw fa1,-8(sp); fsd fs1,16(s0); fsw ft11,0(a0)
 amoswap.d a0,a1,(a2); amoswap.w zero,a1,(a2); amomaxu.d a0,a1,(a2); amoor.w a0,zero,(a2); lr.w a0,(s1)
 sc.w zero,a1,(a2); fsgnj.d fa0,fa1,fa2; fmv.d fa0,fa1; fmin.s fa0,fa1,fa2; fsqrt.d fa0,fa1; feq.d a0,fa1,fa2
 fcvt.d.l fa0,a1; fcvt.s.d fa0,fa1; fclass.d a0,fa1; fmv.x.d a0,fa1; fmv.d.x fa0,a1; fnmadd.d ft1,ft2,ft3,ft4
 mul a0,a1,a2; mulhsu a0,a1,a2; divw a0,a1,a2; remu a0,a1,a2; lui a0,5; auipc a0,5; jal ra,.; jal t0,.
"""


class Expected(NamedTuple):
    target: str | None
    sources: list[str]
    base: str | None
    offset: int


def expected(text: str) -> Expected:
    """What a line of objdump says: registers in their order, the first of them written as a rule."""
    mnemonic, _, operands = text.partition(" ")
    names = [name for name in REGISTER.findall(operands) if name != "zero"]
    first = REGISTER.match(operands)
    if STORES.fullmatch(mnemonic) or LOADS.fullmatch(mnemonic):
        memory = re.fullmatch(r"(\w+),(-?\d+)\((\w+)\)", operands)
        assert memory is not None
        base = None if memory[3] == "zero" else memory[3]
        register, is_load = memory[1], bool(LOADS.fullmatch(mnemonic))
        sources = [MEMORY] if is_load else [register] * (register != "zero")
        return Expected(register if is_load else MEMORY, sources, base, int(memory[2]))
    if (
        mnemonic.startswith("b")
        and first is not None
        and "," in operands
        and not mnemonic.startswith(("bclr", "bext", "binv", "bset"))
    ):
        return Expected(PROGRAM_COUNTER, names, None, 0)
    assert first is not None, text
    return Expected(first[0], names[first[0] != "zero" :], None, 0)


def of(flow: Dataflow) -> Expected:
    """The same of a data flow; of several results the one that is not flags or status."""
    results = [result for result in flow.results if result.target not in ("fcsr", "mstatus")]
    base, offset = flow.address or (None, 0)
    if not results:
        return Expected(None, [], base, offset)
    (result,) = results
    return Expected(result.target, list(result.sources), base, offset)


def differences(lines: list[Listed]) -> list[tuple[str, Dataflow]]:
    found = []
    for line in lines:
        mnemonic = line.text.split(" ", 1)[0]
        flow = dataflow(line.data)
        if mnemonic.startswith(NO_RESULT):
            alike = not [result for result in flow.results if result.sources not in {("semihosting",), ()}]
        elif mnemonic.startswith(
            ("csr", "rd", "fs", "fr", "sret", "mret", "amo", "lr.", "sc.", "j", "ret")
        ) and not (STORES.fullmatch(mnemonic) or mnemonic.startswith(("fsgn", "fsq", "fsub"))):
            continue
        else:
            wanted = expected(line.text)
            if wanted.target == "zero":
                wanted = Expected(None, [], wanted.base, wanted.offset)
            alike = of(flow) == wanted
        if not alike:
            found.append((line.text, flow))
    return found


def test_extensions(tmp_path: Path) -> None:
    lines = assembled((EXTENSIONS + MORE).replace(";", "\n"), tmp_path, MARCH)
    assert len(lines) > 100
    assert differences(lines) == []


def test_all_of_uboot() -> None:
    lines = [line for line in listing("-d", UBOOT) if len(line.data) in (2, 4)]
    lines = [
        line
        for line in lines
        if not line.text.startswith((".", "c.", "unimp")) and "unknown" not in line.text
    ]
    assert len(lines) > 100_000
    assert differences(lines) == []


def test_every_compressed_encoding(tmp_path: Path) -> None:
    data = b"".join(word.to_bytes(2, "little") for word in range(65536) if word & 3 != 3)
    reserved = (".", "c.", "unimp", "add sp,sp,0")
    lines = [line for line in raw_listing(data, tmp_path) if not line.text.startswith(reserved)]
    assert len(lines) > 40_000
    assert differences(lines) == []


def assemble_one(text: str, folder: Path) -> Dataflow:
    (line,) = assembled(text, folder, MARCH)
    return dataflow(line.data)


@pytest.mark.parametrize(
    ("text", "operation", "results"),
    [
        ("jal ra, .", Operation.CALL, {"ra": (), "pc": ()}),
        ("j .", Operation.JUMP, {"pc": ()}),
        ("jalr t0", Operation.CALL, {"ra": (), "pc": ("t0",)}),
        ("jr a5", Operation.JUMP, {"pc": ("a5",)}),
        ("ret", Operation.RETURN, {"pc": ("ra",)}),
        ("csrrw a0, sscratch, a1", Operation.CONTROL, {"a0": ("sscratch",), "sscratch": ("a1",)}),
        ("csrrs a0, sstatus, a1", Operation.CONTROL, {"a0": ("mstatus",), "mstatus": ("mstatus", "a1")}),
        ("csrw sstatus, a1", Operation.CONTROL, {"mstatus": ("mstatus", "a1")}),
        ("csrr a0, mhartid", Operation.CONTROL, {"a0": ("mhartid",)}),
        ("csrwi satp, 0", Operation.CONTROL, {"satp": ()}),
        ("csrr a0, scause", Operation.CONTROL, {"a0": ("scause",)}),
        ("amoswap.d a0, a1, (a2)", Operation.ATOMIC, {"a0": (MEMORY,), MEMORY: ("a1",)}),
        ("amoadd.w zero, a1, (a2)", Operation.ATOMIC, {MEMORY: (MEMORY, "a1")}),
        ("lr.d a0, (a1)", Operation.LOAD_RESERVED, {"a0": (MEMORY,)}),
        ("sc.d a0, a1, (a2)", Operation.STORE_CONDITIONAL, {"a0": ("reservation",), MEMORY: ("a1",)}),
        ("sret", Operation.TRAP_RETURN, {"pc": ("sepc",), "mstatus": ("mstatus",)}),
        ("mret", Operation.TRAP_RETURN, {"pc": ("mepc",), "mstatus": ("mstatus",)}),
        ("mv a0, a1", Operation.MOVE, {"a0": ("a1",)}),
        ("li a0, 5", Operation.CONSTANT, {"a0": ()}),
        ("add a0, zero, a1", Operation.MOVE, {"a0": ("a1",)}),
        (
            "fsrm a0, a1",
            Operation.CONTROL,
            {"a0": ("fcsr",), "fcsr": ("fcsr", "a1"), "mstatus": ("mstatus",)},
        ),
        ("cbo.zero (a0)", Operation.STORE, {MEMORY: ()}),
    ],
)
def test_instructions_with_effects_that_their_text_does_not_spell_out(
    text: str, operation: Operation, results: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    flow = assemble_one(text, tmp_path)
    assert (flow.operation, {result.target: result.sources for result in flow.results}) == (
        operation,
        results,
    )


def test_zcb_as_binutils_of_today_encodes_it() -> None:
    """binutils 2.40 has no Zcb; encodings from the ISA manual, 29.2."""
    assert of(dataflow((0x8188).to_bytes(2, "little"))) == Expected("a0", [MEMORY], "a1", 0)
    assert of(dataflow((0x89E8).to_bytes(2, "little"))) == Expected(MEMORY, ["a0"], "a1", 3)
    assert of(dataflow((0x9D65).to_bytes(2, "little"))) == Expected("a0", ["a0"], None, 0)


def test_what_is_not_known_says_so() -> None:
    for word in (0x02008057, 0x02050007, 0x0000007B):
        assert dataflow(word.to_bytes(4, "little")).operation is Operation.UNKNOWN
    for data in (b"", b"\x13", b"\x13\0", b"\1\0\0\0", bytes(6)):
        assert dataflow(data).operation is Operation.UNKNOWN
