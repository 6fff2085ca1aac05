"""Prove that a trace is true, by computing all of it again from the file alone.

Every load is compared with memory as rebuilt at its t, every keyframe with the registers that instructions
left, every trap with the control flow and the registers around it, every console byte with the store that
printed it, every span with what was stored, loaded and executed in it, and RAM at the end with what QEMU
left. The exit code is 0 when nothing differs and every change of memory has a cause, else 1.

    tracedbg verify trace.bin
    tracedbg verify trace.bin --json
"""

import json
from pathlib import Path

import click

from tracedbg.cli.output import json_option
from tracedbg.cli.progress import Progress
from tracedbg.cli.subcommand import subcommand
from tracedbg.verify.report import Report
from tracedbg.verify.verify import verify


@subcommand(__doc__)
@click.argument("trace", type=click.Path(path_type=Path))
@json_option
def command(trace: Path, as_json: bool) -> int:
    """Prints what was compared and what differed."""
    with Progress() as progress:
        report = verify(trace, lambda done, of: progress.show(f"verifying: epoch {done:,} of {of:,}"))
    click.echo(json.dumps(as_object(report), indent=2) if as_json else text(report))
    return 0 if report.passed else 1


def as_object(report: Report) -> dict[str, object]:
    """The report as JSON has it."""
    return {
        "passed": report.passed,
        "instructions": report.instructions,
        "loads": report.loads,
        "stores": report.stores,
        "keyframes": report.keyframes,
        "registers": report.registers,
        "traps": report.traps,
        "frames": report.frames,
        "final_ram_compared": report.final_ram_compared,
        "mismatches": dict(report.mismatches),
        "unexplained": report.unexplained,
        "changes": dict(report.changes),
        "unknown_results": report.unknown_results,
        "is_capture": report.is_capture,
        "gaps": report.gaps,
        "resampled": report.resampled,
        "examples": report.examples,
        "losses": list(report.losses),
    }


def text(report: Report) -> str:
    """The report as a person reads it."""
    lines = [
        f"{report.instructions:,} instructions, {report.loads:,} loads, {report.stores:,} stores",
        f"{report.registers:,} register values at {report.keyframes:,} keyframes, {report.traps:,} traps",
        f"RAM at the end: {report.frames:,} frames compared" if report.final_ram_compared
        else "RAM at the end: not in the file, not compared",
        "mismatches: " + ", ".join(f"{name} {count:,}" for name, count in report.mismatches.items()),
        "changes without a store: "
        + ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in report.changes.items()),
    ]  # fmt: skip
    if report.is_capture:
        lines.append(
            f"a capture: nothing is known across its {report.gaps:,} gaps; "
            f"{report.resampled:,} words differed when they were read again"
        )
    elif report.unknown_results:
        lines.append(f"unknown results: {report.unknown_results} (the last instruction of a hart)")
    lines += [f"lost: {loss}" for loss in report.losses]
    lines += report.examples
    return "\n".join([*lines, _verdict(report)])


def _verdict(report: Report) -> str:
    if not report.passed:
        return "NOT TRUE: see the mismatches"
    return "true as far as the file goes: it was cut short" if report.losses else "true"
