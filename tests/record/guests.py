"""Small guests for QEMU's virt machine, in assembly: what each does is said beside it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

QEMU = "qemu-system-riscv64"
COMPILER = "riscv64-unknown-elf-gcc"
RAM = 0x8000_0000
_FLAGS = (
    "-nostdlib -nostartfiles -static -mcmodel=medany -march=rv64imafdc_zicsr -mabi=lp64d -g"
    " -Wl,--build-id=none -Wl,--no-warn-rwx-segments"
)

MACROS = f"""
.macro print letter
    li t1, \\letter
    sb t1, 0(s0)
.endm
.globl _start
_start:
    li s0, 0x10000000
    li s1, 0x100000
    li sp, {RAM + 0x10000:#x}
    j main
sleep:                      # QEMU ends some time after it was told to; meanwhile nothing more is to run
    wfi
    j sleep
main:
"""

COUNT = """
loop:                       # writes memory for ever
    addi s2, s2, 1
    sd s2, 0(sp)
    ld s3, 0(sp)
    andi t0, s2, 0xff
    slli t0, t0, 3
    add t0, t0, sp
    sd s2, 64(t0)
    j loop
"""

SHUT_DOWN = """
    print 'h'
    print 'i'
    print '\\n'
    li s2, 200000
body:
    sd s2, 0(sp)
    ld s3, 0(sp)
    addi s2, s2, -1
    bnez s2, body
finish:
    li t0, 0x5555           # the test device: power off
    sw t0, 0(s1)
    j sleep
"""

LOOPS = """
    print 'h'
    print 'i'
    print '\\n'
    li s2, 30000            # about 2.2 million instructions, few of them accesses
body:
    li s4, 30
inner:
    addi s4, s4, -1
    bnez s4, inner
    andi t0, s2, 0xff
    bnez t0, skip
    sd s2, 0(sp)
    ld s3, 0(sp)
skip:
    addi s2, s2, -1
    bnez s2, body
finish:
    li t0, 0x5555
    sw t0, 0(s1)
    j sleep
"""

FAIL = """
    li t0, 0x73333          # the test device: QEMU's exit code is 7
    sw t0, 0(s1)
    j sleep
"""

RESET = """
    li t0, 0x80080000       # RAM that no image lies in
    ld t1, 0(t0)
    bnez t1, finish
    li t1, 1
    sd t1, 0(t0)
    li t0, 0x7777           # the test device: reset
    sw t0, 0(s1)
    j sleep
finish:
    li t0, 0x5555
    sw t0, 0(s1)
    j sleep
"""

ECHO = """
wait:                       # until 'q' comes
    lbu t0, 5(s0)
    andi t0, t0, 1
    beqz t0, wait
    lbu t1, 0(s0)
    sb t1, 0(s0)
    li t0, 'q'
    bne t1, t0, wait
    li t0, 0x5555
    sw t0, 0(s1)
    j sleep
"""

BAD_VECTOR = """
    li t0, 0x50000          # nothing is there
    csrw mtvec, t0
    print 'x'
    ecall
"""

DIVISOR = """
    print 'a'
    li t0, 0x83
    sb t0, 3(s0)            # the divisor latch
    print 'b'
    li t0, 0x03
    sb t0, 3(s0)
    print 'c'
    li t0, 0x5555
    sw t0, 0(s1)
    j sleep
"""

DROPS = """
    li s2, 40000            # each store is loaded again at once
body:
    sd s2, 0(sp)
    ld s3, 0(sp)
    addi s2, s2, -1
    bnez s2, body
    li t0, 0x5555
    sw t0, 0(s1)
    j sleep
"""


@dataclass(frozen=True)
class Guest:
    """A built guest; ``command`` runs it unrecorded."""

    elf: Path
    options: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        machine = ["-machine", "virt", "-m", "16M", "-bios", "none", "-nographic", "-monitor", "none"]
        return [QEMU, *machine, "-serial", "stdio", *self.options, "-kernel", str(self.elf)]


def build(body: str, folder: Path, name: str = "guest") -> Guest:
    """Assemble a guest that begins with MACROS into ``folder``."""
    source, elf = folder / f"{name}.S", folder / f"{name}.elf"
    source.write_text(MACROS + body)
    subprocess.run(
        [COMPILER, *_FLAGS.split(), f"-Wl,-Ttext={RAM:#x}", source.name, "-o", elf.name],
        cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return Guest(elf)
