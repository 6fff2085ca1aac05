"""The U-Boot guest: Debian's U-Boot under OpenSBI, working off a script of its own commands.

This U-Boot is built without ``mtest``: a pattern is filled in and compared, then its complement, as in mtest.
"""

from tests.truth.dialogue import Answer

IMAGE = "/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf"
AUTOBOOT = "stop autoboot:"
PROMPT = "\n=> "

SHORT = (
    "random 84000000 10000 7",
    "crc32 84000000 10000",
    "cp.q 84000000 88000000 2000",
    "cmp.q 84000000 88000000 2000",
    "poweroff",
)
"""64 KB: some thirty million instructions, most of them the start."""

LONG = (
    "random 84000000 4000000 7",
    "crc32 84000000 4000000",
    "cp.q 84000000 88000000 800000",
    "cmp.q 84000000 88000000 800000",
    "crc32 8bff0000 10000",
    "mw.q 84000000 5555aaaa33cc0ff0 100000",
    "cp.b 84000000 88000001 ffff",
    "cmp.q 84000000 84400000 80000",
    "mw.q 84000000 aaaa5555cc33f00f 100000",
    "cmp.q 84000000 84400000 80000",
    "poweroff",
)
"""64 MB: some thousand million instructions."""


def command(harts: int) -> list[str]:
    """The QEMU command line."""
    machine = ["-machine", "virt", "-m", "256M", "-smp", str(harts), "-nographic"]
    return ["qemu-system-riscv64", *machine, "-kernel", IMAGE]


def answers(script: tuple[str, ...]) -> list[Answer]:
    """What to type: a key that stops the countdown, then each line of the script at a prompt."""
    return [Answer(AUTOBOOT, ""), *(Answer(PROMPT, line) for line in script)]
