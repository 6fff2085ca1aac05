"""Random bare-metal riscv64 guests: ``generate`` a program of a seed, ``build`` it, run its ``command``."""

from .build import QEMU, BuildError, Program, build, command
from .program import FAMILIES, STEP_PREFIX, generate

__all__ = ["FAMILIES", "QEMU", "STEP_PREFIX", "BuildError", "Program", "build", "command", "generate"]
