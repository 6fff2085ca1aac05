"""Several harts: interrupts to each other, and memory that all of them change between lr and sc."""

from . import layout
from .atomics import shared_address
from .interrupts import give_way
from .stream import PRIVILEGED, Family, Mode, Stream


def interrupt_other(stream: Stream) -> None:
    base, one = stream.several(2)
    hart = stream.rng.randrange(stream.machine.harts)
    stream.load_immediate(base, stream.device(layout.CLINT + 4 * hart))
    stream.emit(f"li x{one}, 1", f"sw x{one}, 0(x{base})")


def contended(stream: Stream) -> None:
    """lr, other harts run, sc: it fails where one of them changed the word, holds where none did."""
    base, value, status = stream.several(3)
    stream.load_immediate(base, shared_address(stream))
    with stream.lock(base, value, status):
        stream.emit(f"lr.d x{value}, (x{base})")
        give_way(stream)
        stream.emit(
            f"addi x{value}, x{value}, 3",
            f"sc.d x{status}, x{value}, (x{base})",
            f"amoadd.d x{status}, x{value}, (x{base})",
        )


def message(stream: Stream) -> None:
    """Plain stores and loads of the shared words."""
    base = stream.writable()
    stream.load_immediate(base, shared_address(stream))
    with stream.lock(base):
        stream.emit(
            f"ld x{stream.writable()}, 0(x{base})",
            f"sd x{stream.readable()}, 0(x{base})",
            "fence",
            f"lw x{stream.writable()}, 4(x{base})",
        )


def _shared(stream: Stream) -> bool:
    return stream.machine.harts > 1


def _may_wait(stream: Stream) -> bool:
    return _shared(stream) and (stream.mode == Mode.MACHINE or bool(stream.setting.interrupt_delegation & 2))


FAMILIES = (
    Family("interrupt_other", interrupt_other, 4, fits=_shared),
    Family("contended", contended, 7, PRIVILEGED, _may_wait),
    Family("message", message, 3, fits=_shared),
)
