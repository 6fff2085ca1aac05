"""Stacks: regions in which contexts begin at the same top, with what is known of their lowest address."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise

import numpy as np

from tracedbg.kernel.contexts import NO_CONTEXT, Context
from tracedbg.kernel.stack_allocations import Allocation
from tracedbg.store.source import Integers
from tracedbg.symbols import Symbol, SymbolTable

SAME_TOP = 512
"""Tops that are at most so many bytes apart may be those of one stack: a new thread begins below its top."""
LARGEST = 1 << 24
"""A region of more bytes than this is none: a stack pointer was put to another use."""
SMALLEST_SYMBOL = 128


class BaseSource(Enum):
    """How the lowest address of a stack is known."""

    SYMBOL = "symbol"
    ARRAY = "array of stacks"
    HINT = "tracedbg.toml"
    MAPPING = "unmapped page below"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Stack:
    """A stack by virtual addresses: ``base`` is its lowest address, None where nothing tells it.

    ``number`` counts from 1 in order of first use; ``low`` is the lowest stack pointer that was seen, at
    ``low_t``, and ``contexts`` the numbers of its uses. ``symbol`` is the object that it lies in.
    """

    number: int
    top: int
    low: int
    low_t: int
    base: int | None
    base_source: BaseSource
    privilege: int
    contexts: tuple[int, ...] = field(repr=False)
    symbol: str | None = None

    @property
    def size(self) -> int | None:
        """Bytes from base to top."""
        return None if self.base is None else self.top - self.base

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"stack {self.number}" + ("" if self.symbol is None else f" ({self.symbol})")


def cluster(
    contexts: list[Context], symbols: SymbolTable, allocations: Sequence[Allocation] = ()
) -> list[Stack]:
    """Return the stacks that contexts used, in order of first use; ``allocations`` tell bases for certain."""
    used = [context for context in contexts if 0 < context.top - context.low <= LARGEST]
    objects = _objects(symbols)
    groups = _groups(sorted(used, key=_place), objects)
    tops = _tops(groups, objects)
    ordered = sorted(groups, key=lambda group: min(context.start for context in group))
    stacks = [_stack(number, group, objects, tops) for number, group in enumerate(ordered, 1)]
    return [_hinted(stack, group, allocations) for stack, group in zip(stacks, ordered, strict=True)]


def _place(context: Context) -> tuple[int, int, int]:
    return context.privilege, context.backing, context.top


def _hinted(stack: Stack, group: list[Context], allocations: Sequence[Allocation]) -> Stack:
    """Return a stack with the base of the allocation that its top lies in, the last one before its use."""
    begun = min(context.start for context in group)
    around = [found for found in allocations if found.base < stack.top <= found.base + found.size]
    own = max((found for found in around if found.t <= begun), default=None) or min(around, default=None)
    return stack if own is None else replace(stack, base=own.base, base_source=BaseSource.HINT)


class _Group:
    """Contexts of one stack, in order of their tops."""

    def __init__(self, first: Context) -> None:
        self.contexts = [first]
        self._lower: tuple[int, Integers] | None = None

    def was_beside(self, context: Context) -> bool:
        """Say whether a use with a lower top was there at one time with this one: they had a stack each."""
        if self._lower is None or self._lower[0] != context.top:
            rows = [
                (
                    other.start,
                    other.last_t,
                    other.number,
                    NO_CONTEXT if other.within is None else other.within,
                )
                for other in self.contexts
                if other.top != context.top
            ]
            self._lower = context.top, np.array(rows, np.int64).reshape(-1, 4)
        start, last, number, within = self._lower[1].T
        beside = (context.start < last) & (start < context.last_t)
        beside &= (number != (NO_CONTEXT if context.within is None else context.within)) & (
            within != context.number
        )
        return bool(beside.any())


def _groups(contexts: list[Context], objects: list[Symbol]) -> list[list[Context]]:
    groups: list[_Group] = []
    for context in contexts:
        if groups and _belongs(context, groups[-1], objects):
            groups[-1].contexts.append(context)
        else:
            groups.append(_Group(context))
    return [group.contexts for group in groups]


def _belongs(context: Context, group: _Group, objects: list[Symbol]) -> bool:
    highest, first = group.contexts[-1], group.contexts[0]
    if context.privilege != first.privilege or context.backing != first.backing:
        return False
    if context.top - highest.top > SAME_TOP:
        return False
    if _object_of(context.top - 1, objects) != _object_of(highest.top - 1, objects):
        return False
    return not group.was_beside(context)


def _objects(symbols: SymbolTable) -> list[Symbol]:
    return sorted(
        (symbol for symbol in symbols.objects() if symbol.size >= SMALLEST_SYMBOL),
        key=lambda symbol: symbol.address,
    )


def _object_of(address: int, objects: list[Symbol]) -> Symbol | None:
    """Return the smallest object that holds an address."""
    around = [symbol for symbol in objects if symbol.address <= address < symbol.address + symbol.size]
    return min(around, key=lambda symbol: symbol.size, default=None)


def _tops(groups: list[list[Context]], objects: list[Symbol]) -> dict[int, list[int]]:
    """Return the tops of the stacks in each object by its address, ascending."""
    tops: dict[int, set[int]] = {}
    for group in groups:
        top = max(context.top for context in group)
        symbol = _object_of(top - 1, objects)
        if symbol is not None:
            tops.setdefault(symbol.address, set()).add(top)
    return {address: sorted(found) for address, found in tops.items()}


def _stack(number: int, group: list[Context], objects: list[Symbol], tops: dict[int, list[int]]) -> Stack:
    top = max(context.top for context in group)
    deepest = min(group, key=lambda context: context.low)
    symbol = _object_of(top - 1, objects)
    base, source = None, BaseSource.UNKNOWN
    if symbol is not None:
        base, source = _base_in(symbol, top, tops[symbol.address])
    return Stack(
        number=number,
        top=top,
        low=deepest.low,
        low_t=deepest.low_t,
        base=base,
        base_source=source,
        privilege=group[0].privilege,
        contexts=tuple(context.number for context in group),
        symbol=None if symbol is None else symbol.demangled,
    )


def _base_in(symbol: Symbol, top: int, tops: list[int]) -> tuple[int | None, BaseSource]:
    """Return the lowest address of a stack in an object; in an array of stacks that of its element.

    Elements that were never used may be of any size, so an element ends at the array's start or at the
    top of another stack.
    """
    if len(tops) == 1:
        # A stack that ends far from the end of the object was cut out of it: a pool or a heap.
        ends_it = symbol.address + symbol.size - top <= min(SAME_TOP, symbol.size // 4)
        return (symbol.address, BaseSource.SYMBOL) if ends_it else (None, BaseSource.UNKNOWN)
    spacing = min(high - low for low, high in pairwise(tops))
    if spacing < SMALLEST_SYMBOL or symbol.size % spacing:
        return None, BaseSource.UNKNOWN
    base = symbol.address + (top - 1 - symbol.address) // spacing * spacing
    is_end = base == symbol.address or any(0 <= base - other < SAME_TOP for other in tops)
    return (base, BaseSource.ARRAY) if is_end else (None, BaseSource.UNKNOWN)
