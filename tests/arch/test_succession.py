"""Where an instruction leads, against what ran next in a recording; and which cannot trap."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

import tracedbg
from tracedbg.arch import architecture
from tracedbg.ids import Time
from tracedbg.query import executed_at

SHIPPED = Path(__file__).parents[2] / "traces" / "stack_futex.bin"
MOMENTS = 400
RISCV = architecture("riscv64")
MACHINE, SUPERVISOR, USER = 3, 1, 0
TIMEOUT_WAIT = 1 << 21


def test_what_runs_next_is_where_the_instruction_leads() -> None:
    random, taken, jumps = Random(6), set(), 0
    with tracedbg.open(SHIPPED) as trace:
        for t in random.sample(range(trace.start, trace.end - 1), MOMENTS):
            now, following = executed_at(trace.store, Time(t)), trace.at(t + 1)
            assert now is not None
            if following.trap is not None:
                continue
            code = trace.store.blocks.instruction_bytes(now.instruction)
            registers = trace.at(t).registers
            found = RISCV.following(code, now.pc, [registers[name] for name in RISCV.integer_registers])
            effect = RISCV.effect(code)
            if found is None:
                # A return from a trap, or what only its effect on pc would tell.
                assert effect.jumps or effect.changes
                continue
            assert found == following.pc, (t, code.hex())
            jumps += effect.jumps
            if effect.is_conditional:
                taken.add(found != now.pc + effect.length)
    assert jumps > MOMENTS // 20
    assert taken == {True, False}


@pytest.mark.parametrize(
    ("branch", "first", "second", "is_taken"),
    [
        ("6300b500", -1, -1, True),
        ("6310b500", -1, 1, True),
        ("6340b500", -1, 1, True),
        ("6350b500", -1, 1, False),
        ("6360b500", -1, 1, False),
        ("6370b500", -1, 1, True),
    ],
    ids=["beq", "bne", "blt", "bge", "bltu", "bgeu"],
)
def test_a_branch_compares_with_or_without_sign(branch: str, first: int, second: int, is_taken: bool) -> None:
    words: list[int | None] = [0] * 32
    words[10], words[11] = first % (1 << 64), second % (1 << 64)
    found = RISCV.following(bytes.fromhex(branch), 0x1000, words)
    assert found == (0x1000 if is_taken else 0x1004)
    words[11] = None
    assert RISCV.following(bytes.fromhex(branch), 0x1000, words) is None


def status(value: int) -> Callable[[str], int | None]:
    """Registers of which only mstatus is known."""
    return lambda name: value if name == "mstatus" else None


def nothing(_: str) -> int | None:
    return None


def test_what_cannot_trap() -> None:
    wait, add, load = (bytes.fromhex(code) for code in ("73005010", "13051500", "03b50500"))
    assert RISCV.surely_retires(add, USER, nothing)
    assert not RISCV.surely_retires(load, MACHINE, nothing)
    assert RISCV.surely_retires(wait, MACHINE, nothing)
    assert RISCV.surely_retires(wait, SUPERVISOR, status(0))
    assert not RISCV.surely_retires(wait, SUPERVISOR, status(TIMEOUT_WAIT))
    assert not RISCV.surely_retires(wait, SUPERVISOR, nothing)
    assert not RISCV.surely_retires(wait, USER, status(0))
