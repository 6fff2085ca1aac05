"""Makes the parts of findings out of moments of a trace."""

from collections.abc import Sequence
from itertools import groupby

from tracedbg.detect.finding import Code, Evidence, StackUse, Victim, Writer
from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.view import KernelView
from tracedbg.query import Access, executed_at
from tracedbg.state import Frame
from tracedbg.symbols import SourceLine, SymbolAt

FRAMES_SHOWN = 32
CALLS_SHOWN = 12


def code_of(pc: VirtualAddress, symbol: SymbolAt | None, line: SourceLine | None) -> Code:
    """Return an instruction by name."""
    name = None if symbol is None else f"{symbol.demangled}+{symbol.offset:#x}"
    return Code(pc, name, None if line is None else line.file, 0 if line is None else line.line)


def code_at(view: KernelView, t: Time) -> Code | None:
    """Return the instruction that starts at ``t``, None at the trace's end."""
    executed = executed_at(view.trace.store, t)
    if executed is None:
        return None
    symbols = view.trace.symbols
    return code_of(executed.pc, symbols.at(executed.pc), symbols.line_at(executed.pc))


def frame_code(frame: Frame) -> Code:
    """Return a frame of a call stack as the instruction that it is at."""
    name = frame.function
    if name is not None and frame.symbol is not None and not frame.is_inlined:
        name = f"{name}+{frame.symbol.offset:#x}"
    return Code(
        frame.pc, name, None if frame.line is None else frame.line.file, frame.line.line if frame.line else 0
    )


def backtrace_at(view: KernelView, t: Time) -> tuple[Code, ...]:
    """Return the call stack at ``t``, innermost first."""
    return tuple(frame_code(frame) for frame in view.trace.at(t).backtrace()[:FRAMES_SHOWN])


def names_of(backtrace: tuple[Code, ...]) -> list[str]:
    """Return the functions of a call stack that have names, innermost first, each once."""
    names = [code.symbol.partition("+")[0] for code in backtrace if code.symbol is not None]
    return list(dict.fromkeys(names))


def calls_text(frames: Sequence[Code]) -> str:
    """Return a call stack in a line, innermost first; a function that called itself stands once."""
    runs = [(text, len(list(same))) for text, same in groupby(code.text for code in frames)]
    texts = [text if count == 1 else f"{text} {count} times" for text, count in runs]
    return " < ".join([*texts[:CALLS_SHOWN], *(["…"] if len(texts) > CALLS_SHOWN else [])])


def writer_at(view: KernelView, t: Time) -> Writer:
    """Return the instruction that starts at ``t`` as one that did damage."""
    moment = view.trace.at(t)
    sp = moment.registers.find(view.index.sp_name)
    code = code_at(view, t)
    assert code is not None, "an access is made by an instruction"
    return Writer(t, moment.hart, code, None if sp is None else VirtualAddress(sp), backtrace_at(view, t))


def stack_use(view: KernelView, context: Context) -> StackUse:
    """Return the stack of a context, with how deep this use of it went."""
    stack = view.stack_of(context)
    base = None if stack is None else stack.base
    task = view.task_at(Hart(context.hart), Time(context.start))
    return StackUse(
        name="the stack in use" if stack is None else stack.name,
        top=VirtualAddress(context.top if stack is None else stack.top),
        lowest_sp=VirtualAddress(context.low),
        base=None if base is None else VirtualAddress(base),
        base_source=None if stack is None else stack.base_source.value,
        task=None if task is None else task.text,
    )


def bytes_at(view: KernelView, physical: PhysicalAddress, size: int, t: Time) -> bytes | None:
    """Return bytes of memory at ``t``, None where one of them is not known."""
    known = view.trace.at(t).memory.read_physical(physical, size)
    return known.data if known.is_complete else None


def victim_of(view: KernelView, access: Access, name: str | None = None) -> Victim:
    """Return the bytes that a store wrote over."""
    after = Time(min(access.t + 1, view.trace.end))
    return Victim(
        physical=access.physical,
        size=access.size,
        before=bytes_at(view, access.physical, access.size, access.t),
        after=bytes_at(view, access.physical, access.size, after),
        name=name,
    )


def access_evidence(view: KernelView, access: Access, role: str, text: str) -> Evidence:
    """Return an access as evidence; ``text`` is a sentence on it."""
    after = Time(min(access.t + 1, view.trace.end))
    return Evidence(
        t=access.t,
        role=role,
        text=text,
        hart=Hart(0) if access.hart is None else access.hart,
        code=None if access.hart is None else code_at(view, access.t),
        physical=access.physical,
        virtual=access.virtual,
        size=access.size,
        before=bytes_at(view, access.physical, access.size, access.t),
        after=bytes_at(view, access.physical, access.size, after),
    )
