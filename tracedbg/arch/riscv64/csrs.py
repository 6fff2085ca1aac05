"""Control and status registers that a trace follows, by number (privileged ISA 2.2)."""

import numpy as np
from numpy.typing import NDArray

NUMBERS = {
    0x001: "fcsr", 0x002: "fcsr", 0x003: "fcsr", 0x100: "mstatus", 0x300: "mstatus", 0x180: "satp",
    0x302: "medeleg", 0x303: "mideleg", 0x104: "mie", 0x304: "mie", 0x305: "mtvec", 0x306: "mcounteren",
    0x340: "mscratch", 0x341: "mepc", 0x342: "mcause", 0x343: "mtval", 0x105: "stvec", 0x106: "scounteren",
    0x140: "sscratch", 0x141: "sepc", 0x142: "scause", 0x143: "stval", 0x10A: "senvcfg", 0x30A: "menvcfg",
}  # fmt: skip
PARTS = frozenset((0x001, 0x002, 0x100, 0x104))
"""Numbers under which only a part of the register is written: fflags, frm, sstatus, sie."""

_NAMES = {0xC00: "cycle", 0xC01: "time", 0xC02: "instret", 0xF14: "mhartid", 0x344: "mip", 0x144: "sip"}
_SYSTEM = 0x73


def csr_source(number: int) -> str:
    """Return the recorded register that a CSR is, or is a part of; else a name that no trace has."""
    return NUMBERS.get(number) or _NAMES.get(number) or f"csr {number:#x}"


def csr_writers(encodings: NDArray[np.uint32], register: str) -> NDArray[np.bool_]:
    """Return which encodings are of Zicsr instructions that write a CSR that is (a part of) ``register``."""
    function, source = encodings >> np.uint32(12) & np.uint32(7), encodings >> np.uint32(15) & np.uint32(31)
    numbers = [number for number, name in NUMBERS.items() if name == register]
    named = np.isin(encodings >> np.uint32(20), np.array(numbers, np.uint32))
    swaps = (function & np.uint32(3)) == 1
    writes = swaps | ((function & np.uint32(3) != 0) & (source != 0))
    written: NDArray[np.bool_] = (encodings & np.uint32(0x7F) == _SYSTEM) & named & writes
    return written
