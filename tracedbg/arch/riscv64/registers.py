"""The registers that a riscv64 trace holds, in the order of their numbers.

The recorder's list is plugins/qemu/recorder/registers.h. Names are those of the RISC-V ABI and of the
privileged ISA manual. A vector register is as many numbers as it has 8-byte words: ``v8.0`` is the lowest.
"""

from tracedbg.arch.base import word_name

INTEGER = (
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
)  # fmt: skip
FLOAT = (
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", "fa3",
    "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11",
    "ft8", "ft9", "ft10", "ft11",
)  # fmt: skip
CONTROL = (
    "fcsr", "mstatus", "satp", "medeleg", "mideleg", "mie", "mtvec", "mcounteren", "mscratch", "mepc",
    "mcause", "mtval", "stvec", "scounteren", "sscratch", "sepc", "scause", "stval", "senvcfg", "menvcfg",
)  # fmt: skip

VECTOR_CONTROL = ("vstart", "vcsr", "vl", "vtype", "vlenb")
VECTOR = tuple(f"v{number}" for number in range(32))

NAMES = (*INTEGER, *FLOAT, *CONTROL)


def trace_registers(vector_words: int) -> tuple[str, ...]:
    """Return all registers of a guest whose vector registers have so many words; 0 without vectors."""
    if not vector_words:
        return NAMES
    words = (word_name(name, word) for name in VECTOR for word in range(vector_words))
    return (*NAMES, *VECTOR_CONTROL, *words)
