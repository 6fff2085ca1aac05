"""Other names of riscv64 registers, and registers that are parts of others.

ABI names: RISC-V calling convention, table 1; parts: privileged ISA 12.1.1 and 12.1.3, unprivileged ISA 21.2,
vector extension 3.10.
"""

from tracedbg.arch.base import View
from tracedbg.arch.riscv64.registers import FLOAT, INTEGER

ALIASES = {
    **{f"x{number}": name for number, name in enumerate(INTEGER)},
    **{f"f{number}": name for number, name in enumerate(FLOAT)},
    "fp": "s0",
}


def _bits(*fields: tuple[int, int]) -> int:
    """Return a mask of the given (lowest bit, number of bits)."""
    return sum(((1 << count) - 1) << low for low, count in fields)


SIE, SPIE, UBE, SPP, VS, FS, XS, SUM, MXR, UXL, SD = (
    (1, 1), (5, 1), (6, 1), (8, 1), (9, 2), (13, 2), (15, 2), (18, 1), (19, 1), (32, 2), (63, 1),
)  # fmt: skip
SSIE, STIE, SEIE, LCOFIE = (1, 1), (5, 1), (9, 1), (13, 1)

VIEWS = {
    "sstatus": View("mstatus", _bits(SIE, SPIE, UBE, SPP, VS, FS, XS, SUM, MXR, UXL, SD)),
    "sie": View("mie", _bits(SSIE, STIE, SEIE, LCOFIE), gate="mideleg"),
    "fflags": View("fcsr", 0x1F),
    "frm": View("fcsr", 0xE0, 5),
    "vxsat": View("vcsr", 1),
    "vxrm": View("vcsr", 6, 1),
}
