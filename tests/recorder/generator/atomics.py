"""The A extension: memory operations of all kinds, and reservations that hold, break or never were."""

from . import layout
from .stream import Family, Mode, Stream

_OPERATIONS = ("amoadd", "amoswap", "amoxor", "amoand", "amoor", "amomin", "amomax", "amominu", "amomaxu")
_ORDERS = ("", ".aq", ".rl", ".aqrl")
_SHARED_WORDS = 4
"""Words at the start of the shared frame on which all harts meet."""


def operations(stream: Stream) -> None:
    rng = stream.rng
    size = rng.choice("wd")
    base = stream.scratch(8, store=True)
    with stream.lock(base):
        for _ in range(rng.randrange(1, 5)):
            rd = 0 if stream.chance(0.15) else stream.writable()
            name = f"{rng.choice(_OPERATIONS)}.{size}{rng.choice(_ORDERS)}"
            stream.emit(f"{name} x{rd}, x{stream.readable()}, (x{base})")


def same_register(stream: Stream) -> None:
    """An AMO whose destination is its address, or its operand."""
    base = stream.scratch(8, store=True)
    operand = stream.rng.choice((base, stream.writable()))
    rd = stream.rng.choice((base, operand or base))
    stream.emit(f"{stream.rng.choice(_OPERATIONS)}.d x{rd}, x{operand}, (x{base})")


def misaligned(stream: Stream) -> None:
    """AMOs and lr at addresses that are not aligned, or not there."""
    base = stream.writable()
    address = (
        stream.bad_address() if stream.chance(0.5) else stream.good_address(16, store=True, aligned=False)
    )
    stream.load_immediate(base, address)
    with stream.lock(base):
        stream.emit(
            f"{stream.rng.choice(_OPERATIONS)}.d x{stream.writable()}, x{stream.readable()}, (x{base})",
            f"lr.{stream.rng.choice('wd')} x{stream.writable()}, (x{base})",
        )
        stream.emit(f"sc.w x{stream.writable()}, x{stream.readable()}, (x{base})")


def reservation_holds(stream: Stream) -> None:
    """lr, a computation, sc to the same address."""
    rng = stream.rng
    size = rng.choice("wd")
    base = stream.scratch(8, store=True)
    with stream.lock(base):
        value = stream.writable()
        stream.emit(
            f"lr.{size}{rng.choice(_ORDERS)} x{value}, (x{base})",
            f"addi x{value}, x{value}, {rng.randrange(-5, 5)}",
        )
        rd = 0 if stream.chance(0.1) else stream.writable()
        stream.emit(f"sc.{size}{rng.choice(_ORDERS)} x{rd}, x{value}, (x{base})")


def reservation_broken(stream: Stream) -> None:
    """sc that fails: another address, a store in between, another sc before it, or no lr at all."""
    rng = stream.rng
    size = rng.choice("wd")
    base = stream.scratch(64, store=True)
    with stream.lock(base):
        value, rd = stream.several(2)
        reason = rng.randrange(5)
        if reason != 0:
            stream.emit(f"lr.{size} x{value}, (x{base})")
        if reason == 1:
            stream.emit(f"not x{value}, x{value}", f"s{size} x{value}, 0(x{base})")
        elif reason == 2:
            stream.emit(f"sc.{size} x{rd}, x{value}, (x{base})")
        elif reason == 3:
            stream.emit(f"addi x{base}, x{base}, 8")
        elif reason == 4:
            stream.emit("ebreak")
        stream.emit(f"sc.{size} x{rd if stream.chance(0.9) else 0}, x{stream.readable()}, (x{base})")


def shared_address(stream: Stream) -> int:
    """The address, in this mode's view, of one of the words that all harts share."""
    offset = stream.rng.randrange(_SHARED_WORDS) * 8
    if stream.mode == Mode.USER and stream.setting.translated:
        return layout.USER_LARGE + offset
    if stream.setting.translated and stream.chance(0.5):
        return layout.SUPERVISOR_LARGE + layout.DATA - layout.RAM + offset
    return layout.DATA + offset


def shared_counter(stream: Stream) -> None:
    """A word that all harts change: by AMO, by a loop of lr and sc that is tried a few times, and plainly."""
    base, tries, value, failed = stream.several(4)
    stream.load_immediate(base, shared_address(stream))
    stream.emit(f"amoadd.d x{value}, x{tries}, (x{base})")
    stream.load_immediate(tries, 3)
    again, done = stream.new_label(), stream.new_label()
    stream.place(again)
    stream.emit(
        f"lr.d x{value}, (x{base})",
        f"addi x{value}, x{value}, 1",
        f"sc.d x{failed}, x{value}, (x{base})",
        f"beqz x{failed}, {done}",
        f"addi x{tries}, x{tries}, -1",
        f"bnez x{tries}, {again}",
    )
    stream.place(done)
    stream.emit(f"ld x{value}, 0(x{base})")


FAMILIES = (
    Family("amo", operations, 6),
    Family("amo_same_register", same_register, 2),
    Family("amo_misaligned", misaligned, 2),
    Family("sc_succeeds", reservation_holds, 4),
    Family("sc_fails", reservation_broken, 5),
    Family("shared_counter", shared_counter, 3),
)
