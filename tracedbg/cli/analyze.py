"""Say what went wrong: which store, from which stack, into whose memory, and who used it.

Needs no configuration and no symbols, though they add names. The report tells the story first, then the
evidence, then what was checked and found clean. Exit code 0 when nothing was found, 1 when something was,
2 for wrong usage, 3 when the trace could not be analysed.

    tracedbg analyze trace.bin
    tracedbg analyze trace.bin --symbols kernel.elf --json > findings.json
    tracedbg analyze trace.bin --detector stack-underflow --detector fatal-trap
"""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from tracedbg.cli.opened import config_option, open_trace, trace_argument
from tracedbg.cli.output import json_option
from tracedbg.cli.progress import Progress
from tracedbg.cli.subcommand import subcommand
from tracedbg.errors import TracedbgError, UsageError

FINDINGS = 1
FAILED = 3


class AnalysisError(TracedbgError):
    """A trace could not be analysed."""

    exit_code = FAILED


@subcommand(__doc__)
@trace_argument
@click.option(
    "--detector", "names", multiple=True, metavar="NAME", help="Run this detector alone; may be given again."
)
@config_option
@json_option
def command(
    trace: Path, symbols: Sequence[Path], names: Sequence[str], config: Path | None, as_json: bool
) -> int:
    """Prints the report; returns 1 when there is a finding above info."""
    from tracedbg.detect.analysis import analyze
    from tracedbg.detect.findings_json import analysis_json
    from tracedbg.detect.plugins import find_plugins
    from tracedbg.detect.report import report
    from tracedbg.kernel.hints import find_hints
    from tracedbg.kernel.view import KernelView

    plugins = find_plugins(names)
    try:
        with open_trace(trace, symbols) as opened, Progress() as progress:
            length = opened.end - opened.start

            def show(done: int, of: int) -> None:
                share = done / max(of, 1)
                progress.show(f"{share:4.0%} of {length:,} instructions")

            view = KernelView(opened, show, find_hints(trace, config, opened.symbols))
            analysis = analyze(view, plugins, lambda name: progress.show(f"{name} ..."))
    except UsageError:
        raise
    except (TracedbgError, OSError) as error:
        raise AnalysisError(str(error)) from error
    click.echo(json.dumps(analysis_json(analysis), indent=2) if as_json else report(analysis))
    if not analysis.has_run:
        return FAILED
    return 0 if analysis.is_clean else FINDINGS
