"""What one generated guest's machine is like: the choices that hold for the whole program."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Machine:
    """``frame`` and ``resume`` are the two integer registers that streams leave alone.

    The frame register is the stack pointer of the trap handlers. The resume register is where a handler goes
    on after an exception; zero means behind the instruction that trapped.
    """

    harts: int
    compressed: bool
    semihosting: bool
    reset: bool
    nested: bool
    protected: bool
    frame: int
    resume: int
    saved: tuple[int, ...]
    """Registers that the handlers save besides those that they use."""
    vector_bits: int
    """Of each vector register; 0 without the V extension."""

    @property
    def march(self) -> str:
        extensions = "zicsr_zifencei_zba_zbb_zbc_zbs_zicbom_zicboz_zicbop_zawrs"
        single = f"{'c' if self.compressed else ''}{'v' if self.vector_bits else ''}"
        return f"rv64imafd{single}_{extensions}"

    @property
    def cpu(self) -> str:
        options = [] if self.compressed else ["c=false"]
        if self.vector_bits:
            options += ["v=true", f"vlen={self.vector_bits}"]
        return ",".join(["rv64", *options])

    @property
    def free(self) -> tuple[int, ...]:
        """The integer registers that a stream may write, x0 not among them."""
        return tuple(x for x in range(1, 32) if x not in (self.frame, self.resume))


HANDLER_REGISTERS = (5, 6, 7, 28, 29)


def choose_machine(rng: Random, harts: int, vector_bits: int) -> Machine:
    frame, resume = rng.sample((2, 3, 4, 18, 23, 24, 25, 26, 27, 30, 31), 2)
    others = [x for x in range(1, 32) if x not in (*HANDLER_REGISTERS, frame, resume)]
    return Machine(
        harts=harts,
        compressed=rng.random() < 0.85,
        semihosting=rng.random() < 0.5,
        reset=rng.random() < 0.25,
        nested=rng.random() < 0.4,
        protected=rng.random() < 0.5,
        frame=frame,
        resume=resume,
        saved=tuple(sorted(rng.sample(others, rng.choice((0, 0, 3, 10, len(others)))))),
        vector_bits=vector_bits,
    )
