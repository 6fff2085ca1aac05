"""Findings on data that a stack ran down over, where nothing tells the lowest address of the stack."""

from collections.abc import Iterator, Sequence

from tracedbg.detect.evidence import access_evidence, code_at, stack_use, victim_of, writer_at
from tracedbg.detect.finding import Certainty, Evidence, Finding, Owner, Severity, VirtualPlace, Writer
from tracedbg.detect.picture import frame_map
from tracedbg.detect.wording import bytes_text
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame
from tracedbg.kernel.overrun_data import OverrunData
from tracedbg.kernel.owners import OwnerKind
from tracedbg.kernel.view import KernelView

READS_SHOWN = 8


def by_stack(view: KernelView) -> Iterator[tuple[int, list[OverrunData]]]:
    """Yield the number of each stack that ran over data, and what was read then, in order of t."""
    found: dict[int, list[OverrunData]] = {}
    for item in view.overrun_data:
        stack = view.stack_of(item.context)
        if stack is not None:
            found.setdefault(stack.number, []).append(item)
    yield from found.items()


def overrun_finding(view: KernelView, detector: str, items: Sequence[OverrunData]) -> Finding:
    """Return the finding on what one stack ran over: the store whose damage was read first."""
    first = items[0]
    store, writer, use = first.store, writer_at(view, first.store.t), stack_use(view, first.context)
    owner = _owner(view, first)
    depth = use.top - (use.lowest_sp if writer.sp is None else writer.sp)
    consumers = tuple(_consumer(view, item) for item in items[:READS_SHOWN])
    stored = access_evidence(view, store, "store", f"{writer.code.text} stores to its stack")
    return Finding(
        detector=detector,
        severity=Severity.ERROR,
        title=f"{use.name} ran {depth:,} bytes down from its top {use.top:#x}, over {owner.text}",
        t=store.t,
        certainty=Certainty.LIKELY,
        why=_why(first),
        physical_address=store.physical,
        virtual_addresses=() if store.virtual is None else (VirtualPlace(store.virtual, 0),),
        owner=owner,
        stack=use,
        writer=writer,
        victim=victim_of(view, store),
        consumers=consumers,
        chain=(_data(view, first), stored, *consumers),
        picture=_picture(view, first, writer),
    )


def _owner(view: KernelView, item: OverrunData) -> Owner:
    """Return the data's owner: the object that it lies in, and who reads it."""
    symbol = None if item.load.virtual is None else view.trace.symbols.at(item.load.virtual)
    place = "" if symbol is None else f" in {symbol.demangled}"
    code = code_at(view, item.load.t)
    assert code is not None, "an access is made by an instruction"
    reader = f"the code at {code.pc:#x}" if code.symbol is None else code.symbol.rpartition("+")[0]
    return Owner(OwnerKind.KERNEL_DATA.value, f"data{place} that {reader} reads")


def _why(item: OverrunData) -> str:
    return (
        f"at t {item.read.t:,} an instruction read there what was no part of a stack; the stack stored over "
        f"it at t {item.store.t:,}, and at t {item.load.t:,} the same instruction reads what that left; the "
        "place was read while the stack was in use, outside its live frames; nothing else tells where that "
        "ends"
    )


def _data(view: KernelView, item: OverrunData) -> Evidence:
    return access_evidence(
        view, item.read, "data", "data is read here, the last time before it is stored over"
    )


def _consumer(view: KernelView, item: OverrunData) -> Evidence:
    size = bytes_text(item.load.size)
    text = f"code elsewhere reads {size} of what the stack left there at t {item.store.t:,}"
    return access_evidence(view, item.load, "read", text)


def _picture(view: KernelView, item: OverrunData, writer: Writer) -> str:
    moment = view.trace.at(item.store.t)
    top = moment.translate(view.highest_address(item.context)).physical
    sp = None if writer.sp is None else moment.translate(writer.sp).physical
    highest = Frame((item.store.physical if top is None else top) // PAGE_SIZE)
    return frame_map(view, item.store.t, highest, item.store.physical, sp)
