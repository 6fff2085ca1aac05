"""A return to an address that no call left: the saved one was stored over."""

from collections.abc import Iterable
from dataclasses import replace

from tracedbg.detect import Certainty, Check, Evidence, Finding, Outcome, Severity
from tracedbg.detect.evidence import code_at
from tracedbg.detect.frame_findings import frame_finding
from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.kernel.frame_damage import FrameDamage
from tracedbg.kernel.view import KernelView
from tracedbg.query import executions, own_after

RETURN_WITHIN = 64
"""Instructions after the load of a return address in which the return comes."""


class ReturnAddress:
    """Convicts a saved return address that came back changed."""

    name = "return-address"
    summary = "a return went where the matching call did not come from"
    needs = "memory accesses with values"

    def run(self, view: KernelView) -> Iterable[Outcome]:
        """Yield a finding for each return address that was stored over."""
        link = view.index.arch.return_address
        for damage in view.frame_damages:
            if damage.register == link:
                yield _finding(view, damage)
        yield Check("saved return addresses that were loaded again")


def _finding(view: KernelView, damage: FrameDamage) -> Finding:
    target = VirtualAddress(damage.load.value)
    base = frame_finding(view, ReturnAddress.name, [damage])
    saved = "" if damage.spill is None else f" instead of {damage.spill.value:#x}"
    site = view.trace.recording.code.is_return_site(target)
    hart = Hart(damage.load.hart or 0)
    evidence = Evidence(damage.load.t, "return", f"the return goes to {target:#x}{saved}", hart)
    window = damage.load.t, own_after(view.trace.store, hart, damage.load.t, RETURN_WITHIN)
    arrived = executions(view.trace.store, target, between=window)
    arrived = arrived[arrived["hart"] == hart]
    landed: tuple[Evidence, ...] = ()
    if len(arrived):
        t = Time(int(arrived["t"][0]))
        landed = (Evidence(t, "arrive", "and runs there", hart, code_at(view, t)),)
    title = f"a return address saved at t {damage.spill.t} was stored over" if damage.spill else base.title
    return replace(
        base,
        title=f"{title}: the return goes to {target:#x}{saved}",
        # Tracers and unwinders put other return addresses there on purpose, but always ones that calls leave.
        severity=Severity.INFO if site else Severity.ERROR,
        certainty=Certainty.POSSIBLE if site else Certainty.CERTAIN,
        chain=(*base.chain, evidence, *landed),
    )
