"""The random guests assemble, end by themselves, and run what they are there to run."""

import subprocess
from pathlib import Path

import pytest

from tests.recorder.coverage import Coverage, measure
from tests.recorder.generator import FAMILIES, build, command, generate

SEEDS = range(40)
MEASURED = (*((seed, 0) for seed in range(18)), (0, 128), (1, 256), (3, 128))
"""Seeds whose instructions are counted, and the bits of their vectors; seed s runs on 1 + s % 3 harts."""
LIMIT = 180.0
MEASURING_LIMIT = 30.0

EXCEPTIONS = {0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15}
INTERRUPTS = {1, 3, 5, 7, 9, 11}
_ATOMICS = {
    f"amo{name}.{size}{order}"
    for name in "add swap xor and or min max minu maxu".split()
    for size in "wd"
    for order in ("", ".aq", ".rl", ".aqrl")
}
_FLOATS = {
    f"f{name}.{size}"
    for name in "add sub mul div sqrt madd msub nmadd nmsub min max sgnj sgnjn sgnjx eq lt le class".split()
    for size in "sd"
}
_CONVERSIONS = {
    f"fcvt.{way}"
    for size in "sd"
    for integer in ("w", "wu", "l", "lu")
    for way in (f"{integer}.{size}", f"{size}.{integer}")
}
MNEMONICS = (
    _ATOMICS
    | _FLOATS
    | _CONVERSIONS
    | set(
        """
        lui auipc jal jalr beq bne blt bge bltu bgeu lb lbu lh lhu lw lwu ld sb sh sw sd addi slti sltiu
        xori ori andi slli srli srai add sub sll slt sltu xor srl sra or and addiw slliw srliw sraiw addw
        subw sllw srlw sraw fence fence.i ecall ebreak mul mulh mulhsu mulhu div divu rem remu mulw divw
        divuw remw remuw lr.w lr.d sc.w sc.d flw fld fsw fsd fcvt.s.d fcvt.d.s fmv.x.w fmv.w.x fmv.x.d
        fmv.d.x csrrw csrrs csrrc csrrwi csrrsi csrrci mret sret wfi sfence.vma add.uw sh1add sh2add sh3add
        sh1add.uw sh2add.uw sh3add.uw slli.uw andn orn xnor clz clzw ctz ctzw cpop cpopw max maxu min minu
        sext.b sext.h zext.h rol rolw ror rorw rori roriw orc.b rev8 bset bclr binv bext bseti bclri binvi
        bexti clmul clmulh clmulr cbo.zero c.addi4spn c.fld c.lw c.ld c.fsd c.sw c.sd c.addi c.addiw c.li
        c.addi16sp c.lui c.srli c.srai c.andi c.sub c.xor c.or c.and c.subw c.addw c.j c.beqz c.bnez c.slli
        c.fldsp c.lwsp c.ldsp c.jr c.mv c.ebreak c.jalr c.add c.fsdsp c.swsp c.sdsp
        """.split()
    )
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_guest_ends_by_itself(seed: int, tmp_path: Path) -> None:
    program = generate(seed, harts=1 + seed % 3)
    elf = build(program, tmp_path)
    result = subprocess.run(
        command(program, elf),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_a_seed_is_always_the_same_guest() -> None:
    assert generate(7, harts=2) == generate(7, harts=2)
    assert generate(7, harts=2).source != generate(8, harts=2).source


@pytest.fixture(scope="module")
def coverage(tmp_path_factory: pytest.TempPathFactory) -> Coverage:
    total = Coverage()
    # With a log line for each instruction a guest may get on more slowly than its timer strikes.
    left_out: list[int] = []
    for seed, vector_bits in MEASURED:
        program = generate(seed, harts=1 + seed % 3, vector_bits=vector_bits)
        elf = build(program, tmp_path_factory.mktemp(program.name))
        try:
            one = measure(program, elf, timeout=MEASURING_LIMIT)
        except subprocess.TimeoutExpired:
            left_out.append(seed)
            continue
        assert 10_000 < one.instructions < 400_000, f"seed {seed}"
        total.add(one)
    assert len(left_out) <= len(MEASURED) // 4, left_out
    return total


def test_every_family_is_executed(coverage: Coverage) -> None:
    assert {family.name for family in FAMILIES} | {"reset"} == set(coverage.families)


def test_every_instruction_of_the_extensions_is_executed(coverage: Coverage) -> None:
    assert MNEMONICS - set(coverage.mnemonics) == set()


def test_every_exception_and_interrupt_is_taken(coverage: Coverage) -> None:
    assert EXCEPTIONS - set(coverage.exceptions) == set()
    assert INTERRUPTS - set(coverage.interrupts) == set()
