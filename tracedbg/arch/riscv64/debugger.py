"""riscv64 registers as gdb and QEMU's gdbstub number them.

Features and their registers: gdb manual, G.5.11. Numbers: QEMU 10.0 counts the integer registers, pc, the
floating-point registers, the vector registers of a CPU that has them, and priv from 0, and puts each control
register at its own number beyond those. Control registers: RISC-V privileged ISA, tables 3 to 7, and vector
extension, table 1.
"""

from functools import lru_cache

from tracedbg.arch.base import PC, PRIVILEGE, DebuggerFeature, DebuggerLayout, DebuggerRegister
from tracedbg.arch.riscv64.registers import FLOAT, INTEGER, VECTOR

_POINTERS = {"ra": "code_ptr", **dict.fromkeys(("sp", "gp", "tp", "s0"), "data_ptr")}
_NAMES = {"s0": "fp"}
_PC_NUMBER = len(INTEGER)
_FIRST_FLOAT = _PC_NUMBER + 1
_FIRST_VECTOR = _FIRST_FLOAT + len(FLOAT)

_CONTROL = {
    "fflags": 0x001, "frm": 0x002, "fcsr": 0x003, "sstatus": 0x100, "sie": 0x104, "stvec": 0x105,
    "scounteren": 0x106, "senvcfg": 0x10A, "sscratch": 0x140, "sepc": 0x141, "scause": 0x142, "stval": 0x143,
    "satp": 0x180, "mstatus": 0x300, "medeleg": 0x302, "mideleg": 0x303, "mie": 0x304, "mtvec": 0x305,
    "mcounteren": 0x306, "menvcfg": 0x30A, "mscratch": 0x340, "mepc": 0x341, "mcause": 0x342, "mtval": 0x343,
    "vstart": 0x008, "vxsat": 0x009, "vxrm": 0x00A, "vcsr": 0x00F, "vl": 0xC20, "vtype": 0xC21,
    "vlenb": 0xC22,
}  # fmt: skip

_ELEMENTS = {"q": 128, "l": 64, "w": 32, "s": 16, "b": 8}
"""Bits of the elements of a vector register, by QEMU's names for them."""

_FLOAT_TYPE = (
    '<union id="riscv_double"><field name="float" type="ieee_single"/>'
    '<field name="double" type="ieee_double"/></union>'
)


def _integer() -> tuple[DebuggerRegister, ...]:
    found = [
        DebuggerRegister(_NAMES.get(name, name), number, name, _POINTERS.get(name, "int"))
        for number, name in enumerate(INTEGER)
    ]
    return (*found, DebuggerRegister("pc", _PC_NUMBER, PC, "code_ptr"))


def _vector(bits: int) -> DebuggerFeature:
    """Each register is shown as elements of all widths that it holds."""
    widths = {name: width for name, width in _ELEMENTS.items() if width <= bits}
    vectors = "".join(
        f'<vector id="of_{name}" type="uint{width}" count="{bits // width}"/>'
        for name, width in widths.items()
    )
    fields = "".join(f'<field name="{name}" type="of_{name}"/>' for name in widths)
    return DebuggerFeature(
        "org.gnu.gdb.riscv.vector",
        tuple(
            DebuggerRegister(name, _FIRST_VECTOR + number, name, "riscv_vector", bits)
            for number, name in enumerate(VECTOR)
        ),
        f'{vectors}<union id="riscv_vector">{fields}</union>',
    )


@lru_cache
def layout(vector_bits: int) -> DebuggerLayout:
    """Return the layout of a CPU whose vector registers have so many bits, 0 for one without."""
    vectors = (_vector(vector_bits),) if vector_bits else ()
    privilege = _FIRST_VECTOR + (len(VECTOR) if vector_bits else 0)
    control = privilege + 1
    return DebuggerLayout(
        architecture="riscv:rv64",
        features=(
            DebuggerFeature("org.gnu.gdb.riscv.cpu", _integer()),
            DebuggerFeature(
                "org.gnu.gdb.riscv.fpu",
                tuple(
                    DebuggerRegister(name, _FIRST_FLOAT + number, name, "riscv_double")
                    for number, name in enumerate(FLOAT)
                ),
                _FLOAT_TYPE,
            ),
            *vectors,
            DebuggerFeature("org.gnu.gdb.riscv.virtual", (DebuggerRegister("priv", privilege, PRIVILEGE),)),
            DebuggerFeature(
                "org.gnu.gdb.riscv.csr",
                tuple(DebuggerRegister(name, control + number, name) for name, number in _CONTROL.items()),
            ),
        ),
        general=_PC_NUMBER + 1,
        quick=(_PC_NUMBER, INTEGER.index("sp"), INTEGER.index("s0")),
    )
