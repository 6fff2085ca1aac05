"""riscv64 registers as gdb and QEMU's gdbstub number them.

Features and their registers: gdb manual, G.5.11. Numbers: QEMU 10.0 counts the integer registers, pc, the
floating-point registers and priv from 0, and puts each control register at its own number beyond those.
Control registers: RISC-V privileged ISA, tables 3 to 7.
"""

from tracedbg.arch.base import PC, PRIVILEGE, DebuggerFeature, DebuggerLayout, DebuggerRegister
from tracedbg.arch.riscv64.registers import FLOAT, INTEGER

_POINTERS = {"ra": "code_ptr", **dict.fromkeys(("sp", "gp", "tp", "s0"), "data_ptr")}
_NAMES = {"s0": "fp"}
_PC_NUMBER = len(INTEGER)
_FIRST_FLOAT = _PC_NUMBER + 1
_PRIVILEGE_NUMBER = _FIRST_FLOAT + len(FLOAT)
_FIRST_CONTROL = _PRIVILEGE_NUMBER + 1

_CONTROL = {
    "fflags": 0x001, "frm": 0x002, "fcsr": 0x003, "sstatus": 0x100, "sie": 0x104, "stvec": 0x105,
    "scounteren": 0x106, "senvcfg": 0x10A, "sscratch": 0x140, "sepc": 0x141, "scause": 0x142, "stval": 0x143,
    "satp": 0x180, "mstatus": 0x300, "medeleg": 0x302, "mideleg": 0x303, "mie": 0x304, "mtvec": 0x305,
    "mcounteren": 0x306, "menvcfg": 0x30A, "mscratch": 0x340, "mepc": 0x341, "mcause": 0x342, "mtval": 0x343,
}  # fmt: skip

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


LAYOUT = DebuggerLayout(
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
        DebuggerFeature(
            "org.gnu.gdb.riscv.virtual", (DebuggerRegister("priv", _PRIVILEGE_NUMBER, PRIVILEGE),)
        ),
        DebuggerFeature(
            "org.gnu.gdb.riscv.csr",
            tuple(DebuggerRegister(name, _FIRST_CONTROL + number, name) for name, number in _CONTROL.items()),
        ),
    ),
    general=_PC_NUMBER + 1,
    quick=(_PC_NUMBER, INTEGER.index("sp"), INTEGER.index("s0")),
)
