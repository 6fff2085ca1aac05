"""What a physical frame is used for at a moment, and by whom."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.frame_roles import beginnings, is_free, roles_of
from tracedbg.kernel.guards import Guard, GuardPages
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.page_tables import PageTables
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.user_pages import UserMapping, UserPages
from tracedbg.query import Kind, iter_accesses, last_write
from tracedbg.query.rows import Rows
from tracedbg.state import Trace
from tracedbg.store.source import Integers
from tracedbg.symbols import Content

HISTORY_MOMENTS = 512


class OwnerKind(Enum):
    """What a frame may be."""

    KERNEL_CODE = "kernel code"
    KERNEL_READ_ONLY = "kernel read-only data"
    KERNEL_DATA = "kernel data"
    KERNEL_MEMORY = "kernel memory"
    """Written by the kernel, and none of the other kinds: a heap, mostly."""
    KERNEL_STACK = "kernel stack"
    GUARD = "guard page"
    FIRMWARE = "firmware"
    USER_PAGE = "user page"
    PAGE_TABLE = "page table"
    FREE = "free"
    """Had a use before, and until the next one holds nothing but a link of a list of free frames."""
    UNUSED = "never used"
    DEVICE = "device"
    OTHER_MEMORY = "other memory"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class FrameOwner:
    """Who owns ``frame`` at ``t``; what belongs to another kind of owner is None.

    ``stack`` is the stack that uses the frame, at virtual page ``stack_page``; ``mapping`` the user's
    mapping, ``root`` the address space whose tables the frame is part of, ``symbol`` the object in it,
    ``guard`` the page of a stack's guard that it lies behind.
    """

    frame: Frame
    t: Time
    kind: OwnerKind
    stack: Stack | None = None
    stack_page: VirtualAddress | None = None
    mapping: UserMapping | None = None
    root: int | None = None
    symbol: str | None = None
    guard: Guard | None = None

    @property
    def text(self) -> str:
        """The owner in a few words."""
        if self.mapping is not None:
            rights = "".join(flag.lower() for flag in self.mapping.walk.flags if flag in "RWX")
            return f"user page {self.mapping.page:#x} ({rights}) of space {self.mapping.space.root:#x}"
        if self.guard is not None:
            return self.guard.text
        if self.stack is not None:
            return f"kernel {self.stack.name}"
        if self.root is not None:
            return f"page table of space {self.root:#x}"
        return self.kind.value + ("" if self.symbol is None else f" ({self.symbol})")


class Owners:
    """Answers from the history of a trace; immutable.

    ``stack_of`` gives the stack of a context, by its number.
    """

    def __init__(
        self,
        trace: Trace,
        history: StackHistory,
        stack_of: dict[int, Stack],
        user_pages: UserPages,
        guards: GuardPages,
    ) -> None:
        self._trace = trace
        self._history = history
        self._stack_of = stack_of
        self._user_pages = user_pages
        self._guards = guards
        self.tables = PageTables(trace, history, user_pages)

    def owner_at(self, frame: Frame, t: Time, *, intruder: Context | None = None) -> FrameOwner:
        """Return the owner of a frame at a moment; what ``intruder`` did with its stack does not count."""
        address = PhysicalAddress(frame * PAGE_SIZE)
        if not self._trace.store.guest.is_ram(address):
            return FrameOwner(frame, t, self._outside(address))
        mapping = self._user_pages.mapping_at(frame, t)
        if mapping is not None:
            return FrameOwner(frame, t, OwnerKind.USER_PAGE, mapping=mapping)
        root = self.tables.root_of(frame, t)
        if root is not None:
            return FrameOwner(frame, t, OwnerKind.PAGE_TABLE, root=root)
        guard = self._guards.find_behind(frame, t)
        if guard is not None:
            return FrameOwner(frame, t, OwnerKind.GUARD, guard=guard)
        found = self._stack_at(frame, t, intruder)
        if found is not None:
            stack, page = found
            kind = OwnerKind.KERNEL_STACK if stack.privilege == self._kernel else OwnerKind.FIRMWARE
            return FrameOwner(frame, t, kind, stack=stack, stack_page=page)
        return self._plain(frame, t)

    def history_of(self, frame: Frame) -> tuple[FrameOwner, ...]:
        """Return the owners that a frame had, in order of the moment from which each is known to be it.

        Looks where stacks, user mode and page tables came to the frame, at most at HISTORY_MOMENTS moments.
        """
        begun = beginnings(self._roles_of(frame))["first"].tolist()
        ends = [self._trace.start, self._trace.end - 1]
        moments = sorted({*ends, *begun, *self._guards.first_uses_near(frame)})
        found: list[FrameOwner] = []
        for t in moments[:HISTORY_MOMENTS]:
            owner = self.owner_at(frame, Time(t))
            if not found or owner.text != found[-1].text:
                found.append(owner)
        return tuple(found)

    def _outside(self, address: PhysicalAddress) -> OwnerKind:
        devices = self._trace.store.guest.devices
        inside = any(device.start <= address < device.start + device.size for device in devices)
        return OwnerKind.DEVICE if inside else OwnerKind.OTHER_MEMORY

    def _stack_at(
        self, frame: Frame, t: Time, intruder: Context | None
    ) -> tuple[Stack, VirtualAddress] | None:
        """Return the stack that stored to a frame before ``t`` and still may, and at which page.

        A task's stack stands empty while the task is in user mode: it stays that until somebody else writes.
        One that is known to have run past its end counts only where there is no other.
        """
        rows = self._history.stack_pages
        rows = rows[(rows["frame"] == frame) & (rows["first"] <= t)]
        if intruder is not None:
            rows = rows[rows["context"] != intruder.number]
        passing: tuple[Stack, VirtualAddress] | None = None
        for row in rows[::-1][:64]:
            context = self._history.contexts[int(row["context"])]
            stack, page = self._stack_of.get(context.number), VirtualAddress(int(row["page"]) * PAGE_SIZE)
            if stack is None or not self._is_in_use(context, t):
                continue
            if not self._is_past_end(stack, page, t):
                return stack, page
            passing = passing or (stack, page)
        return passing or self._empty_at(frame, t, rows)

    def _empty_at(self, frame: Frame, t: Time, rows: Rows) -> tuple[Stack, VirtualAddress] | None:
        """Return the stack whose frame it was last, by STACK_PAGE ``rows``, if nobody wrote to it since."""
        if not len(rows):
            return None
        newest = rows[np.argmax(rows["last"])]
        stack = self._stack_of.get(int(newest["context"]))
        if stack is None or self._is_written(frame, Time(int(newest["last"]) + 1), t):
            return None
        return stack, VirtualAddress(int(newest["page"]) * PAGE_SIZE)

    def _is_past_end(self, stack: Stack, page: int, t: Time) -> bool:
        """Say whether a page lies below the end of a stack, or below the top of one right under it."""
        if stack.base is not None and page + PAGE_SIZE <= stack.base:
            return True
        between = [
            other
            for other in self._stack_of.values()
            if page < other.top < stack.top and other.privilege == stack.privilege
        ]
        return any(
            self._is_in_use(self._history.contexts[own], t) for other in between for own in other.contexts
        )

    def _is_written(self, frame: Frame, start: Time, t: Time) -> bool:
        """Say whether anything writes to a frame from ``start`` on until ``t``."""
        where = (PhysicalAddress(frame * PAGE_SIZE), PAGE_SIZE)
        rows = iter_accesses(self._trace.store, where, between=(start, max(start, t)), kind=Kind.WRITE)
        return next(rows, None) is not None

    def _is_in_use(self, context: Context, t: Time) -> bool:
        return context.start <= t and (context.stop is None or t <= context.stop)

    @cached_property
    def _code(self) -> Integers:
        """Frames of code that ran outside user mode."""
        blocks = self._trace.store.blocks
        kernel = blocks.privilege != 0
        frames = np.unique(blocks.physical[kernel] // PAGE_SIZE)
        return frames.astype(np.int64)

    @cached_property
    def _kernel(self) -> int:
        """The lowest privilege of code outside user mode; what runs above it is firmware."""
        privilege = self._trace.store.blocks.privilege
        return int(privilege[privilege != 0].min(initial=3))

    def _plain(self, frame: Frame, t: Time) -> FrameOwner:
        place = int(np.searchsorted(self._code, frame))
        if place < len(self._code) and self._code[place] == frame:
            return FrameOwner(frame, t, OwnerKind.KERNEL_CODE)
        linked = self._linked(frame)
        if linked is not None:
            found = self._trace.symbols.at(linked)
            symbol = "the kernel's image" if found is None else found.demangled
            return FrameOwner(frame, t, self._content(linked), symbol=symbol)
        where = (PhysicalAddress(frame * PAGE_SIZE), PAGE_SIZE)
        written = last_write(self._trace.store, where, t)
        # Of a capture's gaps nothing is known, nor what was there at first.
        is_whole = not self._trace.store.guest.is_capture
        if is_whole and written is None and not self._trace.store.image_page(frame).any():
            return FrameOwner(frame, t, OwnerKind.UNUSED)
        if is_whole and is_free(frame, t, self._trace.store, self._roles_of(frame)):
            return FrameOwner(frame, t, OwnerKind.FREE)
        by_kernel = written is not None and written.kind is not Kind.CHANGE
        return FrameOwner(frame, t, OwnerKind.KERNEL_MEMORY if by_kernel else OwnerKind.UNKNOWN)

    def _roles_of(self, frame: Frame) -> Rows:
        return roles_of(frame, self._trace.store, self._history, self._stack_of)

    def _linked(self, frame: Frame) -> VirtualAddress | None:
        """Return where the kernel's image has a frame, None where it is not part of that."""
        for start, stop, virtual in self._segments:
            if start <= frame * PAGE_SIZE < stop:
                return VirtualAddress(virtual + frame * PAGE_SIZE - start)
        return None

    def _content(self, linked: VirtualAddress) -> OwnerKind:
        """Return what the sections of a page of the image are; data where there are several kinds."""
        contents = self._trace.symbols.contents(linked, PAGE_SIZE)
        if contents and Content.DATA not in contents:
            return OwnerKind.KERNEL_READ_ONLY if Content.READ_ONLY in contents else OwnerKind.KERNEL_CODE
        return OwnerKind.KERNEL_DATA

    @cached_property
    def _segments(self) -> list[tuple[int, int, int]]:
        """Physical start and end, and virtual start, of the segments of the symbol files."""
        return [
            (part.physical_address, part.physical_address + part.memory_size, part.virtual_address)
            for part in self._trace.symbols.load_segments()
        ]
