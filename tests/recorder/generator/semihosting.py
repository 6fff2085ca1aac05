"""Calls to the host that write guest memory or a register: command line, heap, time, a file."""

from . import layout
from .stream import Family, Stream

HOST_FILE = "host.txt"
_A0, _A1 = 10, 11


def _call(stream: Stream, number: int, block: tuple[int | None, ...]) -> None:
    """Fill the parameter block and call; None leaves the word as it is."""
    area = layout.SEMIHOSTING + stream.setting.hart * 0x1000
    with stream.lock(_A0, _A1):
        register = stream.writable()
        stream.load_immediate(_A1, area)
        for index, word in enumerate(block):
            if word is not None:
                stream.load_immediate(register, word)
                stream.emit(f"sd x{register}, {index * 8}(x{_A1})")
    stream.emit(
        f"li x{_A0}, {number:#x}",
        ".option push",
        ".option norvc",
        ".balign 16",
        "slli x0, x0, 0x1f",
        "ebreak",
        "srai x0, x0, 7",
        ".option pop",
    )


def _buffer(stream: Stream) -> int:
    return layout.SEMIHOSTING + stream.setting.hart * 0x1000 + 0x100 + stream.rng.randrange(0xD00)


def _usable(stream: Stream) -> bool:
    return stream.machine.semihosting and not {_A0, _A1} & stream.locked


def questions(stream: Stream) -> None:
    """Calls that write a few words."""
    number, block = stream.rng.choice(
        (
            (0x15, (_buffer(stream), 128)),
            (0x16, (_buffer(stream) & ~7,)),
            (0x30, ()),
            (0x10, ()),
            (0x11, ()),
            (0x31, ()),
            (0x13, ()),
        )
    )
    _call(stream, number, block)
    stream.load_immediate(_A1, layout.SEMIHOSTING + stream.setting.hart * 0x1000)
    stream.emit(f"ld x{stream.writable()}, 0(x{_A1})", f"ld x{stream.writable()}, 0x108(x{_A1})")


def output(stream: Stream) -> None:
    area = layout.SEMIHOSTING + stream.setting.hart * 0x1000
    _call(stream, *stream.rng.choice(((0x03, (0x61,)), (0x04, (0x7A79,)))))
    stream.load_immediate(_A1, area)
    stream.emit(f"lbu x{stream.writable()}, 0(x{_A1})")


def file(stream: Stream) -> None:
    """Open, read into memory (over a page border too), close."""
    handle = stream.writable()
    if handle in (_A0, _A1):
        return
    name = int.from_bytes(HOST_FILE.encode(), "little")
    area = layout.SEMIHOSTING + stream.setting.hart * 0x1000
    with stream.lock(handle):
        register = next(x for x in stream.several(3) if x not in (_A0, _A1))
        stream.load_immediate(_A1, area)
        stream.load_immediate(register, name)
        stream.emit(f"sd x{register}, 0x80(x{_A1})", f"sd x0, 0x88(x{_A1})")
        _call(stream, 0x01, (area + 0x80, 0, len(HOST_FILE)))
        stream.emit(f"mv x{handle}, x{_A0}")
        target = _buffer(stream) if stream.chance(0.7) else area + 0xFC0
        stream.load_immediate(_A1, area)
        stream.emit(f"sd x{handle}, 0(x{_A1})")
        _call(stream, 0x06, (None, target, stream.rng.randrange(1, 100)))
        stream.load_immediate(_A1, target)
        stream.emit(f"ld x{register}, 0(x{_A1})", f"lbu x{register}, 3(x{_A1})")
        stream.load_immediate(_A1, area)
        stream.emit(f"sd x{handle}, 0(x{_A1})")
        _call(stream, 0x02, (None,))


FAMILIES = (
    Family("semihosting_question", questions, 5, fits=_usable),
    Family("semihosting_output", output, 1, fits=_usable),
    Family("semihosting_file", file, 3, fits=_usable),
)
