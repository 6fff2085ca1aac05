"""Findings on live frames that were stored over."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from tracedbg.detect.evidence import access_evidence, code_at, stack_use, victim_of, writer_at
from tracedbg.detect.finding import Certainty, Evidence, Finding, Owner, Severity, VirtualPlace
from tracedbg.detect.picture import frame_map
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, Hart, PhysicalAddress, Time
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.frame_damage import FrameDamage
from tracedbg.kernel.owners import OwnerKind
from tracedbg.kernel.view import KernelView

DAMAGES_SHOWN = 6


def by_cause(damages: Iterable[FrameDamage]) -> list[list[FrameDamage]]:
    """Return damages that have the same victim and intruder together, each group in order of t."""
    ordered = sorted(damages, key=lambda damage: (_key(damage), damage.load.t))
    groups = [list(group) for _, group in groupby(ordered, key=_key)]
    return sorted(groups, key=lambda group: group[0].store.t)


def _key(damage: FrameDamage) -> tuple[int, int]:
    return damage.context.number, -1 if damage.intruder is None else damage.intruder.number


def frame_finding(view: KernelView, detector: str, damages: Sequence[FrameDamage]) -> Finding:
    """Return the finding on damages of one cause."""
    first = min(damages, key=lambda damage: damage.store.t)
    writer = writer_at(view, first.store.t)
    victim_stack = stack_use(view, first.context)
    user = first.intruder
    name = "" if user is None else stack_use(view, user).name
    return Finding(
        detector=detector,
        severity=Severity.ERROR,
        title=f"{_title(first, writer.code.text, victim_stack.name, name)}",
        t=first.store.t,
        certainty=Certainty.CERTAIN,
        why=_why(first),
        physical_address=first.store.physical,
        virtual_addresses=() if first.store.virtual is None else (VirtualPlace(first.store.virtual, 0),),
        owner=Owner(OwnerKind.KERNEL_STACK.value, f"live frames of {victim_stack.name}"),
        stack=victim_stack if user is None else stack_use(view, user),
        writer=writer,
        victim=victim_of(view, first.store, first.register),
        consumers=tuple(_used(view, damage) for damage in damages[:DAMAGES_SHOWN]),
        chain=(*_chain(view, first), *(_used(view, damage) for damage in damages[:DAMAGES_SHOWN])),
        picture=_picture(view, first),
    )


def _title(damage: FrameDamage, code: str, victim: str, intruder: str) -> str:
    if damage.is_over_interrupted:
        return f"{code} saves registers over live frames of {victim}: its stack pointer was above them"
    if damage.is_own:
        return f"{code} stores over what was saved in frames of its own {victim}"
    if damage.in_stack:
        return f"{intruder} ran down into live frames of {victim}"
    if damage.pointer_t is not None:
        return f"{code} stores over live frames of {victim} through a pointer to a frame left before"
    return f"{code} stores over live frames of {victim}, which stood still"


def _why(damage: FrameDamage) -> str:
    read = f"the owner loads them at t {damage.load.t:,} without having stored there again"
    freeze = damage.context.frozen_at(damage.store.t)
    if damage.pointer_t is not None:
        return (
            f"the address was computed from the stack pointer at t {damage.pointer_t:,}, for a frame that "
            f"was left before t {damage.store.t:,}; {read}"
        )
    if damage.spill is not None:
        return (
            f"the bytes were saved at t {damage.spill.t:,}, their frame was not left since, they were stored "
            f"over at t {damage.store.t:,}, and {read}"
        )
    since = "" if freeze is None else f" since t {freeze.t:,}, with sp {freeze.sp:#x}"
    return (
        f"at t {damage.store.t:,} the stack stood still{since}, below the bytes that were stored over; {read}"
    )


def _chain(view: KernelView, damage: FrameDamage) -> list[Evidence]:
    parts = []
    if damage.spill is not None:
        text = f"{damage.register} is saved in the frame"
        parts.append(access_evidence(view, damage.spill, "save", text))
    if damage.pointer_t is not None:
        text = "a pointer into a frame is made, which is used after the frame is left"
        parts.append(Evidence(damage.pointer_t, "pointer", text, None, code_at(view, damage.pointer_t)))
    freeze = damage.context.frozen_at(damage.store.t)
    if freeze is not None:
        text = f"the stack stands still from here on, its live frames from {freeze.sp:#x} up"
        t = Time(max(freeze.t - 1, view.trace.start))
        parts.append(Evidence(t, "freeze", text, Hart(damage.context.hart), code_at(view, t)))
    return [*parts, access_evidence(view, damage.store, "store", "what lies there is stored over")]


def _used(view: KernelView, damage: FrameDamage) -> Evidence:
    what = "a local value" if damage.register is None else f"register {damage.register}"
    return access_evidence(view, damage.load, "read", f"the stack's owner gets {what} back changed")


def _picture(view: KernelView, damage: FrameDamage) -> str:
    moment = view.trace.at(damage.store.t)
    sp = moment.registers.find(view.index.sp_name)
    physical = None if sp is None else moment.translate(sp).physical
    highest = max(_physical_top(view, part, damage.store.t) for part in (damage.context, damage.intruder))
    top = Frame(max(highest, damage.store.physical) // PAGE_SIZE)
    return frame_map(view, damage.store.t, top, damage.store.physical, physical)


def _physical_top(view: KernelView, context: Context | None, t: Time) -> int:
    if context is None:
        return 0
    physical = view.trace.at(t).translate(view.highest_address(context)).physical
    return PhysicalAddress(0) if physical is None else physical
