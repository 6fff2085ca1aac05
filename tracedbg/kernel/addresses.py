"""What is this address? One answer for a physical or virtual address at a moment."""

from collections.abc import Iterator
from dataclasses import dataclass

from tracedbg.errors import UsageError
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame as FrameNumber
from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.guards import Guard
from tracedbg.kernel.owners import FrameOwner
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.tasks import Task
from tracedbg.kernel.user_pages import UserMapping
from tracedbg.kernel.view import KernelView
from tracedbg.query import last_write
from tracedbg.state import Frame, Origin, Trace
from tracedbg.state.where import Range, pieces
from tracedbg.symbols import SymbolAt

USER_MAPPINGS = 8
STACK_LIMIT = 1 << 20
"""Bytes of a stack in use that are looked through, at most."""
ACTIVATION_LIMIT = 1 << 16
"""Bytes from a frame's stack pointer up to where its caller's begins; more is no frame."""


@dataclass(frozen=True)
class FramePlace:
    """An address in the frame of a function that had been entered and not left.

    ``offset`` counts from the function's stack pointer; ``depth`` is the frame's place in the call stack, 0
    for the innermost one.
    """

    frame: Frame
    depth: int
    offset: int
    hart: Hart


@dataclass(frozen=True)
class StackPlace:
    """An address in a stack: ``is_live`` tells that it lies above the stack pointer of its last use.

    ``from_top`` counts bytes down from the stack's top, ``task`` is the one that the stack works for.
    """

    text: str
    from_top: int
    is_live: bool
    task: Task | None


@dataclass(frozen=True)
class AddressAnswer:
    """All that is known of an address at ``t``; None is what there is not, or is not known.

    ``virtual`` is the address that was asked for, where it was one, or where the kernel has the byte by its
    symbols or stacks; ``physical`` is None for a virtual address that is not mapped, with the ``problem``.
    ``guard`` is the guard page of a stack that the address lies in, mapped or not, and ``history`` the owners
    of its frame (``Owners.history_of``). ``mappings`` are where user mode has the frame; ``last_write`` the
    newest write of the byte.
    """

    t: Time
    virtual: VirtualAddress | None
    physical: PhysicalAddress | None
    problem: str | None
    owner: FrameOwner | None
    guard: Guard | None
    history: tuple[FrameOwner, ...]
    symbol: SymbolAt | None
    stack: StackPlace | None
    frame: FramePlace | None
    mappings: tuple[UserMapping, ...]
    last_write: Origin | None


def what_is(view: KernelView, address: int, t: Time, *, virtual: bool = False) -> AddressAnswer:
    """Return what an address is at ``t``; a virtual one as the hart that runs then sees it."""
    if not virtual:
        return _answer(view, PhysicalAddress(address), None, t)
    physical, problem = _physical_of(view.trace, VirtualAddress(address), t)
    if physical is None:
        return AddressAnswer(
            t=t, virtual=VirtualAddress(address), physical=None, problem=problem, owner=None,
            guard=view.guards.find_at(address, t), history=(),
            symbol=view.trace.symbols.at(VirtualAddress(address)), stack=None, frame=None, mappings=(),
            last_write=None,
        )  # fmt: skip
    return _answer(view, physical, VirtualAddress(address), t)


def _physical_of(trace: Trace, address: VirtualAddress, t: Time) -> tuple[PhysicalAddress | None, str | None]:
    try:
        found = pieces(Range(address, 1, is_virtual=True), trace.at(t), trace.store.guest)
    except UsageError as error:
        return None, str(error)
    return found[0].physical, None


def _answer(
    view: KernelView, physical: PhysicalAddress, virtual: VirtualAddress | None, t: Time
) -> AddressAnswer:
    owner = view.owners.owner_at(FrameNumber(physical // PAGE_SIZE), t)
    kernel = _kernel_address(view, owner, physical) if virtual is None else virtual
    place = None if kernel is None else _frame_place(view, kernel, t)
    frame = FrameNumber(physical // PAGE_SIZE)
    in_ram = view.trace.store.guest.is_ram(physical)
    mappings = list(view.user_pages.iter_mappings(frame, t))[:USER_MAPPINGS] if in_ram else []
    return AddressAnswer(
        t=t,
        virtual=kernel,
        physical=physical,
        problem=None,
        owner=owner,
        guard=view.guards.find_at(kernel, t) if owner.guard is None and kernel is not None else owner.guard,
        history=view.owners.history_of(frame),
        symbol=None if kernel is None else view.trace.symbols.at(kernel),
        stack=None if kernel is None else _stack_place(view, owner, kernel, t),
        frame=place,
        mappings=tuple(mappings),
        last_write=_last_write(view.trace, physical, t),
    )


def _kernel_address(view: KernelView, owner: FrameOwner, physical: PhysicalAddress) -> VirtualAddress | None:
    """Return where the kernel has a byte: in a stack in use, in one that was, else as its image is linked."""
    in_use = next(_iter_in_use(view, physical, owner.t), None)
    if in_use is not None:
        return in_use
    if owner.stack_page is not None:
        return VirtualAddress(owner.stack_page + physical % PAGE_SIZE)
    for part in view.trace.symbols.load_segments():
        if part.physical_address <= physical < part.physical_address + part.memory_size:
            return VirtualAddress(part.virtual_address + physical - part.physical_address)
    return None


def _iter_in_use(view: KernelView, physical: PhysicalAddress, t: Time) -> Iterator[VirtualAddress]:
    """Yield the address of a byte in the stacks that harts use at ``t``, whoever else owns it."""
    for hart in range(view.trace.store.guest.harts):
        context, moment = view.context_at(Hart(hart), t), view.trace.at(t, hart=hart)
        sp = moment.registers.find(view.index.sp_name)
        if context is None or sp is None or not context.top - STACK_LIMIT <= sp <= context.top:
            continue
        for page in range(sp // PAGE_SIZE, (context.top - 1) // PAGE_SIZE + 1):
            address = VirtualAddress(page * PAGE_SIZE + physical % PAGE_SIZE)
            if sp <= address < context.top and moment.translate(address).physical == physical:
                yield address


def _stack_place(view: KernelView, owner: FrameOwner, address: VirtualAddress, t: Time) -> StackPlace | None:
    stack = owner.stack or _stack_in_use(view, address, t)
    if stack is None or not address < stack.top:
        return None
    own = [view.history.contexts[number] for number in stack.contexts]
    used = max((context for context in own if context.start <= t), key=lambda one: one.start, default=None)
    if used is None:
        return None
    freeze = used.frozen_at(t)
    running = view.trace.at(t, hart=used.hart).registers.find(view.index.sp_name)
    sp = running if freeze is None else freeze.sp
    is_over = used.stop is not None and t >= used.stop
    is_live = not is_over and sp is not None and sp <= address < used.top
    task = view.task_at(Hart(used.hart), Time(used.start))
    return StackPlace(stack.name, stack.top - address, is_live, task)


def _stack_in_use(view: KernelView, address: VirtualAddress, t: Time) -> Stack | None:
    """Return the stack that a hart uses at ``t`` and that reaches down to an address."""
    for hart in range(view.trace.store.guest.harts):
        context = view.context_at(Hart(hart), t)
        sp = view.trace.at(t, hart=hart).registers.find(view.index.sp_name)
        if context is not None and sp is not None and sp <= address < context.top:
            return view.stack_of(context)
    return None


def _frame_place(view: KernelView, address: VirtualAddress, t: Time) -> FramePlace | None:
    """Return the frame that holds an address, of the harts as they stand at ``t``."""
    for hart in range(view.trace.store.guest.harts):
        frames = [frame for frame in view.trace.at(t, hart=hart).backtrace() if not frame.is_inlined]
        for depth, frame in enumerate(frames):
            end = frame.cfa
            if end is None and depth + 1 < len(frames):
                end = frames[depth + 1].sp
            if frame.sp is None or end is None or not frame.sp <= address < end:
                continue
            if end - frame.sp <= ACTIVATION_LIMIT:
                return FramePlace(frame, depth, address - frame.sp, Hart(hart))
    return None


def _last_write(trace: Trace, physical: PhysicalAddress, t: Time) -> Origin | None:
    access = last_write(trace.store, (physical, 1), t)
    return None if access is None else trace.origin(access)
