"""The address spaces of a trace: when each was in use, and what its tables map."""

from dataclasses import dataclass

from tracedbg.arch import AddressSpace
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Time
from tracedbg.kernel.view import KernelView


@dataclass(frozen=True)
class SpaceState:
    """An address space as its tables were at ``t``, the moment asked for or the last before it of its use.

    It was in a hart's register from ``first`` on, and until ``last`` at most. ``tables`` counts frames of
    page tables, ``user_pages`` pages of 4096 bytes that are mapped for user mode, ``touched`` those that user
    mode touched in the whole trace. A space without translation has none of these.
    """

    space: AddressSpace
    first: Time
    last: Time
    t: Time
    tables: int
    user_pages: int
    touched: int


def spaces_at(view: KernelView, t: Time) -> tuple[SpaceState, ...]:
    """Return the address spaces that had been in use until ``t``, in order of first use."""
    rows = view.history.spaces
    rows = rows[rows["first"] <= t]
    roots = dict.fromkeys(rows["root"].tolist())
    return tuple(_state(view, root, t) for root in roots)


def _state(view: KernelView, root: int, t: Time) -> SpaceState:
    arch, rows = view.index.arch, view.history.spaces
    own = rows[rows["root"] == root]
    begun = own[own["first"] <= t]
    # What a hart had in its register last may be freed right behind; so its last moment counts, not the end.
    moment = Time(min(t, max(int(begun["last"].max()) - 1, int(begun["first"].max()))))
    space = arch.address_space_of(root)
    pages = view.history.user_pages
    touched = set(pages["page"][pages["root"] == root].tolist()) if space.is_translated else set()
    tables, user_pages = _mapped(view, space, moment)
    return SpaceState(
        space,
        Time(int(own["first"].min())),
        Time(int(own["last"].max())),
        moment,
        tables,
        user_pages,
        len(touched),
    )


def _mapped(view: KernelView, space: AddressSpace, t: Time) -> tuple[int, int]:
    """Return how many tables a space has, and how many pages of memory it maps for user mode."""
    if not space.is_translated:
        return 0, 0
    arch, memory = view.index.arch, view.trace.at(t).memory
    tables = sum(1 for _ in arch.iter_tables(space, memory.page))
    # A large page may reach over several areas.
    sizes = {
        mapping.virtual: mapping.size
        for area in view.trace.store.guest.ram
        for mapping in arch.iter_mappings(space, memory.page, (area.start, area.size))
        if arch.user_flag in mapping.flags
    }
    return tables, sum(sizes.values()) // PAGE_SIZE
