"""Texts, lengths and targets compared with objdump."""

import re
from pathlib import Path

import pytest

from tests.disasm.oracle import UBOOT, Listed, as_listed, assembled, listing, raw_listing
from tracedbg.disasm import Disassembler
from tracedbg.ids import VirtualAddress

pytestmark = pytest.mark.slow
EXTENSIONS = """
 add.uw a0,a1,a2; sh1add a0,a1,a2; sh2add a0,a1,a2; sh3add a0,a1,a2; sh1add.uw a0,a1,a2
 sh2add.uw a0,a1,a2; sh3add.uw t6,s1,a2; slli.uw a0,a1,40; zext.w a0,a1; andn a0,a1,a2; orn a0,a1,a2
 xnor a0,a1,a2; clz a0,a1; clzw a0,a1; ctz a0,a1; ctzw a0,a1; cpop a0,a1; cpopw a0,a1; max a0,a1,a2
 maxu a0,a1,a2; min a0,a1,a2; minu a0,a1,a2; sext.b a0,a1; sext.h a0,a1; zext.h a0,a1; rol a0,a1,a2
 rolw a0,a1,a2; ror a0,a1,a2; rorw a0,a1,a2; rori a0,a1,45; roriw a0,a1,13; orc.b a0,a1; rev8 a0,a1
 bclr a0,a1,a2; bclri a0,a1,45; bext a0,a1,a2; bexti a0,a1,45; binv a0,a1,a2; binvi a0,a1,45
 bset a0,a1,a2; bseti a0,a1,1; clmul a0,a1,a2; clmulh a0,a1,a2; clmulr a0,a1,a2; pause
 cbo.zero (a0); cbo.clean (a0); cbo.flush (a0); cbo.inval (a0); sfence.w.inval; sfence.inval.ir
 sinval.vma a0,a1; hfence.vvma; hfence.gvma a0,a1; hinval.vvma a0,a1; hinval.gvma a0,a1
 fence.i; fence rw,rw; fence.tso; sfence.vma; sfence.vma a0,a1; sret; mret; wfi; ecall; ebreak
 amoadd.w.aqrl a0,a1,(a2); lr.d.aq a0,(a1); sc.d.rl a0,a1,(a2); fadd.d fa0,fa1,fa2,rtz
 fcvt.w.d a0,fa0,rtz; fmadd.s fa0,fa1,fa2,fa3; jalr a0; jalr t0,0(a0); jr 16(t0); jalr 8(a0); ret
"""
MARCH = "rv64gc_zba_zbb_zbc_zbs_zicsr_zifencei_zicbom_zicboz_zihintpause_svinval_h"


def differences(lines: list[Listed]) -> list[tuple[str, str]]:
    """(ours, objdump's) wherever they differ."""
    disassembler = Disassembler("riscv64")
    found = []
    for line in lines:
        ours = disassembler.decode(line.data, VirtualAddress(line.address))
        assert ours.data == line.data
        if as_listed(ours) != line.text:
            found.append((as_listed(ours), line.text))
    return found


def test_extensions_that_capstone_lacks_read_as_binutils_has_them(tmp_path: Path) -> None:
    lines = assembled(EXTENSIONS.replace(";", "\n"), tmp_path, MARCH)
    assert len(lines) == 77
    assert differences(lines) == []


def test_all_of_uboot_reads_as_binutils_has_it() -> None:
    lines = [line for line in listing("-d", UBOOT) if len(line.data) in (2, 4)]
    assert len(lines) > 100_000
    data_in_text = [pair for pair in differences(lines) if not pair[1].startswith(("c.", "."))]
    assert [pair for pair in data_in_text if not pair[1].endswith(",unknown")] == []


def test_every_csr_has_the_name_that_binutils_gives_it(tmp_path: Path) -> None:
    data = b"".join((0x00002573 | number << 20).to_bytes(4, "little") for number in range(4096))
    wrong = differences(raw_listing(data, tmp_path))
    only_32bit = re.compile(r"csrr a0,(\w+h)$")
    newer = {"csrr a0,jvt", "csrr a0,scountinhibit"}
    assert [pair for pair in wrong if not only_32bit.match(pair[1]) and pair[0] not in newer] == []


def test_csr_instructions_read_as_binutils_has_them(tmp_path: Path) -> None:
    words = [
        function << 12 | rd << 7 | source << 15 | 0x73 | number << 20
        for function in (1, 2, 3, 5, 6, 7)
        for rd in (0, 10)
        for source in (0, 11)
        for number in (1, 2, 3, 0x180, 0x30A, 0xC00, 0x777)
    ]
    data = b"".join(word.to_bytes(4, "little") for word in words)
    wrong = differences(raw_listing(data, tmp_path))
    assert wrong == [
        ("csrw cycle,zero", "unimp"),
        ("fsflagsi 0", "fsflagsi zero,0"),
        ("fsrmi 0", "fsrmi zero,0"),
        ("fsflagsi 11", "fsflagsi zero,11"),
        ("fsrmi 11", "fsrmi zero,11"),
    ]


def test_every_compressed_encoding_is_the_instruction_of_binutils_or_insn(tmp_path: Path) -> None:
    data = b"".join(word.to_bytes(2, "little") for word in range(65536) if word & 3 != 3)
    wrong = differences(raw_listing(data, tmp_path))
    hints = (
        "c.li zero", "c.slli zero", "c.lui zero", "c.nop", "c.slli64", "c.mv zero", "c.add zero",
        "c.srli64", "c.srai64", ".2byte", "add sp,sp,0",
    )  # fmt: skip
    assert [pair for pair in wrong if not pair[1].startswith(hints)] == []
